/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading a certification request. Never copies anything out of it but the key. */
#include "ca/csr.h"

#include <string.h>

#include "ca/request/device_name.h"
#include "ca/proto/signer_records.h"
#include "ca/refuse.h"

void ca_csr_done(struct ca_csr *csr)
{
	X509_REQ_free(csr->req);
	EVP_PKEY_free(csr->key);
	memset(csr, 0, sizeof(*csr));
}

/* SHA-2 only: a collision in the request's hash would be a forged proof. */
static int signature_algorithm_check(const X509_REQ *req)
{
	int digest = NID_undef, key = NID_undef;

	if (!OBJ_find_sigid_algs(X509_REQ_get_signature_nid(req), &digest, &key) ||
	    (digest != NID_sha256 && digest != NID_sha384 && digest != NID_sha512))
		return ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO,
				 "request is not signed with SHA-256, SHA-384 or SHA-512");
	return 0;
}

int ca_csr_parse(const uint8_t *der, size_t len, struct ca_csr *out)
{
	AUTO_CSR csr = {0};
	X509_PUBKEY *spki;
	int rc;

	if (len > CSR_DER_MAX)
		return ca_refuse(REASON_REQUEST_MALFORMED, ERR_INVALID,
				 "request of %zu bytes; at most %d are read", len, CSR_DER_MAX);
	rc = ossl_request_parse_plain(der, len, &csr.req);
	if (rc)
		return err_add(rc, "%s", reason_name(REASON_REQUEST_MALFORMED));
	spki = X509_REQ_get_X509_PUBKEY(csr.req);
	if ((rc = ca_key_parse(spki, csr.key_type, &csr.key)) ||
	    (rc = signature_algorithm_check(csr.req)) ||
	    (rc = ossl_spki_sha256(spki, csr.spki_sha256)))
		return rc;
	if (X509_REQ_verify(csr.req, csr.key) != 1) {
		rc = err_ossl(ERR_CRYPTO, "request's signature does not fit its key");
		return err_add(rc, "%s", reason_name(REASON_PROOF_FAILED));
	}
	*out = csr;
	memset(&csr, 0, sizeof(csr));
	return 0;
}

/* By length and bytes of the UTF-8 form: a NUL inside makes it differ. */
static bool string_equals(const ASN1_STRING *value, const char *want)
{
	unsigned char *utf8 = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, value);
	bool equal = len >= 0 && (size_t)len == strlen(want) && !memcmp(utf8, want, (size_t)len);

	OPENSSL_free(utf8);
	return equal;
}

/* Every part of the subject of kind `nid` must be the serial, and there may be one at most. */
static int subject_part_check(const X509_NAME *subject, int nid, const char *serial)
{
	int at = X509_NAME_get_index_by_NID(subject, nid, -1);
	const X509_NAME_ENTRY *part;

	if (at < 0)
		return 0;
	part = X509_NAME_get_entry(subject, at);
	if (!string_equals(X509_NAME_ENTRY_get_data(part), serial))
		return ca_refuse(REASON_NAME_REFUSED, ERR_INVALID, "%s of the request is not %s",
				 OBJ_nid2sn(nid), serial);
	if (X509_NAME_get_index_by_NID(subject, nid, at) >= 0)
		return ca_refuse(REASON_NAME_REFUSED, ERR_INVALID, "request has more than one %s",
				 OBJ_nid2sn(nid));
	return 0;
}

static int san_check(const STACK_OF(X509_EXTENSION) * exts, const char *serial)
{
	char urn[DEVICE_URN_SIZE];
	int critical;
	AUTO_GENERAL_NAMES names = X509V3_get_d2i(exts, NID_subject_alt_name, &critical, NULL);
	int rc = device_urn_build(serial, urn);

	if (rc)
		return rc;
	if (!names && critical != -1)
		return ca_refuse(REASON_REQUEST_MALFORMED, ERR_INVALID,
				 "subjectAltName can't be read or is there twice");
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_URI || !string_equals(name->d.uniformResourceIdentifier, urn))
			return ca_refuse(REASON_NAME_REFUSED, ERR_INVALID,
					 "subjectAltName may only be URI:%s", urn);
	}
	return 0;
}

static int ca_rights_check(const STACK_OF(X509_EXTENSION) * exts)
{
	int bc_critical, ku_critical;
	BASIC_CONSTRAINTS *bc = X509V3_get_d2i(exts, NID_basic_constraints, &bc_critical, NULL);
	ASN1_BIT_STRING *ku = X509V3_get_d2i(exts, NID_key_usage, &ku_critical, NULL);
	bool unreadable = (!bc && bc_critical != -1) || (!ku && ku_critical != -1);
	/* bits 5 and 6: keyCertSign, cRLSign (RFC 5280 4.2.1.3) */
	bool wants_ca = (bc && bc->ca) ||
			(ku && (ASN1_BIT_STRING_get_bit(ku, 5) || ASN1_BIT_STRING_get_bit(ku, 6)));

	BASIC_CONSTRAINTS_free(bc);
	ASN1_BIT_STRING_free(ku);
	if (unreadable)
		return ca_refuse(REASON_REQUEST_MALFORMED, ERR_INVALID,
				 "basicConstraints or keyUsage can't be read or is there twice");
	if (wants_ca)
		return ca_refuse(REASON_REQUEST_MALFORMED, ERR_INVALID,
				 "request asks for the rights of a CA");
	return 0;
}

/* extensionRequest (RFC 2985 5.4.2) at most once, with one value: no second list to hide in. */
static int extension_request_check(const X509_REQ *req, int *n_out)
{
	const int kinds[] = {NID_ext_req, NID_ms_ext_req};

	*n_out = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int at = -1;

		while ((at = X509_REQ_get_attr_by_NID(req, kinds[i], at)) >= 0) {
			X509_ATTRIBUTE *attr = X509_REQ_get_attr(req, at);

			if (++*n_out > 1 || X509_ATTRIBUTE_count(attr) != 1)
				return ca_refuse(REASON_REQUEST_MALFORMED, ERR_INVALID,
						 "more than one list of requested extensions");
		}
	}
	return 0;
}

int ca_csr_check_names(const struct ca_csr *csr, const char *serial)
{
	const X509_NAME *subject = X509_REQ_get_subject_name(csr->req);
	AUTO_X509_EXTENSIONS exts = NULL;
	int rc, n_lists;

	if (!device_name_is_valid(serial))
		return ca_refuse(REASON_NAME_REFUSED, ERR_INVALID, "not a pump's serial");
	if ((rc = subject_part_check(subject, NID_commonName, serial)) ||
	    (rc = subject_part_check(subject, NID_serialNumber, serial)) ||
	    (rc = extension_request_check(csr->req, &n_lists)) || n_lists == 0)
		return rc;
	exts = X509_REQ_get_extensions(csr->req);
	if (!exts) {
		rc = err_ossl(ERR_INVALID, "requested extensions can't be read");
		return err_add(rc, "%s", reason_name(REASON_REQUEST_MALFORMED));
	}
	rc = ca_rights_check(exts);
	return rc ? rc : san_check(exts, serial);
}
