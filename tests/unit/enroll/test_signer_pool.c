/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool against a signer that is not there, or there and silent. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "enroll/enrolld/signer_pool.h"

#define QUEUE_MAX 2

struct fixture {
	struct event_base *base;
	struct signer_pool *pool;
	char folder[32];
	struct sockaddr_un addr;
	int listener;
	unsigned n_done;
	unsigned n_wanted;
	int last_rc;
};

static void on_done(struct signer_job *job, void *ctx)
{
	struct fixture *f = ctx;

	f->n_done++;
	f->last_rc = job->rc;
	assert_int_equal(job->enroll.token.len, 0); /* wiped once asked */
	signer_job_wipe(job, sizeof(*job));
	if (f->n_done == f->n_wanted)
		event_base_loopbreak(f->base);
}

static void run_until(struct fixture *f, unsigned n_wanted)
{
	struct timeval most = {.tv_sec = 8};

	f->n_wanted = n_wanted;
	event_base_loopexit(f->base, &most);
	if (f->n_done < n_wanted)
		event_base_dispatch(f->base);
	assert_int_equal(f->n_done, n_wanted);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->folder, "/tmp/pool.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->addr.sun_family = AF_UNIX;
	snprintf(f->addr.sun_path, sizeof(f->addr.sun_path), "%s/sock", f->folder);
	f->listener = -1;
	f->base = event_base_new();
	assert_int_equal(
		signer_pool_new(f->base, f->addr.sun_path, 1, QUEUE_MAX, on_done, f, &f->pool), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->listener >= 0)
		close(f->listener);
	signer_pool_free(f->pool);
	event_base_free(f->base);
	unlink(f->addr.sun_path);
	rmdir(f->folder);
	free(f);
	return 0;
}

/* A signer that takes connections and says nothing, until its listener is closed. */
static void silent_signer_start(struct fixture *f)
{
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&f->addr, sizeof(f->addr)), 0);
	assert_int_equal(listen(f->listener, 8), 0);
}

static struct signer_job *job_new(int64_t give_up_us)
{
	struct signer_job *job = calloc(1, sizeof(*job));

	job->request_id = 1;
	job->verb = SIGNER_ENROLL;
	job->give_up_us = give_up_us;
	strcpy(job->enroll.device, "PG-1");
	job->enroll.token.len = 5;
	memcpy(job->enroll.token.data, "token", 5);
	return job;
}

static void a_signer_that_is_away_is_reported(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(signer_pool_submit(f->pool, job_new(clock_mono_us() + 5000000)), 0);
	run_until(f, 1);
	assert_int_equal(f->last_rc, ERR_UNAVAILABLE);
}

static void a_job_that_waited_too_long_is_not_asked(void **state)
{
	struct fixture *f = *state;

	silent_signer_start(f); /* asking it would take ten seconds */
	assert_int_equal(signer_pool_submit(f->pool, job_new(clock_mono_us() - 1)), 0);
	run_until(f, 1);
	assert_int_equal(f->last_rc, ERR_BUSY);
}

static void a_full_queue_refuses_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t later_us = clock_mono_us() + 60000000;
	struct signer_job *one_more = job_new(later_us);
	unsigned taken = 0;

	silent_signer_start(f);
	/* One is with the thread, which may not have fetched it yet, QUEUE_MAX wait. */
	while (taken < QUEUE_MAX + 1) {
		struct signer_job *job = job_new(later_us);

		if (signer_pool_submit(f->pool, job) == 0) {
			taken++;
			continue;
		}
		signer_job_wipe(job, sizeof(*job));
		assert_true(taken >= QUEUE_MAX);
		usleep(1000);
	}
	assert_int_equal(signer_pool_submit(f->pool, one_more), ERR_BUSY);
	signer_job_wipe(one_more, sizeof(*one_more));
	close(f->listener);
	f->listener = -1;
	run_until(f, taken);
}

/* Also the case of a SIGTERM while requests wait. */
static void ending_the_pool_frees_what_waits(void **state)
{
	struct fixture *f = *state;
	int64_t later_us = clock_mono_us() + 60000000;

	silent_signer_start(f);
	assert_int_equal(signer_pool_submit(f->pool, job_new(later_us)), 0);
	assert_int_equal(signer_pool_submit(f->pool, job_new(later_us)), 0);
	close(f->listener);
	f->listener = -1;
	/* tear_down ends it; a leak or a call of on_done would show */
	f->n_wanted = 100;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_signer_that_is_away_is_reported),
		T(a_job_that_waited_too_long_is_not_asked),
		T(a_full_queue_refuses_and_loses_nothing),
		T(ending_the_pool_frees_what_waits),
	};

	return cmocka_run_group_tests_name("enroll/signer_pool", tests, NULL, NULL);
}
