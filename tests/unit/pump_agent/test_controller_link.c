/* SPDX-License-Identifier: BSD-2-Clause */
/* The controller's word on whether it infuses, as the agent's loop hears it. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "pump_agent/controller_link.h"
#include "pump_agent/pumplink/pumplink.h"

struct heard {
	enum pumplink_infusing last;
	unsigned times;
};

static void hear(void *ctx, enum pumplink_infusing infusing)
{
	struct heard *h = ctx;

	h->last = infusing;
	h->times++;
}

/* Both sides go on until `wanted` was heard, or five seconds are over. */
static void run_until(struct event_base *base, struct pumplink *controller, const struct heard *h,
		      enum pumplink_infusing wanted)
{
	struct pumplink_view view;

	for (int i = 0; i < 500 && h->last != wanted; i++) {
		if (controller) {
			assert_int_equal(pumplink_tend(controller), 0);
			pumplink_look(controller, (uint64_t)clock_mono_us() / 1000, &view);
		}
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(10000);
	}
	assert_int_equal(h->last, wanted);
}

static void each_change_of_the_infusing_bit_is_heard_once(void **state)
{
	char dir[] = "/tmp/controller-link.XXXXXX", path[64];
	struct event_base *base = event_base_new();
	struct controller_link *c;
	struct pumplink *controller;
	struct heard h = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	assert_int_equal(controller_link_new(base, path, getuid(), &c), 0);
	controller_link_watch(c, hear, &h);
	assert_int_equal(controller_link_infusing(c), PUMPLINK_INFUSING_UNKNOWN);
	assert_int_equal(pumplink_open(path, &controller), 0);
	pumplink_tell_infusing(controller, PUMPLINK_INFUSING);
	run_until(base, controller, &h, PUMPLINK_INFUSING);
	pumplink_tell_infusing(controller, PUMPLINK_IDLE);
	run_until(base, controller, &h, PUMPLINK_IDLE);
	assert_int_equal(h.times, 2);
	/* a controller that is gone or stands still says nothing */
	pumplink_close(controller);
	run_until(base, NULL, &h, PUMPLINK_INFUSING_UNKNOWN);
	controller_link_free(c);
	event_base_free(base);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_of_the_infusing_bit_is_heard_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
