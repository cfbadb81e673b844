/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the grounds that a birth certificate gives. Never takes the enrolment service's word. */
#include "ca/signerd/idevid_grounds.h"

#include <string.h>

#include "ca/idevid_chain.h"
#include "ca/refuse.h"
#include "ca/request/idevid.h"
#include "ca/request/related_cert_request.h"

/* The maker at whose anchor the chain ends: each has a store of its own. */
static int maker_find(X509 *leaf, STACK_OF(X509) * chain, const struct maker *makers, size_t n,
		      int64_t now_ms, struct issue_begin *begin)
{
	for (size_t i = 0; i < n; i++) {
		const struct maker *m = &makers[i];
		AUTO_IDEVID_CERTS anchors = NULL;
		int rc;

		if (!m->enabled)
			continue;
		rc = idevid_certs_parse(m->anchors.data, m->anchors.len, &anchors);
		if (rc)
			return err_add(rc, "%s: anchors of maker %s",
				       reason_name(REASON_SIGNER_AWAY), m->name);
		rc = idevid_chain_verify(leaf, chain, anchors, now_ms, begin->anchor_sha256.data);
		if (rc == 0) {
			begin->anchor_sha256.len = 32;
			memcpy(begin->maker, m->name, sizeof(begin->maker));
			return 0;
		}
		if (rc != ERR_DENIED)
			return err_add(rc, "%s", reason_name(REASON_SIGNER_AWAY));
	}
	return ca_refuse(REASON_MAKER_REFUSED, ERR_DENIED, "%s",
			 n ? "the chain ends at no registered maker's anchor"
			   : "no maker is registered");
}

/* Not the birth key itself: that one can never be changed. */
static int key_check(X509 *leaf, const struct ca_csr *csr)
{
	char type[CSR_KEY_TYPE_SIZE];
	uint8_t spki[32];
	int rc = ca_key_check(X509_get_X509_PUBKEY(leaf), type);

	if (!rc)
		rc = ossl_spki_sha256(X509_get_X509_PUBKEY(leaf), spki);
	if (rc)
		return err_add(rc, "%s: birth certificate", reason_name(REASON_KEY_REFUSED));
	if (!memcmp(spki, csr->spki_sha256, sizeof(spki)))
		return ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO,
				 "the request is for the birth certificate's own key");
	return 0;
}

static int leaf_read(const struct sign_idevid *rq, X509 **leaf_out, struct idevid_name *name_out)
{
	int rc = ossl_cert_parse(rq->idevid.data, rq->idevid.len, leaf_out);

	if (!rc)
		rc = idevid_name_read(*leaf_out, name_out);
	return rc ? err_add(rc, "%s: birth certificate", reason_name(REASON_REQUEST_MALFORMED)) : 0;
}

int grounds_idevid_check(const struct sign_idevid *rq, const struct ca_csr *csr,
			 const struct maker *makers, size_t n, int64_t now_ms,
			 struct issue_begin *begin)
{
	struct idevid_name name;
	unsigned hash_len = 32;
	AUTO_IDEVID_CERTS chain = NULL;
	AUTO_X509 leaf = NULL;
	int rc;

	rc = idevid_certs_parse(rq->chain.data, rq->chain.len, &chain);
	if (rc)
		return err_add(rc, "%s: chain", reason_name(REASON_REQUEST_MALFORMED));
	if ((rc = leaf_read(rq, &leaf, &name)) || (rc = key_check(leaf, csr)) ||
	    (rc = maker_find(leaf, chain, makers, n, now_ms, begin)) ||
	    (rc = ca_csr_check_names(csr, name.serial)))
		return rc;
	rc = related_cert_request_check(csr->req, leaf, now_ms);
	if (rc)
		return err_add(ERR_DENIED, "%s", reason_name(REASON_IDEVID_UNPROVEN));
	if (!X509_digest(leaf, EVP_sha256(), begin->idevid_sha256.data, &hash_len))
		return err_ossl(ERR_CRYPTO, "%s: birth certificate",
				reason_name(REASON_SIGNER_AWAY));
	begin->idevid_sha256.len = hash_len;
	rc = str_copy(begin->device, sizeof(begin->device), name.serial);
	return rc ? rc : str_copy(begin->hw_type, sizeof(begin->hw_type), name.hw_type);
}
