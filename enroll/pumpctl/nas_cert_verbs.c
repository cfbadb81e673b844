/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl nas certificate: a NAS that speaks RadSec gets the certificate that it is known by. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "ca/proto/signer_records.h"
#include "enroll/pumpctl/nas_cert.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

#define CERTS_MAX 16 /* of one NAS that the registry lists */
#define SIGNER_TIMEOUT_MS 10000
#define PEM_MAX 16384
/* With less left a new certificate is made for the same key. */
#define RENEW_MS (30 * INT64_C(86400000))

struct order {
	char name[NAME_SIZE];
	char key[PATH_MAX]; /* with --new-key */
	char out[PATH_MAX]; /* "": standard output */
	struct buf csr;	    /* DER */
	uint8_t spki[32];
	bool sole;
};

static int paths_take(const struct call *call, struct order *o)
{
	const char *folder = call_value(call, "new-key");
	const char *out = call_value(call, "out");
	int rc = 0;

	if (folder && (snprintf(o->key, PATH_MAX, "%s/%s.key", folder, o->name) >= PATH_MAX ||
		       snprintf(o->out, PATH_MAX, "%s/%s.pem", folder, o->name) >= PATH_MAX))
		rc = err_set(ERR_INVALID, "--new-key %s: path too long", folder);
	if (!rc && out)
		rc = str_copy(o->out, sizeof(o->out), strcmp(out, "-") ? out : "");
	return rc;
}

static int order_take(const struct call *call, struct order *o)
{
	const char *csr = call_value(call, "csr");

	if (!csr == !call_value(call, "new-key"))
		return err_set(ERR_INVALID,
			       "give either --csr FILE (a request that the NAS made) or --new-key "
			       "DIR (its key is made there, for a NAS that can't make a request)");
	if (!*call->operands[0] || str_copy(o->name, sizeof(o->name), call->operands[0]) ||
	    strchr(o->name, '/'))
		return err_set(ERR_INVALID, "a NAS's name has 1 to %d characters", NAME_SIZE - 1);
	o->sole = call_flag(call, "sole");
	return paths_take(call, o);
}

static int csr_take(const struct call *call, struct order *o)
{
	const char *folder = call_value(call, "new-key");

	if (!folder)
		return nas_csr_read(call_value(call, "csr"), &o->csr, o->spki);
	if (access(folder, W_OK | X_OK))
		return err_errno(ERR_IO, "--new-key %s", folder);
	return nas_csr_make(o->key, &o->csr, o->spki);
}

/* The certificate that this key has already. ERR_NOT_FOUND. */
static int registered_find(struct ipc_client *c, const struct order *o, struct nas_cert *out)
{
	struct nas_cert *list = calloc(CERTS_MAX, sizeof(*list));
	struct nas_name q = {0};
	size_t n = 0;
	int rc = list ? 0 : err_set(ERR_NOMEM, "no memory for a list");

	memcpy(q.name, o->name, sizeof(q.name));
	if (!rc)
		rc = registry_nas_cert_list(c, &q, list, CERTS_MAX, &n, REGISTRY_TIMEOUT_MS);
	if (!rc)
		rc = ERR_NOT_FOUND;
	for (size_t i = 0; rc == ERR_NOT_FOUND && i < n; i++) {
		if (strcmp(list[i].state, "valid") || list[i].spki_sha256.len != 32 ||
		    memcmp(list[i].spki_sha256.data, o->spki, 32) != 0 ||
		    list[i].not_after < clock_wall_ms() + RENEW_MS)
			continue;
		*out = list[i];
		rc = 0;
	}
	free(list);
	return rc;
}

static int signer_ask(const struct call *call, const struct order *o, struct nas_cert *out)
{
	AUTO_IPC_CLIENT c = NULL;
	struct sign_nas q = {0};
	struct signed_cert cert;
	char path[PATH_MAX];
	int rc;

	if (o->csr.len > sizeof(q.csr.data))
		return err_set(ERR_LIMIT, "the request is longer than %zu bytes",
			       sizeof(q.csr.data));
	memcpy(q.name, o->name, sizeof(q.name));
	memcpy(q.csr.data, o->csr.data, o->csr.len);
	q.csr.len = (uint32_t)o->csr.len;
	rc = home_path(home_dir(call->home), SIGNER_SOCKET, path);
	if (!rc)
		rc = ipc_client_new(path, "admin", &c);
	if (!rc)
		rc = ipc_client_call(c, SIGNER_NAS, &record_sign_nas, &q, 1, &record_signed_cert,
				     &cert, 1, NULL, SIGNER_TIMEOUT_MS);
	if (rc)
		return rc;
	memcpy(out->der.data, cert.der.data, cert.der.len);
	out->der.len = cert.der.len;
	return nas_cert_describe(out);
}

/* Signed, then registered: in between it is good for nothing. */
static int certificate_have(const struct call *call, const struct order *o, struct nas_cert *out)
{
	AUTO_IPC_CLIENT c = NULL;
	int rc = registry_open(call, &c);
	int found;

	if (rc)
		return rc;
	found = registered_find(c, o, out);
	if (found && found != ERR_NOT_FOUND)
		return found;
	if (found)
		rc = signer_ask(call, o, out);
	else if (!o->sole)
		return err_set(ERR_UNCHANGED, "this key of NAS %s has its certificate already",
			       o->name);
	if (rc)
		return rc;
	memcpy(out->nas, o->name, sizeof(out->nas));
	out->sole = o->sole;
	return registry_nas_cert_add(c, out, REGISTRY_TIMEOUT_MS);
}

static int certificate_write(const struct call *call, const struct order *o,
			     const struct nas_cert *cert)
{
	AUTO_BUF pem = {.max = PEM_MAX};
	int rc = nas_cert_pem(cert, &pem);

	if (rc)
		return rc;
	if (*o->out)
		return buf_write_file(o->out, 0644, pem.data, pem.len);
	if (!call->json && fwrite(pem.data, 1, pem.len, stdout) != pem.len)
		rc = err_set(ERR_IO, "standard output");
	return rc;
}

static void certificate_tell(const struct call *call, const struct order *o,
			     const struct nas_cert *cert)
{
	char end[CLOCK_TEXT_MAX];

	clock_format(cert->not_after, end);
	if (*o->out)
		report_line(call, "NAS %s is known by certificate %s until %s: %s%s%s", o->name,
			    cert->cert_serial, end, o->out, *o->key ? ", key " : "", o->key);
	else
		report_note("NAS %s is known by certificate %s until %s", o->name,
			    cert->cert_serial, end);
	if (o->sole)
		report_note("its other certificates are refused within a second");
}

static int nas_certificate_run(const struct call *call)
{
	struct order o = {.csr = {.max = CSR_DER_MAX}};
	struct nas_cert cert = {0};
	int rc, made;

	if (order_take(call, &o))
		return report_usage();
	umask(022);
	rc = csr_take(call, &o);
	made = rc ? rc : certificate_have(call, &o, &cert);
	buf_done(&o.csr);
	if (made && made != ERR_UNCHANGED)
		return rc ? report_failure(rc) : registry_failure(call, made);
	rc = certificate_write(call, &o, &cert);
	if (rc)
		return report_failure(rc);
	if (made)
		return registry_failure(call, made);
	if (call->json)
		return record_show(call, &record_nas_cert, &cert);
	certificate_tell(call, &o, &cert);
	return EXIT_DONE;
}

static const struct option_spec nas_certificate_options[] = {
	{"csr", 0, OPTION_VALUE, "FILE", "the request that the NAS made (PKCS#10, PEM or DER)",
	 false},
	{"new-key", 0, OPTION_VALUE, "DIR", "make NAME.key there (mode 0600), and NAME.pem", false},
	{"out", 0, OPTION_VALUE, "FILE", "where the certificate goes (standard output)", false},
	{"sole", 0, OPTION_FLAG, NULL, "refuse the NAS's other certificates from now on", false},
};

const struct verb verb_nas_certificate = {
	.group = "nas",
	.name = "certificate",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Give a NAS that speaks RadSec the certificate that it is known by",
	VERB_OPTIONS(nas_certificate_options),
	.examples = {"nas certificate ap-icu-1 --csr ap-icu-1.csr --out ap-icu-1.pem",
		     "nas certificate sw-2 --new-key .",
		     "nas certificate sw-2 --csr sw-2-new.csr --sole --out sw-2.pem"},
	.run = nas_certificate_run,
};
