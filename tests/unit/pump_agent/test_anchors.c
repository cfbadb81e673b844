/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "pump_agent/anchors.h"
#include "tests/unit/pump_agent/pki.h"

/* Two hierarchies as /cacerts sends them, and an attacker who copies the names. */
static struct world {
	EVP_PKEY *key[6];
	X509 *server_root, *server_ca, *device_root, *device_ca;
	X509 *forged_ca;   /* the server CA's name, signed by a key of the attacker */
	X509 *server_leaf; /* issued by the root, but no CA */
	uint8_t hash[32];
} w;

static int world_make(void **state)
{
	struct pki_spec leaf = {.cn = "leaf", .from_s = -1, .to_s = 3600};

	(void)state;
	for (size_t i = 0; i < 6; i++)
		w.key[i] = pki_key();
	w.server_root = pki_ca("server root", w.key[0], NULL, NULL);
	w.server_ca = pki_ca("server ca", w.key[1], w.server_root, w.key[0]);
	w.device_root = pki_ca("device root", w.key[2], NULL, NULL);
	w.device_ca = pki_ca("device ca", w.key[3], w.device_root, w.key[2]);
	w.forged_ca = pki_ca("server ca", w.key[4], w.server_root, w.key[4]);
	w.server_leaf = pki_cert(&leaf, w.key[5], w.server_root, w.key[0]);
	pki_hash(w.server_root, w.hash);
	return 0;
}

static int world_end(void **state)
{
	X509 *certs[] = {w.server_root, w.server_ca, w.device_root,
			 w.device_ca,	w.forged_ca, w.server_leaf};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		EVP_PKEY_free(w.key[i]);
		X509_free(certs[i]);
	}
	return 0;
}

static STACK_OF(X509) * all_certs(void)
{
	X509 *const certs[] = {w.device_root, w.forged_ca, w.device_ca,
			       w.server_leaf, w.server_ca, w.server_root};

	return pki_stack(certs, 6);
}

static void refuses_an_answer_without_the_pinned_root(void **state)
{
	X509 *const others[] = {w.device_root, w.device_ca, w.server_ca};
	AUTO_X509S certs = pki_stack(others, 3);
	AUTO_X509S server = NULL;

	(void)state;
	assert_int_equal(anchors_of_server(certs, w.hash, &server), ERR_CRYPTO);
	assert_null(server);
}

static void refuses_a_hash_with_one_bit_flipped(void **state)
{
	AUTO_X509S certs = all_certs();
	AUTO_X509S server = NULL;
	uint8_t hash[32];

	(void)state;
	for (size_t bit = 0; bit < 256; bit += 37) {
		memcpy(hash, w.hash, sizeof(hash));
		hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(anchors_of_server(certs, hash, &server), ERR_CRYPTO);
	}
	assert_int_equal(anchors_of_server(certs, w.hash, &server), 0);
}

static void refuses_a_pinned_certificate_that_is_no_root(void **state)
{
	AUTO_X509S certs = all_certs();
	AUTO_X509S server = NULL;
	uint8_t hash[32];

	(void)state;
	pki_hash(w.server_leaf, hash);
	assert_int_equal(anchors_of_server(certs, hash, &server), ERR_CRYPTO);
	pki_hash(w.server_ca, hash);
	assert_int_equal(anchors_of_server(certs, hash, &server), ERR_CRYPTO);
}

static void keeps_as_server_anchors_only_the_root_and_the_cas_that_it_signed(void **state)
{
	AUTO_X509S certs = all_certs();
	AUTO_X509S server = NULL;

	(void)state;
	assert_int_equal(anchors_of_server(certs, w.hash, &server), 0);
	assert_int_equal(sk_X509_num(server), 2);
	assert_int_equal(X509_cmp(sk_X509_value(server, 0), w.server_root), 0);
	assert_int_equal(X509_cmp(sk_X509_value(server, 1), w.server_ca), 0);
}

static void keeps_the_device_hierarchy_apart(void **state)
{
	X509 *const good[] = {w.device_root, w.device_ca, w.server_ca, w.server_root};
	AUTO_X509S certs = pki_stack(good, 4);
	AUTO_X509S server = NULL;
	AUTO_X509S devices = NULL;

	(void)state;
	assert_int_equal(anchors_of_server(certs, w.hash, &server), 0);
	assert_int_equal(anchors_of_devices(certs, server, &devices), 0);
	assert_int_equal(sk_X509_num(devices), 2);
	assert_int_equal(X509_cmp(sk_X509_value(devices, 0), w.device_root), 0);
	assert_int_equal(X509_cmp(sk_X509_value(devices, 1), w.device_ca), 0);
}

static void refuses_an_answer_without_a_root_for_pumps(void **state)
{
	X509 *const some[] = {w.device_ca, w.server_root};
	AUTO_X509S certs = pki_stack(some, 2);
	AUTO_X509S server = NULL;
	AUTO_X509S devices = NULL;

	(void)state;
	assert_int_equal(anchors_of_server(certs, w.hash, &server), 0);
	assert_int_equal(anchors_of_devices(certs, server, &devices), ERR_INVALID);
}

static void refuses_a_store_without_a_root(void **state)
{
	X509 *const one[] = {w.server_ca};
	AUTO_X509S certs = pki_stack(one, 1);
	AUTO_X509_STORE store = NULL;

	(void)state;
	assert_int_equal(anchors_store(certs, &store), ERR_INVALID);
}

static void refuses_answers_that_are_no_certs_only_cms(void **state)
{
	static const char *const bad[] = {
		"",
		"A",
		"====",
		"AAAA=AAA",
		"AAA",
		"<html>Welcome</html>",
		"MAA=",
		"MIAGCSqGSIb3DQEHAqCA",
		"AAAA\x01"
		"AAAA",
		"MAsGCSqGSIb3DQEHAQ==", /* type data, no content */
	};
	AUTO_X509S certs = NULL;
	char *big = malloc(EST_ANSWER_MAX + 1);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (est_certs_parse(bad[i], strlen(bad[i]), &certs) != ERR_INVALID)
			fail_msg("taken: %s", bad[i]);
	memset(big, 'A', EST_ANSWER_MAX + 1);
	assert_int_equal(est_certs_parse(big, EST_ANSWER_MAX + 1, &certs), ERR_LIMIT);
	free(big);
	assert_null(certs);
}

static void refuses_more_certificates_than_a_hierarchy_has(void **state)
{
	AUTO_X509S certs = sk_X509_new_null();
	AUTO_X509S got = NULL;
	AUTO_BUF cms = {0};

	(void)state;
	for (int i = 0; i <= EST_CERTS_MAX; i++)
		sk_X509_push(certs, pki_ca("one of many", w.key[0], NULL, NULL));
	pki_cms(certs, &cms);
	assert_int_equal(est_certs_parse(cms.data, cms.len, &got), ERR_LIMIT);
}

static void reads_an_answer_with_lines_of_any_length(void **state)
{
	AUTO_X509S certs = all_certs();
	AUTO_BUF cms = {0};
	AUTO_BUF lines = {.max = 65536};

	(void)state;
	pki_cms(certs, &cms);
	for (size_t i = 0; i < cms.len; i++) {
		assert_int_equal(buf_put_u8(&lines, cms.data[i]), 0);
		if (i % 64 == 63)
			assert_int_equal(buf_put_str(&lines, "\r\n"), 0);
	}
	for (int i = 0; i < 2; i++) {
		AUTO_X509S got = NULL;
		const struct buf *from = i ? &lines : &cms;

		assert_int_equal(est_certs_parse(from->data, from->len, &got), 0);
		assert_int_equal(sk_X509_num(got), 6);
	}
}

static void refuses_an_answer_cut_anywhere(void **state)
{
	AUTO_X509S certs = all_certs();
	AUTO_X509S got = NULL;
	AUTO_BUF cms = {0};

	(void)state;
	pki_cms(certs, &cms);
	for (size_t len = 0; len < cms.len; len += 13)
		if (!est_certs_parse(cms.data, len, &got))
			fail_msg("taken although cut at %zu of %zu", len, cms.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_an_answer_without_the_pinned_root),
		cmocka_unit_test(refuses_a_hash_with_one_bit_flipped),
		cmocka_unit_test(refuses_a_pinned_certificate_that_is_no_root),
		cmocka_unit_test(keeps_as_server_anchors_only_the_root_and_the_cas_that_it_signed),
		cmocka_unit_test(keeps_the_device_hierarchy_apart),
		cmocka_unit_test(refuses_an_answer_without_a_root_for_pumps),
		cmocka_unit_test(refuses_a_store_without_a_root),
		cmocka_unit_test(refuses_answers_that_are_no_certs_only_cms),
		cmocka_unit_test(refuses_more_certificates_than_a_hierarchy_has),
		cmocka_unit_test(reads_an_answer_with_lines_of_any_length),
		cmocka_unit_test(refuses_an_answer_cut_anywhere),
	};

	return cmocka_run_group_tests_name("pump_agent/anchors", tests, world_make, world_end);
}
