/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>

#include "pump_agent/csrattrs.h"

/* RFC 7030 4.5.2's own example: challengePassword, ecPublicKey secp384r1, an extensionRequest that
 * holds an OID (as RFC 9908 2 quotes it), ecdsa-with-SHA384. */
static const char rfc7030[] = "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJ\n"
			      "BgcrBgEBAQEWBggqhkjOPQQDAw==";

static int decode(const char *body, struct csr_wishes *out)
{
	memset(out, 0xa5, sizeof(*out));
	return csrattrs_decode(body, strlen(body), out);
}

static void what_is_no_csrattrs_is_refused(void **state)
{
	const char *bad[] = {
		"MA==",	    /* a length is missing */
		"MAEA",	    /* an element is cut off */
		"MAMCAQU=", /* an INTEGER where an OID or attribute stands */
		"MAIwAA==", /* an empty attribute */
		"MAAA",	    /* a byte after the end */
		"****",
	};
	struct csr_wishes w;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(decode(bad[i], &w), ERR_INVALID);
}

static void the_example_of_the_rfc_is_read(void **state)
{
	struct csr_wishes w;

	(void)state;
	assert_int_equal(decode(rfc7030, &w), 0);
	assert_int_equal(w.key, KEY_P384);
	assert_true(w.wants_binding);
}

static void nothing_asked_for_is_nothing_wished(void **state)
{
	const char *empty[] = {"", "\r\n", "MAA="};
	struct csr_wishes w;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(decode(empty[i], &w), 0);
		assert_int_equal(w.key, KEY_AS_ASKED);
		assert_false(w.wants_binding);
	}
}

/* SEQUENCE { SEQUENCE { rsaEncryption, SET { INTEGER bits } } } */
static enum key_kind rsa_of(uint8_t high, uint8_t low)
{
	uint8_t der[] = {0x30, 0x13, 0x30, 0x11, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
			 0x0d, 0x01, 0x01, 0x01, 0x31, 0x04, 0x02, 0x02, high, low};
	struct csr_wishes w;

	assert_int_equal(csrattrs_parse(der, sizeof(der), &w), 0);
	return w.key;
}

static void a_weak_or_odd_rsa_size_is_no_wish(void **state)
{
	(void)state;
	assert_int_equal(rsa_of(0x04, 0x00), KEY_AS_ASKED); /* 1024 */
	assert_int_equal(rsa_of(0x08, 0x01), KEY_AS_ASKED);
	assert_int_equal(rsa_of(0x88, 0x00), KEY_AS_ASKED); /* negative */
	assert_int_equal(rsa_of(0x08, 0x00), KEY_RSA2048);
	assert_int_equal(rsa_of(0x0c, 0x00), KEY_RSA3072);
	assert_int_equal(rsa_of(0x10, 0x00), KEY_RSA4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_csrattrs_is_refused),
		cmocka_unit_test(the_example_of_the_rfc_is_read),
		cmocka_unit_test(nothing_asked_for_is_nothing_wished),
		cmocka_unit_test(a_weak_or_odd_rsa_size_is_no_wish),
	};

	return cmocka_run_group_tests_name("pump_agent/csrattrs", tests, NULL, NULL);
}
