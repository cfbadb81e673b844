/* SPDX-License-Identifier: BSD-2-Clause */
/* What pumpctl makes of a NAS: its configuration per vendor, its secret, the answer to its test. */
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/nas_config.h"
#include "enroll/pumpctl/nas_finding.h"
#include "enroll/pumpctl/nas_secret.h"

static const struct nas_config ap = {.name = "ap-1",
				     .ip = "192.0.2.10",
				     .server = "192.0.2.1",
				     .auth_port = 1812,
				     .acct_port = 1813,
				     .das_port = 3799};

static const char *const vendors[] = {"hostapd", "cisco-ios-xe", "aruba", "juniper"};

/* The text; the caller's to free. */
static char *config_of(const char *vendor, const struct nas_config *in)
{
	AUTO_BUF out = {.max = 16384};

	assert_int_equal(nas_config_build(vendor, in, &out), 0);
	return strndup((const char *)out.data, out.len);
}

static void an_unknown_vendor_is_refused_with_those_that_are_known(void **state)
{
	AUTO_BUF out = {.max = 16384};

	(void)state;
	assert_int_equal(nas_config_build("acme", &ap, &out), ERR_INVALID);
	assert_int_equal(out.len, 0);
	for (size_t i = 0; i < 4; i++)
		assert_non_null(strstr(err_text(), vendors[i]));
}

static void radsec_has_no_hostapd_and_says_what_to_do(void **state)
{
	struct nas_config in = ap;
	AUTO_BUF out = {.max = 65536};

	(void)state;
	in.radsec = true;
	assert_int_equal(nas_config_build("hostapd", &in, &out), ERR_INVALID);
	assert_non_null(strstr(err_text(), "radsecproxy"));
	assert_int_equal(nas_config_build("acme", &in, &out), ERR_INVALID);
	in.radsec = false;
	assert_int_equal(nas_config_build("radsecproxy", &in, &out), ERR_INVALID);
}

static void radsec_names_port_and_server_and_disconnect_only_where_wanted(void **state)
{
	static const char *const names[] = {"cisco-ios-xe", "aruba", "juniper", "radsecproxy"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct nas_config in = ap;
		char *text;

		in.radsec = true;
		in.radsec_port = 22083;
		in.radsec_name = "radsec-1.pumpgate.internal";
		text = config_of(names[i], &in);
		assert_non_null(strstr(text, "22083"));
		assert_null(strchr(text, '{') && strstr(text, "{radsec") ? text : NULL);
		assert_non_null(strstr(text, "Disconnect"));
		free(text);
		in.das_port = 0;
		text = config_of(names[i], &in);
		assert_null(strstr(text, "Disconnect"));
		assert_null(strstr(text, "dyn"));
		free(text);
	}
}

static void every_configuration_is_filled_in_and_waits_for_its_secret(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char *text = config_of(vendors[i], &ap);

		assert_null(strpbrk(text, "{}"));
		assert_non_null(strstr(text, NAS_CONFIG_SECRET));
		assert_non_null(strstr(text, "ap-1"));
		assert_non_null(strstr(text, "192.0.2.1"));
		assert_non_null(strstr(text, "1812"));
		assert_non_null(strstr(text, "1813"));
		assert_non_null(strstr(text, "3799"));
		assert_non_null(strstr(text, "Message-Authenticator")
					?: strstr(text, "message_authenticator"));
		free(text);
	}
}

static void without_a_das_port_no_dynamic_authorization_is_switched_on(void **state)
{
	static const char *const words[] = {"das_", "dynamic-author", "dyn-authorization",
					    "dynamic-request-port"};
	struct nas_config in = ap;

	(void)state;
	in.das_port = 0;
	for (size_t i = 0; i < 4; i++) {
		char *text = config_of(vendors[i], &in);

		assert_null(strstr(text, words[i]));
		assert_null(strpbrk(text, "{}"));
		free(text);
		text = config_of(vendors[i], &ap);
		assert_non_null(strstr(text, words[i]));
		free(text);
	}
}

static void a_name_that_looks_like_a_word_is_not_filled_in_again(void **state)
{
	struct nas_config in = ap;
	char *text;

	(void)state;
	in.name = "{secret}";
	text = config_of("hostapd", &in);
	assert_non_null(strstr(text, "nas_identifier={secret}\n"));
	free(text);
}

static void the_golden_text_for_hostapd(void **state)
{
	static const char golden[] = "ieee8021x=1\n"
				     "own_ip_addr=192.0.2.10\n"
				     "nas_identifier=ap-1\n"
				     "auth_server_addr=192.0.2.1\n"
				     "auth_server_port=1812\n"
				     "auth_server_shared_secret=PUT-THE-SECRET-HERE\n"
				     "acct_server_addr=192.0.2.1\n"
				     "acct_server_port=1813\n"
				     "acct_server_shared_secret=PUT-THE-SECRET-HERE\n"
				     "radius_acct_interim_interval=600\n"
				     "radius_request_cui=1\n";
	static const char das[] = "radius_das_port=3799\n"
				  "radius_das_client=192.0.2.1 PUT-THE-SECRET-HERE\n"
				  "radius_das_time_window=300\n"
				  "radius_das_require_event_timestamp=1\n"
				  "radius_das_require_message_authenticator=1\n";
	char *text = config_of("hostapd", &ap);

	(void)state;
	assert_non_null(strstr(text, golden));
	assert_string_equal(text + strlen(text) - strlen(das), das);
	free(text);
}

static void the_golden_lines_of_the_switches(void **state)
{
	static const struct {
		const char *vendor, *line;
	} lines[] = {
		{"cisco-ios-xe", "\n address ipv4 192.0.2.1 auth-port 1812 acct-port 1813\n"},
		{"cisco-ios-xe",
		 "\n client 192.0.2.1 server-key PUT-THE-SECRET-HERE\n port 3799\n"},
		{"cisco-ios-xe", "\n authentication timer reauthenticate server\n mab\n"},
		{"aruba", "\nradius-server host 192.0.2.1 port 1812 acct-port 1813 key plaintext "
			  "PUT-THE-SECRET-HERE\n"},
		{"aruba", "\nradius dyn-authorization client 192.0.2.1 secret-key plaintext "
			  "PUT-THE-SECRET-HERE\n"},
		{"aruba", "\naaa accounting port-access start-stop interim 10 group pumpgate\n"},
		{"juniper",
		 "\nset access radius-server 192.0.2.1 secret \"PUT-THE-SECRET-HERE\"\n"},
		{"juniper", "\nset access radius-server 192.0.2.1 dynamic-request-port 3799\n"},
		{"juniper", "interface ge-0/0/0.0 mac-radius\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *text = config_of(lines[i].vendor, &ap);

		assert_non_null(strstr(text, lines[i].line));
		free(text);
	}
}

static void an_ipv6_server_is_written_as_one(void **state)
{
	struct nas_config in = ap;
	char *text;

	(void)state;
	in.server = "2001:db8::1";
	text = config_of("cisco-ios-xe", &in);
	assert_non_null(strstr(text, " address ipv6 2001:db8::1 auth-port"));
	free(text);
}

static void only_a_signed_no_such_session_proves_that_disconnect_works(void **state)
{
	static const struct {
		const char *result, *detail;
		uint32_t cause;
		bool works, again;
	} cases[] = {
		{"nak", "", 503, true, false},
		{"nak", "", 0, false, false},
		{"nak", "", 401, false, false},
		{"nak", "", 403, false, false},
		{"nak", "", 405, false, false},
		{"nak", "", 501, false, false},
		{"nak", "", 9999, false, false},
		{"ack", "", 0, false, false},
		{"silent", "no answer", 0, false, false},
		{"silent", "no answer", 503, false, false},
		{"silent", "only answers with a wrong signature", 0, false, false},
		{"unsendable", "", 0, false, false},
		{"untaken", "", 0, false, true},
		{"", "", 503, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nas_probe p = {.error_cause = cases[i].cause};
		struct nas_finding f;

		strcpy(p.result, cases[i].result);
		strcpy(p.detail, cases[i].detail);
		f = nas_finding_of(&p);
		assert_int_equal(f.works, cases[i].works);
		assert_int_equal(f.again, cases[i].again);
		assert_true(*f.means && (f.works || *f.next));
	}
}

static void made_secrets_differ_and_are_letters_and_digits(void **state)
{
	char a[NAS_SECRET_MADE + 1], b[NAS_SECRET_MADE + 1];

	(void)state;
	nas_secret_make(a);
	nas_secret_make(b);
	assert_int_equal(strlen(a), NAS_SECRET_MADE);
	assert_string_not_equal(a, b);
	assert_int_equal(
		strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
		NAS_SECRET_MADE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_vendor_is_refused_with_those_that_are_known),
		cmocka_unit_test(radsec_has_no_hostapd_and_says_what_to_do),
		cmocka_unit_test(radsec_names_port_and_server_and_disconnect_only_where_wanted),
		cmocka_unit_test(every_configuration_is_filled_in_and_waits_for_its_secret),
		cmocka_unit_test(without_a_das_port_no_dynamic_authorization_is_switched_on),
		cmocka_unit_test(a_name_that_looks_like_a_word_is_not_filled_in_again),
		cmocka_unit_test(the_golden_text_for_hostapd),
		cmocka_unit_test(the_golden_lines_of_the_switches),
		cmocka_unit_test(an_ipv6_server_is_written_as_one),
		cmocka_unit_test(only_a_signed_no_such_session_proves_that_disconnect_works),
		cmocka_unit_test(made_secrets_differ_and_are_letters_and_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
