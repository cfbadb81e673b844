/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns building unsigned certificates from terms. Never signs, never reads a clock. */
#include "ca/profile.h"

#include <string.h>

#include "base/secret.h"
#include "ca/profile_rules.h"

/* A short key identifier: AKI and SKI only have to tell our few CA keys apart (RFC 5280 4.2.1.2
 * leaves the method open), and every byte travels in each EAP-TLS handshake. */
#define KEY_ID_BYTES 8

static const struct ca_profile_rules rules[] = {
	[CA_KIND_DEVICE_LEAF] = {.eku = NID_client_auth},
	[CA_KIND_SERVER_LEAF] = {.eku = NID_server_auth},
	[CA_KIND_OCSP_LEAF] = {.eku = NID_OCSP_sign, .nameless = true},
	[CA_KIND_POLICY_LEAF] = {.eku = NID_code_sign, .nameless = true},
	[CA_KIND_NAS_LEAF] = {.eku = NID_client_auth},
	[CA_KIND_DEVICE_ROOT] = {.ca = true, .pathlen = 1, .eku = NID_client_auth},
	[CA_KIND_DEVICE_CA] = {.ca = true, .eku = NID_client_auth},
	[CA_KIND_SERVER_ROOT] = {.ca = true, .pathlen = 1, .eku = NID_server_auth},
	[CA_KIND_SERVER_CA] = {.ca = true, .eku = NID_server_auth},
	[CA_KIND_NAS_ROOT] = {.ca = true, .pathlen = 1, .eku = NID_client_auth},
	[CA_KIND_NAS_CA] = {.ca = true, .eku = NID_client_auth},
};

const struct ca_profile_rules *ca_profile_rules_of(enum ca_kind kind)
{
	if (kind == CA_KIND_NONE || (size_t)kind >= sizeof(rules) / sizeof(rules[0]))
		return NULL;
	return &rules[kind];
}

void ca_serial_random(uint8_t out[CA_SERIAL_BYTES])
{
	do
		secret_fill_random(out, CA_SERIAL_BYTES);
	while (out[0] == 0 || out[0] > 0x7f);
}

static int extension_add(X509 *cert, int nid, void *value, bool critical)
{
	if (!value || X509_add1_ext_i2d(cert, nid, value, critical, X509V3_ADD_APPEND) != 1)
		return err_ossl(ERR_CRYPTO, "extension %s", OBJ_nid2sn(nid));
	return 0;
}

static int basic_constraints_add(X509 *cert, const struct ca_profile_rules *r)
{
	BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
	int rc = ERR_NOMEM;

	if (bc && (bc->pathlen = ASN1_INTEGER_new()) && ASN1_INTEGER_set(bc->pathlen, r->pathlen)) {
		bc->ca = 1;
		rc = extension_add(cert, NID_basic_constraints, bc, true);
	}
	BASIC_CONSTRAINTS_free(bc);
	return rc;
}

/* Bit numbers of RFC 5280 4.2.1.3. */
static int key_usage_add(X509 *cert, const struct ca_profile_rules *r)
{
	ASN1_BIT_STRING *ku = ASN1_BIT_STRING_new();
	bool ok = ku && (r->ca ? ASN1_BIT_STRING_set_bit(ku, 5, 1) &&	   /* keyCertSign */
					 ASN1_BIT_STRING_set_bit(ku, 6, 1) /* cRLSign */
			       : ASN1_BIT_STRING_set_bit(ku, 0, 1) /* digitalSignature */);
	int rc = ok ? extension_add(cert, NID_key_usage, ku, true) : ERR_NOMEM;

	ASN1_BIT_STRING_free(ku);
	return rc;
}

static int extended_key_usage_add(X509 *cert, const struct ca_profile_rules *r)
{
	EXTENDED_KEY_USAGE *eku = EXTENDED_KEY_USAGE_new();
	int rc = ERR_NOMEM;

	if (eku && sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(r->eku)))
		rc = extension_add(cert, NID_ext_key_usage, eku, false);
	EXTENDED_KEY_USAGE_free(eku);
	return rc;
}

static int name_constraints_add(X509 *cert, const struct ca_profile_rules *r)
{
	NAME_CONSTRAINTS *nc = NULL;
	int rc = ca_name_constraints_new(r->eku, &nc);

	if (!rc)
		rc = extension_add(cert, NID_name_constraints, nc, true);
	NAME_CONSTRAINTS_free(nc);
	return rc;
}

static int san_add(X509 *cert, const struct ca_terms *t)
{
	GENERAL_NAMES *names = NULL;
	int rc = ca_san_new(t, &names);

	if (!rc)
		rc = extension_add(cert, NID_subject_alt_name, names, false);
	GENERAL_NAMES_free(names);
	return rc;
}

/* RFC 6960 4.2.2.2.1: the responder's own certificate is not asked about; it lives for days. */
static int nocheck_add(X509 *cert)
{
	ASN1_NULL *null = ASN1_NULL_new();
	int rc = extension_add(cert, NID_id_pkix_OCSP_noCheck, null, false);

	ASN1_NULL_free(null);
	return rc;
}

/* For other systems that must trust a pump, and only when they are told to: every byte here travels
 * in each EAP-TLS handshake, and RADIUS asks the registry. */
static int pointers_add(X509 *cert, const struct ca_terms *t)
{
	CRL_DIST_POINTS *points = NULL;
	AUTHORITY_INFO_ACCESS *access = NULL;
	int rc = 0;

	if (t->crl_url && *t->crl_url) {
		rc = ca_crl_points_new(t->crl_url, &points);
		if (!rc)
			rc = extension_add(cert, NID_crl_distribution_points, points, false);
	}
	if (!rc && t->ocsp_url && *t->ocsp_url) {
		rc = ca_info_access_new(t->ocsp_url, &access);
		if (!rc)
			rc = extension_add(cert, NID_info_access, access, false);
	}
	CRL_DIST_POINTS_free(points);
	AUTHORITY_INFO_ACCESS_free(access);
	return rc;
}

static int key_ids_add(X509 *cert, X509 *issuer)
{
	AUTHORITY_KEYID aki = {0};
	ASN1_OCTET_STRING *own = ASN1_OCTET_STRING_new();
	uint8_t sha[32];
	int rc = own ? ossl_spki_sha256(X509_get_X509_PUBKEY(cert), sha) : ERR_NOMEM;

	if (!rc && !ASN1_OCTET_STRING_set(own, sha, KEY_ID_BYTES))
		rc = ERR_NOMEM;
	if (!rc)
		rc = extension_add(cert, NID_subject_key_identifier, own, false);
	ASN1_OCTET_STRING_free(own);
	if (rc || !issuer)
		return rc; /* RFC 5280 4.2.1.1: a self-signed one may do without */
	aki.keyid = (ASN1_OCTET_STRING *)X509_get0_subject_key_id(issuer);
	if (!aki.keyid)
		return err_set(ERR_CRYPTO, "the issuer has no key identifier");
	return extension_add(cert, NID_authority_key_identifier, &aki, false);
}

static int names_set(X509 *cert, const struct ca_terms *t, X509 *issuer)
{
	AUTO_X509_NAME subject = NULL;
	int rc = ca_subject_new(t, &subject);

	if (rc)
		return rc;
	if (!X509_set_subject_name(cert, subject) ||
	    !X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject))
		return err_ossl(ERR_CRYPTO, "names");
	return 0;
}

/* Algorithm and bits as they stand in the request, whose key rules allow a curve's OID or NULL. */
static int spki_set(X509 *cert, const X509_PUBKEY *from)
{
	ASN1_OBJECT *kind, *curve = NULL;
	const void *value;
	const uint8_t *bits;
	uint8_t *copy;
	X509_ALGOR *alg;
	int len, type;

	if (!X509_PUBKEY_get0_param(&kind, &bits, &len, &alg, from))
		return err_ossl(ERR_CRYPTO, "public key");
	X509_ALGOR_get0(NULL, &type, &value, alg);
	if (type != V_ASN1_OBJECT && type != V_ASN1_NULL && type != V_ASN1_UNDEF)
		return err_set(ERR_INTERNAL, "public key with unusual parameters");
	if (type == V_ASN1_OBJECT && !(curve = OBJ_dup(value)))
		return err_ossl(ERR_NOMEM, "public key");
	copy = OPENSSL_memdup(bits, (size_t)len);
	kind = OBJ_dup(kind);
	if (!copy || !kind ||
	    !X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(cert), kind, type, curve, copy, len)) {
		OPENSSL_free(copy);
		ASN1_OBJECT_free(curve);
		ASN1_OBJECT_free(kind);
		return err_ossl(ERR_NOMEM, "public key");
	}
	return 0;
}

static int body_set(X509 *cert, const struct ca_terms *t)
{
	ASN1_INTEGER *serial = X509_get_serialNumber(cert);

	if (!X509_set_version(cert, X509_VERSION_3) ||
	    !ASN1_STRING_set(serial, t->serial, CA_SERIAL_BYTES) ||
	    !ASN1_TIME_adj(X509_getm_notBefore(cert), (time_t)(t->not_before_ms / 1000), 0, 0) ||
	    !ASN1_TIME_adj(X509_getm_notAfter(cert), (time_t)(t->not_after_ms / 1000), 0, 0))
		return err_ossl(ERR_CRYPTO, "certificate");
	return 0;
}

int ca_profile_build(const struct ca_terms *t, const X509_PUBKEY *spki, X509 *issuer, X509 **out)
{
	const struct ca_profile_rules *r = ca_profile_rules_of(t->kind);
	AUTO_X509 cert = X509_new();
	int rc;

	if (!r || !cert)
		return err_set(r ? ERR_NOMEM : ERR_INTERNAL, "no such profile");
	if (t->serial[0] == 0 || t->serial[0] > 0x7f || t->not_before_ms >= t->not_after_ms)
		return err_set(ERR_INTERNAL, "serial or times out of bounds");
	if ((rc = body_set(cert, t)) || (rc = spki_set(cert, spki)) ||
	    (rc = names_set(cert, t, issuer)))
		return rc;
	if (r->ca &&
	    ((rc = basic_constraints_add(cert, r)) || (rc = name_constraints_add(cert, r))))
		return rc;
	if ((rc = key_usage_add(cert, r)) || (rc = extended_key_usage_add(cert, r)))
		return rc;
	if (!r->ca && !r->nameless && (rc = san_add(cert, t)))
		return rc;
	if (r->eku == NID_OCSP_sign && (rc = nocheck_add(cert)))
		return rc;
	if ((rc = key_ids_add(cert, issuer)) || (rc = pointers_add(cert, t)))
		return rc;
	*out = OSSL_TAKE(cert);
	return 0;
}

static int differs(const char *what)
{
	return err_set(ERR_INTERNAL, "certificate does not fit its profile: %s", what);
}

static int extensions_compare(X509 *want, X509 *cert)
{
	if (X509_get_ext_count(want) != X509_get_ext_count(cert))
		return differs("number of extensions");
	for (int i = 0; i < X509_get_ext_count(want); i++) {
		X509_EXTENSION *a = X509_get_ext(want, i);
		X509_EXTENSION *b = X509_get_ext(cert, i);

		if (OBJ_cmp(X509_EXTENSION_get_object(a), X509_EXTENSION_get_object(b)) ||
		    X509_EXTENSION_get_critical(a) != X509_EXTENSION_get_critical(b) ||
		    ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(a), X509_EXTENSION_get_data(b)))
			return differs(OBJ_nid2sn(OBJ_obj2nid(X509_EXTENSION_get_object(a))));
	}
	return 0;
}

static bool key_equals(X509 *a, X509 *b)
{
	unsigned char *x = NULL, *y = NULL;
	int x_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(a), &x);
	int y_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(b), &y);
	bool equal = x_len > 0 && x_len == y_len && !memcmp(x, y, (size_t)x_len);

	OPENSSL_free(x);
	OPENSSL_free(y);
	return equal;
}

int ca_profile_check(X509 *want, X509 *cert)
{
	if (X509_get_version(want) != X509_get_version(cert) ||
	    ASN1_INTEGER_cmp(X509_get0_serialNumber(want), X509_get0_serialNumber(cert)))
		return differs("version or serial");
	if (!key_equals(want, cert))
		return differs("key");
	if (X509_NAME_cmp(X509_get_subject_name(want), X509_get_subject_name(cert)) ||
	    X509_NAME_cmp(X509_get_issuer_name(want), X509_get_issuer_name(cert)))
		return differs("names");
	if (ASN1_STRING_cmp(X509_get0_notBefore(want), X509_get0_notBefore(cert)) ||
	    ASN1_STRING_cmp(X509_get0_notAfter(want), X509_get0_notAfter(cert)))
		return differs("times");
	return extensions_compare(want, cert);
}
