/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "pump_agent/machine.h"

/*
 * The whole table, written down a second time: a row for each state, a column for each event.
 * "." stays and does nothing; else first letters of the next state and of the action.
 *
 * Events in order: bundle-found, enrol-done, enrol-failed, enrol-refused | told-revoked,
 * told-confined, told-released, told-wipe | wipe-failed, wiped, delivered, not-delivered, wipe-due
 * | supplicant-up, supplicant-down, admitted, rejected, lost, cable, retry | renew-due,
 * swap-timeout
 */
static const char *const TABLE[AGENT_STATE_COUNT][EVENT_COUNT] = {
	/* clang-format off */
	[AGENT_UNPROVISIONED] = {
		"boot enrol", "enrolled connect", ".", ".",
		".", ".", ".", ".",
		".", ".", ".", ".", ".",
		".", ".", ".", ".", ".", ".", ".",
		".", "."},
	[AGENT_BOOTSTRAPPING] = {
		"boot enrol", "enrolled connect", "boot later", "unprov later",
		"revoked leave", ".", ".", ".",
		".", ".", ".", ".", ".",
		"boot connect", ".", ".", "boot hold", ".", "boot soon", "boot reconnect",
		".", "."},
	[AGENT_ENROLLED] = {
		"boot enrol", ".", ".", ".",
		"revoked leave", ".", ".", "decom wipe",
		".", ".", ".", ".", ".",
		"enrolled connect", ".", "online -", "enrolled hold", ".", "enrolled soon",
		"enrolled reconnect",
		"renewing renew", "."},
	[AGENT_ONLINE] = {
		".", ".", ".", ".",
		"revoked leave", "remed -", ".", "decom wipe",
		".", ".", ".", ".", ".",
		"enrolled connect", "enrolled -", ".", "enrolled hold", "enrolled -",
		"enrolled soon", ".",
		"renewing renew", "."},
	[AGENT_RENEWING] = {
		".", "swapping swap", "enrolled renew-later", "enrolled renew-later",
		"revoked leave", ".", ".", "decom wipe",
		".", ".", ".", ".", ".",
		"renewing connect", ".", ".", "renewing hold", ".", "renewing soon",
		"renewing reconnect",
		".", "."},
	[AGENT_SWAPPING] = {
		".", ".", ".", ".",
		"revoked leave", ".", ".", "decom wipe",
		".", ".", ".", ".", ".",
		"enrolled roll-back", "enrolled roll-back", "online commit", "enrolled discard",
		".", ".", ".",
		".", "enrolled roll-back"},
	[AGENT_REMEDIATION] = {
		".", ".", ".", ".",
		"revoked leave", ".", "online -", "decom wipe",
		".", ".", ".", ".", ".",
		"enrolled connect", "enrolled -", ".", "enrolled hold", "enrolled -",
		"enrolled soon", ".",
		"renewing renew", "."},
	[AGENT_REVOKED] = {
		"boot enrol", ".", ".", ".",
		".", ".", ".", "decom wipe",
		".", ".", ".", ".", ".",
		"revoked leave", ".", ".", ".", ".", "revoked ask", ".",
		".", "."},
	[AGENT_DECOMMISSIONED] = {
		"boot enrol", ".", ".", ".",
		".", ".", ".", ".",
		"decom wipe-later", "decom deliver", "decom clear", "decom wipe-later",
		"decom wipe",
		"decom clear", ".", ".", ".", ".", "decom wipe", "decom clear",
		".", "."},
	/* clang-format on */
};

static const char *const STATES[AGENT_STATE_COUNT] = {
	"unprov", "boot", "enrolled", "online", "renewing", "swapping", "remed", "revoked", "decom",
};
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
	[ACTION_ASK] = "ask",
	[ACTION_WIPE] = "wipe",
	[ACTION_WIPE_LATER] = "wipe-later",
	[ACTION_DELIVER] = "deliver",
	[ACTION_CLEAR] = "clear",
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

/* Nothing that the network or the supplicant reports brings it back. */
static void revoked_pump_is_moved_by_a_new_bundle_or_an_order_to_wipe_only(void **state)
{
	(void)state;
	for (enum agent_event e = 0; e < EVENT_COUNT; e++) {
		struct machine_step step = machine_step(AGENT_REVOKED, e);

		if (e == EVENT_BUNDLE_FOUND || e == EVENT_TOLD_WIPE)
			continue;
		assert_int_equal(step.next, AGENT_REVOKED);
		assert_true(step.action == ACTION_NONE || step.action == ACTION_LEAVE ||
			    step.action == ACTION_ASK);
	}
}

static void decommissioned_pump_is_moved_by_a_new_bundle_only(void **state)
{
	(void)state;
	for (enum agent_event e = 0; e < EVENT_COUNT; e++) {
		struct machine_step step = machine_step(AGENT_DECOMMISSIONED, e);

		if (e == EVENT_BUNDLE_FOUND)
			continue;
		assert_int_equal(step.next, AGENT_DECOMMISSIONED);
		assert_true(step.action != ACTION_CONNECT && step.action != ACTION_RECONNECT);
	}
}

/* Whatever it is doing with its certificate, the server's word counts at once. */
static void every_enrolled_state_obeys_revocation_and_the_order_to_wipe(void **state)
{
	static const enum agent_state enrolled[] = {AGENT_ENROLLED, AGENT_ONLINE, AGENT_RENEWING,
						    AGENT_SWAPPING, AGENT_REMEDIATION};

	(void)state;
	for (size_t i = 0; i < sizeof(enrolled) / sizeof(enrolled[0]); i++) {
		assert_int_equal(machine_step(enrolled[i], EVENT_TOLD_REVOKED).action,
				 ACTION_LEAVE);
		assert_int_equal(machine_step(enrolled[i], EVENT_TOLD_WIPE).action, ACTION_WIPE);
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
			    s == AGENT_REVOKED || s == AGENT_DECOMMISSIONED);
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
		cmocka_unit_test(revoked_pump_is_moved_by_a_new_bundle_or_an_order_to_wipe_only),
		cmocka_unit_test(decommissioned_pump_is_moved_by_a_new_bundle_only),
		cmocka_unit_test(every_enrolled_state_obeys_revocation_and_the_order_to_wipe),
		cmocka_unit_test(network_is_touched_only_with_an_identity),
		cmocka_unit_test(
			every_refusal_by_the_network_is_followed_by_waiting_or_the_old_identity),
		cmocka_unit_test(what_is_outside_the_table_does_nothing),
	};

	return cmocka_run_group_tests_name("pump_agent/machine", tests, NULL, NULL);
}
