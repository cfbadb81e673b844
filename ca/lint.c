/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns judging certificates by their bytes. Never builds one, never knows who asked for it. */
#include "ca/lint.h"

#include <string.h>

#include <openssl/err.h>

#include "ca/profile_rules.h"

#define SERIAL_BYTES_MIN 8 /* 64 bits from a random generator, at least */
#define SERIAL_BYTES_MAX 20
#define LEAF_DER_MAX 4096 /* what every record and message of ours takes */

struct judged {
	const struct ca_profile_rules *rules;
	enum ca_kind kind;
	X509 *issuer; /* NULL: itself */
	X509 *cert;
};

/* RFC 5280 4.1.2.2: "The serial number MUST be a positive integer [...] MUST NOT use serialNumber
 * values longer than 20 octets." */
static bool serial_is_sound(const struct judged *j)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(j->cert);
	int len = ASN1_STRING_length(serial);

	return ASN1_STRING_type(serial) == V_ASN1_INTEGER && len >= SERIAL_BYTES_MIN &&
	       len <= SERIAL_BYTES_MAX && ASN1_STRING_get0_data(serial)[0] != 0;
}

/* 4.1.1.2, 4.1.2.3: the two signature algorithms are one; SHA-2, since a collision is a second
 * certificate. */
static bool signature_algorithm_is_sound(const struct judged *j)
{
	const X509_ALGOR *outer;
	int md = NID_undef, key = NID_undef;

	X509_get0_signature(NULL, &outer, j->cert);
	return X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(j->cert)) == 0 &&
	       OBJ_find_sigid_algs(X509_get_signature_nid(j->cert), &md, &key) &&
	       (md == NID_sha256 || md == NID_sha384 || md == NID_sha512);
}

/* 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on. */
static bool time_is_sound(const ASN1_TIME *t)
{
	int64_t ms;
	const int64_t year_2050_ms = INT64_C(2524608000000);

	return ASN1_TIME_check(t) && ossl_time_ms(t, &ms) == 0 &&
	       (ASN1_STRING_type(t) == V_ASN1_UTCTIME) == (ms < year_2050_ms);
}

static bool times_are_sound(const struct judged *j)
{
	const ASN1_TIME *from = X509_get0_notBefore(j->cert), *to = X509_get0_notAfter(j->cert);

	return time_is_sound(from) && time_is_sound(to) && ASN1_TIME_compare(from, to) < 0;
}

/* A root that another root has certified: "old with new" begins before its issuer did (RFC 4210
 * 4.4.1). */
static bool is_cross(const struct judged *j)
{
	return j->issuer && j->rules->ca && j->rules->pathlen > 0;
}

static bool times_lie_within_the_issuers(const struct judged *j)
{
	return !j->issuer ||
	       ((is_cross(j) || ASN1_TIME_compare(X509_get0_notBefore(j->cert),
						  X509_get0_notBefore(j->issuer)) >= 0) &&
		ASN1_TIME_compare(X509_get0_notAfter(j->cert), X509_get0_notAfter(j->issuer)) <= 0);
}

/* 4.1.2.4: "The issuer field MUST contain a non-empty distinguished name"; 4.1.2.6: a CA's subject
 * is what stands there as issuer. */
static bool issuer_is_named(const struct judged *j)
{
	X509 *by = j->issuer ? j->issuer : j->cert;

	return X509_NAME_entry_count(X509_get_issuer_name(j->cert)) > 0 &&
	       X509_NAME_cmp(X509_get_issuer_name(j->cert), X509_get_subject_name(by)) == 0;
}

/* 4.1.2.8: "CAs conforming to this profile MUST NOT generate certificates with unique identifiers."
 */
static bool has_no_unique_ids(const struct judged *j)
{
	const ASN1_BIT_STRING *issuer_id, *subject_id;

	X509_get0_uids(j->cert, &issuer_id, &subject_id);
	return !issuer_id && !subject_id;
}

/* 4.2: "A certificate MUST NOT include more than one instance of a particular extension." And none
 * that our kinds have not. */
static bool extensions_are_known_and_single(const struct judged *j)
{
	static const int known[] = {NID_basic_constraints,
				    NID_key_usage,
				    NID_ext_key_usage,
				    NID_name_constraints,
				    NID_subject_alt_name,
				    NID_subject_key_identifier,
				    NID_authority_key_identifier,
				    NID_crl_distribution_points,
				    NID_info_access,
				    NID_id_pkix_OCSP_noCheck};
	int n = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		int at = X509_get_ext_by_NID(j->cert, known[i], -1);

		if (at >= 0 && X509_get_ext_by_NID(j->cert, known[i], at) >= 0)
			return false;
		n += at >= 0;
	}
	return n == X509_get_ext_count(j->cert);
}

/* 4.2.1.9 and 4.2.1.10, which "MUST be marked critical", 4.2.1.3, which SHOULD; the others not. */
static bool criticality_is_right(const struct judged *j)
{
	for (int i = 0; i < X509_get_ext_count(j->cert); i++) {
		X509_EXTENSION *ext = X509_get_ext(j->cert, i);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));
		bool critical = nid == NID_basic_constraints || nid == NID_key_usage ||
				nid == NID_name_constraints;

		if ((X509_EXTENSION_get_critical(ext) != 0) != critical)
			return false;
	}
	return true;
}

/* Of a leaf a signature alone, of a CA certificates and CRLs alone. */
static bool key_usage_is_the_kinds(const struct judged *j)
{
	uint32_t want = j->rules->ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN : KU_DIGITAL_SIGNATURE;
	ASN1_BIT_STRING *usage = X509_get_ext_d2i(j->cert, NID_key_usage, NULL, NULL);
	const uint8_t *bits = usage ? ASN1_STRING_get0_data(usage) : NULL;
	/* none of those that the second octet has */
	bool right = usage && ASN1_STRING_length(usage) == 1 && bits[0] == want;

	ASN1_BIT_STRING_free(usage);
	return right;
}

static bool purpose_is_the_kinds(const struct judged *j)
{
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(j->cert, NID_ext_key_usage, NULL, NULL);
	bool right = sk_ASN1_OBJECT_num(eku) == 1 &&
		     OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, 0)) == j->rules->eku;

	EXTENDED_KEY_USAGE_free(eku);
	return right;
}

static bool is_ca_only_where_it_is_one(const struct judged *j)
{
	BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(j->cert, NID_basic_constraints, NULL, NULL);
	bool right = j->rules->ca ? bc && bc->ca && bc->pathlen &&
					    ASN1_INTEGER_get(bc->pathlen) == j->rules->pathlen
				  : !bc;

	BASIC_CONSTRAINTS_free(bc);
	return right &&
	       (X509_get_ext_by_NID(j->cert, NID_name_constraints, -1) >= 0) == j->rules->ca;
}

/* 4.2.1.1, 4.2.1.2: each has one of its own, and names its issuer's. */
static bool key_identifiers_chain(const struct judged *j)
{
	ASN1_OCTET_STRING *own = X509_get_ext_d2i(j->cert, NID_subject_key_identifier, NULL, NULL);
	AUTHORITY_KEYID *by = X509_get_ext_d2i(j->cert, NID_authority_key_identifier, NULL, NULL);
	const ASN1_OCTET_STRING *want = j->issuer ? X509_get0_subject_key_id(j->issuer) : NULL;
	bool right = own && ASN1_STRING_length(own) > 0;

	if (!j->issuer)
		right = right && !by;
	else
		right = right && by && by->keyid && want &&
			ASN1_OCTET_STRING_cmp(by->keyid, want) == 0;
	ASN1_OCTET_STRING_free(own);
	AUTHORITY_KEYID_free(by);
	return right;
}

static bool string_is(const ASN1_STRING *s, const char *want)
{
	return (size_t)ASN1_STRING_length(s) == strlen(want) &&
	       !memcmp(ASN1_STRING_get0_data(s), want, strlen(want));
}

/* A pump or a NAS: CN alone, and as only other name the URN that says the same. */
static bool urn_agrees(const struct judged *j, const GENERAL_NAMES *names)
{
	X509_NAME *subject = X509_get_subject_name(j->cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	char serial[DEVICE_URN_SIZE], urn[DEVICE_URN_SIZE];
	const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, 0);
	const ASN1_STRING *cn =
		at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));

	if (X509_NAME_entry_count(subject) != 1 || !cn || sk_GENERAL_NAME_num(names) != 1 ||
	    name->type != GEN_URI || (size_t)ASN1_STRING_length(cn) >= sizeof(serial))
		return false;
	memcpy(serial, ASN1_STRING_get0_data(cn), (size_t)ASN1_STRING_length(cn));
	serial[ASN1_STRING_length(cn)] = '\0';
	return string_is(cn, serial) && ca_urn_build(j->kind, serial, urn) == 0 &&
	       string_is(name->d.uniformResourceIdentifier, urn);
}

static bool names_are_the_kinds(const struct judged *j)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(j->cert, NID_subject_alt_name, NULL, NULL);
	bool right = !names; /* CAs and the OCSP responder have a subject only */

	if (j->kind == CA_KIND_DEVICE_LEAF || j->kind == CA_KIND_NAS_LEAF)
		right = names && urn_agrees(j, names);
	else if (j->kind == CA_KIND_SERVER_LEAF)
		right = sk_GENERAL_NAME_num(names) > 0;
	for (int i = 0; right && j->kind == CA_KIND_SERVER_LEAF && i < sk_GENERAL_NAME_num(names);
	     i++) {
		int type = sk_GENERAL_NAME_value(names, i)->type;

		right = type == GEN_DNS || type == GEN_IPADD;
	}
	GENERAL_NAMES_free(names);
	return right;
}

static bool version_is_3(const struct judged *j)
{
	return X509_get_version(j->cert) == X509_VERSION_3;
}

static bool size_is_bounded(const struct judged *j)
{
	int len = i2d_X509(j->cert, NULL);

	return len > 0 && len <= LEAF_DER_MAX;
}

/* A CA's key in a leaf would be a second CA certificate in another dress. A key has one form only
 * (ca/key_rules.c). */
static bool key_is_not_the_issuers(const struct judged *j)
{
	return !j->issuer || ASN1_STRING_cmp(X509_get0_pubkey_bitstr(j->cert),
					     X509_get0_pubkey_bitstr(j->issuer)) != 0;
}

static const struct {
	const char *name;
	bool (*holds)(const struct judged *j);
} lint_rules[] = {
	{"version", version_is_3},
	{"serial number", serial_is_sound},
	{"signature algorithm", signature_algorithm_is_sound},
	{"times", times_are_sound},
	{"times beyond the issuer's", times_lie_within_the_issuers},
	{"issuer's name", issuer_is_named},
	{"unique identifiers", has_no_unique_ids},
	{"unknown or repeated extension", extensions_are_known_and_single},
	{"criticality", criticality_is_right},
	{"key usage", key_usage_is_the_kinds},
	{"extended key usage", purpose_is_the_kinds},
	{"basic constraints", is_ca_only_where_it_is_one},
	{"key identifiers", key_identifiers_chain},
	{"names", names_are_the_kinds},
	{"size", size_is_bounded},
	{"the issuer's own key", key_is_not_the_issuers},
};

int ca_lint(enum ca_kind kind, X509 *issuer, X509 *cert)
{
	const struct judged j = {
		.rules = ca_profile_rules_of(kind), .kind = kind, .issuer = issuer, .cert = cert};

	if (!j.rules)
		return err_set(ERR_INTERNAL, "no such profile");
	for (size_t i = 0; i < sizeof(lint_rules) / sizeof(lint_rules[0]); i++) {
		if (lint_rules[i].holds(&j))
			continue;
		ERR_clear_error();
		return err_set(ERR_INTERNAL, "certificate breaks a rule: %s", lint_rules[i].name);
	}
	ERR_clear_error(); /* absent extensions leave words there */
	return 0;
}
