/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of ports: what is none, one spelling for each, and what is beyond. */
#include "tests/support/cmocka.h"

#include <string.h>

#include "policies/port_profile.h"

static void what_is_no_port_is_refused(void **state)
{
	static const char *const bad[] = {
		"",	     " , ",    "22",	 "tcp/",   "tcp/0",    "tcp/01",    "tcp/65536",
		"udp/99999", "TCP/22", "sctp/1", "tcp/2x", "tcp/22;1", "none none", "tcp/22 none"};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(port_list_parse(bad[i], 8, out, sizeof(out)), ERR_INVALID);
	assert_int_equal(port_list_parse("tcp/1 tcp/2 tcp/3", 2, out, sizeof(out)), ERR_LIMIT);
	assert_int_equal(port_list_parse("tcp/10000 tcp/20000", 8, out, 12), ERR_LIMIT);
}

static void a_list_has_one_spelling(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(port_list_parse("udp/53,tcp/8080  tcp/22, udp/53", 8, out, sizeof(out)),
			 0);
	assert_string_equal(out, "tcp/22 tcp/8080 udp/53");
	assert_int_equal(port_list_parse("none", 8, out, sizeof(out)), 0);
	assert_string_equal(out, "");
	assert_int_equal(port_list_parse("tcp/65535", 8, out, sizeof(out)), 0);
}

static void what_is_open_and_not_allowed_is_beyond(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(port_list_beyond("", "", out, sizeof(out)), 0);
	assert_int_equal(port_list_beyond("tcp/22 udp/161", "tcp/22 udp/161", out, sizeof(out)), 0);
	assert_string_equal(out, "");
	/* the same number of the other protocol, or one that only begins so, is another port */
	assert_int_equal(
		port_list_beyond("tcp/22 tcp/23 udp/22", "tcp/22 tcp/2 udp/2", out, sizeof(out)),
		2);
	assert_string_equal(out, "tcp/23 udp/22");
	assert_int_equal(port_list_beyond("tcp/22 tcp/23", "", out, 8), 2);
	assert_string_equal(out, "tcp/22");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_port_is_refused),
		cmocka_unit_test(a_list_has_one_spelling),
		cmocka_unit_test(what_is_open_and_not_allowed_is_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
