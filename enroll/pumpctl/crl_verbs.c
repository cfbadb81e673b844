/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl ca show, ca crl: what the signer says of its CA, and the revocation list that it made. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/sha.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/daemon.h"
#include "ca/proto/signer_records.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/signer.h"
#include "enroll/pumpctl/verbs.h"

#define TIMEOUT_MS 5000
#define CA_NUMBER_MAX 99
#define CRL_BYTES_MAX (32u * 1024 * 1024)
#define SHA256_HEX (2 * SHA256_DIGEST_LENGTH + 1)

/* ---- ca show ---- */

/* What another system compares its copy of the anchor with. */
static int anchor_sha256(const struct call *call, char out[SHA256_HEX])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char path[PATH_MAX];
	unsigned len = 0;
	FILE *f;
	X509 *root;
	int rc = home_path(home_dir(call->home), "trust/device.pem", path);

	if (rc)
		return rc;
	f = fopen(path, "re");
	if (!f)
		return err_errno(ERR_IO, "%s", path);
	root = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	if (!root || !X509_digest(root, EVP_sha256(), hash, &len))
		rc = err_set(ERR_CRYPTO, "%s: no certificate in it", path);
	else
		hex_encode(hash, len, out, SHA256_HEX);
	X509_free(root);
	return rc;
}

static void show_people(const struct signer_status *s, const char *anchor)
{
	char end[CLOCK_TEXT_MAX], from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX], ocsp[CLOCK_TEXT_MAX];
	char old[CLOCK_TEXT_MAX];

	clock_format(s->issuer_not_after, end);
	clock_format(s->crl_this_update, from);
	clock_format(s->crl_next_update, to);
	clock_format(s->ocsp_responder_not_after, ocsp);
	printf("issuer     %s, until %s, key in: %s\n", s->issuer, end, s->key_store);
	if (*s->old_issuer) {
		clock_format(s->old_until, old);
		printf("before it  %s, %s; its last certificate ends %s\n", s->old_issuer,
		       s->old_retired ? "believed by no server of ours any more"
				      : "its certificates are still good",
		       s->old_until ? old : "(it has none)");
	}
	printf("anchor     trust/device.pem, root's SHA-256 %s\n", anchor);
	printf("issued     %" PRIu64 " certificates, %" PRIu64 " revoked\n", s->issued, s->revoked);
	if (s->crl_number)
		printf("CRL        number %" PRIu64 ", %u entries, %u bytes, from %s, next by %s\n",
		       s->crl_number, s->crl_entries, s->crl_bytes, from, to);
	else
		puts("CRL        none yet; see log/signerd.log");
	if (s->crl_number && *s->old_issuer)
		printf("           and one of CA %u with %u entries\n", s->old_ca,
		       s->old_crl_entries);
	if (*s->ocsp_responder)
		printf("OCSP       responder %s until %s\n", s->ocsp_responder, ocsp);
	else
		puts("OCSP       no responder; see log/signerd.log");
	printf("           %" PRIu64 " answers signed, %" PRIu64 " given again, %" PRIu64
	       " put off\n",
	       s->ocsp_signed, s->ocsp_ready, s->ocsp_refused);
}

static int ca_show_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	const struct signer_query q = {0};
	struct signer_status s;
	char anchor[SHA256_HEX];
	json_t *j;
	int rc = signer_open(call, &c);

	if (!rc)
		rc = ipc_client_call(c, SIGNER_STATUS, &record_signer_query, &q, 1,
				     &record_signer_status, &s, 1, NULL, TIMEOUT_MS);
	if (rc)
		return signer_failure(call, rc);
	rc = anchor_sha256(call, anchor);
	if (rc)
		return report_failure(rc);
	if (!call->json) {
		show_people(&s, anchor);
		return EXIT_DONE;
	}
	j = record_to_json(&record_signer_status, &s);
	if (j)
		json_object_set_new(j, "anchor_sha256", json_string(anchor));
	rc = json_show(j);
	return rc ? report_failure(rc) : EXIT_DONE;
}

const struct verb verb_ca_show = {
	.group = "ca",
	.name = "show",
	.operands = "",
	.summary = "Show the CA that certifies pumps, its revocation list and its OCSP responder",
	.examples = {"ca show", "ca show --json", "--home /tmp/try ca show"},
	.run = ca_show_run,
};

/* ---- ca crl ---- */

/* The whole list, part by part. ERR_NOT_FOUND: a newer one came in between. */
static int crl_fetch_once(struct ipc_client *c, uint32_t ca, struct buf *der, struct crl_part *head)
{
	struct crl_part part;
	int rc;

	buf_reset(der);
	do {
		const struct crl_query q = {.ca = ca,
					    .number = der->len ? head->number : 0,
					    .offset = (uint32_t)der->len};

		rc = ipc_client_call(c, SIGNER_CRL, &record_crl_query, &q, 1, &record_crl_part,
				     &part, 1, NULL, TIMEOUT_MS);
		if (!rc && !der->len)
			*head = part;
		if (!rc)
			rc = buf_put(der, part.data.data, part.data.len);
	} while (!rc && part.data.len && der->len < head->total);
	if (!rc && der->len != head->total)
		rc = err_set(ERR_INVALID, "signerd's revocation list does not fit together");
	return rc;
}

static int crl_fetch(const struct call *call, uint32_t ca, struct buf *der, struct crl_part *head)
{
	AUTO_IPC_CLIENT c = NULL;
	int rc = signer_open(call, &c);

	if (rc)
		return rc;
	rc = crl_fetch_once(c, ca, der, head);
	return rc == ERR_NOT_FOUND ? crl_fetch_once(c, ca, der, head) : rc;
}

/* PEM by the file's name, else DER (RFC 5280's own form). */
static int crl_write(const char *path, const struct buf *der)
{
	const char *dot = strrchr(path, '.');
	const uint8_t *at = der->data;
	X509_CRL *crl;
	BIO *bio;
	char *text;
	long len;
	int rc = 0;

	if (!dot || strcmp(dot, ".pem") != 0)
		return buf_write_file(path, 0644, der->data, der->len);
	crl = d2i_X509_CRL(NULL, &at, (long)der->len);
	bio = BIO_new(BIO_s_mem());
	if (!crl || !bio || !PEM_write_bio_X509_CRL(bio, crl))
		rc = err_set(ERR_CRYPTO, "the revocation list can't be written as PEM");
	if (!rc) {
		len = BIO_get_mem_data(bio, &text);
		rc = buf_write_file(path, 0644, text, (size_t)len);
	}
	X509_CRL_free(crl);
	BIO_free(bio);
	return rc;
}

static void crl_show(const struct call *call, const struct crl_part *h)
{
	char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];

	clock_format(h->this_update, from);
	clock_format(h->next_update, to);
	report_line(call, "number %" PRIu64 ", %u entries, %u bytes, from %s, next by %s",
		    h->number, h->entries, h->total, from, to);
}

static int ca_crl_run(const struct call *call)
{
	const char *out = call_value(call, "out");
	AUTO_BUF der = {.max = CRL_BYTES_MAX};
	struct crl_part head;
	unsigned long ca;
	int rc = call_number(call, "ca", 0, 1, CA_NUMBER_MAX, &ca);

	if (rc)
		return report_usage();
	rc = crl_fetch(call, (uint32_t)ca, &der, &head);
	if (rc)
		return signer_failure(call, rc);
	if (out && (rc = crl_write(out, &der)))
		return report_failure(rc);
	crl_show(call, &head);
	if (out)
		report_line(call, "written to %s", out);
	if (!call->json)
		return EXIT_DONE;
	rc = json_show(json_pack("{s:i s:I s:o s:o s:i s:i s:s?}", "ca", (int)head.ca, "number",
				 (json_int_t)head.number, "this_update",
				 time_to_json(head.this_update), "next_update",
				 time_to_json(head.next_update), "entries", (int)head.entries,
				 "bytes", (int)head.total, "file", out));
	return rc ? report_failure(rc) : EXIT_DONE;
}

static const struct option_spec ca_crl_options[] = {
	{"ca", 0, OPTION_VALUE, "N", "of the CA with this number (of the one that issues)", false},
	{"out", 'o', OPTION_VALUE, "FILE", "write the list there: PEM if it ends in .pem, else DER",
	 false},
};

const struct verb verb_ca_crl = {
	.group = "ca",
	.name = "crl",
	.operands = "",
	.summary = "Show the newest revocation list of pumps' certificates, or write it to a file",
	VERB_OPTIONS(ca_crl_options),
	.examples = {"ca crl", "ca crl --out /tmp/pumps.crl",
		     "ca crl --ca 1 --out /tmp/pumps.pem --json"},
	.run = ca_crl_run,
};
