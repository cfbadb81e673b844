/* SPDX-License-Identifier: BSD-2-Clause */
/* What is kept of pumps' reports, whose word counts, and what a pump is told. */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <string.h>

#include "sql/store/reports.h"

#define MINUTE 60000LL

static struct pump_report report_of(const char *device, unsigned serial_no, const char *software)
{
	struct pump_report r = {.issuer = ISSUER,
				.source = "10.0.0.9",
				.key_protection = "software",
				.infusing = "idle",
				.slots = "00000001 until 2027-01-15 in use",
				.ports = "tcp/22"};

	strcpy(r.device, device);
	snprintf(r.cert_serial, sizeof(r.cert_serial), "%08x", serial_no);
	strcpy(r.software, software);
	return r;
}

static int put(struct fixture *f, int64_t at, const struct pump_report *r,
	       struct report_answer *out, char changes[TEXT_SIZE])
{
	return store_report(f->st, at, r, out, changes);
}

static int64_t rows(struct fixture *f)
{
	return sql_number(f->registry, "SELECT count(*) FROM reports");
}

static void a_certificate_that_nobody_knows_says_nothing(void **state)
{
	struct fixture *f = *state;
	struct pump_report r = report_of("PG-1", 77, "1.0");
	struct report_answer a;
	char changes[TEXT_SIZE];

	assert_int_equal(put(f, NOW, &r, &a, changes), 0);
	assert_string_equal(a.state, "");
	assert_string_equal(a.cert_state, "");
	assert_int_equal(rows(f), 0);
}

static void a_name_that_is_not_the_certificates_is_refused(void **state)
{
	struct fixture *f = *state;
	struct pump_report r = report_of("PG-2", 1, "1.0");
	struct report_answer a;
	char changes[TEXT_SIZE];

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(put(f, NOW, &r, &a, changes), ERR_DENIED);
	assert_int_equal(rows(f), 0);
}

static void a_revoked_pump_is_told_so_and_its_word_is_not_kept(void **state)
{
	struct fixture *f = *state;
	struct pump_report r = report_of("PG-1", 1, "1.0");
	struct revoke rq = {.device = "PG-1", .reason = "stolen"};
	struct revocation receipt;
	struct report_answer a;
	char changes[TEXT_SIZE];

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(store_revoke(f->st, &admin_now, &rq, NOW, NULL, 0, &receipt), 0);
	assert_int_equal(put(f, NOW, &r, &a, changes), 0);
	assert_string_equal(a.state, "revoked");
	assert_string_equal(a.cert_state, "revoked");
	assert_string_equal(a.reason, "stolen");
	assert_int_equal(rows(f), 0);
	assert_string_equal(changes, "");
}

static void a_superseded_certificate_says_nothing_of_the_pump(void **state)
{
	struct fixture *f = *state;
	struct pump_report r = report_of("PG-1", 1, "1.0");
	struct report_answer a;
	char changes[TEXT_SIZE];

	enroll(f->st, "PG-1", 1, 1);
	sql_run(f->registry, "UPDATE certificates SET state = 'superseded'");
	assert_int_equal(put(f, NOW, &r, &a, changes), 0);
	assert_string_equal(a.cert_state, "superseded");
	assert_int_equal(rows(f), 0);
}

static void the_last_report_is_kept_and_changes_are_told(void **state)
{
	struct fixture *f = *state;
	struct pump_report r = report_of("PG-1", 1, "1.0"), kept;
	struct report_answer a;
	char changes[TEXT_SIZE];
	struct device d;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(store_report_show(f->st, "PG-1", &kept), ERR_NOT_FOUND);
	assert_int_equal(put(f, NOW, &r, &a, changes), 0);
	assert_string_equal(a.state, "enrolled");
	assert_string_equal(changes, "first report: software 1.0, key in software");
	/* the same once more: nothing to tell; once a minute it is noted that the pump lives */
	assert_int_equal(put(f, NOW + 1000, &r, &a, changes), 0);
	assert_string_equal(changes, "");
	assert_int_equal(store_report_show(f->st, "PG-1", &kept), 0);
	assert_int_equal(kept.at, NOW);
	assert_int_equal(put(f, NOW + MINUTE, &r, &a, changes), 0);
	assert_int_equal(store_report_show(f->st, "PG-1", &kept), 0);
	assert_int_equal(kept.at, NOW + MINUTE);
	assert_int_equal(kept.changed_at, NOW);
	assert_int_equal(kept.infusing_at, NOW);
	/* that it infuses is kept at once, and is no change of the pump */
	strcpy(r.infusing, "infusing");
	assert_int_equal(put(f, NOW + MINUTE + 1, &r, &a, changes), 0);
	assert_string_equal(changes, "");
	assert_int_equal(store_report_show(f->st, "PG-1", &kept), 0);
	assert_string_equal(kept.infusing, "infusing");
	assert_int_equal(kept.infusing_at, NOW + MINUTE + 1);
	assert_int_equal(kept.changed_at, NOW);
	strcpy(r.software, "1.1");
	strcpy(r.ports, "");
	assert_int_equal(put(f, NOW + 2 * MINUTE, &r, &a, changes), 0);
	assert_string_equal(changes, "software 1.0 -> 1.1, open ports tcp/22 -> none");
	assert_int_equal(rows(f), 1);
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_string_equal(d.software, "1.1");
	assert_string_equal(d.infusing, "infusing");
	assert_int_equal(d.reported_at, NOW + 2 * MINUTE);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM audit WHERE action LIKE"
						 " '%report%'"),
			 0);
}

static void pumps_below_the_lowest_version_are_counted_for_a_day(void **state)
{
	struct fixture *f = *state;
	const struct report_policy policy = {.min_version = "1.10"};
	struct pump_report r = report_of("PG-1", 1, "1.9"), s = report_of("PG-2", 2, "1.10.1");
	struct report_answer a;
	struct status st;
	char changes[TEXT_SIZE];

	enroll(f->st, "PG-1", 1, 1);
	enroll(f->st, "PG-2", 2, 2);
	assert_int_equal(put(f, NOW, &r, &a, changes), 0);
	assert_int_equal(put(f, NOW, &s, &a, changes), 0);
	assert_int_equal(store_report_status(f->st, NOW + 1, &policy, &st), 0);
	assert_int_equal(st.reporting, 2);
	assert_int_equal(st.below_version, 1);
	assert_string_equal(st.min_version, "1.10");
	assert_int_equal(store_report_status(f->st, NOW + STORE_REPORT_FRESH_MS + 1, &policy, &st),
			 0);
	assert_int_equal(st.reporting, 0);
	assert_int_equal(st.below_version, 0);
}

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static size_t lacking(struct fixture *f, const char *sha256, int64_t since, uint64_t *holding)
{
	struct anchor_query q = {.since = since};
	struct anchor_lack rows[8];
	struct anchor_count count;
	size_t n;

	strcpy(q.sha256, sha256);
	assert_int_equal(store_anchor_lack(f->st, &q, rows, 8, &n), 0);
	assert_int_equal(store_anchor_count(f->st, &q, &count), 0);
	assert_int_equal(count.pumps, count.holding + n);
	*holding = count.holding;
	return n;
}

static void who_does_not_report_an_anchor_lately_lacks_it(void **state)
{
	struct fixture *f = *state;
	struct anchor_query bad = {.sha256 = "%"};
	struct pump_report r = report_of("PG-1", 1, "1.0");
	struct anchor_lack rows[2];
	struct report_answer a;
	char changes[TEXT_SIZE];
	uint64_t holding;
	size_t n;

	assert_int_equal(store_anchor_lack(f->st, &bad, rows, 2, &n), ERR_INVALID);
	assert_int_equal(lacking(f, SHA_A, NOW, &holding), 0); /* nobody is enrolled */
	enroll(f->st, "PG-1", 1, 1);
	enroll(f->st, "PG-2", 2, 2);
	assert_int_equal(lacking(f, SHA_A, NOW, &holding), 2);
	strcpy(r.server_anchors, SHA_B " " SHA_A);
	strcpy(r.device_anchors, "cccccccc");
	assert_int_equal(put(f, NOW, &r, &a, changes), 0);
	assert_int_equal(lacking(f, SHA_A, NOW - 1, &holding), 1);
	assert_int_equal(holding, 1);
	assert_int_equal(lacking(f, SHA_A, NOW, &holding), 2); /* too long ago */
	strcpy(r.server_anchors, SHA_B);
	assert_int_equal(put(f, NOW + 1, &r, &a, changes), 0);
	assert_int_equal(lacking(f, SHA_A, NOW - 1, &holding), 2);
	assert_int_equal(lacking(f, SHA_B, NOW - 1, &holding), 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_that_nobody_knows_says_nothing),
		TEST(a_name_that_is_not_the_certificates_is_refused),
		TEST(a_revoked_pump_is_told_so_and_its_word_is_not_kept),
		TEST(a_superseded_certificate_says_nothing_of_the_pump),
		TEST(the_last_report_is_kept_and_changes_are_told),
		TEST(who_does_not_report_an_anchor_lately_lacks_it),
		TEST(pumps_below_the_lowest_version_are_counted_for_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
