/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "pump_agent/machine.h"

/*
 * The whole table, written down a second time: a row for each state, a column for each event.
 * "." stays and does nothing; else first letters of the next state and of the action.
 *
 * Events in order: bundle-found, enrol-done, enrol-failed, enrol-refused, enrol-revoked,
 * supplicant-up, supplicant-down, admitted, rejected, lost, cable, retry, renew-due, swap-timeout
 */
static const char *const TABLE[AGENT_STATE_COUNT][EVENT_COUNT] = {
	[AGENT_UNPROVISIONED] = {"boot enrol", "enrolled connect", ".", ".", ".", ".", ".", ".",
				 ".", ".", ".", ".", ".", "."},
	[AGENT_BOOTSTRAPPING] = {"boot enrol", "enrolled connect", "boot later", "unprov later",
				 "revoked leave", "boot connect", ".", ".", "boot hold", ".",
				 "boot soon", "boot reconnect", ".", "."},
	[AGENT_ENROLLED] = {"boot enrol", ".", ".", ".", ".", "enrolled connect", ".", "online -",
			    "enrolled hold", ".", "enrolled soon", "enrolled reconnect",
			    "renewing renew", "."},
	[AGENT_ONLINE] = {".", ".", ".", ".", ".", "enrolled connect", "enrolled -", ".",
			  "enrolled hold", "enrolled -", "enrolled soon", ".", "renewing renew",
			  "."},
	[AGENT_RENEWING] = {".", "swapping swap", "enrolled renew-later", "enrolled renew-later",
			    "revoked leave", "renewing connect", ".", ".", "renewing hold", ".",
			    "renewing soon", "renewing reconnect", ".", "."},
	[AGENT_SWAPPING] = {".", ".", ".", ".", ".", "enrolled roll-back", "enrolled roll-back",
			    "online commit", "enrolled discard", ".", ".", ".", ".",
			    "enrolled roll-back"},
	[AGENT_REVOKED] = {"boot enrol", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".",
			   "."},
};

static const char *const STATES[AGENT_STATE_COUNT] = {"unprov",	  "boot",     "enrolled", "online",
						      "renewing", "swapping", "revoked"};
static const char *const ACTIONS[ACTION_COUNT] = {
	[ACTION_NONE] = "-",
	[ACTION_ENROL] = "enrol",
	[ACTION_ENROL_LATER] = "later",
	[ACTION_CONNECT] = "connect",
	[ACTION_HOLD] = "hold",
	[ACTION_RECONNECT] = "reconnect",
	[ACTION_RECONNECT_SOON] = "soon",
	[ACTION_RENEW] = "renew",
	[ACTION_RENEW_LATER] = "renew-later",
	[ACTION_SWAP] = "swap",
	[ACTION_COMMIT] = "commit",
	[ACTION_ROLL_BACK] = "roll-back",
	[ACTION_DISCARD] = "discard",
	[ACTION_LEAVE] = "leave",
};

static void every_state_and_event_does_what_the_table_says(void **state)
{
	(void)state;
	for (enum agent_state s = 0; s < AGENT_STATE_COUNT; s++)
		for (enum agent_event e = 0; e < EVENT_COUNT; e++) {
			struct machine_step step = machine_step(s, e);
			const char *want = TABLE[s][e];
			char got[64] = ".";

			assert_non_null(want);
			if (step.next != s || step.action != ACTION_NONE)
				snprintf(got, sizeof(got), "%s %s", STATES[step.next],
					 ACTIONS[step.action]);
			if (strcmp(got, want))
				fail_msg("%s on %s: %s, wanted %s", agent_state_name(s),
					 agent_event_name(e), got, want);
		}
}

static void revoked_pump_is_moved_by_a_new_bundle_only(void **state)
{
	(void)state;
	for (enum agent_event e = 0; e < EVENT_COUNT; e++) {
		struct machine_step step = machine_step(AGENT_REVOKED, e);

		if (e == EVENT_BUNDLE_FOUND)
			continue;
		assert_int_equal(step.next, AGENT_REVOKED);
		assert_int_equal(step.action, ACTION_NONE);
	}
}

/* Nothing is written to the supplicant before there is an identity, whatever it reports. */
static void network_is_touched_only_with_an_identity(void **state)
{
	static const enum agent_event network[] = {
		EVENT_SUPPLICANT_UP, EVENT_SUPPLICANT_DOWN, EVENT_ADMITTED, EVENT_REJECTED,
		EVENT_LOST,	     EVENT_CABLE,	    EVENT_RETRY};

	(void)state;
	for (size_t i = 0; i < sizeof(network) / sizeof(network[0]); i++)
		assert_int_equal(machine_step(AGENT_UNPROVISIONED, network[i]).action, ACTION_NONE);
}

static void every_refusal_by_the_network_is_followed_by_waiting_or_the_old_identity(void **state)
{
	(void)state;
	for (enum agent_state s = 0; s < AGENT_STATE_COUNT; s++) {
		enum agent_action a = machine_step(s, EVENT_REJECTED).action;

		assert_true(a == ACTION_HOLD || a == ACTION_DISCARD || s == AGENT_UNPROVISIONED ||
			    s == AGENT_REVOKED);
	}
}

static void what_is_outside_the_table_does_nothing(void **state)
{
	(void)state;
	assert_int_equal(machine_step(AGENT_ONLINE, EVENT_COUNT).next, AGENT_ONLINE);
	assert_int_equal(machine_step(AGENT_ONLINE, EVENT_COUNT).action, ACTION_NONE);
	assert_string_equal(agent_state_name(AGENT_STATE_COUNT), "?");
	assert_string_equal(agent_event_name(EVENT_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_and_event_does_what_the_table_says),
		cmocka_unit_test(revoked_pump_is_moved_by_a_new_bundle_only),
		cmocka_unit_test(network_is_touched_only_with_an_identity),
		cmocka_unit_test(
			every_refusal_by_the_network_is_followed_by_waiting_or_the_old_identity),
		cmocka_unit_test(what_is_outside_the_table_does_nothing),
	};

	return cmocka_run_group_tests_name("pump_agent/machine", tests, NULL, NULL);
}
