/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the way of pumps' reports to registryd. Never touches a connection of theirs. */
#include "enroll/enrolld/report_asker.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <sodium.h>

#include "base/log.h"
#include "base/secret.h"
#include "sql/client/registry_client.h"

#define QUEUE_MAX 256
#define CALL_MS 5000
#define PLACES 16384 /* two pumps at one place share the newer one's count: that is lenient */
#define BURST 6
#define REFILL_US 10000000

struct place {
	uint64_t key;
	int64_t at_us;
	unsigned spent;
};

struct report_asker {
	struct ipc_client *registry; /* the thread's */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct report_job *waiting, **waiting_end;
	struct report_job *answered, **answered_end;
	unsigned n_waiting;
	bool stopping;
	bool started;
	int wake_fd; /* eventfd: `answered` is not empty */
	struct event *wake;
	report_done done;
	void *ctx;
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
	struct place places[PLACES];
};

unsigned report_asker_wait_s(struct report_asker *a, const char *cert_serial, int64_t now_us)
{
	uint64_t key;
	struct place *p;
	int64_t refilled;

	crypto_shorthash((uint8_t *)&key, (const uint8_t *)cert_serial, strlen(cert_serial),
			 a->hash_key);
	p = &a->places[key % PLACES];
	if (p->key != key)
		*p = (struct place){.key = key, .at_us = now_us};
	refilled = (now_us - p->at_us) / REFILL_US;
	p->at_us += refilled * REFILL_US;
	p->spent = refilled < p->spent ? p->spent - (unsigned)refilled : 0;
	if (p->spent >= BURST)
		return (unsigned)((p->at_us + REFILL_US - now_us) / 1000000 + 1);
	if (!p->spent)
		p->at_us = now_us;
	p->spent++;
	return 0;
}

static struct report_job *next_job(struct report_asker *a)
{
	struct report_job *job = NULL;

	pthread_mutex_lock(&a->lock);
	while (!a->stopping && !a->waiting)
		pthread_cond_wait(&a->filled, &a->lock);
	if (!a->stopping) {
		job = a->waiting;
		a->waiting = job->next;
		if (!a->waiting)
			a->waiting_end = &a->waiting;
		a->n_waiting--;
	}
	pthread_mutex_unlock(&a->lock);
	return job;
}

static void *run(void *arg)
{
	struct report_asker *a = arg;
	struct report_job *job;

	while ((job = next_job(a))) {
		uint64_t one = 1;
		ssize_t n;

		job->rc = registry_report(a->registry, &job->report, &job->answer, CALL_MS);
		if (job->rc)
			LOG(LOG_WARN, "report.not_kept", LOG_S("device", job->report.device),
			    LOG_S("why", err_text()));
		job->next = NULL;
		pthread_mutex_lock(&a->lock);
		*a->answered_end = job;
		a->answered_end = &job->next;
		pthread_mutex_unlock(&a->lock);
		n = write(a->wake_fd, &one, sizeof(one)); /* can only fail when it is set anyway */
		(void)n;
	}
	return NULL;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct report_asker *a = arg;
	struct report_job *job;
	uint64_t count;
	ssize_t n = read((int)fd, &count, sizeof(count));

	(void)n;
	(void)what;
	pthread_mutex_lock(&a->lock);
	job = a->answered;
	a->answered = NULL;
	a->answered_end = &a->answered;
	pthread_mutex_unlock(&a->lock);
	while (job) {
		struct report_job *next = job->next;

		a->done(job, a->ctx);
		job = next;
	}
}

static void jobs_free(struct report_job *job)
{
	while (job) {
		struct report_job *next = job->next;

		free(job);
		job = next;
	}
}

void report_asker_free(struct report_asker *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stopping = true;
	pthread_cond_signal(&a->filled);
	pthread_mutex_unlock(&a->lock);
	if (a->started)
		pthread_join(a->thread, NULL);
	jobs_free(a->waiting);
	jobs_free(a->answered);
	if (a->wake)
		event_free(a->wake);
	if (a->wake_fd >= 0)
		close(a->wake_fd);
	ipc_client_free(a->registry);
	pthread_cond_destroy(&a->filled);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static int set_up(struct report_asker *a, struct event_base *base, const char *socket)
{
	int rc = ipc_client_new(socket, "enroll", &a->registry);

	if (rc)
		return rc;
	a->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->wake_fd < 0)
		return err_errno(ERR_IO, "eventfd");
	a->wake = event_new(base, a->wake_fd, EV_READ | EV_PERSIST, on_wake, a);
	if (!a->wake || event_add(a->wake, NULL))
		return err_set(ERR_NOMEM, "no memory for reports");
	a->started = !pthread_create(&a->thread, NULL, run, a);
	return a->started ? 0 : err_set(ERR_IO, "no thread for reports");
}

int report_asker_new(struct event_base *base, const char *socket, report_done done, void *ctx,
		     struct report_asker **out)
{
	struct report_asker *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return err_set(ERR_NOMEM, "no memory for reports");
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->filled, NULL);
	a->waiting_end = &a->waiting;
	a->answered_end = &a->answered;
	a->wake_fd = -1;
	a->done = done;
	a->ctx = ctx;
	secret_fill_random(a->hash_key, sizeof(a->hash_key));
	rc = set_up(a, base, socket);
	if (rc)
		report_asker_free(a);
	else
		*out = a;
	return rc;
}

int report_asker_submit(struct report_asker *a, struct report_job *job)
{
	int rc = 0;

	pthread_mutex_lock(&a->lock);
	if (a->n_waiting == QUEUE_MAX) {
		rc = ERR_BUSY;
	} else {
		job->next = NULL;
		*a->waiting_end = job;
		a->waiting_end = &job->next;
		a->n_waiting++;
		pthread_cond_signal(&a->filled);
	}
	pthread_mutex_unlock(&a->lock);
	return rc ? err_set(rc, "%d reports wait already", QUEUE_MAX) : 0;
}
