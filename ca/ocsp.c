/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of OCSP answers. Never decides a status, never signs with the CA's key. */
#include "ca/ocsp.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ocsp.h>

#define BACKDATE_MS INT64_C(300000) /* the asker's clock may be a little late */

static inline void basic_auto_free(OCSP_BASICRESP **p)
{
	OCSP_BASICRESP_free(*p);
}
static inline void response_auto_free(OCSP_RESPONSE **p)
{
	OCSP_RESPONSE_free(*p);
}
static inline void cert_id_auto_free(OCSP_CERTID **p)
{
	OCSP_CERTID_free(*p);
}
#define AUTO_BASIC __attribute__((cleanup(basic_auto_free))) OCSP_BASICRESP *
#define AUTO_RESPONSE __attribute__((cleanup(response_auto_free))) OCSP_RESPONSE *
#define AUTO_CERT_ID __attribute__((cleanup(cert_id_auto_free))) OCSP_CERTID *

void ocsp_responder_done(struct ocsp_responder *r)
{
	X509_free(r->cert);
	EVP_PKEY_free(r->key);
	memset(r, 0, sizeof(*r));
}

static int responder_fill(const struct ca_issuer *issuer, struct ca_terms *t,
			  struct ocsp_responder *out)
{
	X509_PUBKEY *spki = NULL;
	int rc;

	out->key = EVP_EC_gen("P-256");
	if (!out->key || !X509_PUBKEY_set(&spki, out->key))
		return err_ossl(ERR_CRYPTO, "key of the OCSP responder");
	ca_serial_random(t->serial);
	rc = ca_issue(issuer, t, spki, &out->cert);
	X509_PUBKEY_free(spki);
	return rc;
}

int ocsp_responder_new(const struct ca_issuer *issuer, int64_t now_ms, int64_t validity_ms,
		       struct ocsp_responder *out)
{
	struct ca_terms t = {.kind = CA_KIND_OCSP_LEAF,
			     .common_name = "Pumpgate OCSP",
			     .not_before_ms = now_ms - BACKDATE_MS};
	struct ocsp_responder r = {0};
	int rc;

	if (t.not_before_ms < issuer->not_before_ms)
		t.not_before_ms = issuer->not_before_ms;
	rc = ca_issuer_not_after(issuer, now_ms, validity_ms, &t.not_after_ms);
	if (!rc)
		rc = responder_fill(issuer, &t, &r);
	if (rc) {
		ocsp_responder_done(&r);
		return rc;
	}
	r.not_after_ms = t.not_after_ms;
	*out = r;
	return 0;
}

static int serial_new(const uint8_t *bytes, size_t len, ASN1_INTEGER **out)
{
	BIGNUM *bn = BN_bin2bn(bytes, (int)len, NULL);

	*out = bn ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
	BN_free(bn);
	return *out ? 0 : err_ossl(ERR_NOMEM, "serial");
}

/* The CertID of a certificate of ours. */
static int own_id_new(const struct ca_issuer *issuer, const EVP_MD *md, const uint8_t *serial,
		      size_t len, OCSP_CERTID **out)
{
	ASN1_INTEGER *number = NULL;
	int rc = serial_new(serial, len, &number);

	if (rc)
		return rc;
	*out = OCSP_cert_id_new(md, X509_get_subject_name(issuer->cert),
				X509_get0_pubkey_bitstr(issuer->cert), number);
	ASN1_INTEGER_free(number);
	return *out ? 0 : err_ossl(ERR_CRYPTO, "CertID");
}

bool ocsp_is_issuer(const struct ca_issuer *issuer, const EVP_MD *md, const uint8_t *name_hash,
		    size_t name_len, const uint8_t *key_hash, size_t key_len)
{
	static const uint8_t one = 1;
	AUTO_CERT_ID id = NULL;
	ASN1_OCTET_STRING *name = NULL, *key = NULL;

	if (own_id_new(issuer, md, &one, 1, &id) || !OCSP_id_get0_info(&name, NULL, &key, NULL, id))
		return false;
	return (size_t)ASN1_STRING_length(name) == name_len &&
	       (size_t)ASN1_STRING_length(key) == key_len &&
	       !memcmp(ASN1_STRING_get0_data(name), name_hash, name_len) &&
	       !memcmp(ASN1_STRING_get0_data(key), key_hash, key_len);
}

/* The CertID as it was asked with: built as ours, then with the other issuer's hashes in it. */
static int asked_id_new(const struct ca_issuer *issuer, const struct ocsp_item *i,
			OCSP_CERTID **out)
{
	ASN1_OCTET_STRING *name = NULL, *key = NULL;
	AUTO_CERT_ID id = NULL;
	int size = EVP_MD_get_size(i->md);
	int rc = own_id_new(issuer, i->md, i->serial, i->serial_len, &id);

	if (rc)
		return rc;
	if (i->state == OCSP_OTHER_ISSUER && (!OCSP_id_get0_info(&name, NULL, &key, NULL, id) ||
					      !ASN1_OCTET_STRING_set(name, i->name_hash, size) ||
					      !ASN1_OCTET_STRING_set(key, i->key_hash, size)))
		return err_ossl(ERR_CRYPTO, "CertID");
	*out = OSSL_TAKE(id);
	return 0;
}

/* RFC 6960 2.2: of a certificate that was never issued, "revoked" may be said: with the reason
 * certificateHold and of 1 January 1970. */
static int item_add(OCSP_BASICRESP *basic, const struct ca_issuer *issuer,
		    const struct ocsp_terms *t, const struct ocsp_item *i)
{
	bool revoked = i->state == OCSP_REVOKED || i->state == OCSP_NOT_ISSUED;
	int status = revoked		     ? V_OCSP_CERTSTATUS_REVOKED
		     : i->state == OCSP_GOOD ? V_OCSP_CERTSTATUS_GOOD
					     : V_OCSP_CERTSTATUS_UNKNOWN;
	int reason = i->state == OCSP_NOT_ISSUED ? OCSP_REVOKED_STATUS_CERTIFICATEHOLD
						 : OCSP_REVOKED_STATUS_NOSTATUS;
	int64_t at_ms = i->state == OCSP_NOT_ISSUED ? 0 : i->revoked_at_ms;
	AUTO_CERT_ID id = NULL;
	ASN1_GENERALIZEDTIME *at =
		revoked ? ASN1_GENERALIZEDTIME_adj(NULL, (time_t)(at_ms / 1000), 0, 0) : NULL;
	ASN1_GENERALIZEDTIME *from =
		ASN1_GENERALIZEDTIME_adj(NULL, (time_t)(t->now_ms / 1000), 0, 0);
	ASN1_GENERALIZEDTIME *to =
		ASN1_GENERALIZEDTIME_adj(NULL, (time_t)(t->next_update_ms / 1000), 0, 0);
	int rc = from && to && !revoked == !at ? asked_id_new(issuer, i, &id)
					       : err_set(ERR_NOMEM, "no memory for a time");

	if (!rc && !OCSP_basic_add1_status(basic, id, status, reason, at, from, to))
		rc = err_ossl(ERR_CRYPTO, "OCSP status");
	ASN1_GENERALIZEDTIME_free(at);
	ASN1_GENERALIZEDTIME_free(from);
	ASN1_GENERALIZEDTIME_free(to);
	return rc;
}

/* RFC 6960 4.4.8: says that "revoked" is also said of what was not issued. */
static int extended_revoke_add(OCSP_BASICRESP *basic)
{
	static const uint8_t null_der[] = {V_ASN1_NULL, 0};
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.5.5.7.48.1.9", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext = NULL;
	bool ok = oid && value && ASN1_OCTET_STRING_set(value, null_der, sizeof(null_der)) &&
		  (ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value)) &&
		  OCSP_BASICRESP_add_ext(basic, ext, -1);

	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
	return ok ? 0 : err_ossl(ERR_NOMEM, "extended-revoke");
}

static int response_put(OCSP_BASICRESP *basic, struct buf *out)
{
	AUTO_RESPONSE response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	int len = response ? i2d_OCSP_RESPONSE(response, NULL) : 0;
	uint8_t *at;
	int rc;

	if (len <= 0)
		return err_ossl(ERR_CRYPTO, "OCSP answer");
	rc = buf_reserve(out, (size_t)len, &at);
	if (rc)
		return rc;
	return i2d_OCSP_RESPONSE(response, &at) == len ? 0 : err_ossl(ERR_CRYPTO, "OCSP answer");
}

int ocsp_answer_build(const struct ca_issuer *issuer, const struct ocsp_responder *responder,
		      const struct ocsp_terms *t, const struct ocsp_item *items, size_t n,
		      struct buf *out)
{
	AUTO_BASIC basic = OCSP_BASICRESP_new();
	bool not_issued = false;
	int rc = basic ? 0 : err_set(ERR_NOMEM, "no memory for an OCSP answer");

	for (size_t i = 0; !rc && i < n; i++) {
		rc = item_add(basic, issuer, t, &items[i]);
		not_issued = not_issued || items[i].state == OCSP_NOT_ISSUED;
	}
	if (!rc && not_issued)
		rc = extended_revoke_add(basic);
	if (!rc && t->nonce &&
	    !OCSP_basic_add1_nonce(basic, (unsigned char *)t->nonce, (int)t->nonce_len))
		rc = err_ossl(ERR_NOMEM, "nonce");
	if (!rc && !OCSP_basic_sign(basic, responder->cert, responder->key, EVP_sha256(), NULL,
				    OCSP_RESPID_KEY))
		rc = err_ossl(ERR_CRYPTO, "signing an OCSP answer");
	return rc ? rc : response_put(basic, out);
}
