/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole truth table of the verdict against an oracle that was written from the rules, not from
 * the code: a list of (reason, condition) in order of precedence. The program's exit status says
 * whether the table holds, so that a build with a planted fault must fail (verdict_faults.sh).
 */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "policies/verdict.h"

#define NOW 1000000

struct rule {
	bool broken;
	enum reason reason;
};

/* The first broken rule decides. */
static struct verdict oracle(const struct rule *rules, size_t n, struct verdict otherwise)
{
	for (size_t i = 0; i < n; i++)
		if (rules[i].broken)
			return (struct verdict){VERDICT_REJECT, rules[i].reason};
	return otherwise;
}

static struct verdict cert_oracle(const struct verdict_cert_facts *f)
{
	char want_san[128];
	bool hidden = f->san_uri[0] == '\0', no_vlan = f->vlan == 0 || f->vlan >= 4095;
	bool held = f->device == DEVICE_QUARANTINED || f->device == DEVICE_PARKED;
	bool low = f->device == DEVICE_ENROLLED && !(f->tls >= f->tls_min);
	struct verdict good = {VERDICT_ACCEPT, REASON_IN_GOOD_STANDING};

	if (low)
		good = (struct verdict){VERDICT_QUARANTINE, REASON_TLS_BELOW_MODEL};
	if (f->device == DEVICE_QUARANTINED)
		good = (struct verdict){VERDICT_QUARANTINE, REASON_QUARANTINED};
	if (f->device == DEVICE_PARKED)
		good = (struct verdict){VERDICT_PARK, REASON_PARKED};
	snprintf(want_san, sizeof(want_san), "urn:pumpgate:pump:%s", f->registry_name);
	{
		const struct rule rules[] = {
			{!f->answered, REASON_REGISTRY_AWAY},
			{strlen(f->cert_serial) == 0, REASON_NO_SERIAL},
			{!f->found || strlen(f->registry_name) == 0, REASON_UNKNOWN_CERTIFICATE},
			{hidden && !f->resumed, REASON_NAME_MISMATCH},
			{!hidden && strcmp(want_san, f->san_uri) != 0, REASON_NAME_MISMATCH},
			{strcmp(f->registry_name, f->identity) != 0, REASON_IDENTITY_MISMATCH},
			{f->device == DEVICE_REVOKED, REASON_PUMP_REVOKED},
			{f->device == DEVICE_HELD, REASON_RESTORED_GAP},
			{f->device == DEVICE_EXPECTED, REASON_NOT_ENROLLED},
			{f->device != DEVICE_ENROLLED && !held, REASON_UNKNOWN_PUMP},
			{f->cert == CERT_REVOKED, REASON_CERTIFICATE_REVOKED},
			{f->cert == CERT_SUPERSEDED, REASON_CERTIFICATE_SUPERSEDED},
			{f->cert == CERT_RESERVED, REASON_CERTIFICATE_RESERVED},
			{f->cert != CERT_VALID, REASON_UNKNOWN_CERTIFICATE},
			{!(NOW < f->not_after_ms), REASON_CERTIFICATE_EXPIRED},
			{!(NOW >= f->not_before_ms), REASON_CERTIFICATE_NOT_YET_VALID},
			{no_vlan && f->device == DEVICE_QUARANTINED, REASON_NO_QUARANTINE_ZONE},
			{no_vlan && f->device == DEVICE_PARKED, REASON_NO_PARKING_ZONE},
			{no_vlan, REASON_NO_ZONE},
			{low && f->low_vlan - 1 >= 4094, REASON_TLS_BELOW_MODEL},
		};
		return oracle(rules, sizeof(rules) / sizeof(rules[0]), good);
	}
}

static struct verdict mac_oracle(const struct verdict_mac_facts *f)
{
	const struct rule rules[] = {
		{!f->answered, REASON_REGISTRY_AWAY},
		{!f->wired, REASON_NOT_WIRED},
		{!f->found, REASON_UNKNOWN_PUMP},
		{f->device == DEVICE_ENROLLED || f->device == DEVICE_QUARANTINED ||
			 f->device == DEVICE_PARKED,
		 REASON_ALREADY_ENROLLED},
		{f->device == DEVICE_REVOKED, REASON_PUMP_REVOKED},
		{f->device == DEVICE_HELD, REASON_RESTORED_GAP},
		{f->device != DEVICE_EXPECTED, REASON_UNKNOWN_PUMP},
		{!(NOW < f->window_until_ms), REASON_WINDOW_CLOSED},
		{f->onboarding_vlan == 0 || f->onboarding_vlan >= 4095, REASON_NO_ONBOARDING_ZONE},
	};
	return oracle(rules, sizeof(rules) / sizeof(rules[0]),
		      (struct verdict){VERDICT_ONBOARD, REASON_ENROLMENT_WINDOW});
}

static struct verdict birth_oracle(const struct verdict_birth_facts *f)
{
	const struct rule rules[] = {
		{!*f->serial, REASON_NO_SERIAL},
		{!f->answered, REASON_REGISTRY_AWAY},
		{!f->found, REASON_UNKNOWN_PUMP},
		{!f->vouched, REASON_MAKER_REFUSED},
		{f->device == DEVICE_ENROLLED || f->device == DEVICE_QUARANTINED ||
			 f->device == DEVICE_PARKED,
		 REASON_IDEVID_USED},
		{f->device == DEVICE_REVOKED, REASON_PUMP_REVOKED},
		{f->device == DEVICE_HELD, REASON_RESTORED_GAP},
		{f->device != DEVICE_EXPECTED, REASON_UNKNOWN_PUMP},
		{f->onboarding_vlan == 0 || f->onboarding_vlan >= 4095, REASON_NO_ONBOARDING_ZONE},
	};
	return oracle(rules, sizeof(rules) / sizeof(rules[0]),
		      (struct verdict){VERDICT_ONBOARD, REASON_BORN_PUMP});
}

#define LATE_MAX NOW /* what ended at 0 is too late */

static struct verdict return_oracle(const struct verdict_cert_facts *f)
{
	char want_san[128];

	snprintf(want_san, sizeof(want_san), "urn:pumpgate:pump:%s", f->registry_name);
	{
		const struct rule rules[] = {
			{!f->answered, REASON_REGISTRY_AWAY},
			{strlen(f->cert_serial) == 0, REASON_NO_SERIAL},
			{!f->found || strlen(f->registry_name) == 0, REASON_UNKNOWN_CERTIFICATE},
			{f->resumed || strcmp(want_san, f->san_uri) != 0, REASON_NAME_MISMATCH},
			{f->device == DEVICE_REVOKED, REASON_PUMP_REVOKED},
			{f->device == DEVICE_HELD, REASON_RESTORED_GAP},
			{f->device == DEVICE_EXPECTED, REASON_NOT_ENROLLED},
			{f->device != DEVICE_ENROLLED && f->device != DEVICE_QUARANTINED &&
				 f->device != DEVICE_PARKED,
			 REASON_UNKNOWN_PUMP},
			{f->cert == CERT_REVOKED, REASON_CERTIFICATE_REVOKED},
			{f->cert == CERT_SUPERSEDED, REASON_CERTIFICATE_SUPERSEDED},
			{f->cert == CERT_RESERVED, REASON_CERTIFICATE_RESERVED},
			{f->cert != CERT_VALID, REASON_UNKNOWN_CERTIFICATE},
			{f->not_after_ms > NOW && f->not_before_ms > NOW,
			 REASON_CERTIFICATE_NOT_YET_VALID},
			{f->not_after_ms > NOW, REASON_NOT_EXPIRED},
			{f->not_after_ms <= NOW - LATE_MAX, REASON_CERTIFICATE_EXPIRED},
			{f->device == DEVICE_QUARANTINED, REASON_QUARANTINED},
			{f->device == DEVICE_PARKED, REASON_PARKED},
			{f->vlan == 0 || f->vlan >= 4095, REASON_NO_ONBOARDING_ZONE},
		};
		return oracle(rules, sizeof(rules) / sizeof(rules[0]),
			      (struct verdict){VERDICT_ONBOARD, REASON_RETURNING});
	}
}

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const char *const serials[] = {"", "01", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"};
static const char *const names[] = {"", "PG-1", "PG-2"};
static const char *const sans[] = {
	"",	"urn:pumpgate:pump:PG-1", "urn:pumpgate:pump:PG-2", "urn:pumpgate:pump:",
	"PG-1", "urn:pumpgate:pump:PG-10"};
static const char *const identities[] = {"", "PG-1", "PG-2", "pg-1", "PG-1 ", "PG-1@x"};
static const int64_t befores[] = {0, NOW - 1, NOW, NOW + 1};
static const int64_t afters[] = {0, NOW - 1, NOW, NOW + 1};
static const uint32_t vlans[] = {0, 1, 4094, 4095, UINT32_MAX};

/* Calls `each` for every combination, until it says to stop: the index is taken apart digit by
 * digit. */
static void each_cert_case(bool (*each)(const struct verdict_cert_facts *, void *), void *ctx)
{
	const size_t total = 2 * 2 * 2 * N(serials) * 6 * 8 * N(befores) * N(afters) * N(names) *
			     N(sans) * N(identities) * N(vlans);

	for (size_t i = 0; i < total; i++) {
		struct verdict_cert_facts f = {0};
		size_t d = i;

#define DIGIT(n) (d % (n))
#define NEXT(n) (d /= (n))
		f.answered = DIGIT(2);
		NEXT(2);
		f.found = DIGIT(2);
		NEXT(2);
		f.resumed = DIGIT(2);
		NEXT(2);
		f.cert_serial = serials[DIGIT(N(serials))];
		NEXT(N(serials));
		f.cert = (enum cert_state)DIGIT(6); /* 5: out of range */
		NEXT(6);
		f.device = (enum device_state)DIGIT(8); /* 6, 7: out of range */
		NEXT(8);
		f.not_before_ms = befores[DIGIT(N(befores))];
		NEXT(N(befores));
		f.not_after_ms = afters[DIGIT(N(afters))];
		NEXT(N(afters));
		f.registry_name = names[DIGIT(N(names))];
		NEXT(N(names));
		f.san_uri = sans[DIGIT(N(sans))];
		NEXT(N(sans));
		f.identity = identities[DIGIT(N(identities))];
		NEXT(N(identities));
		f.vlan = vlans[DIGIT(N(vlans))];
		if (!each(&f, ctx))
			return;
	}
}

struct tally {
	size_t cases, wrong, accepted, quarantined, parked;
	size_t by_reason[REASON_COUNT];
};

static bool compare_cert(const struct verdict_cert_facts *f, void *ctx)
{
	struct tally *t = ctx;
	struct verdict got = verdict_cert(f, NOW), want = cert_oracle(f);

	t->cases++;
	t->accepted += got.kind == VERDICT_ACCEPT;
	t->quarantined += got.kind == VERDICT_QUARANTINE;
	t->parked += got.kind == VERDICT_PARK;
	t->by_reason[got.reason]++;
	if (got.kind == want.kind && got.reason == want.reason)
		return true;
	if (t->wrong++ < 5)
		fprintf(stderr, "got %s/%s, want %s/%s\n", verdict_name(got.kind),
			reason_name(got.reason), verdict_name(want.kind), reason_name(want.reason));
	return t->wrong < 5;
}

static void every_combination_of_certificate_facts_gets_the_oracle_verdict(void **state)
{
	struct tally t = {0};

	(void)state;
	each_cert_case(compare_cert, &t);
	assert_int_equal(t.wrong, 0);
	assert_true(t.cases > 1000000);
	assert_true(t.accepted > 0);
	assert_int_equal(t.quarantined, t.accepted);
	assert_int_equal(t.parked, t.accepted);
	assert_true(t.accepted < t.cases / 1000);
	/* no reason is shadowed by another */
	assert_true(t.by_reason[REASON_REGISTRY_AWAY] && t.by_reason[REASON_NO_SERIAL]);
	assert_true(t.by_reason[REASON_UNKNOWN_CERTIFICATE] && t.by_reason[REASON_NAME_MISMATCH]);
	assert_true(t.by_reason[REASON_IDENTITY_MISMATCH] && t.by_reason[REASON_PUMP_REVOKED]);
	assert_true(t.by_reason[REASON_NOT_ENROLLED] && t.by_reason[REASON_UNKNOWN_PUMP]);
	assert_true(t.by_reason[REASON_CERTIFICATE_REVOKED] && t.by_reason[REASON_RESTORED_GAP]);
	assert_true(t.by_reason[REASON_CERTIFICATE_SUPERSEDED]);
	assert_true(t.by_reason[REASON_CERTIFICATE_RESERVED]);
	assert_true(t.by_reason[REASON_CERTIFICATE_EXPIRED]);
	assert_true(t.by_reason[REASON_NO_QUARANTINE_ZONE] && t.by_reason[REASON_NO_PARKING_ZONE]);
	assert_true(t.by_reason[REASON_CERTIFICATE_NOT_YET_VALID] && t.by_reason[REASON_NO_ZONE]);
}

/* Everything else is in order: what the model's floor makes of each state. */
static void every_floor_and_version_gets_the_oracle_verdict(void **state)
{
	static const uint32_t versions[] = {0, 10, 12, 13};
	struct tally t = {0};

	(void)state;
	for (size_t i = 0; i < 8 * N(vlans) * N(vlans) * N(versions) * N(versions); i++) {
		size_t d = i;
		struct verdict_cert_facts f = {.answered = true,
					       .found = true,
					       .cert_serial = "0a",
					       .cert = CERT_VALID,
					       .not_after_ms = NOW + 1,
					       .registry_name = "PG-1",
					       .san_uri = "urn:pumpgate:pump:PG-1",
					       .identity = "PG-1"};

		f.device = (enum device_state)DIGIT(8);
		NEXT(8);
		f.vlan = vlans[DIGIT(N(vlans))];
		NEXT(N(vlans));
		f.low_vlan = vlans[DIGIT(N(vlans))];
		NEXT(N(vlans));
		f.tls = versions[DIGIT(N(versions))];
		NEXT(N(versions));
		f.tls_min = versions[DIGIT(N(versions))];
		assert_true(compare_cert(&f, &t));
		/* whoever is below is never in its own zone */
		if (f.tls < f.tls_min)
			assert_int_not_equal(verdict_cert(&f, NOW).kind, VERDICT_ACCEPT);
	}
	assert_int_equal(t.wrong, 0);
	assert_true(t.accepted && t.by_reason[REASON_TLS_BELOW_MODEL]);
	assert_true(t.by_reason[REASON_QUARANTINED] && t.by_reason[REASON_PARKED]);
}

static void every_combination_of_mac_facts_gets_the_oracle_verdict(void **state)
{
	size_t onboarded = 0;

	(void)state;
	for (size_t i = 0; i < 2 * 2 * 2 * 8 * N(afters) * N(vlans); i++) {
		size_t d = i;
		struct verdict_mac_facts f = {.answered = DIGIT(2)};
		struct verdict got, want;

		NEXT(2);
		f.found = DIGIT(2);
		NEXT(2);
		f.wired = DIGIT(2);
		NEXT(2);
		f.device = (enum device_state)DIGIT(8);
		NEXT(8);
		f.window_until_ms = afters[DIGIT(N(afters))];
		NEXT(N(afters));
		f.onboarding_vlan = vlans[DIGIT(N(vlans))];
		got = verdict_mac(&f, NOW);
		want = mac_oracle(&f);
		assert_int_equal(got.kind, want.kind);
		assert_int_equal(got.reason, want.reason);
		assert_true(got.kind == VERDICT_REJECT || got.kind == VERDICT_ONBOARD);
		onboarded += got.kind == VERDICT_ONBOARD;
	}
	assert_true(onboarded > 0);
}

static void every_combination_of_birth_facts_gets_the_oracle_verdict(void **state)
{
	size_t onboarded = 0;

	(void)state;
	for (size_t i = 0; i < 2 * 2 * 2 * 2 * 8 * N(vlans); i++) {
		size_t d = i;
		struct verdict_birth_facts f = {.answered = DIGIT(2)};
		struct verdict got, want;

		NEXT(2);
		f.serial = DIGIT(2) ? "PG-1" : "";
		NEXT(2);
		f.found = DIGIT(2);
		NEXT(2);
		f.vouched = DIGIT(2);
		NEXT(2);
		f.device = (enum device_state)DIGIT(8);
		NEXT(8);
		f.onboarding_vlan = vlans[DIGIT(N(vlans))];
		got = verdict_birth(&f);
		want = birth_oracle(&f);
		assert_int_equal(got.kind, want.kind);
		assert_int_equal(got.reason, want.reason);
		assert_true(got.kind == VERDICT_REJECT || got.kind == VERDICT_ONBOARD);
		onboarded += got.kind == VERDICT_ONBOARD;
	}
	assert_true(onboarded > 0);
}

/* The same facts, their VLAN as the onboarding zone's; the identity is not looked at. */
static bool return_agrees(const struct verdict_cert_facts *f, void *ctx)
{
	struct verdict got, want;
	size_t *onboarded = ctx;

	if (*f->identity)
		return true;
	got = verdict_return(f, LATE_MAX, f->vlan, NOW);
	want = return_oracle(f);
	*onboarded += got.kind == VERDICT_ONBOARD;
	return got.kind == want.kind && got.reason == want.reason &&
	       (got.kind == VERDICT_REJECT || got.kind == VERDICT_ONBOARD) &&
	       verdict_return(f, 0, f->vlan, NOW).kind == VERDICT_REJECT;
}

static bool return_each(const struct verdict_cert_facts *f, void *ctx)
{
	if (!return_agrees(f, ctx))
		fail_msg("device %d cert %d after %lld: not the oracle's", (int)f->device,
			 (int)f->cert, (long long)f->not_after_ms);
	return true;
}

static void every_combination_of_facts_of_a_certificate_past_its_end_gets_the_oracle_verdict(
	void **state)
{
	size_t onboarded = 0;

	(void)state;
	each_cert_case(return_each, &onboarded);
	assert_true(onboarded > 0);
}

static void zeroed_facts_are_refused(void **state)
{
	const struct verdict_cert_facts cert = {
		.cert_serial = "", .registry_name = "", .san_uri = "", .identity = ""};
	const struct verdict_mac_facts mac = {0};

	(void)state;
	assert_int_equal(verdict_cert(&cert, NOW).kind, VERDICT_REJECT);
	assert_int_equal(verdict_return(&cert, 0, 0, NOW).kind, VERDICT_REJECT);
	assert_int_equal(verdict_mac(&mac, NOW).kind, VERDICT_REJECT);
}

static void names_of_verdicts_are_stable_and_an_unknown_one_reads_reject(void **state)
{
	(void)state;
	assert_string_equal(verdict_name((enum verdict_kind)7), "reject");
	assert_string_equal(verdict_name(VERDICT_REJECT), "reject");
	assert_string_equal(verdict_name(VERDICT_ACCEPT), "accept");
	assert_string_equal(verdict_name(VERDICT_ONBOARD), "onboard");
	assert_string_equal(verdict_name(VERDICT_QUARANTINE), "quarantine");
	assert_string_equal(verdict_name(VERDICT_PARK), "park");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_of_certificate_facts_gets_the_oracle_verdict),
		cmocka_unit_test(every_combination_of_mac_facts_gets_the_oracle_verdict),
		cmocka_unit_test(every_combination_of_birth_facts_gets_the_oracle_verdict),
		cmocka_unit_test(every_floor_and_version_gets_the_oracle_verdict),
		cmocka_unit_test(
			every_combination_of_facts_of_a_certificate_past_its_end_gets_the_oracle_verdict),
		cmocka_unit_test(zeroed_facts_are_refused),
		cmocka_unit_test(names_of_verdicts_are_stable_and_an_unknown_one_reads_reject),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
