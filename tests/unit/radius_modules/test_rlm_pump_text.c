/* SPDX-License-Identifier: BSD-2-Clause */
/* Class, MAC addresses, and the reasons read from failure messages. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "radius_modules/rlm_pump/class_code.h"
#include "radius_modules/rlm_pump/mac_text.h"
#include "radius_modules/rlm_pump/subject_text.h"
#include "radius_modules/rlm_pump/tls_reason.h"

static int parse(const char *text, struct class_code *out)
{
	return class_parse((const uint8_t *)text, strlen(text), out);
}

static void a_subject_without_just_one_serial_has_none(void **state)
{
	static const char *const wrong[] = {
		"",
		"/CN=PG-1",
		"/CN=x/serialNumber=",
		"/CN=x/serialNumber=pg-1",
		"/CN=x/serialNumber=PG 1",
		"/CN=x/serialNumber=PG-1\\x00",
		"/CN=x/serialNumber=PG-1/serialNumber=PG-2",
		"/CN=x/serialNumber=PID:One SN:PG-1",
		"serialNumber=PG-1",
		"/serialNumber=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	char serial[DEVICE_SERIAL_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		strcpy(serial, "x");
		assert_false(subject_serial(wrong[i], serial));
		assert_string_equal(serial, "");
	}
}

static void a_subjects_one_serial_is_read(void **state)
{
	char serial[DEVICE_SERIAL_SIZE];

	(void)state;
	assert_true(subject_serial("/O=Acme/CN=birth/serialNumber=PG-000123", serial));
	assert_string_equal(serial, "PG-000123");
	assert_true(subject_serial("/serialNumber=PG-1/CN=birth", serial));
	assert_string_equal(serial, "PG-1");
}

static void class_parse_refuses_what_is_not_ours(void **state)
{
	static const char *const wrong[] = {
		"",
		"pg1",
		"pg1.",
		"pg1..",
		"pg1..0a",
		"pg1.PG-1",
		"pg2.PG-1.0a",
		"PG1.PG-1.0a",
		"pg1.pg-1.0a",
		"pg1.PG-1.0A",
		"pg1.PG-1.0g",
		"pg1.PG-1.0a.",
		"pg1.PG-1.0a ",
		"pg1.PG 1.0a",
		"pg1.PG-1.0a\n",
		"xpg1.PG-1.0a",
	};
	struct class_code code = {"KEPT", "aa"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(parse(wrong[i], &code), ERR_INVALID);
	assert_int_equal(class_parse((const uint8_t *)"pg1.PG-1.0a\0b", 13, &code), ERR_INVALID);
	assert_string_equal(code.device, "KEPT");
}

static void class_parse_refuses_over_long_parts(void **state)
{
	struct class_code code;
	char text[400];

	(void)state;
	snprintf(text, sizeof(text), "pg1.%0*d.0a", DEVICE_SERIAL_SIZE, 1);
	assert_int_equal(parse(text, &code), ERR_INVALID);
	snprintf(text, sizeof(text), "pg1.PG-1.%0*d", CERT_SERIAL_SIZE, 1);
	assert_int_equal(parse(text, &code), ERR_INVALID);
	snprintf(text, sizeof(text), "pg1.PG-1.%0*d", 300, 1);
	assert_int_equal(parse(text, &code), ERR_INVALID);
}

static void class_comes_back_as_it_was_built(void **state)
{
	static const struct class_code codes[] = {
		{"PG-000123", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"},
		{"X", ""},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
		 "0123456789abcdef0123456789abcdef0123456789abcde"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct class_code got;
		char text[CLASS_SIZE];

		assert_int_equal(class_build(&codes[i], text), 0);
		assert_true(strlen(text) <= 253);
		assert_int_equal(parse(text, &got), 0);
		assert_string_equal(got.device, codes[i].device);
		assert_string_equal(got.cert_serial, codes[i].cert_serial);
	}
}

static void class_build_refuses_foreign_characters(void **state)
{
	const struct class_code no_name = {"", "0a"}, dot = {"A.B", "0a"}, upper = {"A", "0A"};
	char text[CLASS_SIZE];

	(void)state;
	assert_int_equal(class_build(&no_name, text), ERR_INVALID);
	assert_int_equal(class_build(&dot, text), ERR_INVALID);
	assert_int_equal(class_build(&upper, text), ERR_INVALID);
}

static void mac_refuses_what_is_not_a_mac(void **state)
{
	static const char *const wrong[] = {
		"",
		"02",
		"02:00:00:00:00",
		"02:00:00:00:00:09:0a",
		"02:00:00-00:00:09",
		"02:00:00:00:00:0g",
		"02:00:00:00:00:0",
		"02000000000",
		"0200000000090",
		":02:00:00:00:00:09",
		"02:00:00:00:00:09:",
		"02::00:00:00:00:09",
		"0200:0000:00:09",
		"020:000:000:009",
		"02:00:00:00:00:09:ssid",
		" 02:00:00:00:00:09",
		"020000:00:00:09",
		"0200.0000.0009.",
	};
	char mac[MAC_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(mac_normalise(wrong[i], mac), ERR_INVALID);
		assert_string_equal(mac, "");
	}
}

static void mac_reads_the_forms_that_switches_write(void **state)
{
	static const char *const forms[] = {
		"02:1a:2b:3c:4d:5e", "02-1A-2B-3C-4D-5E", "02.1a.2b.3c.4d.5e", "021a.2b3c.4d5e",
		"021a-2b3c-4d5e",    "021A2B-3C4D5E",	  "021a2b3c4d5e",      "021A2B3C4D5E",
	};
	char mac[MAC_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_int_equal(mac_normalise(forms[i], mac), 0);
		assert_string_equal(mac, "02:1a:2b:3c:4d:5e");
	}
}

static void a_failed_handshake_gets_its_reason(void **state)
{
	static const struct {
		const char *text;
		enum reason want;
	} cases[] = {
		{"", REASON_TLS_FAILED},
		{"eap_tls: (TLS) OpenSSL says error 10 : certificate has expired",
		 REASON_CERTIFICATE_EXPIRED},
		{"(TLS) OpenSSL says error 9 : certificate is not yet valid",
		 REASON_CERTIFICATE_NOT_YET_VALID},
		{"(TLS) OpenSSL says error 20 : unable to get local issuer certificate",
		 REASON_WRONG_CA},
		{"x\n(TLS) OpenSSL says error 7 : certificate signature failure\ny",
		 REASON_WRONG_CA},
		{"(TLS) OpenSSL says error 18 : self-signed certificate", REASON_WRONG_CA},
		{"(TLS) OpenSSL says error 1 : unspecified", REASON_TLS_FAILED},
		{"(TLS) OpenSSL says error ", REASON_TLS_FAILED},
		{"eap_tls: (TLS) error:0A0000C7:SSL routines::peer did not return a certificate",
		 REASON_NO_CERTIFICATE},
		{"eap: No mutually acceptable types found", REASON_METHOD_NOT_ALLOWED},
		{"eap_tls: (TLS) Alert read:fatal:unknown CA", REASON_TLS_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(tls_reason(cases[i].text), cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(class_parse_refuses_what_is_not_ours),
		cmocka_unit_test(a_subject_without_just_one_serial_has_none),
		cmocka_unit_test(a_subjects_one_serial_is_read),
		cmocka_unit_test(class_parse_refuses_over_long_parts),
		cmocka_unit_test(class_build_refuses_foreign_characters),
		cmocka_unit_test(class_comes_back_as_it_was_built),
		cmocka_unit_test(mac_refuses_what_is_not_a_mac),
		cmocka_unit_test(mac_reads_the_forms_that_switches_write),
		cmocka_unit_test(a_failed_handshake_gets_its_reason),
	};

	return cmocka_run_group_tests_name("rlm_pump_text", tests, NULL, NULL);
}
