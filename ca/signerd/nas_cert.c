/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns certificates for access points and switches that speak RadSec: an admin asks through the
 * socket. They come from a hierarchy of their own, so that none is a pump, and none is a server.
 */
#include "ca/signerd/nas_cert.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ca/csr.h"
#include "sql/proto/registry_records.h"

#define BACKDATE_MS INT64_C(300000) /* the switch's clock may be a little late */

_Static_assert(sizeof(((struct sign_nas *)0)->name) == NAME_SIZE, "a NAS's name fits");

static int sign(struct nas_signer *s, const char *name, const struct ca_csr *csr, X509 **out)
{
	struct ca_terms t = {.kind = CA_KIND_NAS_LEAF, .common_name = name};
	int64_t now_ms = clock_wall_ms();
	int rc = ca_issuer_not_after(&s->issuer, now_ms, s->validity_ms, &t.not_after_ms);

	if (rc)
		return rc;
	t.not_before_ms = now_ms - BACKDATE_MS;
	if (t.not_before_ms < s->issuer.not_before_ms)
		t.not_before_ms = s->issuer.not_before_ms;
	ca_serial_random(t.serial);
	return ca_issue(&s->issuer, &t, X509_REQ_get_X509_PUBKEY(csr->req), out);
}

/* On the disk before anybody has it. */
static int record(struct nas_signer *s, const struct ca_csr *csr, const struct signed_cert *c)
{
	struct issued_entry e = {.at_ms = clock_wall_ms(), .not_after_ms = c->not_after};
	int rc = str_copy(e.serial, sizeof(e.serial), c->cert_serial);

	if (!rc)
		rc = str_copy(e.device, sizeof(e.device), c->device);
	if (rc)
		return rc;
	memcpy(e.spki_sha256, csr->spki_sha256, sizeof(e.spki_sha256));
	e.der = c->der.data;
	e.der_len = c->der.len;
	return issued_log_append(s->log, &e);
}

int nas_cert_issue(struct nas_signer *s, const struct sign_nas *rq, struct signed_cert *out)
{
	AUTO_BUF der = {.max = sizeof(out->der.data)};
	struct signed_cert c = {0};
	AUTO_CSR csr = {0};
	AUTO_X509 cert = NULL;
	int rc;

	if (!s->issuer.cert)
		return err_set(ERR_NOT_FOUND, "this home has no CA for NAS yet; do: pumpctl init, "
					      "then restart the server");
	if ((rc = ca_csr_parse(rq->csr.data, rq->csr.len, &csr)) ||
	    (rc = sign(s, rq->name, &csr, &cert)) ||
	    (rc = str_copy(c.device, sizeof(c.device), rq->name)) ||
	    (rc = ossl_serial_hex(cert, c.cert_serial, sizeof(c.cert_serial))) ||
	    (rc = ossl_time_ms(X509_get0_notAfter(cert), &c.not_after)) ||
	    (rc = ossl_cert_put(&der, cert)))
		return rc;
	memcpy(c.der.data, der.data, der.len);
	c.der.len = (uint32_t)der.len;
	rc = record(s, &csr, &c);
	if (!rc)
		*out = c;
	return rc;
}
