/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>

#include "base/ipc_frame.h"
#include "base/ipc_record.h"

#define SAMPLE_FIELDS(X, S) \
	X(S, BOOL, on, 1)   \
	X(S, U32, small, 1) \
	X(S, U64, wide, 1)  \
	X(S, TIME, at, 1)   \
	X(S, STR, name, 8)  \
	X(S, BLOB, key, 4)  \
	X(S, HIDE, token, 4)
RECORD_DECLARE(sample, SAMPLE_FIELDS)
RECORD_DESCRIBE(sample, SAMPLE_FIELDS)

/* A record whose body is the given bytes. */
static int get_body(const void *body, size_t len, struct sample *out)
{
	AUTO_BUF b = {.max = 4096};
	struct cursor c;

	assert_int_equal(buf_put_u32(&b, (uint32_t)len), 0);
	assert_int_equal(buf_put(&b, body, len), 0);
	c = cursor_of(b.data, b.len);
	return record_get(&c, &record_sample, out);
}

#define GET(literal, out) get_body(literal, sizeof(literal) - 1, out)

static void get_refuses_a_field_that_it_does_not_know(void **state)
{
	struct sample s;

	(void)state;
	assert_int_equal(GET("\x08\0\0\0\x01x", &s), ERR_INVALID);
	assert_int_equal(GET("\x00\0\0\0\x01x", &s), ERR_INVALID);
	assert_int_equal(GET("\xff\0\0\0\x01x", &s), ERR_INVALID);
}

static void get_refuses_repeated_and_unordered_fields(void **state)
{
	struct sample s;

	(void)state;
	assert_int_equal(GET("\x05\0\0\0\x01x\x05\0\0\0\x01x", &s), ERR_INVALID);
	assert_int_equal(GET("\x06\0\0\0\x01x\x05\0\0\0\x01x", &s), ERR_INVALID);
	assert_int_equal(GET("\x05\0\0\0\x01x\x06\0\0\0\x01x", &s), 0);
}

static void get_refuses_over_long_fields(void **state)
{
	struct sample s;

	(void)state;
	assert_int_equal(GET("\x05\0\0\0\x08"
			     "abcdefgh",
			     &s),
			 ERR_INVALID);
	assert_int_equal(GET("\x05\0\0\0\x07"
			     "abcdefg",
			     &s),
			 0);
	assert_string_equal(s.name, "abcdefg");
	assert_int_equal(GET("\x06\0\0\0\x05"
			     "abcde",
			     &s),
			 ERR_INVALID);
	assert_int_equal(GET("\x07\0\0\0\x05"
			     "abcde",
			     &s),
			 ERR_INVALID);
}

static void get_refuses_a_nul_inside_a_string(void **state)
{
	struct sample s;

	(void)state;
	assert_int_equal(GET("\x05\0\0\0\x03"
			     "a\0b",
			     &s),
			 ERR_INVALID);
	assert_int_equal(GET("\x05\0\0\0\x02"
			     "a\0",
			     &s),
			 ERR_INVALID);
}

static void get_refuses_integers_of_another_width_or_range(void **state)
{
	struct sample s;

	(void)state;
	assert_int_equal(GET("\x03\0\0\0\x04\0\0\0\x01", &s), ERR_INVALID);
	assert_int_equal(GET("\x03\0\0\0\x00", &s), ERR_INVALID);
	assert_int_equal(GET("\x02\0\0\0\x08\0\0\0\x01\0\0\0\0", &s), ERR_INVALID);
	assert_int_equal(GET("\x01\0\0\0\x08\0\0\0\0\0\0\0\x02", &s), ERR_INVALID);
	assert_int_equal(GET("\x01\0\0\0\x08\0\0\0\0\0\0\0\x01", &s), 0);
	assert_true(s.on);
}

static struct sample full_sample(void)
{
	struct sample s = {.on = true, .small = UINT32_MAX, .wide = UINT64_MAX, .at = -1};

	strcpy(s.name, "sevenof");
	s.key.len = 4;
	memcpy(s.key.data, "\0\xff\x80\x01", 4);
	s.token.len = 1;
	s.token.data[0] = 't';
	return s;
}

static void get_refuses_a_record_cut_at_any_byte(void **state)
{
	AUTO_BUF b = {.max = 4096};
	struct sample in = full_sample(), out;

	(void)state;
	assert_int_equal(record_put(&b, &record_sample, &in), 0);
	for (size_t cut = 0; cut < b.len; cut++) {
		struct cursor c = cursor_of(b.data, cut);

		assert_int_equal(record_get(&c, &record_sample, &out), ERR_INVALID);
	}
	/* cut inside the body with an honest outer length: only field borders may pass */
	for (size_t cut = 1; cut < 13; cut++)
		assert_int_equal(get_body(b.data + 4, cut, &out), ERR_INVALID);
}

static void put_refuses_a_string_without_its_end(void **state)
{
	AUTO_BUF b = {.max = 4096};
	struct sample s = full_sample();

	(void)state;
	memset(s.name, 'x', sizeof(s.name));
	assert_int_equal(record_put(&b, &record_sample, &s), ERR_INTERNAL);
	assert_int_equal(b.len, 0);
	s = full_sample();
	s.key.len = 5;
	assert_int_equal(record_put(&b, &record_sample, &s), ERR_INTERNAL);
	assert_int_equal(b.len, 0);
}

static void put_refuses_to_pass_the_maximum_and_changes_nothing(void **state)
{
	AUTO_BUF b = {.max = 40};
	struct sample s = full_sample();

	(void)state;
	assert_int_equal(buf_put_str(&b, "before"), 0);
	assert_int_equal(record_put(&b, &record_sample, &s), ERR_LIMIT);
	assert_int_equal(b.len, 6);
}

static void record_survives_the_round_trip(void **state)
{
	AUTO_BUF b = {.max = 4096};
	struct sample in = full_sample(), out, zero = {0};
	struct cursor c;

	(void)state;
	assert_int_equal(record_put(&b, &record_sample, &in), 0);
	assert_int_equal(record_put(&b, &record_sample, &zero), 0);
	c = cursor_of(b.data, b.len);
	memset(&out, 0xa5, sizeof(out));
	assert_int_equal(record_get(&c, &record_sample, &out), 0);
	assert_true(out.on);
	assert_int_equal(out.small, UINT32_MAX);
	assert_true(out.wide == UINT64_MAX);
	assert_int_equal(out.at, -1);
	assert_string_equal(out.name, "sevenof");
	assert_int_equal(out.key.len, 4);
	assert_memory_equal(out.key.data, in.key.data, 4);
	assert_int_equal(out.token.len, 1);
	assert_int_equal(c.left, 4);
	memset(&out, 0xa5, sizeof(out));
	assert_int_equal(record_get(&c, &record_sample, &out), 0);
	assert_false(out.on);
	assert_int_equal(out.small, 0);
	assert_string_equal(out.name, "");
	assert_int_equal(out.token.len, 0);
	assert_int_equal(c.left, 0);
}

static void header_refuses_more_than_the_maximum(void **state)
{
	struct ipc_header h = {.len = IPC_PAYLOAD_MAX + 1, .verb = 7}, out = {.verb = 9};
	uint8_t raw[IPC_HEADER_BYTES];

	(void)state;
	ipc_header_build(&h, raw);
	assert_int_equal(ipc_header_parse(raw, &out), ERR_LIMIT);
	assert_int_equal(out.verb, 9);
	h.len = UINT32_MAX;
	ipc_header_build(&h, raw);
	assert_int_equal(ipc_header_parse(raw, &out), ERR_LIMIT);
}

static void header_survives_the_round_trip(void **state)
{
	struct ipc_header h = {.len = IPC_PAYLOAD_MAX,
			       .verb = 0xfedc,
			       .status = ERR_INTERNAL,
			       .request_id = 0x0123456789abcdef};
	struct ipc_header out;
	uint8_t raw[IPC_HEADER_BYTES];

	(void)state;
	ipc_header_build(&h, raw);
	assert_memory_equal(raw, "\x00\x10\x00\x00\xfe\xdc\xff\xed", 8);
	assert_int_equal(ipc_header_parse(raw, &out), 0);
	assert_int_equal(out.len, h.len);
	assert_int_equal(out.verb, h.verb);
	assert_int_equal(out.status, h.status);
	assert_true(out.request_id == h.request_id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_refuses_a_field_that_it_does_not_know),
		cmocka_unit_test(get_refuses_repeated_and_unordered_fields),
		cmocka_unit_test(get_refuses_over_long_fields),
		cmocka_unit_test(get_refuses_a_nul_inside_a_string),
		cmocka_unit_test(get_refuses_integers_of_another_width_or_range),
		cmocka_unit_test(get_refuses_a_record_cut_at_any_byte),
		cmocka_unit_test(put_refuses_a_string_without_its_end),
		cmocka_unit_test(put_refuses_to_pass_the_maximum_and_changes_nothing),
		cmocka_unit_test(record_survives_the_round_trip),
		cmocka_unit_test(header_refuses_more_than_the_maximum),
		cmocka_unit_test(header_survives_the_round_trip),
	};

	return cmocka_run_group_tests_name("base/record", tests, NULL, NULL);
}
