/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the worker thread. The work's data belong to the thread while it runs and to the loop when
 * it has ended; `stop` is the only thing that both touch.
 */
#include "pump_agent/job.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

struct job {
	pthread_t thread;
	bool running;
	atomic_bool stop;
	int wake_fd;
	struct event *wake;
	job_done done;
	void *ctx;
	job_work work;
	struct enrol enrol;
	int rc;
	char why[256];
};

static void *thread_main(void *arg)
{
	struct job *j = arg;
	uint64_t one = 1;
	ssize_t n;

	j->rc = j->work(&j->enrol);
	snprintf(j->why, sizeof(j->why), "%s", j->rc ? err_text() : "");
	OPENSSL_thread_stop();
	n = write(j->wake_fd, &one, sizeof(one)); /* cannot fail: nothing was written before */
	(void)n;
	return NULL;
}

static void collect(evutil_socket_t fd, short what, void *arg)
{
	struct job *j = arg;
	struct enrol e;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return;
	pthread_join(j->thread, NULL);
	j->running = false;
	e = j->enrol;
	j->done(j->ctx, j->rc, j->why, &e);
}

int job_new(struct event_base *base, job_done done, void *ctx, struct job **out)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return err_set(ERR_NOMEM, "no memory for a job");
	j->done = done;
	j->ctx = ctx;
	j->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	j->wake = j->wake_fd < 0 ? NULL
				 : event_new(base, j->wake_fd, EV_READ | EV_PERSIST, collect, j);
	if (!j->wake || event_add(j->wake, NULL)) {
		job_free(j);
		return err_set(ERR_NOMEM, "no memory for a job");
	}
	*out = j;
	return 0;
}

void job_free(struct job *j)
{
	if (!j)
		return;
	if (j->running) {
		atomic_store(&j->stop, true);
		pthread_join(j->thread, NULL);
	}
	if (j->wake)
		event_free(j->wake);
	if (j->wake_fd >= 0)
		close(j->wake_fd);
	free(j);
}

void job_cancel(struct job *j)
{
	uint64_t count;
	ssize_t n;

	if (!j->running)
		return;
	atomic_store(&j->stop, true);
	pthread_join(j->thread, NULL);
	j->running = false;
	n = read(j->wake_fd, &count, sizeof(count)); /* it has been written */
	(void)n;
}

bool job_is_running(const struct job *j)
{
	return j->running;
}

int job_start(struct job *j, job_work work, const struct enrol *e)
{
	if (j->running)
		return err_set(ERR_BUSY, "an enrolment is running already");
	j->work = work;
	j->enrol = *e;
	atomic_store(&j->stop, false);
	j->enrol.stop = &j->stop;
	if (pthread_create(&j->thread, NULL, thread_main, j))
		return err_set(ERR_NOMEM, "no thread for an enrolment");
	j->running = true;
	return 0;
}
