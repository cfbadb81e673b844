/* SPDX-License-Identifier: BSD-2-Clause */
/* What the pump says of itself is what the server reads; open ports as the kernel lists them. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "pump_agent/self_report.h"

static void an_answer_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[1]",
		"{\"version\":1}",
		"{\"version\":2,\"state\":\"enrolled\"}",
		"{\"version\":1,\"state\":\"\"}",
		"{\"version\":1,\"state\":\"Enrolled\"}",
		"{\"version\":1,\"state\":\"a-word-of-more-than-sixteen\"}",
		"{\"version\":1,\"state\":7}",
		"{\"version\":1,\"state\":\"enrolled\",\"certificate\":\"no word\"}",
		"{\"version\":1,\"state\":\"quarantined\",\"decommission\":\"now\"}"};
	struct self_told t;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(self_told_parse(bad[i], strlen(bad[i]), &t), ERR_INVALID);
}

static void an_answer_is_read_and_its_reason_is_one_line(void **state)
{
	static const char text[] =
		"{\"version\":1,\"state\":\"revoked\",\"reason\":\"stolen\\nfrom "
		"\\u00dcbach\",\"more\":[]}";
	struct self_told t;

	(void)state;
	assert_int_equal(self_told_parse(text, strlen(text), &t), 0);
	assert_string_equal(t.state, "revoked");
	assert_string_equal(t.certificate, "");
	assert_string_equal(t.reason, "stolen?from ??bach");
}

static void an_order_to_wipe_is_read(void **state)
{
	static const char text[] = "{\"version\":1,\"state\":\"quarantined\",\"decommission\":"
				   "\"00112233445566778899aabbccddeeff\"}";
	struct self_told t;

	(void)state;
	assert_int_equal(self_told_parse(text, strlen(text), &t), 0);
	assert_string_equal(t.wipe, "00112233445566778899aabbccddeeff");
}

static void tcp(struct open_ports *o, const char *line)
{
	open_ports_line(o, false, 32767, line);
}

static void udp(struct open_ports *o, const char *line)
{
	open_ports_line(o, true, 32767, line);
}

static void ports_that_nobody_outside_reaches_are_left_out(void **state)
{
	struct open_ports o = {0};

	(void)state;
	tcp(&o, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt");
	tcp(&o, "");
	tcp(&o, "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000");
	tcp(&o, "   1: 0100000A:0016 0200000A:D431 01 00000000:00000000"); /* a connection */
	tcp(&o, "   2: 00000000000000000000000001000000:0016 "
		"00000000000000000000000000000000:0000 0A");
	tcp(&o, "   3: 0000000000000000FFFF00000100007F:0016 "
		"00000000000000000000000000000000:0000 0A");
	tcp(&o, "   4: 00000000:0000 00000000:0000 0A 00000000:00000000");
	tcp(&o, "   5: 000000:0016 00000000:0000 0A 00000000:00000000");
	udp(&o, "   6: 00000000:A001 00000000:0000 07 00000000:00000000"); /* for a moment */
	udp(&o, "   7: 00000000:00A1 0200000A:D431 01 00000000:00000000"); /* to one peer */
	assert_int_equal(o.n, 0);
	assert_int_equal(o.more, 0);
}

static void open_ports_are_listed_once_and_in_order(void **state)
{
	struct open_ports o = {0};

	(void)state;
	udp(&o, "   0: 00000000:00A1 00000000:0000 07 00000000:00000000");
	tcp(&o, "   1: 00000000:0017 00000000:0000 0A 00000000:00000000");
	tcp(&o, "   2: 00000000000000000000000000000000:0016 "
		"00000000000000000000000000000000:0000 0A");
	tcp(&o, "   3: 0100000A:0017 00000000:0000 0A 00000000:00000000");
	assert_int_equal(o.n, 3);
	assert_int_equal(o.all[0].port, 22);
	assert_int_equal(o.all[1].port, 23);
	assert_true(o.all[2].is_udp);
	assert_int_equal(o.all[2].port, 161);
	for (unsigned i = 0; i < 40; i++) {
		char line[80];

		snprintf(line, sizeof(line), "   %u: 00000000:%04X 00000000:0000 0A 00000000", i,
			 1000 + i);
		tcp(&o, line);
	}
	assert_int_equal(o.n, OPEN_PORTS_MAX);
	assert_int_equal(o.more, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_that_is_none_is_refused),
		cmocka_unit_test(an_answer_is_read_and_its_reason_is_one_line),
		cmocka_unit_test(an_order_to_wipe_is_read),
		cmocka_unit_test(ports_that_nobody_outside_reaches_are_left_out),
		cmocka_unit_test(open_ports_are_listed_once_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
