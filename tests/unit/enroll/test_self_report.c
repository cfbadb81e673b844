/* SPDX-License-Identifier: BSD-2-Clause */
/* What a pump may say of itself, and what it is told. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "enroll/est/self_report.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SLOT "{\"serial\":\"a1b2\",\"not_after\":1}"
#define GOOD                                                                               \
	"{\"version\":1,\"software\":\"1.4.0\",\"key_protection\":\"software\","           \
	"\"infusing\":\"idle\",\"clock_behind_ms\":-1500,\"slots\":[{\"serial\":\"a1b2\"," \
	"\"not_after\":1800000000,\"in_use\":true},{\"serial\":\"c3d4\",\"not_after\":"    \
	"1900000000,\"in_use\":false}],\"server_anchors\":[\"" SHA "\",\"" SHA             \
	"\"],\"device_anchors\":[],\"ports\":[\"tcp/22\",\"udp/161\"],\"ports_more\":3,"   \
	"\"later\":{\"member\":1}}"

static int parse(const char *text, struct pump_report *out)
{
	return self_report_parse(text, strlen(text), out);
}

/* GOOD with one piece of it replaced. */
static int parse_with(const char *what, const char *by)
{
	static const char good[] = GOOD;
	const char *at = strstr(good, what);
	struct pump_report r;
	char text[2 * SELF_REPORT_MAX];

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, by, at + strlen(what));
	return parse(text, &r);
}

static void what_is_no_report_is_refused(void **state)
{
	struct pump_report r;

	(void)state;
	assert_int_equal(parse("", &r), ERR_INVALID);
	assert_int_equal(parse("[]", &r), ERR_INVALID);
	assert_int_equal(parse("{}", &r), ERR_INVALID);
	assert_int_equal(parse(GOOD "x", &r), ERR_INVALID);
	assert_int_equal(parse_with("\"version\":1,", ""), ERR_INVALID);
	assert_int_equal(parse_with("\"version\":1", "\"version\":2"), ERR_INVALID);
	assert_int_equal(parse_with("\"version\":1", "\"version\":1,\"version\":1"), ERR_INVALID);
}

static void a_report_of_more_than_four_kibibytes_is_refused(void **state)
{
	char text[SELF_REPORT_MAX + 1];
	struct pump_report r;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, GOOD, sizeof(GOOD) - 1);
	assert_int_equal(self_report_parse(text, sizeof(text), &r), ERR_LIMIT);
	assert_int_equal(self_report_parse(text, sizeof(text) - 1, &r), 0);
}

static void words_that_do_not_belong_are_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_with("1.4.0", ""), ERR_INVALID);
	assert_int_equal(parse_with("1.4.0", "1.4 0"), ERR_INVALID);
	assert_int_equal(parse_with("1.4.0", "1.4\\u00000"), ERR_INVALID);
	assert_int_equal(parse_with("1.4.0", "123456789012345678901234567890123"), ERR_INVALID);
	assert_int_equal(parse_with("\"software\",", "\"vault\","), ERR_INVALID);
	assert_int_equal(parse_with("\"idle\"", "\"Idle\""), ERR_INVALID);
	assert_int_equal(parse_with("\"idle\"", "7"), ERR_INVALID);
	assert_int_equal(parse_with("-1500", "1e300"), ERR_INVALID);
	assert_int_equal(parse_with("-1500", "-9223372036854775807"), ERR_INVALID);
}

static void lists_are_bounded_and_of_one_kind(void **state)
{
	(void)state;
	assert_int_equal(parse_with("\"slots\":", "\"slots\":null,\"x\":"), ERR_INVALID);
	assert_int_equal(parse_with("\"slots\":", "\"slots\":[" SLOT "," SLOT "," SLOT "," SLOT
						  "," SLOT "],\"x\":"),
			 ERR_INVALID);
	assert_int_equal(
		parse_with("\"slots\":", "\"slots\":[" SLOT "," SLOT "," SLOT "," SLOT "],\"x\":"),
		0);
	assert_int_equal(parse_with("a1b2", "A1B2"), ERR_INVALID);
	assert_int_equal(parse_with("a1b2", "a"), ERR_INVALID);
	assert_int_equal(parse_with("1800000000", "-1"), ERR_INVALID);
	assert_int_equal(parse_with("1800000000", "99999999999"), ERR_INVALID);
	assert_int_equal(parse_with("[]", "[\"" SHA "0\"]"), ERR_INVALID);
	assert_int_equal(parse_with("[]", "[null]"), ERR_INVALID);
	assert_int_equal(parse_with("[]", "[\"" SHA "\",\"" SHA "\",\"" SHA "\",\"" SHA "\",\"" SHA
					  "\",\"" SHA "\",\"" SHA "\",\"" SHA "\",\"" SHA "\"]"),
			 ERR_INVALID);
	assert_int_equal(parse_with("tcp/22", "tcp/0"), ERR_INVALID);
	assert_int_equal(parse_with("tcp/22", "tcp/65536"), ERR_INVALID);
	assert_int_equal(parse_with("tcp/22", "tcp/ 22"), ERR_INVALID);
	assert_int_equal(parse_with("tcp/22", "sctp/22"), ERR_INVALID);
	assert_int_equal(parse_with("tcp/22", "tcp/22 udp/1"), ERR_INVALID);
	assert_int_equal(parse_with("\"ports_more\":3", "\"ports_more\":-3"), ERR_INVALID);
	assert_int_equal(parse_with("\"ports_more\":3,", ""), ERR_INVALID);
}

static void a_report_is_read_as_it_was_meant(void **state)
{
	struct pump_report r;

	(void)state;
	assert_int_equal(parse(GOOD, &r), 0);
	assert_string_equal(r.software, "1.4.0");
	assert_string_equal(r.key_protection, "software");
	assert_string_equal(r.infusing, "idle");
	assert_true(r.clock_checked);
	assert_int_equal(r.clock_behind_ms, 0);
	assert_int_equal(r.clock_ahead_ms, 1500);
	assert_string_equal(r.slots, "a1b2 until 2027-01-15 in use, c3d4 until 2030-03-17");
	assert_string_equal(r.server_anchors, SHA " " SHA);
	assert_string_equal(r.device_anchors, "");
	assert_string_equal(r.ports, "tcp/22 udp/161");
	assert_int_equal(r.ports_more, 3);
	assert_string_equal(r.device, ""); /* never from the pump's own words */
	assert_int_equal(parse_with("-1500", "null"), 0);
}

static void a_revoked_pump_is_told_that_and_nothing_else(void **state)
{
	struct report_answer a = {
		.state = "revoked", .cert_state = "revoked", .reason = "stolen \"3B\""};
	AUTO_BUF out = {.max = SELF_REPORT_ANSWER_MAX};

	(void)state;
	assert_int_equal(self_report_answer_build(&a, &out), 0);
	assert_string_equal(
		buf_cstr(&out),
		"{\"version\":1,\"state\":\"revoked\",\"reason\":\"stolen \\\"3B\\\"\"}\n");
	/* and so is one whose certificate alone is revoked */
	strcpy(a.state, "enrolled");
	buf_reset(&out);
	assert_int_equal(self_report_answer_build(&a, &out), 0);
	assert_non_null(strstr(buf_cstr(&out), "\"state\":\"revoked\""));
}

static void others_are_told_how_they_stand(void **state)
{
	struct report_answer a = {.state = "quarantined", .cert_state = "valid"};
	AUTO_BUF out = {.max = SELF_REPORT_ANSWER_MAX};

	(void)state;
	memcpy(a.reason, "\xff\xfe", 3); /* no UTF-8: left out */
	assert_int_equal(self_report_answer_build(&a, &out), 0);
	assert_string_equal(buf_cstr(&out),
			    "{\"version\":1,\"state\":\"quarantined\",\"certificate\":\"valid\","
			    "\"reason\":\"\"}\n");
	a = (struct report_answer){0};
	buf_reset(&out);
	assert_int_equal(self_report_answer_build(&a, &out), 0);
	assert_non_null(strstr(buf_cstr(&out), "\"state\":\"unknown\""));
}

static void only_the_one_resource_is_it(void **state)
{
	(void)state;
	assert_true(self_report_is_target("/.well-known/pumpgate/status"));
	assert_true(self_report_is_target("HTTPS://est.example/.well-known/pumpgate/status"));
	assert_false(self_report_is_target("/.well-known/pumpgate/status/"));
	assert_false(self_report_is_target("/.well-known/pumpgate/status?x"));
	assert_false(self_report_is_target("/.well-known/est/status"));
	assert_false(self_report_is_target("https://est.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_report_is_refused),
		cmocka_unit_test(a_report_of_more_than_four_kibibytes_is_refused),
		cmocka_unit_test(words_that_do_not_belong_are_refused),
		cmocka_unit_test(lists_are_bounded_and_of_one_kind),
		cmocka_unit_test(a_report_is_read_as_it_was_meant),
		cmocka_unit_test(a_revoked_pump_is_told_that_and_nothing_else),
		cmocka_unit_test(others_are_told_how_they_stand),
		cmocka_unit_test(only_the_one_resource_is_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
