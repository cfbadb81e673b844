/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sql/serve/lane.h"

struct bench {
	sem_t gate;    /* a run waits here when `gated` */
	sem_t entered; /* posted when a run begins */
	bool gated;
	atomic_uint jobs, runs, idles;
};

static void run(struct lane_job **jobs, size_t n, void *worker)
{
	struct bench *b = worker;

	sem_post(&b->entered);
	if (b->gated)
		sem_wait(&b->gate);
	atomic_fetch_add(&b->runs, 1);
	atomic_fetch_add(&b->jobs, (unsigned)n);
	for (size_t i = 0; i < n; i++)
		free(jobs[i]);
}

static int64_t idle(void *worker)
{
	struct bench *b = worker;

	atomic_fetch_add(&b->idles, 1);
	return INT64_MAX;
}

static struct lane *lane(struct bench *b, size_t max_jobs, size_t batch_max)
{
	struct lane_options o = {.name = "test",
				 .n_threads = 1,
				 .workers = {b},
				 .max_jobs = max_jobs,
				 .batch_max = batch_max,
				 .run = run,
				 .idle = idle};
	struct lane *l;

	sem_init(&b->gate, 0, 0);
	sem_init(&b->entered, 0, 0);
	assert_int_equal(lane_new(&o, &l), 0);
	return l;
}

static int put(struct lane *l, int64_t patience_us)
{
	struct lane_job *job = calloc(1, sizeof(*job));
	int rc = lane_put(l, job, patience_us);

	if (rc)
		free(job);
	return rc;
}

static void full_queue_refuses_and_keeps_what_it_took(void **state)
{
	struct bench b = {.gated = true};
	struct lane *l = lane(&b, 3, 1);

	(void)state;
	assert_int_equal(put(l, 0), 0);
	sem_wait(&b.entered); /* in the run, no more in the queue */
	for (int i = 0; i < 3; i++)
		assert_int_equal(put(l, 0), 0);
	assert_int_equal(put(l, 0), ERR_BUSY);
	for (int i = 0; i < 4; i++)
		sem_post(&b.gate);
	lane_stop(l);
	assert_int_equal(b.jobs, 4);
}

static int put_modestly(struct lane *l)
{
	struct lane_job *job = calloc(1, sizeof(*job));
	int rc = lane_put_modest(l, job, 0);

	if (rc)
		free(job);
	return rc;
}

static void modest_jobs_leave_half_of_the_queue(void **state)
{
	struct bench b = {.gated = true};
	struct lane *l = lane(&b, 4, 1);

	(void)state;
	assert_int_equal(put(l, 0), 0);
	sem_wait(&b.entered);
	assert_int_equal(put_modestly(l), 0);
	assert_int_equal(put_modestly(l), 0);
	assert_int_equal(put_modestly(l), ERR_BUSY);
	assert_int_equal(put(l, 0), 0);
	assert_int_equal(put(l, 0), 0);
	assert_int_equal(put(l, 0), ERR_BUSY);
	for (int i = 0; i < 5; i++)
		sem_post(&b.gate);
	lane_stop(l);
	assert_int_equal(b.jobs, 5);
}

static void stopping_runs_what_is_queued_even_if_it_could_wait(void **state)
{
	struct bench b = {0};
	struct lane *l = lane(&b, 100, 10);

	(void)state;
	for (int i = 0; i < 25; i++)
		assert_int_equal(put(l, 3600LL * 1000000), 0);
	lane_stop(l);
	assert_int_equal(b.jobs, 25);
}

static void patient_jobs_share_a_run_and_an_impatient_one_takes_them_along(void **state)
{
	struct bench b = {0};
	struct lane *l = lane(&b, 100, 64);

	(void)state;
	for (int i = 0; i < 9; i++)
		assert_int_equal(put(l, 3600LL * 1000000), 0);
	assert_int_equal(put(l, 0), 0);
	sem_wait(&b.entered);
	lane_stop(l);
	assert_int_equal(b.jobs, 10);
	assert_int_equal(b.runs, 1);
}

static void full_batch_starts_before_its_time(void **state)
{
	struct bench b = {0};
	struct lane *l = lane(&b, 100, 5);
	struct timespec soon;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec += 20;
	for (int i = 0; i < 5; i++)
		assert_int_equal(put(l, 3600LL * 1000000), 0);
	assert_int_equal(sem_timedwait(&b.entered, &soon), 0);
	lane_stop(l);
	assert_true(b.idles >= 1);
}

static void a_lane_that_is_woken_is_idle_at_once(void **state)
{
	struct bench b = {0};
	struct lane *l = lane(&b, 8, 4);

	(void)state;
	for (int i = 0; i < 1000 && !atomic_load(&b.idles); i++)
		usleep(1000);
	for (unsigned n = 1; n < 4; n++) {
		assert_int_equal(atomic_load(&b.idles), n);
		lane_wake(l);
		for (int i = 0; i < 5000 && atomic_load(&b.idles) == n; i++)
			usleep(1000);
	}
	assert_int_equal(atomic_load(&b.idles), 4);
	lane_stop(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_queue_refuses_and_keeps_what_it_took),
		cmocka_unit_test(modest_jobs_leave_half_of_the_queue),
		cmocka_unit_test(stopping_runs_what_is_queued_even_if_it_could_wait),
		cmocka_unit_test(patient_jobs_share_a_run_and_an_impatient_one_takes_them_along),
		cmocka_unit_test(full_batch_starts_before_its_time),
		cmocka_unit_test(a_lane_that_is_woken_is_idle_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
