/* SPDX-License-Identifier: BSD-2-Clause */
/* What dispatchd has in hand: bounded, nothing twice, nothing forgotten before it was reported. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "radius_modules/dispatch/exchange.h"

static unsigned wakes;

static void count_wake(void *ctx)
{
	(void)ctx;
	wakes++;
}

static struct exchange *new_exchange(void)
{
	struct exchange *x = NULL;

	wakes = 0;
	assert_int_equal(exchange_new(count_wake, NULL, &x), 0);
	return x;
}

static void offer(struct exchange *x, uint64_t id)
{
	struct dispatch_order o = {.id = id, .secret = {.len = 3, .data = "abc"}};

	exchange_offer(x, &o, 1);
	assert_int_equal(o.secret.data[0], 0);
}

static void an_order_in_hand_is_not_taken_twice(void **state)
{
	struct exchange *x = new_exchange();
	struct dispatch_order o;
	struct dispatch_result r = {.id = 7}, out[4];

	(void)state;
	offer(x, 7);
	offer(x, 7);
	assert_int_equal(wakes, 1);
	assert_true(exchange_take(x, &o));
	assert_int_equal(o.id, 7);
	assert_memory_equal(o.secret.data, "abc", 3);
	assert_false(exchange_take(x, &o));
	offer(x, 7); /* under way */
	assert_false(exchange_take(x, &o));
	exchange_finish(x, &r);
	offer(x, 7); /* finished, not reported */
	assert_false(exchange_take(x, &o));
	assert_int_equal(exchange_results_wait(x, out, 4), 1);
	exchange_reported(x, 1);
	offer(x, 7); /* a new attempt */
	assert_true(exchange_take(x, &o));
	exchange_free(x);
}

static void a_result_stays_until_it_was_reported(void **state)
{
	struct exchange *x = new_exchange();
	struct dispatch_result r = {.id = 1}, out[4];

	(void)state;
	offer(x, 1);
	exchange_finish(x, &r);
	assert_int_equal(exchange_results_wait(x, out, 4), 1);
	assert_int_equal(exchange_results_wait(x, out, 4), 1);
	exchange_flush(x, 20); /* ends although nobody reports */
	exchange_reported(x, 1);
	exchange_flush(x, 60000); /* nothing left: at once */
	exchange_free(x);
}

static void *report_all(void *arg)
{
	struct exchange *x = arg;
	struct dispatch_result out[100];

	for (size_t done = 0; done < EXCHANGE_MAX;) {
		size_t n = exchange_results_wait(x, out, 100);

		exchange_reported(x, n);
		done += n;
	}
	return NULL;
}

static void a_full_hand_makes_the_taker_wait_until_results_were_reported(void **state)
{
	struct exchange *x = new_exchange();
	struct dispatch_order o;
	struct dispatch_result r = {0};
	pthread_t reporter;

	(void)state;
	assert_int_equal(exchange_room_wait(x), EXCHANGE_MAX);
	for (uint64_t id = 1; id <= EXCHANGE_MAX + 10; id++) {
		offer(x, id);
		if (id == EXCHANGE_MAX - 1)
			assert_int_equal(exchange_room_wait(x), 1);
	}
	for (uint64_t id = 1; id <= EXCHANGE_MAX; id++) {
		assert_true(exchange_take(x, &o));
		assert_int_equal(o.id, id);
		r.id = id;
		exchange_finish(x, &r);
	}
	assert_false(exchange_take(x, &o));
	assert_int_equal(pthread_create(&reporter, NULL, report_all, x), 0);
	assert_true(exchange_room_wait(x) > 0);
	pthread_join(reporter, NULL);
	assert_int_equal(exchange_room_wait(x), EXCHANGE_MAX);
	exchange_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_in_hand_is_not_taken_twice),
		cmocka_unit_test(a_result_stays_until_it_was_reported),
		cmocka_unit_test(a_full_hand_makes_the_taker_wait_until_results_were_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
