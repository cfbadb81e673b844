/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns making revocation lists. Never signs one that it has not read back. */
#include "ca/crl.h"

#include <string.h>

#include <openssl/bn.h>

#define CRL_VERSION_2 1 /* RFC 5280 5.1.2.1 */

static inline void crl_auto_free(X509_CRL **crl)
{
	X509_CRL_free(*crl);
}
#define AUTO_CRL __attribute__((cleanup(crl_auto_free))) X509_CRL *

bool crl_entry_is_due(const struct revoked_entry *e, int64_t now_ms, int64_t previous_ms)
{
	/* a clock that has gone back must not drop anything */
	int64_t seen_ms = previous_ms < now_ms ? previous_ms : now_ms;

	return e->not_after_ms + CRL_GRACE_MS >= seen_ms;
}

static int time_set(ASN1_TIME **out, int64_t ms)
{
	*out = ASN1_TIME_adj(NULL, (time_t)(ms / 1000), 0, 0);
	return *out ? 0 : err_ossl(ERR_CRYPTO, "time of a revocation list");
}

static int serial_parse(const char *hex, ASN1_INTEGER *out)
{
	uint8_t bytes[16];
	BIGNUM *bn;
	size_t len;
	bool ok;

	if (hex_decode(hex, sizeof(bytes), bytes, &len) || len == 0)
		return err_set(ERR_CORRUPT, "\"%.32s\" is no serial", hex);
	bn = BN_bin2bn(bytes, (int)len, NULL);
	ok = bn && BN_to_ASN1_INTEGER(bn, out);
	BN_free(bn);
	return ok ? 0 : err_ossl(ERR_NOMEM, "serial");
}

/* No reason code: the registry keeps reasons as people's text, and RFC 5280 5.3.1 wants an
 * unspecified one left out. */
static int entry_add(X509_CRL *crl, const struct revoked_entry *e)
{
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	ASN1_TIME *at = NULL;
	int rc = r && serial ? serial_parse(e->serial, serial)
			     : err_set(ERR_NOMEM, "no memory for a revocation list");

	if (!rc)
		rc = time_set(&at, e->at_ms);
	if (!rc &&
	    (!X509_REVOKED_set_serialNumber(r, serial) || !X509_REVOKED_set_revocationDate(r, at)))
		rc = err_ossl(ERR_NOMEM, "entry of a revocation list");
	if (!rc && X509_CRL_add0_revoked(crl, r))
		r = NULL;
	else if (!rc)
		rc = err_ossl(ERR_NOMEM, "entry of a revocation list");
	X509_REVOKED_free(r);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(at);
	return rc;
}

static int extension_add(X509_CRL *crl, int nid, void *value)
{
	if (!value || X509_CRL_add1_ext_i2d(crl, nid, value, 0, X509V3_ADD_APPEND) != 1)
		return err_ossl(ERR_CRYPTO, "extension %s", OBJ_nid2sn(nid));
	return 0;
}

/* RFC 5280 5.2: "Conforming CRL issuers are REQUIRED to include the authority key identifier and
 * the CRL number extensions in all CRLs issued." No issuingDistributionPoint: the list covers all
 * certificates of its issuer. */
static int extensions_add(const struct ca_issuer *issuer, const struct crl_terms *t, X509_CRL *crl)
{
	AUTHORITY_KEYID aki = {.keyid =
				       (ASN1_OCTET_STRING *)X509_get0_subject_key_id(issuer->cert)};
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	int rc = aki.keyid && number && ASN1_INTEGER_set_uint64(number, t->number)
			 ? 0
			 : err_set(ERR_CRYPTO, "the issuer has no key identifier");

	if (!rc)
		rc = extension_add(crl, NID_authority_key_identifier, &aki);
	if (!rc)
		rc = extension_add(crl, NID_crl_number, number);
	ASN1_INTEGER_free(number);
	return rc;
}

static int head_set(const struct ca_issuer *issuer, const struct crl_terms *t, X509_CRL *crl)
{
	ASN1_TIME *from = NULL, *to = NULL;
	int rc = time_set(&from, t->this_update_ms);

	if (!rc)
		rc = time_set(&to, t->next_update_ms);
	if (!rc && (!X509_CRL_set_version(crl, CRL_VERSION_2) ||
		    !X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert)) ||
		    !X509_CRL_set1_lastUpdate(crl, from) || !X509_CRL_set1_nextUpdate(crl, to)))
		rc = err_ossl(ERR_CRYPTO, "revocation list");
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return rc;
}

static int der_put(struct buf *out, X509_CRL *crl)
{
	int len = i2d_X509_CRL(crl, NULL);
	uint8_t *at;
	int rc;

	if (len <= 0)
		return err_ossl(ERR_CRYPTO, "revocation list can't be encoded");
	rc = buf_reserve(out, (size_t)len, &at);
	if (rc)
		return err_add(rc, "revocation list of %d bytes", len);
	return i2d_X509_CRL(crl, &at) == len ? 0 : err_ossl(ERR_CRYPTO, "revocation list");
}

/* As its users will: read anew from its bytes, verified with the CA's public key; with as many
 * entries and the number that were asked for, and the newest of them on it. */
static int read_back(const struct ca_issuer *issuer, const struct crl_terms *t,
		     const struct revoked_entry *entries, size_t n, const uint8_t *der, size_t len)
{
	const uint8_t *at = der;
	AUTO_CRL crl = d2i_X509_CRL(NULL, &at, (long)len);
	ASN1_INTEGER *number = crl ? X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL) : NULL;
	ASN1_INTEGER *newest = ASN1_INTEGER_new();
	X509_REVOKED *entry = NULL;
	uint64_t got = 0;
	bool ok = crl && at == der + len && number && newest &&
		  ASN1_INTEGER_get_uint64(&got, number) && got == t->number &&
		  X509_CRL_verify(crl, X509_get0_pubkey(issuer->cert)) == 1 &&
		  (size_t)(n ? sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) : 0) == n;

	if (ok && n)
		ok = serial_parse(entries[n - 1].serial, newest) == 0 &&
		     X509_CRL_get0_by_serial(crl, &entry, newest) == 1;
	ASN1_INTEGER_free(number);
	ASN1_INTEGER_free(newest);
	return ok ? 0 : err_ossl(ERR_INTERNAL, "the new revocation list does not read back");
}

int crl_build(const struct ca_issuer *issuer, const struct crl_terms *t,
	      const struct revoked_entry *entries, size_t n, struct buf *out)
{
	AUTO_CRL crl = X509_CRL_new();
	size_t start = out->len;
	int rc;

	if (!crl)
		return err_set(ERR_NOMEM, "no memory for a revocation list");
	rc = head_set(issuer, t, crl);
	for (size_t i = 0; !rc && i < n; i++)
		rc = entry_add(crl, &entries[i]);
	if (rc || (rc = extensions_add(issuer, t, crl)))
		return rc;
	if (!X509_CRL_sign(crl, issuer->key, EVP_sha256()))
		return err_ossl(ERR_CRYPTO, "signing a revocation list");
	rc = der_put(out, crl);
	if (!rc)
		rc = read_back(issuer, t, entries, n, out->data + start, out->len - start);
	if (rc)
		out->len = start;
	return rc;
}
