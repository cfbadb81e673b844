/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole table of signs of a copied key against an oracle written from the rules, then what
 * follows from them. A build with a planted fault must fail (tests/system/anomaly_mutants.sh).
 */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policies/anomaly.h"

#define NOW 1800000000000LL
#define MINUTE 60000LL

static const struct anomaly_policy policy = {.quarantine = 1u << ANOMALY_TWO_MACS |
							   1u << ANOMALY_TWO_SITES |
							   1u << ANOMALY_IDENTITY_MISMATCH,
					     .site_interval_ms = 10 * MINUTE,
					     .pumps_per_hour = 10,
					     .pumps_per_nas = 3};

/* A pump that was on at ap-1 a minute ago and now authenticates at ap-2: it roams. */
static struct anomaly_facts roaming(void)
{
	return (struct anomaly_facts){
		.method = "eap-tls",
		.reason = REASON_IN_GOOD_STANDING,
		.let_on = true,
		.owner = "PG-1",
		.now = {.at_ms = NOW, .mac = "aa", .mac_is_known = true, .nas = "ap-2", .site = ""},
		.seen_before = true,
		.before = {.at_ms = NOW - MINUTE,
			   .mac = "aa",
			   .mac_is_known = true,
			   .nas = "ap-1",
			   .site = ""},
		.before_goes_on = true,
	};
}

static enum anomaly_kind kind_of(const struct anomaly_facts *f)
{
	return anomaly_find(f, &policy).kind;
}

static enum anomaly_kind oracle(const struct anomaly_facts *f)
{
	bool handshake = !strcmp(f->method, "eap-tls") || !strcmp(f->method, "eap-tls-resumed");
	bool owner = strlen(f->owner) > 0,
	     judged = handshake && f->let_on && owner && f->seen_before;
	bool macs = strlen(f->now.mac) && strlen(f->before.mac) &&
		    strcmp(f->now.mac, f->before.mac) != 0 &&
		    !(f->now.mac_is_known && f->before.mac_is_known);
	bool sites = strlen(f->now.site) && strlen(f->before.site) &&
		     strcmp(f->now.site, f->before.site) != 0 &&
		     llabs(f->now.at_ms - f->before.at_ms) < policy.site_interval_ms;
	const struct {
		bool holds;
		enum anomaly_kind kind;
	} rules[] = {
		{handshake && !f->let_on && !f->lost && f->reason == REASON_UNKNOWN_CERTIFICATE,
		 ANOMALY_UNKNOWN_CERTIFICATE},
		{handshake && !f->let_on && !f->lost && f->reason == REASON_CERTIFICATE_RESERVED,
		 ANOMALY_UNKNOWN_CERTIFICATE},
		{handshake && !f->let_on && f->reason == REASON_NAME_MISMATCH, ANOMALY_FORGED_NAME},
		{handshake && !f->let_on && owner && f->reason == REASON_IDENTITY_MISMATCH,
		 ANOMALY_IDENTITY_MISMATCH},
		{judged && macs && f->before_goes_on, ANOMALY_TWO_MACS},
		{judged && sites, ANOMALY_TWO_SITES},
		{judged && macs, ANOMALY_MAC_CHANGED},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].holds)
			return rules[i].kind;
	return ANOMALY_NONE;
}

static void the_whole_table_agrees_with_the_rules(void **state)
{
	static const char *const methods[] = {"eap-tls", "eap-tls-resumed", "mab", "unknown"};
	static const enum reason reasons[] = {
		REASON_IN_GOOD_STANDING,     REASON_UNKNOWN_CERTIFICATE,
		REASON_CERTIFICATE_RESERVED, REASON_NAME_MISMATCH,
		REASON_IDENTITY_MISMATCH,    REASON_PUMP_REVOKED,
		REASON_CERTIFICATE_REVOKED,  REASON_TLS_FAILED,
		REASON_REGISTRY_AWAY,	     REASON_CERTIFICATE_SUPERSEDED};
	static const char *const texts[] = {"", "a", "b"};
	static const int64_t apart[] = {0, 9 * MINUTE, 10 * MINUTE, 11 * MINUTE, -MINUTE};
	unsigned long n = 0, found = 0;

	(void)state;
	/* every combination, as one number in mixed digits */
	for (unsigned long at = 0; at < 4UL * 10 * 128 * 9 * 9 * 5; at++) {
		unsigned long d = at;
		struct anomaly_facts f = roaming();
		unsigned bits;

		f.method = methods[d % 4];
		d /= 4;
		f.reason = reasons[d % 10];
		d /= 10;
		bits = (unsigned)(d % 128);
		d /= 128;
		f.let_on = bits & 1;
		f.owner = bits & 2 ? "PG-1" : "";
		f.seen_before = bits & 4;
		f.before_goes_on = bits & 8;
		f.now.mac_is_known = bits & 16;
		f.before.mac_is_known = bits & 32;
		f.lost = bits & 64;
		f.now.mac = texts[d % 3];
		f.before.mac = texts[d / 3 % 3];
		d /= 9;
		f.now.site = texts[d % 3];
		f.before.site = texts[d / 3 % 3];
		d /= 9;
		f.before.at_ms = NOW - apart[d % 5];
		n++;
		found += kind_of(&f) != ANOMALY_NONE;
		if (kind_of(&f) != oracle(&f))
			fail_msg("case %lu: %s, the rules say %s", at, anomaly_name(kind_of(&f)),
				 anomaly_name(oracle(&f)));
	}
	assert_true(n > 1000000 && found > 10000);
}

static void roaming_is_no_anomaly(void **state)
{
	struct anomaly_facts f = roaming();

	(void)state;
	assert_int_equal(kind_of(&f), ANOMALY_NONE);
	f.before.at_ms = NOW; /* within the same millisecond, and events out of order */
	assert_int_equal(kind_of(&f), ANOMALY_NONE);
	f.before.at_ms = NOW + MINUTE;
	assert_int_equal(kind_of(&f), ANOMALY_NONE);
	f.now.site = f.before.site = "house a"; /* between buildings of one site */
	assert_int_equal(kind_of(&f), ANOMALY_NONE);
	f.before.site = ""; /* a NAS whose place nobody told */
	assert_int_equal(kind_of(&f), ANOMALY_NONE);
}

static void a_pump_with_two_cards_is_no_anomaly(void **state)
{
	struct anomaly_facts f = roaming();

	(void)state;
	f.now.mac = "bb";
	assert_int_equal(kind_of(&f), ANOMALY_NONE);
	f.now.mac_is_known = false;
	assert_int_equal(kind_of(&f), ANOMALY_TWO_MACS);
}

static void what_a_nas_says_without_a_handshake_accuses_nobody(void **state)
{
	struct anomaly_facts f = roaming();

	(void)state;
	f.now.mac = "bb";
	f.now.mac_is_known = false;
	f.method = "mab";
	assert_int_equal(kind_of(&f), ANOMALY_NONE);
	f.method = "unknown";
	assert_int_equal(kind_of(&f), ANOMALY_NONE);
	f.method = "eap-tls"; /* User-Name and EAP identity differ: no handshake, no owner */
	f.let_on = false;
	f.owner = "";
	f.reason = REASON_IDENTITY_MISMATCH;
	assert_int_equal(kind_of(&f), ANOMALY_NONE);
}

static void the_stranger_is_who_has_no_known_mac(void **state)
{
	struct anomaly_facts f = roaming();

	(void)state;
	f.now.mac = "bb";
	f.now.mac_is_known = false;
	assert_false(anomaly_find(&f, &policy).suspect_is_before);
	f.now.mac_is_known = true;
	f.before.mac_is_known = false; /* the pump comes back after the stranger */
	assert_true(anomaly_find(&f, &policy).suspect_is_before);
	f.now.mac_is_known = false;
	assert_false(anomaly_find(&f, &policy).suspect_is_before);
}

static void nobody_is_quarantined_without_a_presented_certificate(void **state)
{
	const struct anomaly_history quiet = {.pumps = 1, .pumps_via_nas = 1};

	(void)state;
	for (unsigned k = 0; k < ANOMALY_COUNT; k++)
		assert_int_equal(anomaly_decide(&policy, (enum anomaly_kind)k, "", &quiet),
				 ANOMALY_ALARM);
}

static void only_kinds_of_the_policy_quarantine(void **state)
{
	const struct anomaly_history quiet = {.pumps = 1, .pumps_via_nas = 1};
	struct anomaly_policy none = policy;

	(void)state;
	none.quarantine = 0;
	for (unsigned k = 0; k < ANOMALY_COUNT; k++) {
		bool named = k == ANOMALY_TWO_MACS || k == ANOMALY_TWO_SITES ||
			     k == ANOMALY_IDENTITY_MISMATCH;

		assert_int_equal(anomaly_decide(&none, (enum anomaly_kind)k, "PG-1", &quiet),
				 ANOMALY_ALARM);
		assert_int_equal(anomaly_decide(&policy, (enum anomaly_kind)k, "PG-1", &quiet),
				 named ? ANOMALY_QUARANTINE : ANOMALY_ALARM);
	}
}

static void above_a_cap_people_decide(void **state)
{
	struct anomaly_history h = {.pumps = 10, .pumps_via_nas = 3};

	(void)state;
	assert_int_equal(anomaly_decide(&policy, ANOMALY_TWO_MACS, "PG-1", &h), ANOMALY_QUARANTINE);
	h.pumps = 11;
	assert_int_equal(anomaly_decide(&policy, ANOMALY_TWO_MACS, "PG-1", &h), ANOMALY_CAPPED);
	h.pumps = 4;
	h.pumps_via_nas = 4;
	assert_int_equal(anomaly_decide(&policy, ANOMALY_TWO_MACS, "PG-1", &h), ANOMALY_CAPPED);
	h.pumps = h.pumps_via_nas = 1;
	h.people_asked = true; /* and have not answered */
	assert_int_equal(anomaly_decide(&policy, ANOMALY_TWO_MACS, "PG-1", &h), ANOMALY_CAPPED);
}

static void whom_people_released_is_not_quarantined_again(void **state)
{
	const struct anomaly_history h = {
		.pumps = 1, .pumps_via_nas = 1, .quarantined_already = true};

	(void)state;
	assert_int_equal(anomaly_decide(&policy, ANOMALY_TWO_MACS, "PG-1", &h), ANOMALY_ALARM);
}

/* ---- [anomaly] of pumpgate.conf ---- */

static int policy_of(const char *text, struct anomaly_policy *out)
{
	char path[] = "/tmp/pumpgate-anomaly-XXXXXX";
	AUTO_CONFIG c = NULL;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	assert_int_equal(config_read(path, &c), 0);
	unlink(path);
	return anomaly_policy_read(c, out);
}

static void settings_that_say_too_little_of_a_pump_are_refused(void **state)
{
	struct anomaly_policy p;

	(void)state;
	assert_int_equal(policy_of("[anomaly]\nquarantine = unknown-certificate\n", &p),
			 ERR_INVALID);
	assert_int_equal(policy_of("[anomaly]\nquarantine = mac-changed\n", &p), ERR_INVALID);
	assert_int_equal(policy_of("[anomaly]\nquarantine = two-makes\n", &p), ERR_INVALID);
	assert_int_equal(policy_of("[anomaly]\nquarentine = two-macs\n", &p), ERR_INVALID);
	assert_int_equal(policy_of("[anomaly]\npumps_per_nas = 0\n", &p), ERR_INVALID);
}

static void without_settings_there_are_alarms_only(void **state)
{
	struct anomaly_policy p;

	(void)state;
	assert_int_equal(anomaly_policy_read(NULL, &p), 0);
	assert_int_equal(p.quarantine, 0);
	assert_int_equal(policy_of("[server]\n", &p), 0);
	assert_int_equal(p.quarantine, 0);
	assert_int_equal(p.site_interval_ms, 10 * MINUTE);
	assert_int_equal(policy_of("[anomaly]\nquarantine = none\n", &p), 0);
	assert_int_equal(p.quarantine, 0);
}

static void settings_are_taken(void **state)
{
	struct anomaly_policy p;

	(void)state;
	assert_int_equal(policy_of("[anomaly]\nquarantine = two-macs, two-sites\n"
				   "site_interval = 3m\npumps_per_hour = 5\npumps_per_nas = 2\n",
				   &p),
			 0);
	assert_int_equal(p.quarantine, 1u << ANOMALY_TWO_MACS | 1u << ANOMALY_TWO_SITES);
	assert_int_equal(p.site_interval_ms, 3 * MINUTE);
	assert_int_equal(p.pumps_per_hour, 5);
	assert_int_equal(p.pumps_per_nas, 2);
}

static void every_kind_has_a_name_of_its_own_and_a_next_step(void **state)
{
	(void)state;
	for (unsigned k = 1; k < ANOMALY_COUNT; k++) {
		const char *name = anomaly_name((enum anomaly_kind)k);

		assert_int_equal(anomaly_parse(name), k);
		assert_true(strlen(name) < 33);
		assert_true(*anomaly_sentence((enum anomaly_kind)k));
		assert_true(*anomaly_next_step((enum anomaly_kind)k));
	}
	assert_int_equal(anomaly_parse("no-such"), ANOMALY_NONE);
	assert_string_equal(anomaly_name((enum anomaly_kind)99), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_quarantined_without_a_presented_certificate),
		cmocka_unit_test(what_a_nas_says_without_a_handshake_accuses_nobody),
		cmocka_unit_test(settings_that_say_too_little_of_a_pump_are_refused),
		cmocka_unit_test(the_whole_table_agrees_with_the_rules),
		cmocka_unit_test(roaming_is_no_anomaly),
		cmocka_unit_test(a_pump_with_two_cards_is_no_anomaly),
		cmocka_unit_test(the_stranger_is_who_has_no_known_mac),
		cmocka_unit_test(only_kinds_of_the_policy_quarantine),
		cmocka_unit_test(above_a_cap_people_decide),
		cmocka_unit_test(whom_people_released_is_not_quarantined_again),
		cmocka_unit_test(without_settings_there_are_alarms_only),
		cmocka_unit_test(settings_are_taken),
		cmocka_unit_test(every_kind_has_a_name_of_its_own_and_a_next_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
