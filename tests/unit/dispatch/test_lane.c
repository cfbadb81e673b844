/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to one NAS on a fixed clock: retries, windows, forged answers, giving up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "radius_modules/dispatch/lane.h"

#define MS 1000
#define WALL 1700000000U
#define SECRET "nas-secret"

static struct dispatch_order order_of(uint64_t id)
{
	struct dispatch_order o = {.id = id, .das_port = 3799};

	snprintf(o.nas_ip, sizeof(o.nas_ip), "192.0.2.7");
	snprintf(o.session_id, sizeof(o.session_id), "S%llu", (unsigned long long)id);
	snprintf(o.calling_station, sizeof(o.calling_station), "02-00-00-00-00-01");
	o.secret.len = sizeof(SECRET) - 1;
	memcpy(o.secret.data, SECRET, o.secret.len);
	return o;
}

static void add(struct lane *l, uint64_t id)
{
	struct dispatch_order o = order_of(id);
	struct flight *f;

	assert_int_equal(flight_new(&o, &f), 0);
	lane_add(l, f);
}

static void answer_of(const struct flight *f, enum radius_code code, uint32_t error_cause,
		      const char *secret, struct radius_packet *p)
{
	radius_begin(p, code, f->packet[1]);
	if (error_cause)
		assert_int_equal(radius_put_u32(p, RADIUS_ERROR_CAUSE, error_cause), 0);
	assert_int_equal(radius_sign_reply(p, f->packet + 4, secret, strlen(secret)), 0);
}

/* Refusals */

static void an_order_that_names_nobody_or_has_no_secret_is_not_taken(void **state)
{
	struct dispatch_order o = order_of(1);
	struct flight *f;

	(void)state;
	o.session_id[0] = o.calling_station[0] = '\0';
	assert_int_equal(flight_new(&o, &f), ERR_INVALID);
	o = order_of(1);
	o.secret.len = 0;
	assert_int_equal(flight_new(&o, &f), ERR_INVALID);
}

static void an_order_without_port_or_address_has_no_way(void **state)
{
	struct sockaddr_storage to;
	struct dispatch_order o = order_of(1);

	(void)state;
	o.das_port = 0;
	assert_int_equal(disconnect_address(&o, &to), ERR_INVALID);
	o.das_port = 65536;
	assert_int_equal(disconnect_address(&o, &to), ERR_INVALID);
	o = order_of(1);
	snprintf(o.nas_ip, sizeof(o.nas_ip), "switch-7");
	assert_int_equal(disconnect_address(&o, &to), ERR_INVALID);
	snprintf(o.nas_ip, sizeof(o.nas_ip), "2001:db8::7");
	assert_int_equal(disconnect_address(&o, &to), 0);
	assert_int_equal(to.ss_family, AF_INET6);
}

static void forged_answers_are_counted_and_change_nothing(void **state)
{
	struct lane l;
	struct lane_outcome end;
	struct radius_packet p;
	const struct flight *f;

	(void)state;
	lane_init(&l);
	add(&l, 1);
	f = lane_send_next(&l, 0, WALL);
	assert_non_null(f);
	answer_of(f, RADIUS_DISCONNECT_ACK, 0, "another-secret", &p);
	assert_false(lane_answer(&l, p.data, p.len, MS, &end));
	answer_of(f, RADIUS_DISCONNECT_ACK, 0, SECRET, &p);
	p.data[p.len - 1] ^= 1;
	assert_false(lane_answer(&l, p.data, p.len, MS, &end));
	assert_int_equal(l.unverified, 2);
	assert_int_equal(l.in_flight, 1);
	p.data[p.len - 1] ^= 1;
	assert_true(lane_answer(&l, p.data, p.len, 2 * MS, &end));
	assert_int_equal(end.end, LANE_ACK);
	assert_int_equal(end.rtt_us, 2 * MS);
	flight_free(end.flight);
	lane_done(&l);
}

static void garbage_duplicates_and_other_codes_are_ignored(void **state)
{
	struct lane l;
	struct lane_outcome end;
	struct radius_packet p;
	const struct flight *f;

	(void)state;
	lane_init(&l);
	add(&l, 1);
	f = lane_send_next(&l, 0, WALL);
	answer_of(f, RADIUS_COA_ACK, 0, SECRET, &p);
	assert_false(lane_answer(&l, p.data, p.len, MS, &end));
	assert_false(lane_answer(&l, "garbage", 7, MS, &end));
	assert_false(lane_answer(&l, "", 0, MS, &end));
	answer_of(f, RADIUS_DISCONNECT_ACK, 0, SECRET, &p);
	assert_true(lane_answer(&l, p.data, p.len, MS, &end));
	flight_free(end.flight);
	assert_false(lane_answer(&l, p.data, p.len, MS, &end));
	assert_int_equal(l.stray, 4);
	assert_true(lane_is_idle(&l));
	lane_done(&l);
}

/* A NAS that has the station under a newer session id must not pass as "gone". */
static void an_unknown_session_is_asked_for_by_its_station_before_it_counts_as_gone(void **state)
{
	struct lane l;
	struct lane_outcome end;
	struct radius_packet p;
	struct radius_view v;
	char text[64];
	const struct flight *f;

	(void)state;
	lane_init(&l);
	add(&l, 1);
	f = lane_send_next(&l, 0, WALL);
	answer_of(f, RADIUS_DISCONNECT_NAK, 503, SECRET, &p);
	assert_false(lane_answer(&l, p.data, p.len, MS, &end));
	assert_int_equal(l.stray + l.unverified, 0);
	f = lane_send_next(&l, MS, WALL);
	assert_non_null(f);
	assert_int_equal(radius_view_parse(f->packet, f->packet_len, &v), 0);
	assert_false(radius_attr_str(&v, RADIUS_ACCT_SESSION_ID, text, sizeof(text)));
	assert_true(radius_attr_str(&v, RADIUS_CALLING_STATION_ID, text, sizeof(text)));
	answer_of(f, RADIUS_DISCONNECT_NAK, 503, SECRET, &p);
	assert_true(lane_answer(&l, p.data, p.len, 2 * MS, &end));
	assert_int_equal(end.end, LANE_NAK);
	assert_int_equal(end.error_cause, 503);
	flight_free(end.flight);
	lane_done(&l);
}

/* Silence */

static void a_silent_nas_is_asked_three_times_with_the_same_bytes(void **state)
{
	static const int64_t due_ms[] = {250, 750, 1750};
	struct lane l;
	struct lane_outcome end;
	const struct flight *f;
	uint8_t first[LANE_PACKET_MAX];
	size_t len;

	(void)state;
	lane_init(&l);
	add(&l, 1);
	f = lane_send_next(&l, 0, WALL);
	len = f->packet_len;
	memcpy(first, f->packet, len);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(lane_due_us(&l), due_ms[i] * MS);
		assert_null(lane_send_next(&l, due_ms[i] * MS - 1, WALL + 9));
		assert_false(lane_expire_next(&l, due_ms[i] * MS - 1, &end));
		if (i == 2)
			break;
		assert_false(lane_expire_next(&l, due_ms[i] * MS, &end));
		assert_ptr_equal(lane_send_next(&l, due_ms[i] * MS, WALL + 9), f);
		assert_int_equal(f->packet_len, len);
		assert_memory_equal(f->packet, first, len);
	}
	assert_null(lane_send_next(&l, 1750 * MS, WALL + 9));
	assert_true(lane_expire_next(&l, 1750 * MS, &end));
	assert_int_equal(end.end, LANE_SILENT);
	assert_int_equal(end.flight->tries, 3);
	flight_free(end.flight);
	assert_int_equal(lane_due_us(&l), INT64_MAX);
	lane_done(&l);
}

static void an_answer_to_the_second_try_counts(void **state)
{
	struct lane l;
	struct lane_outcome end;
	struct radius_packet p;
	const struct flight *f;

	(void)state;
	lane_init(&l);
	add(&l, 1);
	assert_non_null(lane_send_next(&l, 0, WALL));
	f = lane_send_next(&l, 250 * MS, WALL);
	assert_non_null(f);
	answer_of(f, RADIUS_DISCONNECT_ACK, 0, SECRET, &p);
	assert_true(lane_answer(&l, p.data, p.len, 251 * MS, &end));
	assert_int_equal(end.end, LANE_ACK);
	assert_int_equal(end.rtt_us, 251 * MS);
	flight_free(end.flight);
	lane_done(&l);
}

/* Runs the lane against a NAS that answers the requests that `answers` picks, one millisecond
 * later. Returns how much time passed; counts ends by kind and the most that was in flight. */
static int64_t run(struct lane *l, bool (*answers)(unsigned nth), unsigned ends[3], unsigned *peak)
{
	struct lane_outcome end;
	struct radius_packet p;
	int64_t now = 0;
	unsigned nth = 0;

	for (int guard = 0; !lane_is_idle(l); guard++) {
		const struct flight *sent[512], *f;
		size_t n = 0;

		assert_true(guard < 100000);
		while (lane_expire_next(l, now, &end)) {
			ends[end.end]++;
			flight_free(end.flight);
		}
		while ((f = lane_send_next(l, now, WALL)))
			sent[n++] = f;
		*peak = l->in_flight > *peak ? l->in_flight : *peak;
		now += MS;
		for (size_t i = 0; i < n; i++) {
			if (!answers(nth++))
				continue;
			answer_of(sent[i], RADIUS_DISCONNECT_NAK, 501, SECRET, &p);
			assert_true(lane_answer(l, p.data, p.len, now, &end));
			assert_int_equal(end.error_cause, 501);
			ends[end.end]++;
			flight_free(end.flight);
		}
		if (!n && lane_due_us(l) != INT64_MAX)
			now = lane_due_us(l);
	}
	return now;
}

static bool always(unsigned nth)
{
	(void)nth;
	return true;
}

static bool never(unsigned nth)
{
	(void)nth;
	return false;
}

static bool every_fifth(unsigned nth)
{
	return nth % 5 == 0;
}

static void ten_thousand_orders_stay_within_the_window(void **state)
{
	struct lane l;
	unsigned ends[3] = {0}, peak = 0;

	(void)state;
	lane_init(&l);
	for (uint64_t id = 1; id <= 10000; id++)
		add(&l, id);
	run(&l, always, ends, &peak);
	assert_int_equal(ends[LANE_NAK], 10000);
	assert_int_equal(peak, LANE_WINDOW_MAX);
	lane_done(&l);
}

static void a_lossy_nas_ends_every_order_and_narrows_the_window(void **state)
{
	struct lane l;
	unsigned ends[3] = {0}, peak = 0;

	(void)state;
	lane_init(&l);
	for (uint64_t id = 1; id <= 300; id++)
		add(&l, id);
	run(&l, every_fifth, ends, &peak);
	assert_int_equal(ends[LANE_NAK] + ends[LANE_SILENT], 300);
	assert_true(ends[LANE_NAK] > 100);
	assert_true(peak < LANE_WINDOW_MAX / 2);
	lane_done(&l);
}

static void a_dead_nas_does_not_hold_waiting_orders(void **state)
{
	struct lane l;
	unsigned ends[3] = {0}, peak = 0;

	(void)state;
	lane_init(&l);
	for (uint64_t id = 1; id <= 1000; id++)
		add(&l, id);
	assert_in_range(run(&l, never, ends, &peak), 1750 * MS, 1800 * MS);
	assert_int_equal(ends[LANE_SILENT], 1000);
	/* and it is asked again when new orders come */
	add(&l, 1001);
	assert_non_null(lane_send_next(&l, 5000 * MS, WALL));
	lane_done(&l);
}

static void ids_in_flight_are_never_shared(void **state)
{
	struct lane l;
	bool used[256] = {false};
	const struct flight *f;

	(void)state;
	lane_init(&l);
	l.window = LANE_WINDOW_MAX;
	l.next_id = 250; /* over the end */
	for (uint64_t id = 1; id <= 100; id++)
		add(&l, id);
	while ((f = lane_send_next(&l, 0, WALL))) {
		assert_false(used[f->packet[1]]);
		used[f->packet[1]] = true;
	}
	assert_int_equal(l.in_flight, LANE_WINDOW_MAX);
	lane_done(&l);
}

/* The packet */

static void attributes_of(const struct flight *f, uint8_t types[8], size_t *n)
{
	struct radius_view v;
	struct radius_attr a;
	size_t at = 0;

	*n = 0;
	assert_int_equal(radius_view_parse(f->packet, f->packet_len, &v), 0);
	assert_int_equal(v.code, RADIUS_DISCONNECT_REQUEST);
	assert_int_equal(radius_verify_request(&v, SECRET, strlen(SECRET), true), 0);
	while (radius_attr_next(&v, &at, &a) && *n < 8)
		types[(*n)++] = a.type;
}

static void the_request_carries_only_what_a_nas_accepts(void **state)
{
	static const uint8_t with[] = {RADIUS_MESSAGE_AUTHENTICATOR, RADIUS_EVENT_TIMESTAMP,
				       RADIUS_ACCT_SESSION_ID, RADIUS_CALLING_STATION_ID};
	static const uint8_t without[] = {RADIUS_MESSAGE_AUTHENTICATOR, RADIUS_EVENT_TIMESTAMP,
					  RADIUS_CALLING_STATION_ID};
	struct dispatch_order o = order_of(2);
	struct lane l;
	struct flight *f;
	uint8_t types[8];
	size_t n;

	(void)state;
	lane_init(&l);
	add(&l, 1);
	attributes_of(lane_send_next(&l, 0, WALL), types, &n);
	assert_int_equal(n, sizeof(with));
	assert_memory_equal(types, with, n);

	o.session_id[0] = '\0';
	assert_int_equal(flight_new(&o, &f), 0);
	lane_add(&l, f);
	attributes_of(lane_send_next(&l, 0, WALL), types, &n);
	assert_int_equal(n, sizeof(without));
	assert_memory_equal(types, without, n);
	lane_done(&l);
}

static void the_longest_names_fit(void **state)
{
	struct dispatch_order o = order_of(1);
	struct lane l;
	struct flight *f;

	(void)state;
	lane_init(&l);
	memset(o.session_id, 's', sizeof(o.session_id) - 1);
	memset(o.calling_station, 'c', sizeof(o.calling_station) - 1);
	assert_int_equal(flight_new(&o, &f), 0);
	lane_add(&l, f);
	assert_non_null(lane_send_next(&l, 0, WALL));
	lane_done(&l);
}

static void taking_an_order_wipes_its_secret(void **state)
{
	struct dispatch_order o = order_of(1);
	struct flight *f;

	(void)state;
	assert_int_equal(flight_new(&o, &f), 0);
	for (size_t i = 0; i < sizeof(o.secret.data); i++)
		assert_int_equal(o.secret.data[i] | f->order.secret.data[i], 0);
	flight_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_that_names_nobody_or_has_no_secret_is_not_taken),
		cmocka_unit_test(an_order_without_port_or_address_has_no_way),
		cmocka_unit_test(forged_answers_are_counted_and_change_nothing),
		cmocka_unit_test(garbage_duplicates_and_other_codes_are_ignored),
		cmocka_unit_test(
			an_unknown_session_is_asked_for_by_its_station_before_it_counts_as_gone),
		cmocka_unit_test(a_silent_nas_is_asked_three_times_with_the_same_bytes),
		cmocka_unit_test(an_answer_to_the_second_try_counts),
		cmocka_unit_test(ten_thousand_orders_stay_within_the_window),
		cmocka_unit_test(a_lossy_nas_ends_every_order_and_narrows_the_window),
		cmocka_unit_test(a_dead_nas_does_not_hold_waiting_orders),
		cmocka_unit_test(ids_in_flight_are_never_shared),
		cmocka_unit_test(the_request_carries_only_what_a_nas_accepts),
		cmocka_unit_test(the_longest_names_fit),
		cmocka_unit_test(taking_an_order_wipes_its_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
