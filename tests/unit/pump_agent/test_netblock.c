/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>

#include "pump_agent/netblock.h"

static struct netblock_in good(void)
{
	return (struct netblock_in){
		.driver = NET_WIRED,
		.identity = "PG-000123",
		.anchors = "/var/lib/pumpgate-agent/anchors.pem",
		.server_name = "radius-1.pumpgate.internal",
		.blob = "pumpgate-a",
		.passphrase = "00ff",
		.id = "pumpgate-1234",
	};
}

static int build(struct netblock_in in)
{
	struct netblock b = {0};
	int rc = netblock_build(&in, &b);

	if (rc)
		assert_int_equal(b.n, 0); /* nothing comes out of a refusal */
	return rc;
}

static void refuses_a_block_without_a_ca(void **state)
{
	struct netblock_in in = good();

	(void)state;
	in.anchors = NULL;
	assert_int_equal(build(in), ERR_INVALID);
	in.anchors = "";
	assert_int_equal(build(in), ERR_INVALID);
	in.anchors = "anchors.pem";
	assert_int_equal(build(in), ERR_INVALID);
	in.anchors = "hash://server/sha256/00";
	assert_int_equal(build(in), ERR_INVALID);
}

static void refuses_a_block_without_a_server_name(void **state)
{
	static const char *const bad[] = {NULL, "", "internal", ".internal", "a.b;c.d", "*.a.b"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct netblock_in in = good();

		in.server_name = bad[i];
		assert_int_equal(build(in), ERR_INVALID);
	}
}

static void refuses_a_block_without_an_identity(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct netblock_in in = good();
		const char **field[] = {&in.identity, &in.blob, &in.passphrase, &in.id};

		*field[i] = NULL;
		assert_int_equal(build(in), ERR_INVALID);
	}
}

static void refuses_values_that_could_add_a_line_or_end_a_quote(void **state)
{
	struct netblock_in in = good();

	(void)state;
	in.anchors = "/a\"\nca_cert=\"/b";
	assert_int_equal(build(in), ERR_INVALID);
	in = good();
	in.identity = "PG\n1";
	assert_int_equal(build(in), ERR_INVALID);
}

static void refuses_wifi_without_a_proper_ssid(void **state)
{
	struct netblock_in in = good();

	(void)state;
	in.driver = NET_WIFI;
	assert_int_equal(build(in), ERR_INVALID);
	in.ssid = "";
	assert_int_equal(build(in), ERR_INVALID);
	in.ssid = "123456789012345678901234567890123";
	assert_int_equal(build(in), ERR_INVALID);
}

static void is(const struct netblock *b, const char *name, const char *value)
{
	assert_non_null(netblock_value(b, name));
	assert_string_equal(netblock_value(b, name), value);
}

static void wired_block_is_eap_tls_with_both_server_checks(void **state)
{
	struct netblock_in in = good();
	struct netblock b;

	(void)state;
	assert_int_equal(netblock_build(&in, &b), 0);
	is(&b, "key_mgmt", "IEEE8021X");
	is(&b, "eapol_flags", "0");
	is(&b, "eap", "TLS");
	is(&b, "ca_cert", "\"/var/lib/pumpgate-agent/anchors.pem\"");
	is(&b, "domain_match", "\"radius-1.pumpgate.internal;radius-2.pumpgate.internal\"");
	is(&b, "identity", "\"PG-000123\"");
	is(&b, "private_key", "\"blob://pumpgate-a\"");
	assert_null(netblock_value(&b, "ssid"));
	netblock_done(&b);
}

static void wifi_block_wants_strong_ciphers_and_carries_any_ssid_as_hex(void **state)
{
	struct netblock_in in = good();
	struct netblock b;

	(void)state;
	in.driver = NET_WIFI;
	in.ssid = "pu\"mps";
	assert_int_equal(netblock_build(&in, &b), 0);
	is(&b, "ssid", "7075226d7073");
	is(&b, "key_mgmt", "WPA-EAP WPA-EAP-SHA256");
	is(&b, "proto", "RSN");
	is(&b, "ieee80211w", "1");
	assert_non_null(netblock_value(&b, "ca_cert"));
	assert_non_null(netblock_value(&b, "domain_match"));
	netblock_done(&b);
}

static void only_the_passphrase_is_marked_secret(void **state)
{
	struct netblock_in in = good();
	struct netblock b;

	(void)state;
	assert_int_equal(netblock_build(&in, &b), 0);
	for (size_t i = 0; i < b.n; i++)
		assert_int_equal(b.fields[i].is_secret,
				 !strcmp(b.fields[i].name, "private_key_passwd"));
	netblock_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_a_block_without_a_ca),
		cmocka_unit_test(refuses_a_block_without_a_server_name),
		cmocka_unit_test(refuses_a_block_without_an_identity),
		cmocka_unit_test(refuses_values_that_could_add_a_line_or_end_a_quote),
		cmocka_unit_test(refuses_wifi_without_a_proper_ssid),
		cmocka_unit_test(wired_block_is_eap_tls_with_both_server_checks),
		cmocka_unit_test(wifi_block_wants_strong_ciphers_and_carries_any_ssid_as_hex),
		cmocka_unit_test(only_the_passphrase_is_marked_secret),
	};

	return cmocka_run_group_tests_name("pump_agent/netblock", tests, NULL, NULL);
}
