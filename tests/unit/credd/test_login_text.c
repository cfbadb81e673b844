/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sql/credd/hasher.h"
#include "sql/credd/judge.h"
#include "sql/wire/login_text.h"

#define NAME(literal, out) login_name_prepare((const uint8_t *)(literal), sizeof(literal) - 1, out)
#define PASSWORD(literal, out) \
	login_password_prepare((const uint8_t *)(literal), sizeof(literal) - 1, out)

static void names_of_wrong_length_with_a_nul_or_no_utf8_are_refused(void **state)
{
	char out[LOGIN_USER_SIZE] = "untouched";
	uint8_t ten_kib[10240];

	(void)state;
	memset(ten_kib, 'a', sizeof(ten_kib));
	assert_int_equal(NAME("", out), ERR_INVALID);
	assert_int_equal(login_name_prepare(ten_kib, sizeof(ten_kib), out), ERR_INVALID);
	assert_int_equal(login_name_prepare(ten_kib, 65, out), ERR_INVALID);
	assert_int_equal(NAME("an\0na", out), ERR_INVALID);
	assert_int_equal(NAME("anna\xff", out), ERR_INVALID);
	assert_int_equal(NAME("anna\xc0\xaf", out), ERR_INVALID);     /* overlong '/' */
	assert_int_equal(NAME("anna\xed\xa0\x80", out), ERR_INVALID); /* a surrogate */
	assert_int_equal(NAME("anna\xe2\x82", out), ERR_INVALID);     /* cut short */
	assert_int_equal(NAME("anna\xf5\x80\x80\x80", out), ERR_INVALID);
	assert_int_equal(NAME("an na", out), ERR_INVALID);
	assert_int_equal(NAME("an\nna", out), ERR_INVALID);
	assert_int_equal(NAME("\xe2\x80\xae"
			      "anna",
			      out),
			 ERR_INVALID); /* right to left */
	assert_string_equal(out, "untouched");
}

static void names_are_compared_without_case_and_form(void **state)
{
	char a[LOGIN_USER_SIZE], b[LOGIN_USER_SIZE];

	(void)state;
	assert_int_equal(NAME("Anna.Meier", a), 0);
	assert_string_equal(a, "anna.meier");
	assert_int_equal(NAME("J\xc3\xbcrgen", a), 0);
	assert_int_equal(NAME("JU\xcc\x88RGEN", b), 0); /* u and a combining diaeresis */
	assert_string_equal(a, b);
	/* what means something to LDAP or SQL is a character like any other here */
	assert_int_equal(NAME("*)(uid=*", a), 0);
	assert_string_equal(a, "*)(uid=*");
	assert_int_equal(NAME("'--;drop", a), 0);
	assert_string_equal(a, "'--;drop");
}

static void passwords_of_wrong_length_with_a_nul_or_no_utf8_are_refused(void **state)
{
	char out[LOGIN_PASSWORD_MAX + 1] = "untouched";
	uint8_t ten_kib[10240];

	(void)state;
	memset(ten_kib, 'x', sizeof(ten_kib));
	assert_int_equal(PASSWORD("", out), ERR_INVALID);
	assert_int_equal(login_password_prepare(ten_kib, sizeof(ten_kib), out), ERR_INVALID);
	assert_int_equal(login_password_prepare(ten_kib, LOGIN_PASSWORD_MAX + 1, out), ERR_INVALID);
	assert_int_equal(PASSWORD("secret\0more", out), ERR_INVALID);
	assert_int_equal(PASSWORD("secret\xfe", out), ERR_INVALID);
	assert_int_equal(PASSWORD("secret\x07", out), ERR_INVALID);
	assert_int_equal(PASSWORD("\xc2\xad", out), ERR_INVALID); /* RFC 4013: maps to nothing */
	assert_string_equal(out, "untouched");
}

/* RFC 4013, section 3 */
static void passwords_are_prepared_as_rfc_4013_says(void **state)
{
	char out[LOGIN_PASSWORD_MAX + 1];

	(void)state;
	assert_int_equal(PASSWORD("I\xc2\xadX", out), 0);
	assert_string_equal(out, "IX");
	assert_int_equal(PASSWORD("USER", out), 0);
	assert_string_equal(out, "USER");
	assert_int_equal(PASSWORD("\xc2\xaa", out), 0);
	assert_string_equal(out, "a");
	assert_int_equal(PASSWORD("\xe2\x85\xa8", out), 0);
	assert_string_equal(out, "IX");
	assert_int_equal(PASSWORD("\xd8\xa7\x31", out), ERR_INVALID);
}

static void weak_pins_and_passwords_are_refused(void **state)
{
	(void)state;
	assert_int_equal(pin_floor("123"), ERR_INVALID);
	assert_int_equal(pin_floor("12a4"), ERR_INVALID);
	assert_int_equal(pin_floor("7777"), ERR_INVALID);
	assert_int_equal(pin_floor("3456"), ERR_INVALID);
	assert_int_equal(pin_floor("9876"), ERR_INVALID);
	assert_int_equal(pin_floor("7391"), 0);
	assert_int_equal(password_floor("short", ""), ERR_INVALID);
	assert_int_equal(password_floor("xxxxxxxxxxxx", ""), ERR_INVALID);
	assert_int_equal(password_floor("my-Anna.meier-pw", "anna.meier"), ERR_INVALID);
	assert_int_equal(password_floor("correct horse battery", "anna"), 0);
}

/* ---- hashes ---- */

static struct hasher *hasher_here(char *dir, uint32_t passes)
{
	char path[128];
	struct hasher *h = NULL;

	snprintf(path, sizeof(path), "%s/pepper", dir);
	assert_int_equal(hasher_new(path, true, 8192, passes, &h), 0);
	return h;
}

static void a_wrong_secret_another_pepper_and_nobodys_hash_are_refused(void **state)
{
	char one[] = "/tmp/pumpgate-test-XXXXXX", two[] = "/tmp/pumpgate-test-XXXXXX", path[128];
	char phc[PHC_SIZE];
	struct hasher *h, *other;
	bool old;

	(void)state;
	assert_non_null(mkdtemp(one));
	assert_non_null(mkdtemp(two));
	h = hasher_here(one, 1);
	other = hasher_here(two, 1);
	assert_int_equal(hasher_hash(h, "7391", phc), 0);
	assert_memory_equal(phc, "$argon2id$v=19$", 15);
	assert_false(hasher_verify(h, phc, "7392", &old));
	assert_false(hasher_verify(h, "", "7391", &old));
	assert_false(hasher_verify(h, "$argon2id$nonsense", "7391", &old));
	assert_false(hasher_verify(other, phc, "7391", &old));
	assert_true(hasher_verify(h, phc, "7391", &old));
	assert_false(old);
	hasher_free(h);
	hasher_free(other);
	h = hasher_here(one, 2); /* the same pepper, more passes */
	assert_true(hasher_verify(h, phc, "7391", &old));
	assert_true(old);
	assert_false(hasher_verify(h, phc, "7392", &old));
	assert_false(old);
	hasher_free(h);
	snprintf(path, sizeof(path), "%s/pepper", one);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(hasher_new(path, false, 8192, 1, &h), ERR_NOT_FOUND);
	snprintf(path, sizeof(path), "%s/pepper", two);
	assert_int_equal(truncate(path, 31), 0);
	assert_int_equal(hasher_new(path, true, 8192, 1, &h), ERR_CORRUPT);
	unlink(path);
	rmdir(one);
	rmdir(two);
}

/* ---- rules ---- */

static const struct login_facts good_pump = {.found = true,
					     .device = "PG-1",
					     .device_state = "enrolled",
					     .cert_state = "valid",
					     .not_before = 1000,
					     .not_after = 2000};

static void a_pump_that_is_not_in_good_standing_logs_nobody_in(void **state)
{
	static const char *const bad_states[] = {"unknown", "expected", "revoked",
						 "held",    "parked",	""};
	static const char *const bad_certs[] = {"reserved", "superseded", "revoked", "unknown", ""};
	struct login_facts f;
	const char *why;

	(void)state;
	f = (struct login_facts){0};
	assert_false(judge_pump(&f, 1500, &why));
	for (size_t i = 0; i < sizeof(bad_states) / sizeof(bad_states[0]); i++) {
		f = good_pump;
		strcpy(f.device_state, bad_states[i]);
		assert_false(judge_pump(&f, 1500, &why));
		assert_true(*why);
	}
	for (size_t i = 0; i < sizeof(bad_certs) / sizeof(bad_certs[0]); i++) {
		f = good_pump;
		strcpy(f.cert_state, bad_certs[i]);
		assert_false(judge_pump(&f, 1500, &why));
	}
	assert_false(judge_pump(&good_pump, 999, &why));
	assert_false(judge_pump(&good_pump, 2001, &why));
	assert_true(judge_pump(&good_pump, 1500, &why));
	f = good_pump;
	strcpy(f.device_state, "quarantined");
	assert_true(judge_pump(&f, 1500, &why));
}

static void only_who_knows_the_secret_learns_of_the_account(void **state)
{
	struct login_case c = {.account_known = true, .enabled = false, .expires_at = 10};
	const char *why;

	(void)state;
	assert_int_equal(judge_login(&(struct login_case){0}, 5, &why), LOGIN_REFUSED);
	assert_int_equal(judge_login(&c, 20, &why), LOGIN_REFUSED); /* disabled and expired */
	c.secret_right = true;
	assert_int_equal(judge_login(&c, 20, &why), LOGIN_NOT_ALLOWED);
	assert_string_equal(why, "disabled");
	c.enabled = true;
	assert_int_equal(judge_login(&c, 10, &why), LOGIN_NOT_ALLOWED);
	assert_string_equal(why, "expired");
	assert_int_equal(judge_login(&c, 9, &why), LOGIN_NOT_ALLOWED);
	assert_string_equal(why, "no-role-here");
	c.has_role = true;
	assert_int_equal(judge_login(&c, 9, &why), LOGIN_OK);
	c.account_known = false; /* whatever else is said */
	assert_int_equal(judge_login(&c, 9, &why), LOGIN_REFUSED);
	assert_string_equal(login_result_word(LOGIN_REFUSED), "refused");
	assert_int_equal(LOGIN_REFUSED, 0);
}

static void nothing_outlives_an_account_that_ends(void **state)
{
	const struct role_terms nurse = {
		.session_s = 43200, .idle_s = 300, .offline = true, .offline_s = 259200};
	struct role_terms t = nurse;

	(void)state;
	judge_terms_end(&t, 1000000, 1000000 - 7200 * 1000);
	assert_int_equal(t.session_s, 7200);
	assert_int_equal(t.idle_s, 300);
	assert_int_equal(t.offline_s, 7200);
	assert_true(t.offline);
	judge_terms_end(&t, 1000000, 1000000 - 59999);
	assert_int_equal(t.session_s, 59);
	assert_int_equal(t.idle_s, 59);
	assert_false(t.offline);
	judge_terms_end(&t, 1000000, 2000000);
	assert_int_equal(t.session_s, 1);
	t = nurse;
	judge_terms_end(&t, 0, 1000000);
	assert_memory_equal(&t, &nurse, sizeof(t));
	judge_terms_end(&t, INT64_MAX, 1000000);
	assert_memory_equal(&t, &nurse, sizeof(t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_wrong_length_with_a_nul_or_no_utf8_are_refused),
		cmocka_unit_test(names_are_compared_without_case_and_form),
		cmocka_unit_test(passwords_of_wrong_length_with_a_nul_or_no_utf8_are_refused),
		cmocka_unit_test(passwords_are_prepared_as_rfc_4013_says),
		cmocka_unit_test(weak_pins_and_passwords_are_refused),
		cmocka_unit_test(a_wrong_secret_another_pepper_and_nobodys_hash_are_refused),
		cmocka_unit_test(a_pump_that_is_not_in_good_standing_logs_nobody_in),
		cmocka_unit_test(only_who_knows_the_secret_learns_of_the_account),
		cmocka_unit_test(nothing_outlives_an_account_that_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
