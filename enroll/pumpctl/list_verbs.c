/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl cert list | show, session list: looking at what the registry holds. */
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/log.h"
#include "enroll/pumpctl/query.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

static int cert_list_run(const struct call *call)
{
	static const struct column columns[] = {
		{"SERIAL", "cert_serial"}, {"PUMP", "device"},	  {"STATE", "state"},
		{"KEY", "key_type"},	   {"ENDS", "not_after"}, {"LAST USED", "last_used"},
	};
	const struct listing l = {
		REGISTRY_CERT_LIST,
		&record_cert,
		columns,
		6,
		"cert_serial",
		"no certificate yet; a pump gets one by: pumpctl pump bundle SERIAL"};
	struct list_query q = {0};

	if (query_filters_take(call, &q))
		return report_usage();
	return listing_show(call, &l, &q, 0);
}

static const struct option_spec cert_list_options[] = {
	{"pump", 0, OPTION_VALUE, "SERIAL", "of this pump", false},
	{"state", 0, OPTION_VALUE, "S", "reserved, valid, superseded or revoked", false},
};

const struct verb verb_cert_list = {
	.group = "cert",
	.name = "list",
	.operands = "",
	.summary = "List pump certificates",
	VERB_OPTIONS(cert_list_options),
	.examples = {"cert list", "cert list --pump PG-000123", "cert list --state valid --json"},
	.run = cert_list_run,
};

static char *pem_of(const struct cert *c)
{
	const unsigned char *at = c->der.data;
	X509 *x = c->der.len ? d2i_X509(NULL, &at, (long)c->der.len) : NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *out = NULL;
	long len;

	if (x && bio && PEM_write_bio_X509(bio, x)) {
		len = BIO_get_mem_data(bio, &data);
		out = strndup(data, (size_t)len);
	}
	BIO_free_all(bio);
	X509_free(x);
	return out;
}

static int cert_print(const struct call *call, const struct cert *c)
{
	char *pem = pem_of(c);
	int rc = EXIT_DONE;

	if (call->json) {
		json_t *j = record_to_json(&record_cert, c);

		if (j) {
			json_object_del(j, "der");
			json_object_set_new(j, "pem", pem ? json_string(pem) : json_null());
		}
		if (json_show(j))
			rc = report_failure(ERR_IO);
	} else {
		struct cert plain = *c;

		plain.der.len = 0;
		record_print(stdout, &record_cert, &plain);
		printf("\n%s", pem ? pem : "");
	}
	free(pem);
	return rc;
}

static int cert_show_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct cert_name name = {0};
	struct cert cert;
	int rc;

	if (str_copy(name.cert_serial, sizeof(name.cert_serial), call->operands[0])) {
		err_text_set("a certificate's serial is hex, as in: pumpctl cert list");
		return report_usage();
	}
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_cert_show(c, &name, &cert, REGISTRY_TIMEOUT_MS);
	return rc ? registry_failure(call, rc) : cert_print(call, &cert);
}

const struct verb verb_cert_show = {
	.group = "cert",
	.name = "show",
	.operands = "SERIALHEX",
	.n_operands = 1,
	.summary = "Show one certificate with its PEM",
	.examples = {"cert show 5f0c94d1a2b3", "cert show 5f0c94d1a2b3 --json",
		     "--home /tmp/try cert show 5f0c94d1a2b3"},
	.run = cert_show_run,
};

static int session_list_run(const struct call *call)
{
	static const struct column columns[] = {
		{"PUMP", "device"},	  {"STATE", "state"},	   {"NAS", "nas"},
		{"PORT", "nas_port"},	  {"ZONE", "zone"},	   {"VLAN", "vlan"},
		{"SINCE", "accepted_at"}, {"HEARD", "updated_at"}, {"SESSION", "session_id"},
	};
	const struct listing l = {REGISTRY_SESSION_LIST, &record_session, columns, 9, "key",
				  "no session"};
	struct list_query q = {.live_only = !call_flag(call, "all")};

	if (query_filters_take(call, &q))
		return report_usage();
	return listing_show(call, &l, &q, 0);
}

static const struct option_spec session_list_options[] = {
	{"all", 'a', OPTION_FLAG, NULL, "ended ones too", false},
	{"pump", 0, OPTION_VALUE, "SERIAL", "of this pump", false},
	{"nas", 0, OPTION_VALUE, "NAME", "on this NAS", false},
	{"zone", 0, OPTION_VALUE, "Z", "in this zone", false},
};

const struct verb verb_session_list = {
	.group = "session",
	.name = "list",
	.operands = "",
	.summary = "List who is on the network",
	VERB_OPTIONS(session_list_options),
	.examples = {"session list", "session list --pump PG-000123 --all",
		     "session list --nas ap-icu-1 --json"},
	.run = session_list_run,
};
