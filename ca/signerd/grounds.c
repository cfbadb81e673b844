/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the grounds of a renewal. Never takes the enrolment service's word. */
#include "ca/signerd/grounds.h"

#include <string.h>

#include "ca/refuse.h"
#include "ca/request/related_cert_request.h"
#include "policies/standing.h"

int grounds_prior_parse(const struct issuer_set *set, const struct sign_renew *rq, X509 **prior_out,
			struct issue_begin *begin)
{
	const struct ca_issuer *issuer;
	AUTO_X509 prior = NULL;
	int rc = ossl_cert_parse(rq->prior.data, rq->prior.len, &prior);

	if (rc)
		return err_add(rc, "%s: earlier certificate",
			       reason_name(REASON_REQUEST_MALFORMED));
	rc = issuer_set_find(set, prior, &issuer);
	if (rc)
		return err_add(rc, "%s", reason_name(REASON_WRONG_CA));
	if ((rc = str_copy(begin->prior_issuer, sizeof(begin->prior_issuer), issuer->name)) ||
	    (rc = ossl_serial_hex(prior, begin->prior_serial, sizeof(begin->prior_serial))))
		return err_add(ERR_INVALID, "%s", reason_name(REASON_REQUEST_MALFORMED));
	*prior_out = OSSL_TAKE(prior);
	return 0;
}

int grounds_prior_check(const struct cert_facts *facts, const struct sign_renew *rq, int64_t now_ms,
			int64_t late_max_ms, bool *late_out)
{
	enum cert_state cert = cert_state_parse(facts->cert_state);

	*late_out = false;

	if (!facts->found || facts->der.len != rq->prior.len ||
	    memcmp(facts->der.data, rq->prior.data, rq->prior.len))
		return ca_refuse(REASON_UNKNOWN_CERTIFICATE, ERR_DENIED,
				 "the registry does not hold the earlier certificate");
	if (!device_state_is_enrolled(device_state_parse(facts->device_state)))
		return ca_refuse(REASON_PUMP_REVOKED, ERR_CONFLICT, "pump %s is %s", facts->device,
				 facts->device_state);
	if (cert == CERT_SUPERSEDED)
		return ca_refuse(REASON_CERTIFICATE_SUPERSEDED, ERR_CONFLICT,
				 "a newer certificate of %s is in use", facts->device);
	if (cert != CERT_VALID)
		return ca_refuse(REASON_CERTIFICATE_REVOKED, ERR_CONFLICT,
				 "the earlier certificate of %s is %s", facts->device,
				 facts->cert_state);
	*late_out = now_ms >= facts->not_after;
	if (*late_out && now_ms - facts->not_after >= late_max_ms)
		return ca_refuse(REASON_CERTIFICATE_EXPIRED, ERR_EXPIRED,
				 "the earlier certificate of %s is past its end", facts->device);
	return 0;
}

int grounds_proof_check(const struct cert_facts *facts, const struct ca_csr *csr, X509 *prior,
			int64_t now_ms, bool *no_proof_out)
{
	uint8_t prior_spki[32];
	int rc;

	*no_proof_out = false;
	rc = ossl_spki_sha256(X509_get_X509_PUBKEY(prior), prior_spki);

	if (rc || facts->spki_sha256.len != sizeof(prior_spki) ||
	    memcmp(facts->spki_sha256.data, prior_spki, sizeof(prior_spki)))
		return ca_refuse(REASON_UNKNOWN_CERTIFICATE, ERR_DENIED,
				 "the registry holds another key for the earlier certificate");
	if (!memcmp(csr->spki_sha256, prior_spki, sizeof(prior_spki)))
		return 0; /* the proof of possession is proof of the registered key */
	rc = related_cert_request_check(csr->req, prior, now_ms);
	*no_proof_out = rc == ERR_NOT_FOUND;
	return rc ? err_add(ERR_DENIED, "%s", reason_name(REASON_RENEWAL_UNPROVEN)) : 0;
}
