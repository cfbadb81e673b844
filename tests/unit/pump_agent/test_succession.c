/* SPDX-License-Identifier: BSD-2-Clause */
/* The change of the pinned root: what a pump must not take for one, and the way through a change.
 */
#include "pump_agent/succession.h"

#include <string.h>

#include "ca/root_change.h"
#include "pump_agent/anchors.h"
#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

#define KIND CA_KIND_SERVER_ROOT
#define NOW_S (NOW_MS / 1000)
#define YEAR_S (365 * INT64_C(86400))

static struct ca_hierarchy before, devices;
static EVP_PKEY *root_key, *ca_key, *thief_key;
static X509 *root, *ca, *new_with_old, *old_with_new;
static uint8_t old_hash[ANCHOR_HASH_BYTES], new_hash[ANCHOR_HASH_BYTES];

static void hash_of(X509 *cert, uint8_t out[ANCHOR_HASH_BYTES])
{
	unsigned len = 0;

	assert_int_equal(X509_digest(cert, EVP_sha256(), out, &len), 1);
}

static int world_make(void **state)
{
	struct ca_terms t = ca_terms_of_ca(CA_KIND_SERVER_CA, "Hospital", NOW_MS);

	(void)state;
	root_key = fixture_ec("P-256");
	ca_key = fixture_ec("P-256");
	thief_key = fixture_ec("P-256");
	t.common_name = "Pumpgate Server CA 2";
	assert_int_equal(ca_hierarchy_new(CA_KIND_DEVICE_ROOT, "Hospital", NOW_MS, &devices), 0);
	assert_int_equal(ca_hierarchy_new(KIND, "Hospital", NOW_MS - 365 * DAY_MS, &before), 0);
	assert_int_equal(ca_root_succeed(KIND, before.root, root_key, NOW_MS, &root), 0);
	assert_int_equal(ca_certify(&t, ca_key, root, root_key, &ca), 0);
	assert_int_equal(
		ca_root_cross(KIND, root, before.root, before.root_key, NOW_MS, &new_with_old), 0);
	assert_int_equal(ca_root_cross(KIND, before.root, root, root_key, NOW_MS, &old_with_new),
			 0);
	hash_of(before.root, old_hash);
	hash_of(root, new_hash);
	return 0;
}

static int world_free(void **state)
{
	X509 *certs[] = {root, ca, new_with_old, old_with_new};

	(void)state;
	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		X509_free(certs[i]);
	ca_hierarchy_done(&before);
	ca_hierarchy_done(&devices);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(thief_key);
	return 0;
}

/* `from` again, changed by somebody who does not ask our CA, signed with `by`. */
static X509 *changed(X509 *from, void (*change)(X509 *c), EVP_PKEY *by)
{
	X509 *c = X509_dup(from), *fresh = NULL;
	AUTO_BUF der = {.max = 8192};

	change(c);
	assert_true(X509_sign(c, by, EVP_sha256()) > 0);
	assert_int_equal(ossl_cert_put(&der, c), 0);
	assert_int_equal(ossl_cert_parse(der.data, der.len, &fresh), 0);
	X509_free(c);
	return fresh;
}

static void extension_swap(X509 *c, int nid, const char *value)
{
	int at = X509_get_ext_by_NID(c, nid, -1);
	X509_EXTENSION *e = value ? X509V3_EXT_conf_nid(NULL, NULL, nid, (char *)value) : NULL;

	X509_EXTENSION_free(X509_delete_ext(c, at));
	if (e)
		X509_add_ext(c, e, at);
	X509_EXTENSION_free(e);
}

static void unchanged(X509 *c)
{
	(void)c;
}
static void no_ca(X509 *c)
{
	extension_swap(c, NID_basic_constraints, "critical,CA:FALSE");
}
static void longer_path(X509 *c)
{
	extension_swap(c, NID_basic_constraints, "critical,CA:TRUE,pathlen:3");
}
static void unbounded_path(X509 *c)
{
	extension_swap(c, NID_basic_constraints, "critical,CA:TRUE");
}
static void no_name_constraints(X509 *c)
{
	extension_swap(c, NID_name_constraints, NULL);
}
static void for_clients(X509 *c)
{
	extension_swap(c, NID_ext_key_usage, "clientAuth");
}
static void signs_no_certificates(X509 *c)
{
	extension_swap(c, NID_key_usage, "critical,digitalSignature");
}
static void another_name(X509 *c)
{
	X509_NAME *name = X509_get_subject_name(c);

	assert_true(X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_ASC, (const uint8_t *)"x", -1,
					       -1, 0));
}
static void another_self(X509 *c)
{
	another_name(c);
	assert_true(X509_set_issuer_name(c, X509_get_subject_name(c)));
}
static void ended(X509 *c)
{
	assert_non_null(ASN1_TIME_adj(X509_getm_notAfter(c), NOW_S - 60, 0, 0));
}
static void not_begun(X509 *c)
{
	assert_non_null(ASN1_TIME_adj(X509_getm_notBefore(c), NOW_S + 3600, 0, 0));
}

static int check(X509 *with_old, X509 *fresh)
{
	return succession_check(before.root, with_old, fresh, NOW_S);
}

static void refuses_a_root_that_the_pinned_one_has_not_signed_for(void **state)
{
	X509 *by_thief = changed(new_with_old, unchanged, thief_key);
	X509 *stranger = NULL, *strange_cross = NULL;

	(void)state;
	assert_int_equal(check(by_thief, root), ERR_CRYPTO);
	assert_int_equal(check(root, root), ERR_CRYPTO);
	assert_int_equal(check(ca, root), ERR_CRYPTO);
	assert_int_equal(check(before.ca, root), ERR_CRYPTO);
	/* the stranger's root with our NewWithOld, and with one of its own */
	assert_int_equal(ca_root_succeed(KIND, before.root, thief_key, NOW_MS, &stranger), 0);
	assert_int_equal(check(new_with_old, stranger), ERR_CRYPTO);
	assert_int_equal(ca_root_cross(KIND, stranger, root, root_key, NOW_MS, &strange_cross), 0);
	assert_int_equal(check(strange_cross, stranger), ERR_CRYPTO);
	assert_int_equal(check(new_with_old, root), 0);
	X509_free(by_thief);
	X509_free(stranger);
	X509_free(strange_cross);
}

static void refuses_what_is_not_the_kind_of_ca_that_the_pinned_root_is(void **state)
{
	static void (*const changes[])(X509 *) = {no_ca,	  longer_path,
						  unbounded_path, no_name_constraints,
						  for_clients,	  signs_no_certificates,
						  another_name,	  another_self,
						  ended,	  not_begun};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		X509 *cross = changed(new_with_old, changes[i], before.root_key);
		X509 *fresh = changed(root, changes[i], root_key);

		assert_int_equal(check(cross, root), ERR_CRYPTO);
		assert_int_equal(check(new_with_old, fresh), ERR_CRYPTO);
		assert_int_equal(check(cross, fresh), ERR_CRYPTO);
		X509_free(cross);
		X509_free(fresh);
	}
}

static void refuses_them_at_another_time(void **state)
{
	(void)state;
	assert_int_equal(succession_check(before.root, new_with_old, root, NOW_S - 2 * 86400),
			 ERR_CRYPTO);
	assert_int_equal(succession_check(before.root, new_with_old, root, NOW_S + 20 * YEAR_S),
			 ERR_CRYPTO);
}

/* OldWithNew is one new root's word for the root that was left, perhaps because its key was stolen.
 */
static void never_goes_back_to_an_older_root(void **state)
{
	(void)state;
	assert_int_equal(succession_check(root, old_with_new, before.root, NOW_S), ERR_CRYPTO);
	assert_non_null(strstr(err_text(), "younger"));
}

static STACK_OF(X509) * stack(X509 *const *certs, size_t n)
{
	STACK_OF(X509) *s = sk_X509_new_null();

	for (size_t i = 0; i < n; i++) {
		assert_true(X509_up_ref(certs[i]));
		assert_true(sk_X509_push(s, certs[i]));
	}
	return s;
}
#define STACK(...) \
	stack((X509 *const[]){__VA_ARGS__}, sizeof((X509 *const[]){__VA_ARGS__}) / sizeof(X509 *))
#define OF_DEVICES devices.root, devices.ca
#define ALL STACK(OF_DEVICES, before.ca, ca, old_with_new, new_with_old, root, before.root)

/* "": refused. Else the certificates in order: O, N the roots, o, n the CAs below, ? another. */
static const char *followed(STACK_OF(X509) * held, STACK_OF(X509) * all, const uint8_t *proven)
{
	static char out[16];
	AUTO_X509S got = NULL;
	size_t n = 0;

	if (!anchors_follow(held, all, proven, NOW_S, &got))
		for (; n < (size_t)sk_X509_num(got); n++) {
			X509 *x = sk_X509_value(got, (int)n);

			out[n] = !X509_cmp(x, before.root) ? 'O'
				 : !X509_cmp(x, root)	   ? 'N'
				 : !X509_cmp(x, before.ca) ? 'o'
				 : !X509_cmp(x, ca)	   ? 'n'
							   : '?';
		}
	out[n] = '\0';
	sk_X509_pop_free(held, X509_free);
	sk_X509_pop_free(all, X509_free);
	return out;
}

static void takes_no_root_for_having_been_named(void **state)
{
	(void)state;
	assert_string_equal(followed(STACK(before.root, before.ca),
				     STACK(OF_DEVICES, before.root, before.ca, root, ca), old_hash),
			    "Oo");
	assert_string_equal(
		followed(STACK(before.root, before.ca),
			 STACK(OF_DEVICES, before.root, before.ca, root, ca, old_with_new),
			 old_hash),
		"Oo");
	assert_string_equal(
		followed(STACK(before.root, before.ca), STACK(OF_DEVICES, root, ca), old_hash), "");
}

static void whole_change_goes_from_one_root_to_the_other(void **state)
{
	uint8_t end[ANCHOR_HASH_BYTES];

	(void)state;
	assert_string_equal(followed(STACK(before.root, before.ca), ALL, old_hash), "OoNn");
	/* switched: also one that slept, and has found its way by the cross certificate */
	assert_string_equal(followed(STACK(before.root, before.ca, root, ca), ALL, new_hash),
			    "OoNn");
	assert_string_equal(followed(STACK(before.root, before.ca), ALL, old_hash), "OoNn");
	/* finished */
	assert_string_equal(followed(STACK(before.root, before.ca, root, ca),
				     STACK(OF_DEVICES, ca, root), new_hash),
			    "Nn");
	/* a chain may end with the CA below a root */
	hash_of(ca, end);
	assert_string_equal(
		followed(STACK(before.root, before.ca, root, ca), STACK(OF_DEVICES, ca, root), end),
		"Nn");
	hash_of(before.ca, end);
	assert_string_equal(
		followed(STACK(before.root, before.ca, root, ca), STACK(OF_DEVICES, ca, root), end),
		"");
	/* taken back before the switch */
	assert_string_equal(followed(STACK(before.root, before.ca, root, ca),
				     STACK(OF_DEVICES, before.ca, before.root), old_hash),
			    "Oo");
}

static void old_root_is_not_dropped_before_the_new_one_was_used(void **state)
{
	static const uint8_t nobody[ANCHOR_HASH_BYTES];

	(void)state;
	assert_string_equal(followed(STACK(before.root, before.ca, root, ca),
				     STACK(OF_DEVICES, ca, root), old_hash),
			    "");
	assert_string_equal(followed(STACK(before.root, before.ca, root, ca),
				     STACK(OF_DEVICES, ca, root), nobody),
			    "");
	assert_string_equal(followed(STACK(before.root, before.ca), STACK(OF_DEVICES), old_hash),
			    "");
}

static void old_root_does_not_come_back_once_it_was_left(void **state)
{
	(void)state;
	assert_string_equal(followed(STACK(root, ca), ALL, new_hash), "Nn");
}

static void more_roots_than_one_and_its_successor_are_refused(void **state)
{
	X509 *third = NULL, *cross = NULL;
	AUTO_X509S held = STACK(before.root, before.ca);
	AUTO_X509S got = NULL;
	AUTO_X509S all = ALL;

	(void)state;
	assert_int_equal(ca_root_succeed(KIND, before.root, thief_key, NOW_MS, &third), 0);
	assert_int_equal(ca_root_cross(KIND, third, before.root, before.root_key, NOW_MS, &cross),
			 0);
	assert_true(sk_X509_push(all, third) && sk_X509_push(all, cross));
	assert_int_equal(anchors_follow(held, all, old_hash, NOW_S, &got), ERR_LIMIT);
	assert_null(got);
}

static void more_cas_than_a_report_has_room_for_are_refused(void **state)
{
	AUTO_X509S held = STACK(before.root, before.ca);
	AUTO_X509S got = NULL;
	AUTO_X509S all = ALL;

	(void)state;
	for (int i = 0; i < ANCHORS_MAX; i++) {
		struct ca_terms t = ca_terms_of_ca(CA_KIND_SERVER_CA, "Hospital", NOW_MS);
		X509 *more = NULL;

		assert_int_equal(ca_certify(&t, ca_key, before.root, before.root_key, &more), 0);
		assert_true(sk_X509_push(all, more));
	}
	assert_int_equal(anchors_follow(held, all, old_hash, NOW_S, &got), ERR_LIMIT);
	assert_null(got);
}

/* What is not taken for the servers must not be taken for the pumps' hierarchy either. */
static void pumps_own_hierarchy_has_nothing_of_the_servers(void **state)
{
	AUTO_X509S server = STACK(before.root, before.ca);
	AUTO_X509S all = ALL;
	AUTO_X509S got = NULL;

	(void)state;
	assert_int_equal(anchors_of_devices(all, server, &got), 0);
	assert_int_equal(sk_X509_num(got), 2);
	assert_int_equal(X509_cmp(sk_X509_value(got, 0), devices.root), 0);
	assert_int_equal(X509_cmp(sk_X509_value(got, 1), devices.ca), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_a_root_that_the_pinned_one_has_not_signed_for),
		cmocka_unit_test(refuses_what_is_not_the_kind_of_ca_that_the_pinned_root_is),
		cmocka_unit_test(refuses_them_at_another_time),
		cmocka_unit_test(never_goes_back_to_an_older_root),
		cmocka_unit_test(takes_no_root_for_having_been_named),
		cmocka_unit_test(old_root_is_not_dropped_before_the_new_one_was_used),
		cmocka_unit_test(old_root_does_not_come_back_once_it_was_left),
		cmocka_unit_test(more_roots_than_one_and_its_successor_are_refused),
		cmocka_unit_test(more_cas_than_a_report_has_room_for_are_refused),
		cmocka_unit_test(pumps_own_hierarchy_has_nothing_of_the_servers),
		cmocka_unit_test(whole_change_goes_from_one_root_to_the_other),
	};

	return cmocka_run_group_tests(tests, world_make, world_free);
}
