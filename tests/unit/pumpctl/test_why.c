/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>

#include "enroll/pumpctl/why.h"

#define NOW 1795348800000LL
#define MINUTE 60000LL

static struct device device_in(const char *state)
{
	struct device d = {.serial = "PG-1", .zone = "icu", .vlan = 110, .state_at = NOW - MINUTE};

	strcpy(d.state, state);
	return d;
}

static struct event event_of(const char *source, const char *what, const char *reason, int64_t at)
{
	struct event e = {.at = at, .nas = "ap-1", .zone = "icu", .vlan = 110};

	strcpy(e.source, source);
	strcpy(e.what, what);
	strcpy(e.reason, reason);
	return e;
}

/* The answer holds each of the words; NULL ends the list. `next`: a part of the next step, "" none.
 */
static void assert_why(const struct device *d, const struct event *e, size_t n, bool on,
		       const char *next, const char *const words[])
{
	const struct why_facts f = {"PG-1", d, e, n, NOW};
	struct why_answer a;

	why_answer_init(&a);
	assert_int_equal(why_decide(&f, &a), 0);
	for (size_t i = 0; words[i]; i++)
		if (!strstr(buf_cstr(&a.sentence), words[i]))
			fail_msg("no '%s' in: %s", words[i], buf_cstr(&a.sentence));
	if (*next ? !strstr(buf_cstr(&a.next), next) : a.next.len != 0)
		fail_msg("next is: %s", buf_cstr(&a.next));
	assert_null(strchr(buf_cstr(&a.sentence), '\n'));
	assert_null(strstr(buf_cstr(&a.next), "SERIAL"));
	assert_int_equal(a.on, on);
	why_answer_done(&a);
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void an_unknown_pump_is_told_apart_from_a_refused_one(void **state)
{
	(void)state;
	assert_why(NULL, NULL, 0, false, "pumpctl pump add PG-1", WORDS("no pump PG-1"));
}

static void an_open_alarm_is_told_besides_being_on(void **state)
{
	struct device d = device_in("enrolled");
	struct event e = event_of("auth", "accept", "in-good-standing", NOW);

	(void)state;
	d.live_sessions = 1;
	d.open_alarms = 2;
	assert_why(&d, &e, 1, true, "pumpctl alarm list --pump PG-1",
		   WORDS("Accepted in", "2 alarms"));
}

static void a_revoked_pump_names_who_when_and_why(void **state)
{
	struct device d = device_in("revoked");
	struct event e = event_of("auth", "reject", "pump-revoked", NOW);

	(void)state;
	strcpy(d.state_by, "root");
	strcpy(d.state_reason, "stolen");
	assert_why(&d, NULL, 0, false, "", WORDS("revoked by root", "stolen"));
	assert_why(&d, &e, 1, false, "", WORDS("tried again", "refused"));
	e.at = d.state_at - 1; /* before the revocation: says nothing about a return */
	assert_why(&d, &e, 1, false, "", WORDS("revoked by root"));
	d.open_orders = 2;
	assert_why(&d, NULL, 0, false, "2 NAS have not confirmed", WORDS("stolen"));
	d.untold_nas = 1;
	assert_why(&d, NULL, 0, false, "1 NAS could not be told", WORDS("stolen"));
	assert_why(&d, NULL, 0, false, "2 NAS have not confirmed", WORDS("stolen"));
	d.open_orders = 0;
	assert_why(&d, NULL, 0, false, "--reason again", WORDS("stolen"));
}

static void a_held_pump_says_by_whom_and_whether_it_is_there(void **state)
{
	struct device d = device_in("quarantined");
	struct event e = event_of("auth", "quarantine", "quarantined", NOW);

	(void)state;
	strcpy(d.state_by, "root");
	strcpy(d.state_reason, "scans");
	assert_why(&d, NULL, 0, false, "pump release PG-1",
		   WORDS("was quarantined by root", "scans", "has not tried to get on since"));
	d.live_sessions = 1;
	assert_why(&d, &e, 1, true, "pump release PG-1", WORDS("let into zone", "on ap-1"));
	d.open_orders = 1;
	assert_why(&d, &e, 1, true, "1 NAS has not confirmed", WORDS("quarantined by root"));
	e = event_of("auth", "accept", "in-good-standing", d.state_at - 1);
	assert_why(&d, &e, 1, false, "release", WORDS("has not tried to get on since"));
	e = event_of("auth", "reject", "no-quarantine-zone", NOW);
	assert_why(&d, &e, 1, false, "--quarantine", WORDS("there is no quarantine zone"));
	d = device_in("parked");
	e = event_of("auth", "park", "parked", NOW);
	assert_why(&d, &e, 1, false, "release", WORDS("was parked by", "let into zone"));
}

static void text_from_outside_cannot_forge_a_line(void **state)
{
	struct device d = device_in("revoked");

	(void)state;
	strcpy(d.state_reason, "x\nnext: call 555");
	assert_why(&d, NULL, 0, false, "", WORDS("x\\x0anext"));
}

static void an_expected_pump_says_how_far_it_came(void **state)
{
	struct device d = device_in("expected");
	struct event events[2] = {event_of("enroll", "enroll", "token-wrong", NOW),
				  event_of("auth", "reject", "window-closed", NOW - 1)};

	(void)state;
	assert_why(&d, NULL, 0, false, "pumpctl pump bundle PG-1", WORDS("has not tried"));
	d.token_until = NOW + MINUTE;
	assert_why(&d, NULL, 0, false, "Bring the bundle", WORDS("token is open until"));
	assert_why(&d, events, 2, false, "pumpctl pump token PG-1", WORDS("token is wrong"));
	assert_why(&d, &events[1], 1, false, "--mab-window", WORDS("window is not open", "ap-1"));
	events[1] = event_of("auth", "onboard", "enrolment-window", NOW);
	assert_why(&d, &events[1], 1, true, "pump events PG-1", WORDS("VLAN 110", "to enrol"));
}

static void an_enrolled_pump_says_where_it_is_or_was(void **state)
{
	struct device d = device_in("enrolled");
	struct event e = event_of("auth", "accept", "in-good-standing", NOW - MINUTE);

	(void)state;
	assert_why(&d, NULL, 0, false, "pumpctl nas list", WORDS("no NAS has asked"));
	assert_why(&d, &e, 1, false, "switched on", WORDS("No session is open", "icu", "ap-1"));
	d.live_sessions = 1;
	assert_why(&d, &e, 1, true, "", WORDS("Accepted in zone icu (VLAN 110) on ap-1"));
}

static void the_last_refusal_decides_with_its_reason_and_next_step(void **state)
{
	struct device d = device_in("enrolled");
	struct event events[2] = {event_of("auth", "reject", "identity-mismatch", NOW),
				  event_of("auth", "accept", "in-good-standing", NOW - MINUTE)};

	(void)state;
	strcpy(events[0].detail, "claimed PG-2");
	d.live_sessions = 1;
	assert_why(&d, events, 2, false, "key may have been copied",
		   WORDS("Refused on ap-1", "claimed name", "PG-2"));
	strcpy(events[0].reason, "a-reason-of-a-later-version");
	assert_why(&d, events, 2, false, "log of the RADIUS server", WORDS("No reason"));
}

static void a_pump_below_its_models_floor_is_said_to_be_on_elsewhere(void **state)
{
	struct device d = device_in("enrolled");
	struct event e = event_of("auth", "quarantine", "tls-below-model", NOW);

	(void)state;
	strcpy(e.zone, "jail");
	strcpy(e.detail, "TLS 1.2, its model must have 1.3");
	d.live_sessions = 1;
	assert_why(&d, &e, 1, true, "pumpctl model check",
		   WORDS("zone jail", "lower version of TLS", "TLS 1.2"));
	strcpy(e.what, "reject"); /* without a quarantine zone */
	assert_why(&d, &e, 1, false, "pumpctl model tls", WORDS("Refused", "lower version"));
}

static void an_ended_certificate_and_a_refused_renewal_are_said(void **state)
{
	struct device d = device_in("enrolled");
	struct event events[2] = {event_of("enroll", "renew", "renewal-unproven", NOW),
				  event_of("auth", "accept", "in-good-standing", NOW - MINUTE)};

	(void)state;
	d.cert_not_after = NOW - 1;
	assert_why(&d, &events[1], 1, false, "pumpctl pump bundle PG-1",
		   WORDS("certificate ended"));
	d.cert_not_after = NOW + MINUTE;
	d.live_sessions = 1;
	assert_why(&d, events, 2, true, "Enrol the pump again", WORDS("renewal was refused"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_pump_is_told_apart_from_a_refused_one),
		cmocka_unit_test(an_open_alarm_is_told_besides_being_on),
		cmocka_unit_test(a_revoked_pump_names_who_when_and_why),
		cmocka_unit_test(a_held_pump_says_by_whom_and_whether_it_is_there),
		cmocka_unit_test(text_from_outside_cannot_forge_a_line),
		cmocka_unit_test(an_expected_pump_says_how_far_it_came),
		cmocka_unit_test(an_enrolled_pump_says_where_it_is_or_was),
		cmocka_unit_test(the_last_refusal_decides_with_its_reason_and_next_step),
		cmocka_unit_test(a_pump_below_its_models_floor_is_said_to_be_on_elsewhere),
		cmocka_unit_test(an_ended_certificate_and_a_refused_renewal_are_said),
	};

	return cmocka_run_group_tests_name("pumpctl/why", tests, NULL, NULL);
}
