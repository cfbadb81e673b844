/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the way of enrolment events to registryd. Never holds up an answer to a pump. */
#include "enroll/enrolld/event_poster.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sql/client/registry_client.h"

#define QUEUE_MAX 128

struct event_poster {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct ipc_client *registry; /* the thread's */
	bool stopping;
	unsigned first;
	unsigned n;
	struct enroll_event ring[QUEUE_MAX];
};

/* Blocks for the next event; false when stopping and nothing is left. */
static bool event_take(struct event_poster *p, struct enroll_event *out)
{
	bool there;

	pthread_mutex_lock(&p->lock);
	while (p->n == 0 && !p->stopping)
		pthread_cond_wait(&p->filled, &p->lock);
	there = p->n != 0;
	if (there) {
		*out = p->ring[p->first];
		p->first = (p->first + 1) % QUEUE_MAX;
		p->n--;
	}
	pthread_mutex_unlock(&p->lock);
	return there;
}

static void *run(void *arg)
{
	struct event_poster *p = arg;
	struct enroll_event event;
	bool away = false;

	while (event_take(p, &event)) {
		int rc = registry_enroll_event(p->registry, &event);

		if (rc && !away) /* once per outage */
			LOG(LOG_WARN, "enroll.event_not_posted", LOG_S("why", err_text()));
		away = rc != 0;
	}
	return NULL;
}

int event_poster_new(const char *socket, struct event_poster **out)
{
	struct event_poster *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return err_set(ERR_NOMEM, "no memory for events");
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->filled, NULL);
	rc = ipc_client_new(socket, "enroll", &p->registry);
	if (!rc && pthread_create(&p->thread, NULL, run, p))
		rc = err_set(ERR_IO, "no thread for events");
	if (rc) {
		ipc_client_free(p->registry);
		free(p);
		return rc;
	}
	*out = p;
	return 0;
}

void event_poster_free(struct event_poster *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_signal(&p->filled);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	ipc_client_free(p->registry);
	pthread_cond_destroy(&p->filled);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int event_poster_put(struct event_poster *p, const struct enroll_event *event)
{
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	if (p->n == QUEUE_MAX) {
		rc = ERR_BUSY;
	} else {
		p->ring[(p->first + p->n++) % QUEUE_MAX] = *event;
		pthread_cond_signal(&p->filled);
	}
	pthread_mutex_unlock(&p->lock);
	return rc ? err_set(rc, "%d events wait already", QUEUE_MAX) : 0;
}
