/* SPDX-License-Identifier: BSD-2-Clause */
/* The pure parts of the directory: breaker, texts of LDAP, account states, settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sql/directory/account_state.h"
#include "sql/directory/breaker.h"
#include "sql/directory/ldap_text.h"
#include "sql/directory/settings.h"
#include "tests/support/cmocka.h"

#define S 1000000LL

/* ---- breaker ---- */

static struct breaker opened_at(int64_t now_us)
{
	struct breaker b = {.first_us = 5 * S};

	for (int i = 0; i < BREAKER_FAILURES; i++) {
		assert_true(breaker_admit(&b, now_us));
		breaker_bad(&b, now_us);
	}
	return b;
}

static void an_open_breaker_admits_nobody_until_its_time(void **state)
{
	struct breaker b = opened_at(100 * S);

	(void)state;
	assert_false(breaker_admit(&b, 100 * S));
	assert_false(breaker_admit(&b, 105 * S - 1));
	assert_int_equal(breaker_wait_us(&b, 101 * S), 4 * S);
	assert_true(breaker_admit(&b, 105 * S));
}

static void only_one_caller_tries_an_open_server(void **state)
{
	struct breaker b = opened_at(0);

	(void)state;
	assert_true(breaker_admit(&b, 5 * S));
	assert_false(breaker_admit(&b, 5 * S));
	assert_false(breaker_admit(&b, 5 * S + BREAKER_TRIAL_US - 1));
	assert_true(breaker_admit(&b, 5 * S + BREAKER_TRIAL_US)); /* the first was lost */
}

static void a_failed_trial_doubles_the_wait_up_to_a_bound(void **state)
{
	struct breaker b = opened_at(0);
	const int64_t waits[] = {10 * S, 20 * S, 40 * S, BREAKER_MOST_US, BREAKER_MOST_US};
	int64_t now = 5 * S;

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		assert_true(breaker_admit(&b, now));
		breaker_bad(&b, now);
		assert_int_equal(breaker_wait_us(&b, now), waits[i]);
		now += waits[i];
	}
}

static void late_failures_of_old_calls_change_no_time(void **state)
{
	struct breaker b = opened_at(0);

	(void)state;
	breaker_bad(&b, 4 * S);
	breaker_bad(&b, 4 * S);
	assert_true(breaker_admit(&b, 5 * S));
}

static void a_good_trial_closes_and_forgets(void **state)
{
	struct breaker b = opened_at(0);

	(void)state;
	assert_true(breaker_admit(&b, 5 * S));
	breaker_good(&b);
	assert_int_equal(b.failures, 0);
	breaker_bad(&b, 6 * S);
	breaker_bad(&b, 6 * S);
	assert_true(breaker_admit(&b, 6 * S)); /* two are not three */
	breaker_bad(&b, 6 * S);
	assert_int_equal(breaker_wait_us(&b, 6 * S), 5 * S);
}

static void single_failures_between_successes_open_nothing(void **state)
{
	struct breaker b = {.first_us = S};

	(void)state;
	for (int i = 0; i < 20; i++) {
		breaker_bad(&b, i);
		breaker_bad(&b, i);
		breaker_good(&b);
		assert_true(breaker_admit(&b, i));
	}
}

static void a_trip_opens_for_the_longest_time(void **state)
{
	struct breaker b = {.first_us = S};

	(void)state;
	breaker_trip(&b, 0);
	assert_false(breaker_admit(&b, BREAKER_MOST_US - 1));
	assert_true(breaker_admit(&b, BREAKER_MOST_US));
}

/* ---- texts ---- */

static void names_that_are_no_clean_text_are_told(void **state)
{
	static const char *const bad[] = {"\x01",	  "a\nb",	  "\x7f",
					  "\xc3",	  "\xc0\xaf",	  "\xff",
					  "\x80",	  "\xed\xa0\x80", "\xf4\x90\x80\x80",
					  "\xe0\x80\xaf", "\xc2\x85"};
	static const char *const good[] = {
		"", "nurse", "m\xc3\xbcller", "\xe6\x97\xa5", "\xf0\x9f\x92\x89", "a b"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ldap_text_is_clean(bad[i]));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(ldap_text_is_clean(good[i]));
}

static void values_in_filters_lose_their_meaning(void **state)
{
	const struct filter_values v = {.user = "*)(uid=\\", .dn = "cn=a*,dc=(b)"};
	AUTO_BUF b = {.max = 1000};

	(void)state;
	assert_int_equal(filter_build("(&(uid=%u)(member=%d))", &v, &b), 0);
	assert_string_equal(buf_cstr(&b),
			    "(&(uid=\\2A\\29\\28uid=\\5C)(member=cn=a\\2A,dc=\\28b\\29))");
}

static void templates_with_other_signs_are_refused(void **state)
{
	const struct filter_values v = {.user = "x"};
	static const char *const bad[] = {"(uid=%s)", "(uid=%", "(member=%d)", "(uid=%%)"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_BUF b = {.max = 1000};

		assert_int_equal(filter_build(bad[i], &v, &b), ERR_INVALID);
	}
}

static void what_is_no_filter_is_told(void **state)
{
	static const char *const bad[] = {
		"",	"uid=x", "(uid=x",	  "(uid=x))", "()",	    "(&)",
		"(=x)", "(uid)", "(!(a=b)(c=d))", "(&(a=b)",  "(a=b)(c=d)", "(a=b(c=d))"};
	static const char *const good[] = {"(uid=x)", "(&(a=b)(|(c=*)(!(d=e))))", "(a>=1)",
					   "(memberOf:1.2.840.113556.1.4.1941:=cn=x)", "(a=)"};
	char deep[200] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(filter_is_valid(bad[i]));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(filter_is_valid(good[i]));
	for (int i = 0; i < 90; i++)
		strcat(deep, "(!");
	assert_false(filter_is_valid(deep));
}

static void one_entry_has_one_normal_name(void **state)
{
	char a[200], b[200];

	(void)state;
	assert_int_equal(dn_normal("CN=Pump Nurses, OU=Groups,DC=Hospital", a, sizeof(a)), 0);
	assert_int_equal(dn_normal("cn=pump nurses,ou=groups,dc=hospital", b, sizeof(b)), 0);
	assert_string_equal(a, b);
	assert_int_equal(dn_normal("cn=a\\2Cb,dc=x", a, sizeof(a)), 0);
	assert_int_equal(dn_normal("cn=a\\,b,dc=x", b, sizeof(b)), 0);
	assert_string_equal(a, b);
	assert_int_equal(dn_normal("", a, sizeof(a)), ERR_INVALID);
	assert_int_equal(dn_normal("no name", a, sizeof(a)), ERR_INVALID);
	assert_int_equal(dn_normal("cn=x,dc=hospital", a, 5), ERR_LIMIT);
}

static void another_identity_than_the_bound_one_is_told(void **state)
{
	const char *dn = "uid=nurse,dc=hospital";

	(void)state;
	assert_false(authzid_is("", dn, "nurse"));
	assert_false(authzid_is("dn:", dn, "nurse"));
	assert_false(authzid_is("dn:uid=nurse2,dc=hospital", dn, "nurse"));
	assert_false(authzid_is("dn:uid=nurse,dc=hospital,dc=evil", dn, "nurse"));
	assert_false(authzid_is("u:nurse", dn, "nurse"));
	assert_false(authzid_is("u:HOSPITAL\\doctor", dn, "nurse"));
	assert_false(authzid_is("u:HOSPITAL\\", dn, ""));
	assert_false(authzid_is("uid=nurse,dc=hospital", dn, "nurse"));
	assert_true(authzid_is("dn:UID=nurse, dc=Hospital", dn, "nurse"));
	assert_true(authzid_is("u:HOSPITAL\\Nurse", "cn=Nora,dc=hospital", "nurse"));
}

static void addresses_are_taken_whole_or_not_at_all(void **state)
{
	static const char *const bad[] = {
		"",
		"dc1",
		"http://dc1",
		"ldaps://",
		"ldaps://dc1/x",
		"ldaps://dc1:0",
		"ldaps://dc1:65536",
		"ldaps://dc1:6x",
		"ldaps://[::1",
		"ldaps://dc1:-1",
		"ldaps://a b",
		"ldaps://dc1?x",
		"ldapi://%2Frun",
		"LDAPS://dc1",
		"ldaps://[::1]x",
		"ldaps://user@dc1",
	};
	struct ldap_address a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ldap_address_parse(bad[i], &a), ERR_INVALID);
	assert_int_equal(ldap_address_parse("ldaps://dc1.hospital.example", &a), 0);
	assert_true(a.tls_first);
	assert_string_equal(a.url, "ldaps://dc1.hospital.example:636");
	assert_int_equal(ldap_address_parse("ldap://[fd00::1]:3389", &a), 0);
	assert_false(a.tls_first);
	assert_string_equal(a.host, "fd00::1");
	assert_string_equal(a.url, "ldap://[fd00::1]:3389");
}

/* ---- accounts ---- */

static void codes_of_active_directory_have_their_reasons(void **state)
{
	static const struct {
		const char *code;
		enum directory_verdict verdict;
	} cases[] = {
		{"525", DIRECTORY_UNKNOWN},	    {"52e", DIRECTORY_WRONG_PASSWORD},
		{"532", DIRECTORY_EXPIRED},	    {"533", DIRECTORY_DISABLED},
		{"701", DIRECTORY_EXPIRED},	    {"773", DIRECTORY_MUST_CHANGE},
		{"775", DIRECTORY_LOCKED},	    {"530", DIRECTORY_NOT_NOW},
		{"999", DIRECTORY_WRONG_PASSWORD},  {"", DIRECTORY_WRONG_PASSWORD},
		{"533x", DIRECTORY_WRONG_PASSWORD},
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text),
			 "80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, "
			 "data %s, v3839",
			 cases[i].code);
		assert_int_equal(bind_refusal_of(text), cases[i].verdict);
	}
	assert_int_equal(bind_refusal_of(""), DIRECTORY_WRONG_PASSWORD);
	assert_int_equal(bind_refusal_of(", data "), DIRECTORY_WRONG_PASSWORD);
}

static void attributes_tell_why_an_account_may_not_log_in(void **state)
{
	const int64_t now = 1795000000000; /* 2026-11-18 */
	static const struct {
		const char *attribute, *value;
		enum directory_verdict verdict;
	} cases[] = {
		{"userAccountControl", "514", DIRECTORY_DISABLED},
		{"userAccountControl", "512", DIRECTORY_GOOD},
		{"userAccountControl", "66048", DIRECTORY_GOOD},
		{"userAccountControl", "", DIRECTORY_DISABLED},
		{"useraccountcontrol", "0x200", DIRECTORY_DISABLED},
		{"msDS-User-Account-Control-Computed", "16", DIRECTORY_LOCKED},
		{"msDS-User-Account-Control-Computed", "8388608", DIRECTORY_EXPIRED},
		{"msDS-User-Account-Control-Computed", "0", DIRECTORY_GOOD},
		{"accountExpires", "0", DIRECTORY_GOOD},
		{"accountExpires", "9223372036854775807", DIRECTORY_GOOD},
		{"accountExpires", "133000000000000000", DIRECTORY_EXPIRED}, /* 2022 */
		{"accountExpires", "150000000000000000", DIRECTORY_GOOD},    /* 2076 */
		{"accountExpires", "soon", DIRECTORY_DISABLED},
		{"shadowExpire", "-1", DIRECTORY_GOOD},
		{"shadowExpire", "1", DIRECTORY_EXPIRED},
		{"shadowExpire", "99999", DIRECTORY_GOOD},
		{"nsAccountLock", "TRUE", DIRECTORY_DISABLED},
		{"loginDisabled", "FALSE", DIRECTORY_GOOD},
		{"pwdAccountLockedTime", "000001010000Z", DIRECTORY_DISABLED},
		{"pwdAccountLockedTime", "20261118101010Z", DIRECTORY_GOOD},
		{"pwdReset", "TRUE", DIRECTORY_MUST_CHANGE},
		{"description", "disabled", DIRECTORY_GOOD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(account_state_of(cases[i].attribute, cases[i].value, now),
				 cases[i].verdict);
}

/* ---- settings ---- */

#define AD_SETTINGS                                                                \
	"[directory]\nkind = ad\nservers = ldaps://dc1 ldap://dc2\nca_file = %s\n" \
	"bind_secret_file = %s\nbind_dn = CN=pumpgate,DC=h\nuser_base = DC=h\n"

/* `lines` alone, or after what every Active Directory needs. */
static int settings_of(bool ad, const char *lines, struct directory_settings *out, bool *there)
{
	char folder[] = "/tmp/pumpgate-settings.XXXXXX", path[64], secret[64], text[2000];
	AUTO_CONFIG conf = NULL;
	int rc;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/conf", folder);
	snprintf(secret, sizeof(secret), "%s/secret", folder);
	assert_int_equal(buf_write_file(secret, 0600, "s", 1), 0);
	if (ad)
		snprintf(text, sizeof(text), AD_SETTINGS "%s", secret, secret, lines);
	else
		snprintf(text, sizeof(text), "%s", lines);
	assert_int_equal(buf_write_file(path, 0600, text, strlen(text)), 0);
	assert_int_equal(config_read(path, &conf), 0);
	rc = settings_read(conf, out, there);
	unlink(path);
	unlink(secret);
	rmdir(folder);
	return rc;
}

static void no_section_is_no_directory(void **state)
{
	struct directory_settings s;
	bool there = true;

	(void)state;
	assert_int_equal(settings_of(false, "[other]\nx = 1\n", &s, &there), 0);
	assert_false(there);
}

static void a_section_without_servers_is_refused(void **state)
{
	struct directory_settings s;
	bool there;

	(void)state;
	assert_int_equal(settings_of(false, "[directory]\nkind = ad\n", &s, &there), ERR_INVALID);
}

static void active_directory_asks_its_own_way(void **state)
{
	struct directory_settings s;
	bool there;

	(void)state;
	assert_int_equal(settings_of(true,
				     "role7 = nurse ward=ICU model=MX CN=N 1,DC=h\n"
				     "role9 = porter CN=P,DC=h\n",
				     &s, &there),
			 0);
	assert_true(there);
	assert_int_equal(s.n_servers, 2);
	assert_int_equal(s.groups, GROUPS_CHAIN);
	assert_int_equal(s.n_roles, 2);
	assert_string_equal(s.roles[0].role.role, "nurse");
	assert_string_equal(s.roles[0].role.ward, "ICU");
	assert_string_equal(s.roles[0].role.model, "MX");
	assert_string_equal(s.roles[0].normal, "cn=n 1,dc=h");
	assert_string_equal(s.roles[1].role.ward, "");
	assert_non_null(strstr(s.user_filter, "sAMAccountName=%u"));
	assert_false(s.takes_unknown);
}

static void a_directory_without_roles_is_refused(void **state)
{
	struct directory_settings s;
	bool there;

	(void)state;
	assert_int_equal(settings_of(true, "", &s, &there), ERR_INVALID);
	assert_int_equal(settings_of(true, "role1 = nurse ward=ICU\n", &s, &there), ERR_INVALID);
	assert_int_equal(settings_of(true, "role1 = nurse\n", &s, &there), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_breaker_admits_nobody_until_its_time),
		cmocka_unit_test(only_one_caller_tries_an_open_server),
		cmocka_unit_test(a_failed_trial_doubles_the_wait_up_to_a_bound),
		cmocka_unit_test(late_failures_of_old_calls_change_no_time),
		cmocka_unit_test(a_good_trial_closes_and_forgets),
		cmocka_unit_test(single_failures_between_successes_open_nothing),
		cmocka_unit_test(a_trip_opens_for_the_longest_time),
		cmocka_unit_test(names_that_are_no_clean_text_are_told),
		cmocka_unit_test(values_in_filters_lose_their_meaning),
		cmocka_unit_test(templates_with_other_signs_are_refused),
		cmocka_unit_test(what_is_no_filter_is_told),
		cmocka_unit_test(one_entry_has_one_normal_name),
		cmocka_unit_test(another_identity_than_the_bound_one_is_told),
		cmocka_unit_test(addresses_are_taken_whole_or_not_at_all),
		cmocka_unit_test(codes_of_active_directory_have_their_reasons),
		cmocka_unit_test(attributes_tell_why_an_account_may_not_log_in),
		cmocka_unit_test(no_section_is_no_directory),
		cmocka_unit_test(a_section_without_servers_is_refused),
		cmocka_unit_test(active_directory_asks_its_own_way),
		cmocka_unit_test(a_directory_without_roles_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
