/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the threads that ask signerd. Never touches a pump's connection. */
#include "enroll/enrolld/signer_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/ipc_client.h"
#include "base/secret.h"

#define THREADS_MAX 16
#define CALL_MS 10000
#define STOP_S 2

struct job_list {
	struct signer_job *first;
	struct signer_job **end;
};

struct worker {
	struct signer_pool *pool;
	struct ipc_client *signer;
	pthread_t thread;
};

struct signer_pool {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct job_list waiting; /* under lock */
	struct job_list answered;
	unsigned n_waiting;
	bool stopping;
	unsigned queue_max;
	int wake_fd; /* eventfd: `answered` is not empty */
	struct event *wake;
	signer_done done;
	void *ctx;
	unsigned n_workers; /* started */
	struct worker workers[THREADS_MAX];
};

static void list_init(struct job_list *l)
{
	l->first = NULL;
	l->end = &l->first;
}

static void list_add(struct job_list *l, struct signer_job *job)
{
	job->next = NULL;
	*l->end = job;
	l->end = &job->next;
}

static struct signer_job *list_take(struct job_list *l)
{
	struct signer_job *job = l->first;

	if (job) {
		l->first = job->next;
		if (!l->first)
			l->end = &l->first;
	}
	return job;
}

void signer_job_wipe(struct signer_job *job, size_t size)
{
	if (!job)
		return;
	secret_wipe(job, size);
	free(job);
}

/* All requests begin at the same place: they are a union's. */
static const struct record_desc *request_desc(enum signer_verb verb)
{
	switch (verb) {
	case SIGNER_RENEW:
		return &record_sign_renew;
	case SIGNER_IDEVID:
		return &record_sign_idevid;
	case SIGNER_WIPE:
		return &record_wipe_check;
	default:
		return &record_sign_enroll;
	}
}

static void job_ask(struct signer_job *job, struct ipc_client *signer)
{
	if (clock_mono_us() > job->give_up_us) {
		job->rc = err_set(ERR_BUSY, "waited too long for its turn");
	} else {
		ipc_client_request_id_set(signer, job->request_id);
		job->rc = ipc_client_call(signer, job->verb, request_desc(job->verb), &job->enroll,
					  1, &record_signed_cert, &job->cert, 1, NULL, CALL_MS);
	}
	job->text[0] = '\0';
	if (job->rc)
		strncat(job->text, err_text(), sizeof(job->text) - 1);
	if (job->verb == SIGNER_ENROLL) /* not needed any more: as short a life as can be */
		secret_wipe(&job->enroll.token, sizeof(job->enroll.token));
}

static struct signer_job *next_job(struct signer_pool *p)
{
	struct signer_job *job = NULL;

	pthread_mutex_lock(&p->lock);
	while (!p->stopping && !(job = list_take(&p->waiting)))
		pthread_cond_wait(&p->filled, &p->lock);
	if (job)
		p->n_waiting--;
	pthread_mutex_unlock(&p->lock);
	return job;
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct signer_pool *p = w->pool;
	struct signer_job *job;

	while ((job = next_job(p))) {
		uint64_t one = 1;
		ssize_t n;

		job_ask(job, w->signer);
		pthread_mutex_lock(&p->lock);
		list_add(&p->answered, job);
		pthread_mutex_unlock(&p->lock);
		n = write(p->wake_fd, &one, sizeof(one)); /* can only fail when it is set anyway */
		(void)n;
	}
	return NULL;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct signer_pool *p = arg;
	struct job_list answered;
	struct signer_job *job;
	uint64_t count;
	ssize_t n = read((int)fd, &count, sizeof(count));

	(void)n;
	(void)what;
	list_init(&answered);
	pthread_mutex_lock(&p->lock);
	while ((job = list_take(&p->answered)))
		list_add(&answered, job);
	pthread_mutex_unlock(&p->lock);
	while ((job = list_take(&answered)))
		p->done(job, p->ctx);
}

static int worker_start(struct signer_pool *p, const char *socket)
{
	struct worker *w = &p->workers[p->n_workers];
	int rc = ipc_client_new(socket, "enroll", &w->signer);

	if (rc)
		return rc;
	w->pool = p;
	if (pthread_create(&w->thread, NULL, worker_run, w)) {
		ipc_client_free(w->signer);
		return err_set(ERR_IO, "no thread to ask the signer");
	}
	p->n_workers++;
	return 0;
}

int signer_pool_new(struct event_base *base, const char *socket, unsigned n_threads,
		    unsigned queue_max, signer_done done, void *ctx, struct signer_pool **out)
{
	struct signer_pool *p = calloc(1, sizeof(*p));
	int rc = 0;

	if (!p || n_threads > THREADS_MAX) {
		free(p);
		return err_set(p ? ERR_LIMIT : ERR_NOMEM, "no pool of %u threads", n_threads);
	}
	list_init(&p->waiting);
	list_init(&p->answered);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->filled, NULL);
	p->queue_max = queue_max;
	p->done = done;
	p->ctx = ctx;
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake_fd < 0)
		rc = err_errno(ERR_IO, "eventfd");
	if (!rc) {
		p->wake = event_new(base, p->wake_fd, EV_READ | EV_PERSIST, on_wake, p);
		if (!p->wake || event_add(p->wake, NULL))
			rc = err_set(ERR_NOMEM, "no memory for the signer's pool");
	}
	while (!rc && p->n_workers < n_threads)
		rc = worker_start(p, socket);
	if (rc) {
		signer_pool_free(p);
		return rc;
	}
	*out = p;
	return 0;
}

void signer_pool_free(struct signer_pool *p)
{
	struct timespec until;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->filled);
	pthread_mutex_unlock(&p->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_S;
	for (unsigned i = 0; i < p->n_workers; i++) {
		if (pthread_timedjoin_np(p->workers[i].thread, NULL, &until))
			return; /* hangs in a call: all that it uses must stay */
		ipc_client_free(p->workers[i].signer);
	}
	if (p->wake)
		event_free(p->wake);
	if (p->wake_fd >= 0)
		close(p->wake_fd);
	for (struct signer_job *job; (job = list_take(&p->waiting));)
		signer_job_wipe(job, sizeof(*job));
	for (struct signer_job *job; (job = list_take(&p->answered));)
		signer_job_wipe(job, sizeof(*job));
	pthread_cond_destroy(&p->filled);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int signer_pool_submit(struct signer_pool *p, struct signer_job *job)
{
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	if (p->n_waiting == p->queue_max) {
		rc = ERR_BUSY;
	} else {
		list_add(&p->waiting, job);
		p->n_waiting++;
		pthread_cond_signal(&p->filled);
	}
	pthread_mutex_unlock(&p->lock);
	return rc ? err_set(rc, "%u requests wait for the signer already", p->queue_max) : 0;
}
