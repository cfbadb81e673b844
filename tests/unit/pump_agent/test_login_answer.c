/* SPDX-License-Identifier: BSD-2-Clause */
/* The clinicians' server's words as bytes: every cut and every contradiction is refused. */
#include "tests/support/cmocka.h"

#include <string.h>

#include "pump_agent/login/address.h"
#include "pump_agent/login/answer.h"

#define SECRET LOGIN_RADSEC_SECRET, sizeof(LOGIN_RADSEC_SECRET) - 1

static struct radius_packet request;
static struct login_answer got;

static int set_up(void **state)
{
	AUTO_BUF says = {.max = LOGIN_BLOB_MAX};
	const struct login_question q = {"anna", "pw", 2, &says};

	(void)state;
	return login_question_build(&q, 7, &request);
}

/* An Accept with these items, whatever they are. */
static int parse(const struct buf *blob, bool wants_grant)
{
	struct radius_packet p;

	radius_begin(&p, RADIUS_ACCESS_ACCEPT, 7);
	assert_int_equal(
		radius_put_vendor(&p, LOGIN_VENDOR, LOGIN_ATTR_HEARS, blob->data, blob->len), 0);
	assert_int_equal(radius_sign_reply(&p, request.data + 4, SECRET), 0);
	return login_answer_parse(p.data, p.len, &request, wants_grant, &got);
}

static void put(struct buf *b, uint8_t kind, const struct record_desc *d, const void *r)
{
	assert_int_equal(login_item_put(b, kind, d, r), 0);
}

static const struct login_terms TERMS = {.policy_epoch = 1};
static const struct login_grant GRANT = {.user = "anna", .role = "nurse"};

static void every_cut_of_a_good_blob_is_refused_or_has_no_grant(void **state)
{
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};
	size_t len;

	(void)state;
	put(&b, LOGIN_KIND_TERMS, &record_login_terms, &TERMS);
	put(&b, LOGIN_KIND_GRANT, &record_login_grant, &GRANT);
	assert_int_equal(parse(&b, true), 0);
	for (len = b.len; b.len-- > 0;)
		assert_int_equal(parse(&b, true), ERR_INVALID);
	b.len = len;
}

static void items_that_are_there_twice_or_are_too_many_are_refused(void **state)
{
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};
	struct login_codes all = {.n = 5};
	struct login_code k = {.id = 1,
			       .salt.len = BREAK_GLASS_SALT,
			       .hash.len = BREAK_GLASS_HASH,
			       .role = "emergency"};

	(void)state;
	put(&b, LOGIN_KIND_TERMS, &record_login_terms, &TERMS);
	put(&b, LOGIN_KIND_TERMS, &record_login_terms, &TERMS);
	assert_int_equal(parse(&b, false), ERR_INVALID);
	buf_reset(&b);
	put(&b, LOGIN_KIND_TERMS, &record_login_terms, &TERMS);
	put(&b, LOGIN_KIND_CODES, &record_login_codes, &all);
	for (int i = 0; i < BREAK_GLASS_PER_PUMP; i++)
		put(&b, LOGIN_KIND_CODE, &record_login_code, &k);
	assert_int_equal(parse(&b, false), 0);
	put(&b, LOGIN_KIND_CODE, &record_login_code, &k);
	assert_int_equal(parse(&b, false), ERR_INVALID);
}

static void codes_and_tombstones_out_of_bounds_are_refused(void **state)
{
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};
	struct login_tombstone nobody = {.seq = 1};
	struct login_codes all = {.n = 1};
	struct login_code k = {.id = 1, .role = "emergency"};

	(void)state;
	put(&b, LOGIN_KIND_TERMS, &record_login_terms, &TERMS);
	put(&b, LOGIN_KIND_TOMBSTONE, &record_login_tombstone, &nobody);
	assert_int_equal(parse(&b, false), ERR_INVALID);
	buf_reset(&b);
	put(&b, LOGIN_KIND_TERMS, &record_login_terms, &TERMS);
	put(&b, LOGIN_KIND_CODES, &record_login_codes, &all);
	put(&b, LOGIN_KIND_CODE, &record_login_code, &k); /* without salt and hash */
	assert_int_equal(parse(&b, false), ERR_INVALID);
}

static void an_answer_to_another_request_is_refused(void **state)
{
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};

	(void)state;
	put(&b, LOGIN_KIND_TERMS, &record_login_terms, &TERMS);
	assert_int_equal(parse(&b, false), 0);
	request.data[1] ^= 1;
	assert_int_equal(parse(&b, false), ERR_INVALID);
}

static void an_answer_that_was_signed_for_another_request_is_refused(void **state)
{
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};
	struct radius_packet p;

	(void)state;
	put(&b, LOGIN_KIND_TERMS, &record_login_terms, &TERMS);
	radius_begin(&p, RADIUS_ACCESS_ACCEPT, 7);
	assert_int_equal(radius_put_vendor(&p, LOGIN_VENDOR, LOGIN_ATTR_HEARS, b.data, b.len), 0);
	assert_int_equal(radius_sign_reply(&p, request.data + 4, SECRET), 0);
	assert_int_equal(login_answer_parse(p.data, p.len, &request, false, &got), 0);
	request.data[10] ^= 1; /* its authenticator */
	assert_int_equal(login_answer_parse(p.data, p.len, &request, false, &got), ERR_DENIED);
}

static void a_reject_needs_its_refusal_and_nothing_else(void **state)
{
	const struct login_refusal r = {.result = "try-again"};
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};
	struct radius_packet p;

	(void)state;
	for (int i = 0; i < 2; i++) {
		radius_begin(&p, RADIUS_ACCESS_REJECT, 7);
		assert_int_equal(
			radius_put_vendor(&p, LOGIN_VENDOR, LOGIN_ATTR_HEARS, b.data, b.len), 0);
		assert_int_equal(radius_sign_reply(&p, request.data + 4, SECRET), 0);
		assert_int_equal(login_answer_parse(p.data, p.len, &request, true, &got),
				 i ? 0 : ERR_INVALID);
		put(&b, LOGIN_KIND_REFUSAL, &record_login_refusal, &r);
	}
	assert_string_equal(got.refusal.result, "try-again");
	assert_false(got.has_terms);
}

static void what_to_keep_is_said_with_a_grant_or_not_at_all(void **state)
{
	const struct login_keeping keeping = {.password = true};
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};

	(void)state;
	put(&b, LOGIN_KIND_TERMS, &record_login_terms, &TERMS);
	put(&b, LOGIN_KIND_KEEPING, &record_login_keeping, &keeping);
	assert_int_equal(parse(&b, false), ERR_INVALID);
	put(&b, LOGIN_KIND_GRANT, &record_login_grant, &GRANT);
	assert_int_equal(parse(&b, true), 0);
	assert_true(got.keeping.password);
	put(&b, LOGIN_KIND_KEEPING, &record_login_keeping, &keeping);
	assert_int_equal(parse(&b, true), ERR_INVALID);
}

static void unknown_items_are_passed_over(void **state)
{
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};

	(void)state;
	put(&b, LOGIN_KIND_TERMS, &record_login_terms, &TERMS);
	put(&b, 99, &record_login_grant, &GRANT);
	assert_int_equal(parse(&b, false), 0);
	assert_false(got.has_grant);
}

static void only_as_many_records_are_said_as_fit(void **state)
{
	static struct offline o;
	AUTO_BUF says = {.max = LOGIN_BLOB_MAX};
	struct login_record r = {.what = "login", .user = "anna"};
	struct age_now now = {.wall_ms = 1};
	const struct login_question q = {"", NULL, 0, &says};
	struct login_state state_said = {0};
	struct radius_packet p;

	(void)state;
	offline_init(&o, "PG-1");
	for (int i = 0; i < OFFLINE_RECORDS_MAX; i++)
		assert_true(offline_note(&o, &now, &r));
	assert_false(offline_note(&o, &now, &r));
	offline_state(&o, &state_said);
	assert_int_equal(login_says_build(&o, &state_said, &says), 0);
	assert_int_equal(login_question_build(&q, 1, &p), 0);
	assert_in_range(p.len, 2000, RADIUS_PACKET_MAX);
}

static void an_address_is_numbers_or_refused(void **state)
{
	static const char *const bad[] = {"",
					  ":1",
					  "1.2.3.4",
					  "1.2.3.4:",
					  "1.2.3.4:0",
					  "1.2.3.4:65536",
					  "1.2.3.4:12x",
					  "host.example:2083",
					  "[::1:2083",
					  "::1:2083x",
					  "1.2.3:1",
					  "[1.2.3.4]:1"};
	struct sockaddr_storage a;
	socklen_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(radsec_address_parse(bad[i], &a, &len), ERR_INVALID);
	assert_int_equal(radsec_address_parse("192.0.2.1:2083", &a, &len), 0);
	assert_int_equal(a.ss_family, AF_INET);
	assert_int_equal(radsec_address_parse("[2001:db8::1]:2083", &a, &len), 0);
	assert_int_equal(a.ss_family, AF_INET6);
}

static void a_code_is_read_as_people_write_it_and_nothing_else(void **state)
{
	static const char *const bad[] = {"", "4F7QK0M2X", "4F7QK0M2XTT", "4F7QK-0M2XU",
					  "4F7QK_0M2XT"};
	char out[BREAK_GLASS_TEXT_SIZE], again[BREAK_GLASS_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(break_glass_code_parse(bad[i], strlen(bad[i]), out), ERR_INVALID);
	assert_int_equal(break_glass_code_parse("4f7qk-0m2xt", 11, out), 0);
	assert_string_equal(out, "4F7QK-0M2XT");
	assert_int_equal(break_glass_code_parse(" 4F7QK OM2XT", 12, out), 0);
	assert_string_equal(out, "4F7QK-0M2XT");
	break_glass_code_new(out);
	assert_int_equal(break_glass_code_parse(out, strlen(out), again), 0);
	assert_string_equal(out, again);
}

static void a_code_is_bound_to_its_pump(void **state)
{
	uint8_t salt[BREAK_GLASS_SALT] = {1}, a[BREAK_GLASS_HASH], b[BREAK_GLASS_HASH];

	(void)state;
	assert_int_equal(break_glass_hash("PG-1", "4F7QK-0M2XT", salt, a), 0);
	assert_int_equal(break_glass_hash("PG-2", "4F7QK-0M2XT", salt, b), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	salt[0]++;
	assert_int_equal(break_glass_hash("PG-1", "4F7QK-0M2XT", salt, b), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	salt[0]--;
	assert_int_equal(break_glass_hash("PG-1", "4F7QK-0M2XV", salt, b), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void a_detail_names_its_code_in_one_form(void **state)
{
	char text[BREAK_GLASS_DETAIL_SIZE];

	(void)state;
	break_glass_detail_build(UINT64_MAX, text);
	assert_true(break_glass_detail_parse(text) == UINT64_MAX);
	assert_int_equal(break_glass_detail_parse("code 017"), 0);
	assert_int_equal(break_glass_detail_parse("code -1"), 0);
	assert_int_equal(break_glass_detail_parse("code 1 "), 0);
	assert_int_equal(break_glass_detail_parse(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, set_up)
		T(every_cut_of_a_good_blob_is_refused_or_has_no_grant),
		T(items_that_are_there_twice_or_are_too_many_are_refused),
		T(codes_and_tombstones_out_of_bounds_are_refused),
		T(an_answer_to_another_request_is_refused),
		T(an_answer_that_was_signed_for_another_request_is_refused),
		T(a_reject_needs_its_refusal_and_nothing_else),
		T(what_to_keep_is_said_with_a_grant_or_not_at_all),
		T(unknown_items_are_passed_over),
		T(only_as_many_records_are_said_as_fit),
		T(an_address_is_numbers_or_refused),
		T(a_code_is_read_as_people_write_it_and_nothing_else),
		T(a_code_is_bound_to_its_pump),
		T(a_detail_names_its_code_in_one_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
