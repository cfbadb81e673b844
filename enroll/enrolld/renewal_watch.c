/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the list of certificates to renew. Never holds up an answer to a pump. */
#include "enroll/enrolld/renewal_watch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/client/registry_client.h"

#define PAGE 500
#define ASKED_MAX 20000 /* the waves of one rotation that are not done */
#define CALL_MS 5000

struct renewal_watch {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	struct ipc_client *registry; /* the thread's */
	bool stopping;
	struct renewal_ask *asked; /* sorted by serial, as registryd lists them */
	size_t n;
	int64_t read_us;
};

/* The caller frees *out. */
static int asked_read(struct ipc_client *registry, struct renewal_ask **out, size_t *n_out)
{
	struct renewal_ask *all = NULL;
	struct list_query q = {.limit = PAGE};
	size_t n = 0, got = PAGE;
	int rc = 0;

	while (!rc && got == PAGE && n < ASKED_MAX) {
		struct renewal_ask *more = realloc(all, (n + PAGE) * sizeof(*all));

		if (!more) {
			rc = err_set(ERR_NOMEM, "no memory for renewals");
			break;
		}
		all = more;
		rc = registry_renewal_asked(registry, &q, all + n, PAGE, &got, CALL_MS);
		if (rc || !got)
			break;
		n += got;
		memcpy(q.after, all[n - 1].cert_serial, sizeof(all[n - 1].cert_serial));
	}
	if (rc) {
		free(all);
		return rc;
	}
	*out = all;
	*n_out = n;
	return 0;
}

static void asked_take(struct renewal_watch *w)
{
	struct renewal_ask *all = NULL, *old;
	size_t n = 0;
	int rc = asked_read(w->registry, &all, &n);

	if (rc) {
		LOG(LOG_DEBUG, "enroll.renewals_unknown", LOG_S("why", err_text()));
		return;
	}
	pthread_mutex_lock(&w->lock);
	old = w->asked;
	w->asked = all;
	w->n = n;
	w->read_us = clock_mono_us();
	pthread_mutex_unlock(&w->lock);
	free(old);
}

static void *run(void *arg)
{
	struct renewal_watch *w = arg;
	bool stopping = false;

	while (!stopping) {
		struct timespec until;

		asked_take(w);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += RENEWAL_WATCH_EVERY_S;
		pthread_mutex_lock(&w->lock);
		if (!w->stopping)
			pthread_cond_timedwait(&w->stop, &w->lock, &until);
		stopping = w->stopping;
		pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

int renewal_watch_new(const char *socket, struct renewal_watch **out)
{
	struct renewal_watch *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int rc;

	if (!w)
		return err_set(ERR_NOMEM, "no memory for renewals");
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->stop, &attr);
	pthread_condattr_destroy(&attr);
	rc = ipc_client_new(socket, "enroll", &w->registry);
	if (!rc && pthread_create(&w->thread, NULL, run, w))
		rc = err_set(ERR_IO, "no thread for renewals");
	if (rc) {
		ipc_client_free(w->registry);
		free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void renewal_watch_free(struct renewal_watch *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->stop);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	ipc_client_free(w->registry);
	pthread_cond_destroy(&w->stop);
	pthread_mutex_destroy(&w->lock);
	free(w->asked);
	free(w);
}

static int by_serial(const void *key, const void *member)
{
	return strcmp(key, ((const struct renewal_ask *)member)->cert_serial);
}

int64_t renewal_watch_asked(struct renewal_watch *w, const char *cert_serial)
{
	const struct renewal_ask *found = NULL;
	int64_t at;

	pthread_mutex_lock(&w->lock);
	if (w->n && clock_mono_us() - w->read_us < RENEWAL_WATCH_STALE_S * INT64_C(1000000))
		found = bsearch(cert_serial, w->asked, w->n, sizeof(*w->asked), by_serial);
	at = found ? found->asked_at : 0;
	pthread_mutex_unlock(&w->lock);
	return at;
}
