/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "enroll/est/est_csrattrs.h"

typedef STACK_OF(ASN1_TYPE) type_list;

static type_list *list_of(const struct est_profile *p, const char *device)
{
	AUTO_BUF der = {.max = EST_CSRATTRS_MAX};
	const unsigned char *at;
	type_list *list;

	assert_int_equal(est_csrattrs_build(&der, p, device), 0);
	at = der.data;
	list = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)der.len);
	assert_non_null(list);
	assert_ptr_equal(at, der.data + der.len);
	return list;
}

static void list_free(type_list *list)
{
	sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
}

/* The element's attribute; the caller frees. */
static X509_ATTRIBUTE *attribute_of(const type_list *list, int at_index)
{
	const ASN1_TYPE *element = sk_ASN1_TYPE_value(list, at_index);
	const unsigned char *at;
	X509_ATTRIBUTE *attr;

	assert_int_equal(ASN1_TYPE_get(element), V_ASN1_SEQUENCE);
	at = element->value.sequence->data;
	attr = d2i_X509_ATTRIBUTE(NULL, &at, element->value.sequence->length);
	assert_non_null(attr);
	assert_int_equal(X509_ATTRIBUTE_count(attr), 1);
	return attr;
}

static void oid_check(const ASN1_TYPE *element, int nid)
{
	assert_int_equal(ASN1_TYPE_get(element), V_ASN1_OBJECT);
	assert_int_equal(OBJ_obj2nid(element->value.object), nid);
}

static void each_key_is_asked_for_with_its_signature(void **state)
{
	const struct {
		enum est_key key;
		int family, curve, signature;
		long bits;
	} wanted[] = {
		{EST_KEY_ANY, NID_X9_62_id_ecPublicKey, NID_X9_62_prime256v1, NID_ecdsa_with_SHA256,
		 0},
		{EST_KEY_EC_P256, NID_X9_62_id_ecPublicKey, NID_X9_62_prime256v1,
		 NID_ecdsa_with_SHA256, 0},
		{EST_KEY_EC_P384, NID_X9_62_id_ecPublicKey, NID_secp384r1, NID_ecdsa_with_SHA384,
		 0},
		{EST_KEY_RSA_2048, NID_rsaEncryption, 0, NID_sha256WithRSAEncryption, 2048},
		{EST_KEY_RSA_3072, NID_rsaEncryption, 0, NID_sha256WithRSAEncryption, 3072},
		{EST_KEY_RSA_4096, NID_rsaEncryption, 0, NID_sha256WithRSAEncryption, 4096},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const struct est_profile p = {.key = wanted[i].key};
		type_list *list = list_of(&p, "");
		X509_ATTRIBUTE *key = attribute_of(list, 0);
		const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(key, 0);

		assert_int_equal(sk_ASN1_TYPE_num(list), 2);
		assert_int_equal(OBJ_obj2nid(X509_ATTRIBUTE_get0_object(key)), wanted[i].family);
		if (wanted[i].bits) {
			assert_int_equal(ASN1_TYPE_get(value), V_ASN1_INTEGER);
			assert_int_equal(ASN1_INTEGER_get(value->value.integer), wanted[i].bits);
		} else {
			oid_check(value, wanted[i].curve);
		}
		oid_check(sk_ASN1_TYPE_value(list, 1), wanted[i].signature);
		X509_ATTRIBUTE_free(key);
		list_free(list);
	}
}

static void a_binding_is_asked_for_as_challenge_password(void **state)
{
	const struct est_profile p = {.is_bound = true};
	type_list *list = list_of(&p, "");

	(void)state;
	assert_int_equal(sk_ASN1_TYPE_num(list), 3);
	oid_check(sk_ASN1_TYPE_value(list, 2), NID_pkcs9_challengePassword);
	list_free(list);
}

static void a_known_pump_is_told_its_name_in_an_extension_request(void **state)
{
	static const char want[] = "urn:pumpgate:pump:PG-000123";
	const struct est_profile p = {.key = EST_KEY_ANY};
	type_list *list = list_of(&p, "PG-000123");
	X509_ATTRIBUTE *attr = attribute_of(list, 2);
	const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attr, 0);
	const unsigned char *at;
	STACK_OF(X509_EXTENSION) * exts;
	GENERAL_NAMES *names;
	const ASN1_STRING *uri;
	int type;

	(void)state;
	assert_int_equal(OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attr)), NID_ext_req);
	assert_int_equal(ASN1_TYPE_get(value), V_ASN1_SEQUENCE);
	at = value->value.sequence->data;
	exts = d2i_X509_EXTENSIONS(NULL, &at, value->value.sequence->length);
	assert_non_null(exts);
	names = X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL);
	assert_non_null(names);
	assert_int_equal(sk_GENERAL_NAME_num(names), 1);
	uri = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &type);
	assert_int_equal(type, GEN_URI);
	assert_int_equal(ASN1_STRING_length(uri), sizeof(want) - 1);
	assert_memory_equal(ASN1_STRING_get0_data(uri), want, sizeof(want) - 1);
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_ATTRIBUTE_free(attr);
	list_free(list);
}

static void the_longest_name_still_fits(void **state)
{
	const struct est_profile p = {.key = EST_KEY_RSA_4096, .is_bound = true};
	char device[64];
	type_list *list;

	(void)state;
	memset(device, 'A', 63);
	device[63] = '\0';
	list = list_of(&p, device);
	assert_int_equal(sk_ASN1_TYPE_num(list), 4);
	list_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_is_asked_for_with_its_signature),
		cmocka_unit_test(a_binding_is_asked_for_as_challenge_password),
		cmocka_unit_test(a_known_pump_is_told_its_name_in_an_extension_request),
		cmocka_unit_test(the_longest_name_still_fits),
	};

	return cmocka_run_group_tests_name("enroll/est_csrattrs", tests, NULL, NULL);
}
