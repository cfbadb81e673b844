/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the verification of wipe statements. Never takes the enrolment service's word. */
#include "ca/signerd/wipe_check.h"

#include <stdio.h>
#include <string.h>

#include "ca/refuse.h"
#include "ca/request/wipe_statement.h"
#include "policies/standing.h"
#include "sql/client/registry_client.h"

int wipe_check_verify(const struct cert_facts *facts, const struct wipe_check *rq, X509 *cert,
		      struct wiped *out)
{
	enum cert_state state = cert_state_parse(facts->cert_state);
	struct wipe_statement st;
	struct wiped w = {0};
	int rc;

	if (!facts->found || state == CERT_UNKNOWN || state == CERT_RESERVED ||
	    facts->der.len != rq->cert.len || memcmp(facts->der.data, rq->cert.data, rq->cert.len))
		return ca_refuse(REASON_UNKNOWN_CERTIFICATE, ERR_DENIED,
				 "the registry does not hold the statement's certificate");
	rc = wipe_text_verify(X509_get0_pubkey(cert), rq->statement.data, rq->statement.len,
			      rq->signature.data, rq->signature.len);
	if (rc)
		return err_add(rc, "%s", reason_name(REASON_PROOF_FAILED));
	rc = wipe_text_parse(rq->statement.data, rq->statement.len, &st);
	rc = rc ? rc : ossl_serial_hex(cert, w.cert_serial, sizeof(w.cert_serial));
	if (rc)
		return err_add(ERR_INVALID, "%s", reason_name(REASON_REQUEST_MALFORMED));
	if (strcmp(st.device, facts->device) || strcmp(st.certificate, w.cert_serial))
		return ca_refuse(REASON_NAME_MISMATCH, ERR_DENIED,
				 "the statement is about %s, its key is %s's", st.device,
				 facts->device);
	snprintf(w.device, sizeof(w.device), "%s", st.device);
	snprintf(w.wipe_order, sizeof(w.wipe_order), "%s", st.order);
	w.statement.len = rq->statement.len;
	memcpy(w.statement.data, rq->statement.data, rq->statement.len);
	w.signature.len = rq->signature.len;
	memcpy(w.signature.data, rq->signature.data, rq->signature.len);
	*out = w;
	return 0;
}

/* A reason in front, for who looks at the front's answer. */
static int registry_failed(int rc)
{
	return err_add(rc, "%s",
		       reason_name(rc == ERR_DENIED ? REASON_PROOF_FAILED : REASON_REGISTRY_AWAY));
}

int wipe_check_run(struct issuance *is, const struct wipe_check *rq, struct signed_cert *out)
{
	AUTO_ISSUERS set = issuers_get(is->signer->issuers);
	const struct ca_issuer *issuer;
	struct cert_name asked = {0};
	struct cert_facts facts;
	AUTO_X509 cert = NULL;
	struct wiped w;
	int rc = ossl_cert_parse(rq->cert.data, rq->cert.len, &cert);

	if (rc)
		return err_add(rc, "%s", reason_name(REASON_REQUEST_MALFORMED));
	if ((rc = issuer_set_find(set, cert, &issuer)))
		return err_add(rc, "%s", reason_name(REASON_WRONG_CA));
	if ((rc = str_copy(asked.issuer, sizeof(asked.issuer), issuer->name)) ||
	    (rc = ossl_serial_hex(cert, asked.cert_serial, sizeof(asked.cert_serial))))
		return err_add(ERR_INVALID, "%s", reason_name(REASON_REQUEST_MALFORMED));
	rc = issuance_introduce(is);
	rc = rc ? rc : registry_cert_facts(is->registry, &asked, &facts, REGISTRY_WAIT_MS);
	if (rc)
		return registry_failed(rc);
	rc = wipe_check_verify(&facts, rq, cert, &w);
	if (rc)
		return rc;
	memcpy(w.issuer, asked.issuer, sizeof(w.issuer));
	rc = registry_wiped(is->registry, &w, REGISTRY_WAIT_MS);
	if (rc && rc != ERR_UNCHANGED)
		return registry_failed(rc);
	*out = (struct signed_cert){0};
	memcpy(out->device, facts.device, sizeof(out->device));
	memcpy(out->cert_serial, asked.cert_serial, sizeof(out->cert_serial));
	return 0;
}
