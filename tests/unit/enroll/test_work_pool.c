/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads beside a loop, and how they end. */
#include "tests/support/cmocka.h"

#include <semaphore.h>
#include <stdlib.h>

#include <event2/event.h>

#include "enroll/enrolld/work_pool.h"

#define N 8

struct item {
	struct work work;
	int number;
	sem_t *gate; /* NULL: does not wait */
};

struct fixture {
	struct event_base *base;
	struct work_pool *pool;
	unsigned n_done, n_dropped;
	int order[N];
	sem_t begun, gate;
};

static struct fixture *now; /* `drop` has no context */

static void item_run(struct work *w, void *thread_ctx)
{
	struct item *item = (struct item *)w;

	assert_ptr_equal(thread_ctx, now);
	if (item->gate) {
		sem_post(&now->begun);
		sem_wait(item->gate);
	}
}

static void item_done(struct work *w, void *ctx)
{
	struct fixture *f = ctx;

	f->order[f->n_done++] = ((struct item *)w)->number;
	free(w);
	if (f->n_done == N)
		event_base_loopbreak(f->base);
}

static void item_drop(struct work *w)
{
	now->n_dropped++;
	free(w);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct work_plan plan = {N, item_run, item_done, item_drop, f};

	now = f;
	sem_init(&f->begun, 0, 0);
	sem_init(&f->gate, 0, 0);
	f->base = event_base_new();
	assert_int_equal(work_pool_new(f->base, &plan, (void *[]){f}, 1, &f->pool), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	event_base_free(f->base);
	sem_destroy(&f->begun);
	sem_destroy(&f->gate);
	free(f);
	return 0;
}

static int submit(struct fixture *f, int number, sem_t *gate)
{
	struct item *item = calloc(1, sizeof(*item));
	int rc;

	item->number = number;
	item->gate = gate;
	rc = work_pool_submit(f->pool, &item->work);
	if (rc)
		free(item);
	return rc;
}

static void more_threads_than_there_may_be_are_refused(void **state)
{
	struct fixture *f = *state;
	const struct work_plan plan = {N, item_run, item_done, item_drop, f};
	struct work_pool *p = NULL;

	assert_int_equal(work_pool_new(f->base, &plan, NULL, WORK_THREADS_MAX + 1, &p), ERR_LIMIT);
	assert_null(p);
	assert_true(work_pool_free(f->pool));
}

static void one_thread_gives_back_in_the_order_of_asking(void **state)
{
	struct fixture *f = *state;
	struct timeval most = {.tv_sec = 8};

	for (int i = 0; i < N; i++)
		assert_int_equal(submit(f, i, NULL), 0);
	event_base_loopexit(f->base, &most);
	event_base_dispatch(f->base);
	assert_int_equal(f->n_done, N);
	for (int i = 0; i < N; i++)
		assert_int_equal(f->order[i], i);
	assert_true(work_pool_free(f->pool));
	assert_int_equal(f->n_dropped, 0);
}

static void a_thread_that_hangs_keeps_the_pool_alive(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(submit(f, 0, &f->gate), 0);
	assert_int_equal(submit(f, 1, NULL), 0);
	sem_wait(&f->begun);
	assert_false(work_pool_free(f->pool));
	sem_post(&f->gate);
	assert_true(work_pool_free(f->pool));
	assert_int_equal(f->n_dropped, 2); /* neither one came back to a loop that has ended */
	assert_int_equal(f->n_done, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(more_threads_than_there_may_be_are_refused),
		T(one_thread_gives_back_in_the_order_of_asking),
		T(a_thread_that_hangs_keeps_the_pool_alive),
	};

	return cmocka_run_group_tests_name("enroll/work_pool", tests, NULL, NULL);
}
