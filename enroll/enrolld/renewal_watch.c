/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the lists of certificates to renew and of orders to wipe. Never holds up an answer to a
 * pump.
 */
#include "enroll/enrolld/renewal_watch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/client/registry_client.h"

#define PAGE 500
#define ASKED_MAX 20000 /* the waves of one rotation that are not done */
#define WIPES_MAX 20000
#define CALL_MS 5000
#define TOLD_MAX 64

struct renewal_watch {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	struct ipc_client *registry; /* the thread's */
	bool stopping;
	struct renewal_ask *asked; /* sorted by serial, as registryd lists them */
	size_t n;
	struct wipe_order *wipes; /* likewise */
	size_t n_wipes;
	struct wipe_order told[TOLD_MAX]; /* a ring: orders that pumps were told of lately */
	size_t n_told;
	int64_t read_us;
	struct server_policy policy; /* number 0: none */
};

/* One page of rows into `out`, from behind `q->after`. */
typedef int (*page_fn)(struct ipc_client *registry, const struct list_query *q, void *out,
		       size_t *got);

static int asked_page(struct ipc_client *registry, const struct list_query *q, void *out,
		      size_t *got)
{
	return registry_renewal_asked(registry, q, out, PAGE, got, CALL_MS);
}

static int wipes_page(struct ipc_client *registry, const struct list_query *q, void *out,
		      size_t *got)
{
	return registry_wipe_orders(registry, q, out, PAGE, got, CALL_MS);
}

/* A whole list of at most `max` rows, whose first member is the text that they are sorted by. The
 * caller frees *out. */
static int list_read(struct ipc_client *registry, page_fn page, size_t row, size_t max, void **out,
		     size_t *n_out)
{
	struct list_query q = {.limit = PAGE};
	char *all = NULL;
	size_t n = 0, got = PAGE;
	int rc = 0;

	while (!rc && got == PAGE && n < max) {
		char *more = realloc(all, (n + PAGE) * row);

		if (!more) {
			rc = err_set(ERR_NOMEM, "no memory for renewals");
			break;
		}
		all = more;
		rc = page(registry, &q, all + n * row, &got);
		if (rc || !got)
			break;
		n += got;
		snprintf(q.after, sizeof(q.after), "%s", all + (n - 1) * row);
	}
	if (rc) {
		free(all);
		return rc;
	}
	*out = all;
	*n_out = n;
	return 0;
}

static void lists_take(struct renewal_watch *w)
{
	void *asked = NULL, *wipes = NULL;
	size_t n = 0, n_wipes = 0;
	int rc = list_read(w->registry, asked_page, sizeof(*w->asked), ASKED_MAX, &asked, &n);

	rc = rc ? rc
		: list_read(w->registry, wipes_page, sizeof(*w->wipes), WIPES_MAX, &wipes,
			    &n_wipes);
	if (rc) {
		LOG(LOG_DEBUG, "enroll.renewals_unknown", LOG_S("why", err_text()));
	} else {
		void *old_asked = w->asked, *old_wipes = w->wipes;

		pthread_mutex_lock(&w->lock);
		w->asked = asked;
		w->n = n;
		w->wipes = wipes;
		w->n_wipes = n_wipes;
		w->read_us = clock_mono_us();
		pthread_mutex_unlock(&w->lock);
		asked = old_asked;
		wipes = old_wipes;
	}
	free(asked);
	free(wipes);
}

/* Signed for pumps, so an old one does no harm: it stays until there is another. */
static void policy_take(struct renewal_watch *w)
{
	const struct list_query q = {.limit = 1};
	struct server_policy policy;
	size_t n = 0;

	if (registry_server_policy(w->registry, &q, &policy, 1, &n, CALL_MS) || !n)
		return;
	pthread_mutex_lock(&w->lock);
	w->policy = policy;
	pthread_mutex_unlock(&w->lock);
}

static void *run(void *arg)
{
	struct renewal_watch *w = arg;
	bool stopping = false;

	while (!stopping) {
		struct timespec until;

		lists_take(w);
		policy_take(w);
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
	free(w->wipes);
	free(w);
}

static bool is_fresh(const struct renewal_watch *w)
{
	return clock_mono_us() - w->read_us < RENEWAL_WATCH_STALE_S * INT64_C(1000000);
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
	if (w->n && is_fresh(w))
		found = bsearch(cert_serial, w->asked, w->n, sizeof(*w->asked), by_serial);
	at = found ? found->asked_at : 0;
	pthread_mutex_unlock(&w->lock);
	return at;
}

static int by_order(const void *key, const void *member)
{
	return strcmp(key, ((const struct wipe_order *)member)->wipe_order);
}

static bool is_told(const struct renewal_watch *w, const char *order)
{
	for (size_t i = 0; i < TOLD_MAX && i < w->n_told; i++)
		if (!strcmp(order, w->told[i].wipe_order))
			return true;
	return false;
}

void renewal_watch_wipe_told(struct renewal_watch *w, const char *order)
{
	pthread_mutex_lock(&w->lock);
	if (!is_told(w, order)) {
		struct wipe_order *next = &w->told[w->n_told++ % TOLD_MAX];

		snprintf(next->wipe_order, sizeof(next->wipe_order), "%s", order);
	}
	pthread_mutex_unlock(&w->lock);
}

bool renewal_watch_is_wipe(struct renewal_watch *w, const char *order)
{
	bool yes;

	pthread_mutex_lock(&w->lock);
	yes = is_told(w, order) ||
	      (w->n_wipes && bsearch(order, w->wipes, w->n_wipes, sizeof(*w->wipes), by_order));
	pthread_mutex_unlock(&w->lock);
	return yes;
}

int renewal_watch_policy(struct renewal_watch *w, struct buf *out)
{
	int rc;

	pthread_mutex_lock(&w->lock);
	rc = w->policy.number ? buf_put(out, w->policy.der.data, w->policy.der.len)
			      : err_set(ERR_NOT_FOUND, "no server policy");
	pthread_mutex_unlock(&w->lock);
	return rc;
}
