/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns asking signerd on behalf of whoever wants to know a certificate's status. Never touches a
 * connection of theirs. */
#include "enroll/enrolld/status_asker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/ipc_client.h"
#include "base/log.h"

#define QUEUE_MAX 64
#define CALL_MS 2500
#define STOP_S 2
#define FRESH_US 1000000 /* so old may the list be that is given without asking */
#define CRL_BYTES_MAX (32u * 1024 * 1024)
#define FETCH_TRIES 3 /* it may be replaced while it is read */

struct status_asker {
	struct ipc_client *signer; /* the thread's, as the next three */
	struct crl_copy *crl;
	int64_t crl_at_us;
	bool away; /* said so once */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct status_job *waiting, **waiting_end;
	struct status_job *answered;
	unsigned n_waiting;
	bool stopping;
	int wake_fd; /* eventfd: `answered` is not empty */
	struct event *wake;
	status_done done;
	void *ctx;
};

struct crl_copy *crl_copy_ref(struct crl_copy *c)
{
	if (c)
		atomic_fetch_add(&c->refs, 1);
	return c;
}

void crl_copy_unref(struct crl_copy *c)
{
	if (c && atomic_fetch_sub(&c->refs, 1) == 1)
		free(c);
}

void status_job_free(struct status_job *job)
{
	if (!job)
		return;
	crl_copy_unref(job->crl);
	free(job);
}

static int part_get(struct status_asker *a, uint64_t number, size_t offset, struct crl_part *out)
{
	const struct crl_query q = {.number = number, .offset = (uint32_t)offset};

	return ipc_client_call(a->signer, SIGNER_CRL, &record_crl_query, &q, 1, &record_crl_part,
			       out, 1, NULL, CALL_MS);
}

static int part_add(struct crl_copy *c, size_t *got, const struct crl_part *part)
{
	if (part->number != c->number || part->total != c->len || !part->data.len ||
	    part->data.len > c->len - *got)
		return err_set(ERR_INVALID, "the signer's revocation list does not fit together");
	memcpy(c->data + *got, part->data.data, part->data.len);
	*got += part->data.len;
	return 0;
}

/* The rest of the list whose first part is in *part. */
static int parts_get(struct status_asker *a, struct crl_part *part, struct crl_copy **out)
{
	struct crl_copy *c;
	size_t got = 0;
	int rc;

	if (!part->total || part->total > CRL_BYTES_MAX)
		return err_set(ERR_LIMIT, "revocation list of %u bytes", part->total);
	c = malloc(sizeof(*c) + part->total);
	if (!c)
		return err_set(ERR_NOMEM, "no memory for the revocation list");
	*c = (struct crl_copy){.refs = 1,
			       .number = part->number,
			       .next_update_ms = part->next_update,
			       .len = part->total};
	rc = part_add(c, &got, part);
	while (!rc && got < c->len) {
		rc = part_get(a, c->number, got, part);
		if (!rc)
			rc = part_add(c, &got, part);
	}
	if (rc)
		crl_copy_unref(c);
	else
		*out = c;
	return rc;
}

static int crl_fetch(struct status_asker *a)
{
	struct crl_part part;
	struct crl_copy *fresh;
	int rc = ERR_NOT_FOUND;

	for (int i = 0; rc == ERR_NOT_FOUND && i < FETCH_TRIES; i++) {
		rc = part_get(a, 0, 0, &part);
		if (!rc && a->crl && a->crl->number == part.number)
			return 0;
		if (!rc)
			rc = parts_get(a, &part, &fresh);
	}
	if (rc)
		return rc;
	crl_copy_unref(a->crl);
	a->crl = fresh;
	return 0;
}

/* While the signer is away the last list is given as long as it says itself that it is good. */
static int crl_get(struct status_asker *a, struct crl_copy **out)
{
	int64_t now_us = clock_mono_us();
	bool is_fresh = a->crl && now_us - a->crl_at_us < FRESH_US;
	int rc = is_fresh ? 0 : crl_fetch(a);

	if (rc && !a->away)
		LOG(LOG_WARN, "status.crl_not_fetched", LOG_S("why", err_text()));
	a->away = rc != 0;
	if (rc && (!a->crl || clock_wall_ms() >= a->crl->next_update_ms))
		return rc;
	if (!is_fresh)
		a->crl_at_us = now_us;
	*out = crl_copy_ref(a->crl);
	return 0;
}

static void job_ask(struct status_asker *a, struct status_job *job)
{
	if (clock_mono_us() > job->give_up_us)
		job->rc = ERR_BUSY;
	else if (job->is_ocsp)
		job->rc = ipc_client_call(a->signer, SIGNER_OCSP, &record_ocsp_query,
					  job->asked.queries, job->asked.n, &record_ocsp_answer,
					  &job->answer, 1, NULL, CALL_MS);
	else
		job->rc = crl_get(a, &job->crl);
}

static struct status_job *next_job(struct status_asker *a)
{
	struct status_job *job = NULL;

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
	struct status_asker *a = arg;
	struct status_job *job;

	while ((job = next_job(a))) {
		uint64_t one = 1;
		ssize_t n;

		job_ask(a, job);
		pthread_mutex_lock(&a->lock);
		job->next = a->answered; /* in any order: each has its own connection */
		a->answered = job;
		pthread_mutex_unlock(&a->lock);
		n = write(a->wake_fd, &one, sizeof(one)); /* can only fail when it is set anyway */
		(void)n;
	}
	return NULL;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct status_asker *a = arg;
	struct status_job *job;
	uint64_t count;
	ssize_t n = read((int)fd, &count, sizeof(count));

	(void)n;
	(void)what;
	pthread_mutex_lock(&a->lock);
	job = a->answered;
	a->answered = NULL;
	pthread_mutex_unlock(&a->lock);
	while (job) {
		struct status_job *next = job->next;

		a->done(job, a->ctx);
		job = next;
	}
}

static void release(struct status_asker *a)
{
	if (a->wake)
		event_free(a->wake);
	if (a->wake_fd >= 0)
		close(a->wake_fd);
	ipc_client_free(a->signer);
	crl_copy_unref(a->crl);
	pthread_cond_destroy(&a->filled);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static int set_up(struct status_asker *a, struct event_base *base, const char *socket)
{
	int rc = ipc_client_new(socket, "publish", &a->signer);

	if (rc)
		return rc;
	a->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->wake_fd < 0)
		return err_errno(ERR_IO, "eventfd");
	a->wake = event_new(base, a->wake_fd, EV_READ | EV_PERSIST, on_wake, a);
	if (!a->wake || event_add(a->wake, NULL) || pthread_create(&a->thread, NULL, run, a))
		return err_set(ERR_NOMEM, "no thread to ask the signer");
	return 0;
}

int status_asker_new(struct event_base *base, const char *socket, status_done done, void *ctx,
		     struct status_asker **out)
{
	struct status_asker *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return err_set(ERR_NOMEM, "no memory to ask the signer");
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->filled, NULL);
	a->waiting_end = &a->waiting;
	a->wake_fd = -1;
	a->done = done;
	a->ctx = ctx;
	rc = set_up(a, base, socket);
	if (rc)
		release(a);
	else
		*out = a;
	return rc;
}

static void jobs_free(struct status_job *job)
{
	while (job) {
		struct status_job *next = job->next;

		status_job_free(job);
		job = next;
	}
}

void status_asker_free(struct status_asker *a)
{
	struct timespec until;

	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stopping = true;
	pthread_cond_signal(&a->filled);
	pthread_mutex_unlock(&a->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_S;
	if (pthread_timedjoin_np(a->thread, NULL, &until))
		return; /* hangs in a call: all that it uses must stay */
	jobs_free(a->waiting);
	jobs_free(a->answered);
	release(a);
}

int status_asker_submit(struct status_asker *a, struct status_job *job)
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
	return rc ? err_set(rc, "%d status requests wait already", QUEUE_MAX) : 0;
}
