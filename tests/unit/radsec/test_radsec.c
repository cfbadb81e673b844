/* SPDX-License-Identifier: BSD-2-Clause */
/* What radsecd does with packets and with strangers, without a socket. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "radius_modules/radsec/gate.h"
#include "radius_modules/radsec/relay.h"
#include "tests/support/cmocka.h"

#define TOKEN "0123456789abcdef0123456789abcdef"
#define OTHER "f123456789abcdef0123456789abcdef"
#define SERIAL "4d2a3b4c5d6e7f8091a2b3c4d5e6f708"

static const uint8_t random_16[RADIUS_AUTHENTICATOR_BYTES] = {7, 7, 7};

static struct radius_view view_of(const struct radius_packet *p)
{
	struct radius_view v;

	assert_int_equal(radius_view_parse(p->data, p->len, &v), 0);
	return v;
}

static void access_request(struct radius_packet *p)
{
	radius_begin(p, RADIUS_ACCESS_REQUEST, 9);
	assert_int_equal(radius_put_str(p, RADIUS_USER_NAME, "PG-1"), 0);
	assert_int_equal(radius_sign_access_request(p, random_16, RADSEC_SECRET, RADSEC_SECRET_LEN),
			 0);
}

/* ---- the hop ---- */

static void a_hop_with_another_token_is_refused(void **state)
{
	struct hop_origin from = {SERIAL, "192.0.2.7"}, out;
	char text[HOP_SIZE];

	(void)state;
	hop_build(OTHER, &from, text);
	assert_int_equal(hop_parse(text, strlen(text), TOKEN, &out), ERR_DENIED);
	assert_int_equal(hop_parse("", 0, TOKEN, &out), ERR_DENIED);
	assert_int_equal(hop_parse(TOKEN, HOP_TOKEN_CHARS, TOKEN, &out), ERR_DENIED);
}

static void a_hop_without_serial_or_address_is_refused(void **state)
{
	static const char *const bad[] = {TOKEN " ", TOKEN " " SERIAL, TOKEN "  192.0.2.7",
					  TOKEN " XYZ 192.0.2.7", TOKEN "-" SERIAL " 192.0.2.7"};
	struct hop_origin out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(hop_parse(bad[i], strlen(bad[i]), TOKEN, &out), ERR_INVALID);
	/* a NUL inside */
	assert_int_equal(hop_parse(TOKEN " " SERIAL " 192.0.2.7\0x", HOP_TOKEN_CHARS + 1 + 32 + 12,
				   TOKEN, &out),
			 ERR_INVALID);
	assert_int_equal(hop_parse(TOKEN " " SERIAL "\0 192.0.2.7", HOP_TOKEN_CHARS + 1 + 32 + 11,
				   TOKEN, &out),
			 ERR_INVALID);
}

static void a_hop_is_read_as_it_was_built(void **state)
{
	struct hop_origin from = {SERIAL, "2001:db8::7"}, out;
	char text[HOP_SIZE];

	(void)state;
	hop_build(TOKEN, &from, text);
	assert_int_equal(hop_parse(text, strlen(text), TOKEN, &out), 0);
	assert_string_equal(out.cert_serial, SERIAL);
	assert_string_equal(out.ip, "2001:db8::7");
}

/* ---- requests and answers ---- */

static void a_stream_that_is_no_radius_is_refused(void **state)
{
	static const uint8_t tiny[] = {1, 0, 0, 19}, huge[] = {1, 0, 0x10, 1};
	size_t n;

	(void)state;
	assert_int_equal(relay_length(tiny, 4, &n), ERR_INVALID);
	assert_int_equal(relay_length(huge, 4, &n), ERR_INVALID);
	assert_int_equal(relay_length(tiny, 3, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(relay_length((const uint8_t[]){1, 0, 0, 20}, 4, &n), 0);
	assert_int_equal(n, 20);
}

static void a_nas_may_not_bring_a_hop_of_its_own(void **state)
{
	struct radius_packet p, out;
	struct relay_asked asked;
	struct radius_view v;

	(void)state;
	radius_begin(&p, RADIUS_ACCESS_REQUEST, 9);
	assert_int_equal(radius_put_str(&p, (enum radius_attr_type)HOP_ATTRIBUTE,
					TOKEN " " SERIAL " 192.0.2.7"),
			 0);
	assert_int_equal(
		radius_sign_access_request(&p, random_16, RADSEC_SECRET, RADSEC_SECRET_LEN), 0);
	v = view_of(&p);
	assert_int_equal(relay_request(&v, "hop", &asked, &out), ERR_INVALID);
}

static void an_access_request_keeps_id_and_authenticator_and_gains_the_hop(void **state)
{
	struct radius_packet p, out;
	struct relay_asked asked;
	struct radius_view v;
	struct radius_attr a;

	(void)state;
	access_request(&p);
	v = view_of(&p);
	assert_int_equal(relay_request(&v, "hop", &asked, &out), 0);
	v = view_of(&out);
	assert_int_equal(v.id, 9);
	assert_memory_equal(v.authenticator, random_16, sizeof(random_16));
	assert_non_null(v.message_authenticator);
	assert_true(radius_attr_find(&v, (enum radius_attr_type)HOP_ATTRIBUTE, &a));
	assert_memory_equal(a.value, "hop", 3);
	assert_true(radius_attr_find(&v, RADIUS_USER_NAME, &a));
}

static void an_answer_to_another_request_is_refused(void **state)
{
	struct radius_packet p, sent, reply, out;
	struct relay_asked asked;
	struct radius_view v;
	uint8_t wrong[RADIUS_AUTHENTICATOR_BYTES] = {1};

	(void)state;
	access_request(&p);
	v = view_of(&p);
	assert_int_equal(relay_request(&v, "hop", &asked, &sent), 0);
	radius_begin(&reply, RADIUS_ACCESS_ACCEPT, 9);
	assert_int_equal(radius_sign_reply(&reply, wrong, RADSEC_SECRET, RADSEC_SECRET_LEN), 0);
	v = view_of(&reply);
	assert_int_equal(relay_answer(&v, &asked, &out), ERR_DENIED);
	radius_begin(&reply, RADIUS_ACCOUNTING_RESPONSE, 9);
	assert_int_equal(radius_sign_reply(&reply, random_16, RADSEC_SECRET, RADSEC_SECRET_LEN), 0);
	v = view_of(&reply);
	assert_int_equal(relay_answer(&v, &asked, &out), ERR_INVALID);
}

static void an_accounting_answer_is_signed_for_the_nas_s_own_request(void **state)
{
	struct radius_packet p, sent, reply, out;
	struct relay_asked asked;
	struct radius_view v;

	(void)state;
	radius_begin(&p, RADIUS_ACCOUNTING_REQUEST, 3);
	assert_int_equal(radius_put_str(&p, RADIUS_ACCT_SESSION_ID, "s"), 0);
	assert_int_equal(radius_sign_request(&p, RADSEC_SECRET, RADSEC_SECRET_LEN), 0);
	v = view_of(&p);
	assert_int_equal(relay_request(&v, "hop", &asked, &sent), 0);
	radius_begin(&reply, RADIUS_ACCOUNTING_RESPONSE, 3);
	assert_int_equal(radius_sign_reply(&reply, sent.data + 4, RADSEC_SECRET, RADSEC_SECRET_LEN),
			 0);
	v = view_of(&reply);
	assert_int_equal(relay_answer(&v, &asked, &out), 0);
	v = view_of(&out);
	assert_int_equal(
		radius_verify_reply(&v, p.data + 4, RADSEC_SECRET, RADSEC_SECRET_LEN, false), 0);
}

static void an_access_answer_reaches_the_nas_with_a_signature(void **state)
{
	struct radius_packet p, sent, reply, out;
	struct relay_asked asked;
	struct radius_view v;

	(void)state;
	access_request(&p);
	v = view_of(&p);
	assert_int_equal(relay_request(&v, "hop", &asked, &sent), 0);
	radius_begin(&reply, RADIUS_ACCESS_ACCEPT, 9);
	assert_int_equal(radius_put_str(&reply, RADIUS_CLASS, "pg1"), 0);
	assert_int_equal(radius_sign_reply(&reply, random_16, RADSEC_SECRET, RADSEC_SECRET_LEN), 0);
	v = view_of(&reply);
	assert_int_equal(relay_answer(&v, &asked, &out), 0);
	v = view_of(&out);
	assert_int_equal(radius_verify_reply(&v, random_16, RADSEC_SECRET, RADSEC_SECRET_LEN, true),
			 0);
}

/* ---- Disconnect ---- */

static void disconnect_request(struct radius_packet *p, const char *token)
{
	radius_begin(p, RADIUS_DISCONNECT_REQUEST, 5);
	assert_int_equal(radius_put_str(p, (enum radius_attr_type)HOP_ATTRIBUTE, SERIAL " " OTHER),
			 0);
	assert_int_equal(radius_put_str(p, RADIUS_ACCT_SESSION_ID, "s"), 0);
	assert_int_equal(radius_sign_request(p, token, HOP_TOKEN_CHARS), 0);
}

static void a_disconnect_of_somebody_without_the_token_is_refused(void **state)
{
	struct radius_packet p, out;
	struct relay_asked asked;
	struct radius_view v;
	char serials[RELAY_SERIALS_SIZE];

	(void)state;
	disconnect_request(&p, OTHER);
	v = view_of(&p);
	assert_int_equal(relay_disconnect(&v, TOKEN, 77, serials, &asked, &out), ERR_DENIED);
	access_request(&p);
	v = view_of(&p);
	assert_int_equal(relay_disconnect(&v, TOKEN, 77, serials, &asked, &out), ERR_INVALID);
}

static void a_disconnect_goes_on_without_the_hop_and_its_answer_comes_back(void **state)
{
	struct radius_packet p, out, reply, back;
	struct relay_asked asked;
	struct radius_view v;
	struct radius_attr a;
	char serials[RELAY_SERIALS_SIZE];

	(void)state;
	disconnect_request(&p, TOKEN);
	v = view_of(&p);
	assert_int_equal(relay_disconnect(&v, TOKEN, 77, serials, &asked, &out), 0);
	assert_string_equal(serials, SERIAL " " OTHER);
	v = view_of(&out);
	assert_int_equal(v.id, 77);
	assert_false(radius_attr_find(&v, (enum radius_attr_type)HOP_ATTRIBUTE, &a));
	assert_int_equal(radius_verify_request(&v, RADSEC_SECRET, RADSEC_SECRET_LEN, true), 0);
	radius_begin(&reply, RADIUS_DISCONNECT_ACK, 77);
	assert_int_equal(radius_sign_reply(&reply, out.data + 4, RADSEC_SECRET, RADSEC_SECRET_LEN),
			 0);
	v = view_of(&reply);
	assert_int_equal(relay_disconnect_answer(&v, &asked, TOKEN, &back), 0);
	v = view_of(&back);
	assert_int_equal(v.id, 5);
	assert_int_equal(v.code, RADIUS_DISCONNECT_ACK);
	assert_int_equal(radius_verify_reply(&v, p.data + 4, TOKEN, HOP_TOKEN_CHARS, true), 0);
}

static void an_unconnected_nas_is_a_nak_that_says_so(void **state)
{
	struct radius_packet p, out;
	struct radius_view v;
	uint32_t cause = 0;

	(void)state;
	disconnect_request(&p, TOKEN);
	v = view_of(&p);
	assert_int_equal(relay_disconnect_unroutable(&v, TOKEN, &out), 0);
	v = view_of(&out);
	assert_int_equal(v.code, RADIUS_DISCONNECT_NAK);
	assert_true(radius_attr_u32(&v, RADIUS_ERROR_CAUSE, &cause));
	assert_int_equal(cause, 502);
	assert_int_equal(radius_verify_reply(&v, p.data + 4, TOKEN, HOP_TOKEN_CHARS, true), 0);
}

/* ---- who may connect ---- */

static struct gate_source source(const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return gate_source_of((struct sockaddr *)&v4);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return gate_source_of((struct sockaddr *)&v6);
}

static void one_source_can_not_take_the_room_of_others(void **state)
{
	static struct gate g;
	struct gate_source a = source("192.0.2.1"), b = source("192.0.2.2");
	int in = 0;

	(void)state;
	memset(&g, 0, sizeof(g));
	for (int i = 0; i < 100; i++)
		in += gate_enter(&g, a);
	assert_int_equal(in, GATE_STRANGERS_PER_SOURCE);
	assert_true(gate_enter(&g, b));
	gate_leave(&g, a, false);
	assert_true(gate_enter(&g, a));
	assert_false(gate_enter(&g, a));
}

static void one_machine_s_ipv6_addresses_are_one_source(void **state)
{
	struct gate_source a = source("2001:db8:1:2::1"), b = source("2001:db8:1:2:ffff::9"),
			   c = source("2001:db8:1:3::1");

	(void)state;
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(&a, &c, sizeof(a));
	a = source("::ffff:192.0.2.1");
	b = source("::ffff:192.0.2.2");
	assert_memory_not_equal(&a, &b, sizeof(a));
}

static void strangers_of_many_sources_leave_room_for_members(void **state)
{
	static struct gate g;
	struct gate_source from = {{0}};
	int in = 0;

	(void)state;
	memset(&g, 0, sizeof(g));
	for (int i = 0; i < GATE_STRANGERS_MAX; i++) { /* members first: they keep their place */
		from.bytes[0] = (uint8_t)i;
		assert_true(gate_enter(&g, from));
		gate_promote(&g, from);
	}
	for (int i = 0; i < 10 * GATE_STRANGERS_MAX; i++) {
		from.bytes[0] = (uint8_t)i;
		from.bytes[1] = (uint8_t)(i / 256 + 1);
		in += gate_enter(&g, from);
	}
	assert_int_equal(in, GATE_STRANGERS_MAX);
	assert_int_equal(g.n_members, GATE_STRANGERS_MAX);
	gate_leave(&g, from, true);
	assert_int_equal(g.n_members, GATE_STRANGERS_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hop_with_another_token_is_refused),
		cmocka_unit_test(a_hop_without_serial_or_address_is_refused),
		cmocka_unit_test(a_hop_is_read_as_it_was_built),
		cmocka_unit_test(a_stream_that_is_no_radius_is_refused),
		cmocka_unit_test(a_nas_may_not_bring_a_hop_of_its_own),
		cmocka_unit_test(an_access_request_keeps_id_and_authenticator_and_gains_the_hop),
		cmocka_unit_test(an_answer_to_another_request_is_refused),
		cmocka_unit_test(an_accounting_answer_is_signed_for_the_nas_s_own_request),
		cmocka_unit_test(an_access_answer_reaches_the_nas_with_a_signature),
		cmocka_unit_test(a_disconnect_of_somebody_without_the_token_is_refused),
		cmocka_unit_test(a_disconnect_goes_on_without_the_hop_and_its_answer_comes_back),
		cmocka_unit_test(an_unconnected_nas_is_a_nak_that_says_so),
		cmocka_unit_test(one_source_can_not_take_the_room_of_others),
		cmocka_unit_test(one_machine_s_ipv6_addresses_are_one_source),
		cmocka_unit_test(strangers_of_many_sources_leave_room_for_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
