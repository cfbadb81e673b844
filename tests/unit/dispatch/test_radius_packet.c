/* SPDX-License-Identifier: BSD-2-Clause */
/* The RADIUS codec against the RFCs' own examples, flipped bits and cut-off packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "radius_modules/packet/radius_packet.h"

#define RFC_SECRET "xyzzy5461"
#define KEY RFC_SECRET, sizeof(RFC_SECRET) - 1

static size_t from_hex(const char *hex, uint8_t *out, size_t max)
{
	size_t len = 0;

	assert_int_equal(hex_decode(hex, max, out, &len), 0);
	return len;
}

static void disconnect_request(struct radius_packet *p, uint8_t id)
{
	radius_begin(p, RADIUS_DISCONNECT_REQUEST, id);
	assert_int_equal(radius_put_u32(p, RADIUS_EVENT_TIMESTAMP, 1700000000), 0);
	assert_int_equal(radius_put_str(p, RADIUS_CALLING_STATION_ID, "02-00-00-00-00-01"), 0);
	assert_int_equal(radius_sign_request(p, KEY), 0);
}

/* Refusals */

static void parse_refuses_every_cut_of_a_good_packet(void **state)
{
	struct radius_packet p;
	struct radius_view v;

	(void)state;
	disconnect_request(&p, 7);
	for (size_t len = 0; len < p.len; len++)
		assert_int_equal(radius_view_parse(p.data, len, &v), ERR_INVALID);
	assert_int_equal(radius_view_parse(p.data, p.len, &v), 0);
}

static void parse_refuses_attributes_that_leave_the_packet(void **state)
{
	struct radius_packet p;
	struct radius_view v;

	(void)state;
	disconnect_request(&p, 7);
	for (int wrong = 0; wrong < 256; wrong++) {
		if (wrong == 19) /* its true length */
			continue;
		p.data[p.len - 18] = (uint8_t)wrong;
		if (wrong > 19 || wrong < 2 || wrong == 18)
			assert_int_equal(radius_view_parse(p.data, p.len, &v), ERR_INVALID);
	}
}

static void parse_refuses_two_message_authenticators_and_short_ones(void **state)
{
	struct radius_packet p;
	struct radius_view v;
	uint8_t zeros[16] = {0};

	(void)state;
	radius_begin(&p, RADIUS_DISCONNECT_REQUEST, 1);
	assert_int_equal(radius_put(&p, RADIUS_MESSAGE_AUTHENTICATOR, zeros, 16), 0);
	assert_int_equal(radius_sign_request(&p, KEY), 0);
	assert_int_equal(radius_view_parse(p.data, p.len, &v), ERR_INVALID);

	radius_begin(&p, RADIUS_ACCOUNTING_REQUEST, 1);
	assert_int_equal(radius_put(&p, RADIUS_MESSAGE_AUTHENTICATOR, zeros, 15), 0);
	assert_int_equal(radius_sign_request(&p, KEY), 0);
	assert_int_equal(radius_view_parse(p.data, p.len, &v), ERR_INVALID);
}

static void put_refuses_what_does_not_fit_and_changes_nothing(void **state)
{
	struct radius_packet p;
	uint8_t long_value[254] = {1};
	size_t before;

	(void)state;
	radius_begin(&p, RADIUS_ACCESS_REQUEST, 1);
	before = p.len;
	assert_int_equal(radius_put(&p, RADIUS_USER_NAME, long_value, 254), ERR_LIMIT);
	assert_int_equal(radius_put(&p, RADIUS_USER_NAME, long_value, 0), ERR_INVALID);
	assert_int_equal(p.len, before);
	while (!radius_put(&p, RADIUS_CLASS, long_value, 253))
		before = p.len;
	assert_int_equal(p.len, before);
	assert_true(p.len + 255 > RADIUS_PACKET_MAX);
	while (!radius_put(&p, RADIUS_CLASS, long_value, 1))
		;
	before = p.len;
	assert_int_equal(radius_put_eap(&p, long_value, 254), ERR_LIMIT);
	assert_int_equal(p.len, before);
}

static void an_empty_secret_signs_and_verifies_nothing(void **state)
{
	struct radius_packet p;
	struct radius_view v;

	(void)state;
	disconnect_request(&p, 7);
	assert_int_equal(radius_view_parse(p.data, p.len, &v), 0);
	assert_int_equal(radius_verify_request(&v, "", 0, true), ERR_INVALID);
	assert_int_equal(radius_sign_request(&p, "", 0), ERR_INVALID);
}

static void every_flipped_bit_of_a_signed_request_is_refused(void **state)
{
	struct radius_packet p;
	struct radius_view v;

	(void)state;
	disconnect_request(&p, 7);
	for (size_t bit = 0; bit < p.len * 8; bit++) {
		p.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if (!radius_view_parse(p.data, p.len, &v))
			assert_int_equal(radius_verify_request(&v, KEY, true), ERR_DENIED);
		p.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_int_equal(radius_view_parse(p.data, p.len, &v), 0);
	assert_int_equal(radius_verify_request(&v, KEY, true), 0);
}

static void every_flipped_bit_of_a_signed_reply_is_refused(void **state)
{
	struct radius_packet rq, p;
	struct radius_view v;

	(void)state;
	disconnect_request(&rq, 7);
	radius_begin(&p, RADIUS_DISCONNECT_NAK, 7);
	assert_int_equal(radius_put_u32(&p, RADIUS_ERROR_CAUSE, 503), 0);
	assert_int_equal(radius_sign_reply(&p, rq.data + 4, KEY), 0);
	for (size_t bit = 0; bit < p.len * 8; bit++) {
		p.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if (!radius_view_parse(p.data, p.len, &v))
			assert_int_equal(radius_verify_reply(&v, rq.data + 4, KEY, false),
					 ERR_DENIED);
		p.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_int_equal(radius_view_parse(p.data, p.len, &v), 0);
	assert_int_equal(radius_verify_reply(&v, rq.data + 4, KEY, true), 0);
	rq.data[4] ^= 1; /* an answer to another request */
	assert_int_equal(radius_verify_reply(&v, rq.data + 4, KEY, false), ERR_DENIED);
}

/* The response authenticator alone can be forged through MD5 collisions: whoever repairs it after
 * changing the Message-Authenticator must still be refused. */
static void a_wrong_message_authenticator_is_refused_under_a_right_authenticator(void **state)
{
	struct radius_packet p;
	struct radius_view v;
	uint8_t rq_auth[16] = {9};

	(void)state;
	radius_begin(&p, RADIUS_DISCONNECT_ACK, 7);
	p.message_authenticator_at = 0; /* leaves zeros in it and signs around them */
	assert_int_equal(radius_sign_reply(&p, rq_auth, KEY), 0);
	assert_int_equal(radius_view_parse(p.data, p.len, &v), 0);
	assert_int_equal(radius_verify_reply(&v, rq_auth, KEY, false), ERR_DENIED);
}

static void a_reply_without_message_authenticator_counts_only_where_allowed(void **state)
{
	uint8_t reply[64], rq_auth[16];
	struct radius_view v;
	size_t len = from_hex("02da0014ef0d552a4bf2d693ec2b6fe8b5411d66", reply, sizeof(reply));

	(void)state;
	from_hex("8a54f4686fb394c52866e302185d0623", rq_auth, sizeof(rq_auth));
	assert_int_equal(radius_view_parse(reply, len, &v), 0);
	assert_int_equal(radius_verify_reply(&v, rq_auth, KEY, true), ERR_DENIED);
	assert_int_equal(radius_verify_reply(&v, rq_auth, KEY, false), 0); /* RFC 5997 6.1 */
}

static void strings_that_are_not_printable_or_too_long_are_not_given_out(void **state)
{
	struct radius_packet p;
	struct radius_view v;
	char out[8];

	(void)state;
	radius_begin(&p, RADIUS_ACCESS_ACCEPT, 1);
	assert_int_equal(radius_put(&p, RADIUS_USER_NAME, "a\nb", 3), 0);
	assert_int_equal(radius_put_str(&p, RADIUS_FILTER_ID, "12345678"), 0);
	assert_int_equal(radius_put(&p, RADIUS_TUNNEL_PRIVATE_GROUP_ID, "\x01", 1), 0);
	assert_int_equal(radius_sign_request(&p, KEY), 0);
	assert_int_equal(radius_view_parse(p.data, p.len, &v), 0);
	assert_false(radius_attr_str(&v, RADIUS_USER_NAME, out, sizeof(out)));
	assert_false(radius_attr_str(&v, RADIUS_FILTER_ID, out, sizeof(out)));
	assert_false(radius_attr_tagged_str(&v, RADIUS_TUNNEL_PRIVATE_GROUP_ID, out, sizeof(out)));
	assert_false(radius_attr_str(&v, RADIUS_CLASS, out, sizeof(out)));
}

/* Success */

static void the_accept_of_rfc_2865_section_7_1_verifies(void **state)
{
	uint8_t reply[64], rq_auth[16];
	struct radius_view v;
	uint32_t service;
	size_t len = from_hex("0200002686fe220e7624ba2a1005f6bf9b55e0b2060600000001"
			      "0f06000000000e06c0a80103",
			      reply, sizeof(reply));

	(void)state;
	from_hex("0f403f9473978057bd83d5cb98f4227a", rq_auth, sizeof(rq_auth));
	assert_int_equal(radius_view_parse(reply, len, &v), 0);
	assert_int_equal(radius_verify_reply(&v, rq_auth, KEY, false), 0);
	assert_true(radius_attr_u32(&v, RADIUS_SERVICE_TYPE, &service));
	assert_int_equal(service, 1);
}

/* RFC 5997 6.1: its Status-Server is signed as an Access-Request is. */
static void the_message_authenticator_of_rfc_5997_section_6_1_comes_out(void **state)
{
	struct radius_packet p;
	uint8_t random[16], want[38];
	size_t len = from_hex("0cda00268a54f4686fb394c52866e302185d062350125a665e2e1e8411f3e2438220"
			      "97c84fa3",
			      want, sizeof(want));

	(void)state;
	memcpy(random, want + 4, 16);
	radius_begin(&p, (enum radius_code)12, 0xda);
	assert_int_equal(radius_sign_access_request(&p, random, KEY), 0);
	assert_int_equal(p.len, len);
	assert_memory_equal(p.data, want, len);
}

static void attributes_come_back_as_they_went_in(void **state)
{
	struct radius_packet p;
	struct radius_view v;
	struct radius_attr a;
	uint8_t eap[600];
	size_t at = 0, eap_len = 0;
	uint32_t number;
	char text[32];

	(void)state;
	memset(eap, 0x5a, sizeof(eap));
	radius_begin(&p, RADIUS_ACCESS_REQUEST, 200);
	assert_int_equal(radius_put_str(&p, RADIUS_USER_NAME, "PG-000123"), 0);
	assert_int_equal(radius_put_u32(&p, RADIUS_NAS_PORT_TYPE, 0xfffefdfc), 0);
	assert_int_equal(radius_put(&p, RADIUS_TUNNEL_PRIVATE_GROUP_ID,
				    "\x00"
				    "120",
				    4),
			 0);
	assert_int_equal(radius_put_eap(&p, eap, sizeof(eap)), 0);
	assert_int_equal(radius_sign_access_request(&p, eap, KEY), 0);
	assert_int_equal(radius_view_parse(p.data, p.len, &v), 0);
	assert_int_equal(v.code, RADIUS_ACCESS_REQUEST);
	assert_int_equal(v.id, 200);
	assert_true(radius_attr_str(&v, RADIUS_USER_NAME, text, sizeof(text)));
	assert_string_equal(text, "PG-000123");
	assert_true(radius_attr_u32(&v, RADIUS_NAS_PORT_TYPE, &number));
	assert_int_equal(number, 0xfffefdfc);
	assert_true(radius_attr_tagged_str(&v, RADIUS_TUNNEL_PRIVATE_GROUP_ID, text, sizeof(text)));
	assert_string_equal(text, "120");
	while (radius_attr_next(&v, &at, &a))
		eap_len += a.type == RADIUS_EAP_MESSAGE ? a.len : 0;
	assert_int_equal(eap_len, sizeof(eap));
}

static void bytes_after_the_announced_length_are_padding(void **state)
{
	struct radius_packet p;
	struct radius_view v;

	(void)state;
	disconnect_request(&p, 7);
	p.data[p.len] = 0xff;
	assert_int_equal(radius_view_parse(p.data, p.len + 1, &v), 0);
	assert_int_equal(v.len, p.len);
	assert_int_equal(radius_verify_request(&v, KEY, true), 0);
}

static void random_bytes_never_verify(void **state)
{
	unsigned seed = (unsigned)time(NULL);
	uint8_t data[300];
	struct radius_view v;

	(void)state;
	printf("# seed %u\n", seed);
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)rand_r(&seed) % sizeof(data);

		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)rand_r(&seed);
		if (len > 4 &&
		    round % 2) { /* an honest length: more get as far as the attributes */
			data[2] = (uint8_t)(len >> 8);
			data[3] = (uint8_t)len;
		}
		if (!radius_view_parse(data, len, &v))
			assert_int_equal(radius_verify_request(&v, KEY, false), ERR_DENIED);
	}
}

static void password_is_hidden_as_in_the_example_of_rfc_2865_7_1(void **state)
{
	uint8_t random[16], want[16];
	struct radius_packet p;
	struct radius_view v;
	struct radius_attr a;

	(void)state;
	from_hex("0f403f9473978057bd83d5cb98f4227a", random, sizeof(random));
	from_hex("0dbe708d93d413ce3196e43f782a0aee", want, sizeof(want));
	radius_begin(&p, RADIUS_ACCESS_REQUEST, 0);
	assert_int_equal(radius_put_password(&p, random, KEY, "arctangent", 10), 0);
	assert_int_equal(radius_sign_access_request(&p, random, KEY), 0);
	assert_int_equal(radius_view_parse(p.data, p.len, &v), 0);
	assert_true(radius_attr_find(&v, RADIUS_USER_PASSWORD, &a));
	assert_int_equal(a.len, 16);
	assert_memory_equal(a.value, want, 16);
}

static void password_that_is_empty_too_long_or_has_a_nul_is_refused(void **state)
{
	uint8_t random[16] = {0};
	char text[129];
	struct radius_packet p;

	(void)state;
	memset(text, 'x', sizeof(text));
	radius_begin(&p, RADIUS_ACCESS_REQUEST, 0);
	assert_int_equal(radius_put_password(&p, random, KEY, text, 0), ERR_INVALID);
	assert_int_equal(radius_put_password(&p, random, KEY, text, 129), ERR_LIMIT);
	assert_int_equal(radius_put_password(&p, random, KEY, "a\0b", 3), ERR_INVALID);
	assert_int_equal(radius_put_password(&p, random, "", 0, text, 1), ERR_INVALID);
	assert_int_equal(radius_put_password(&p, random, KEY, text, 128), 0);
}

static void vendors_value_is_parted_and_found_again_in_order(void **state)
{
	uint8_t value[600], back[600];
	struct radius_packet p;
	struct radius_view v;
	struct radius_attr a;
	size_t at = 0, len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (uint8_t)(i * 7);
	radius_begin(&p, RADIUS_ACCESS_REQUEST, 0);
	assert_int_equal(radius_put_vendor(&p, 32473, 1, value, sizeof(value)), 0);
	assert_int_equal(radius_put_vendor(&p, 32473, 2, "other", 5), 0);
	assert_int_equal(radius_put_vendor(&p, 9, 1, "other", 5), 0);
	assert_int_equal(radius_sign_access_request(&p, value, KEY), 0);
	assert_int_equal(radius_view_parse(p.data, p.len, &v), 0);
	while (radius_attr_vendor_next(&v, &at, 32473, 1, &a)) {
		assert_true(len + a.len <= sizeof(back));
		memcpy(back + len, a.value, a.len);
		len += a.len;
	}
	assert_int_equal(len, sizeof(value));
	assert_memory_equal(back, value, len);
}

static void vendors_value_that_does_not_fit_leaves_the_packet_as_it_was(void **state)
{
	uint8_t value[RADIUS_PACKET_MAX] = {0};
	struct radius_packet p;
	size_t before;

	(void)state;
	radius_begin(&p, RADIUS_ACCESS_REQUEST, 0);
	before = p.len;
	assert_int_equal(radius_put_vendor(&p, 32473, 1, value, sizeof(value)), ERR_LIMIT);
	assert_int_equal(p.len, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_refuses_every_cut_of_a_good_packet),
		cmocka_unit_test(parse_refuses_attributes_that_leave_the_packet),
		cmocka_unit_test(parse_refuses_two_message_authenticators_and_short_ones),
		cmocka_unit_test(put_refuses_what_does_not_fit_and_changes_nothing),
		cmocka_unit_test(an_empty_secret_signs_and_verifies_nothing),
		cmocka_unit_test(every_flipped_bit_of_a_signed_request_is_refused),
		cmocka_unit_test(every_flipped_bit_of_a_signed_reply_is_refused),
		cmocka_unit_test(
			a_wrong_message_authenticator_is_refused_under_a_right_authenticator),
		cmocka_unit_test(a_reply_without_message_authenticator_counts_only_where_allowed),
		cmocka_unit_test(strings_that_are_not_printable_or_too_long_are_not_given_out),
		cmocka_unit_test(the_accept_of_rfc_2865_section_7_1_verifies),
		cmocka_unit_test(the_message_authenticator_of_rfc_5997_section_6_1_comes_out),
		cmocka_unit_test(attributes_come_back_as_they_went_in),
		cmocka_unit_test(bytes_after_the_announced_length_are_padding),
		cmocka_unit_test(random_bytes_never_verify),
		cmocka_unit_test(password_that_is_empty_too_long_or_has_a_nul_is_refused),
		cmocka_unit_test(vendors_value_that_does_not_fit_leaves_the_packet_as_it_was),
		cmocka_unit_test(password_is_hidden_as_in_the_example_of_rfc_2865_7_1),
		cmocka_unit_test(vendors_value_is_parted_and_found_again_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
