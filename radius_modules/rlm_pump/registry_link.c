/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns radiusd's connections to registryd and the pause after a question without answer. */
#include "radius_modules/rlm_pump/registry_link.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "radius_modules/rlm_pump/standing_view.h"

struct registry_link {
	pthread_key_t key;
	_Atomic int64_t paused_until_us; /* 0: registryd answers */
	_Atomic int acct_waiting;
	_Atomic int64_t acct_slow_until_us;
	_Atomic uint64_t request_id; /* the last one given; starts at random, then counts */
	char path[108];
	struct event_outbox *events;
	struct standing_view *standings;
};

static void client_close(void *client)
{
	ipc_client_free(client);
}

int registry_link_new(const char *socket_path, struct registry_link **out)
{
	struct registry_link *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return err_set(ERR_NOMEM, "no memory for the registry link");
	if (str_copy(l->path, sizeof(l->path), socket_path)) {
		free(l);
		return err_set(ERR_LIMIT, "%s: too long for a socket's path", socket_path);
	}
	if (pthread_key_create(&l->key, client_close)) {
		free(l);
		return err_set(ERR_IO, "no thread key left");
	}
	rc = standing_view_new(&l->standings);
	if (!rc)
		rc = event_outbox_new(l->path, &l->events);
	if (rc) {
		standing_view_free(l->standings);
		pthread_key_delete(l->key);
		free(l);
		return rc;
	}
	secret_fill_random(&l->request_id, sizeof(l->request_id));
	*out = l;
	return 0;
}

size_t registry_link_free(struct registry_link *l)
{
	size_t lost;

	if (!l)
		return 0;
	lost = event_outbox_end(l->events);
	client_close(pthread_getspecific(l->key));
	pthread_key_delete(l->key);
	standing_view_free(l->standings);
	free(l);
	return lost;
}

/* The thread's own client; NULL when there is no memory for one. */
static struct ipc_client *client_of_thread(struct registry_link *l)
{
	struct ipc_client *c = pthread_getspecific(l->key);

	if (c)
		return c;
	if (ipc_client_new(l->path, "radius", &c))
		return NULL;
	if (pthread_setspecific(l->key, c)) {
		ipc_client_free(c);
		return NULL;
	}
	return c;
}

uint64_t registry_link_request_begin(struct registry_link *l)
{
	struct ipc_client *c = client_of_thread(l);
	uint64_t id = atomic_fetch_add(&l->request_id, 1) + 1;

	if (!c)
		return 0;
	if (id == 0) /* which would mean: a random one */
		id = 1;
	ipc_client_request_id_set(c, id);
	return id;
}

/* False during a pause; when the pause has ended, for all threads but the one that tries. */
static bool may_ask(struct registry_link *l, int64_t now_us, int timeout_ms)
{
	int64_t until = atomic_load(&l->paused_until_us);

	if (until == 0)
		return true;
	if (now_us < until)
		return false;
	return atomic_compare_exchange_strong(
		&l->paused_until_us, &until, now_us + (timeout_ms + LINK_PAUSE_MS) * (int64_t)1000);
}

static bool is_silence(int rc)
{
	return rc == ERR_TIMEOUT || rc == ERR_UNAVAILABLE || rc == ERR_INVALID || rc == ERR_IO;
}

/* One question with its limits: asked again once when the connection had just broken. */
static int ask(struct registry_link *l, uint16_t verb, const struct record_desc *req_desc,
	       const void *req, const struct record_desc *rep_desc, void *rep, int timeout_ms)
{
	int64_t start_us = clock_mono_us();
	struct ipc_client *c = client_of_thread(l);
	bool short_question = timeout_ms < LINK_FACTS_MS && !registry_link_is_paused(l);
	int64_t took_us;
	int rc;

	if (!c)
		return err_set(ERR_NOMEM, "no memory for a connection");
	if (!may_ask(l, start_us, timeout_ms))
		return err_set(ERR_UNAVAILABLE, "registryd did not answer a moment ago");
	rc = ipc_client_call(c, verb, req_desc, req, 1, rep_desc, rep, 1, NULL, timeout_ms);
	took_us = clock_mono_us() - start_us;
	if (is_silence(rc) && took_us < timeout_ms * (int64_t)1000 / 4) {
		rc = ipc_client_call(c, verb, req_desc, req, 1, rep_desc, rep, 1, NULL, timeout_ms);
		took_us = clock_mono_us() - start_us;
	}
	if (!is_silence(rc)) /* an answer, be it a refusal */
		atomic_store(&l->paused_until_us, 0);
	else if (short_question) /* too short to tell a hanging registryd from a busy machine */
		return rc;
	else if (took_us >= timeout_ms * (int64_t)1000 / 4)
		atomic_store(&l->paused_until_us, clock_mono_us() + LINK_PAUSE_MS * (int64_t)1000);
	else
		atomic_store(&l->paused_until_us,
			     0); /* nobody listens: finding out costs nothing */
	return rc;
}

int registry_link_pump_facts(struct registry_link *l, const struct cert_name *q,
			     struct pump_facts *out)
{
	int rc;

	if (standing_view_find(l->standings, q, out))
		return 0;
	rc = ask(l, REGISTRY_PUMP_FACTS, &record_cert_name, q, &record_pump_facts, out,
		 LINK_FACTS_MS);
	if (!rc) /* its connection is there, and it is alive */
		standing_view_renew(l->standings, pthread_getspecific(l->key));
	return rc;
}

int registry_link_mac_facts(struct registry_link *l, const struct mac_query *q,
			    struct mac_facts *out)
{
	return ask(l, REGISTRY_MAC_FACTS, &record_mac_query, q, &record_mac_facts, out,
		   LINK_FACTS_MS);
}

int registry_link_zone_facts(struct registry_link *l, const struct zone_query *q,
			     struct zone_facts *out)
{
	return ask(l, REGISTRY_ZONE_FACTS, &record_zone_query, q, &record_zone_facts, out,
		   LINK_FACTS_MS);
}

int registry_link_birth_facts(struct registry_link *l, const struct birth_query *q,
			      struct birth_facts *out)
{
	return ask(l, REGISTRY_BIRTH_FACTS, &record_birth_query, q, &record_birth_facts, out,
		   LINK_FACTS_MS);
}

int registry_link_nas_facts(struct registry_link *l, const struct nas_query *q,
			    struct nas_facts *out)
{
	return ask(l, REGISTRY_NAS_FACTS, &record_nas_query, q, &record_nas_facts, out,
		   LINK_NAS_MS);
}

int registry_link_auth_event(struct registry_link *l, const struct auth_event *e)
{
	return event_outbox_put(l->events, e);
}

/* More threads than LINK_ACCT_MAX wait only while commits are quick, and not long. */
static int acct_ask(struct registry_link *l, struct ipc_client *c, const struct acct_event *e,
		    bool beyond)
{
	int64_t start_us = clock_mono_us(), took_us;
	int rc;

	if (beyond && start_us < atomic_load(&l->acct_slow_until_us))
		return err_set(ERR_BUSY, "%d accounting packets wait already", LINK_ACCT_MAX);
	rc = registry_acct_event(c, e, beyond ? LINK_ACCT_QUICK_MS : LINK_ACCT_MS);
	took_us = clock_mono_us() - start_us;
	if (took_us >= LINK_ACCT_QUICK_MS * INT64_C(1000))
		atomic_store(&l->acct_slow_until_us,
			     start_us + took_us + LINK_ACCT_SLOW_MS * INT64_C(1000));
	return rc;
}

int registry_link_acct_event(struct registry_link *l, const struct acct_event *e)
{
	struct ipc_client *c = client_of_thread(l);
	int rc;

	if (!c)
		return err_set(ERR_NOMEM, "no memory for a connection");
	rc = acct_ask(l, c, e, atomic_fetch_add(&l->acct_waiting, 1) >= LINK_ACCT_MAX);
	atomic_fetch_sub(&l->acct_waiting, 1);
	return rc;
}

int registry_link_nas_event(struct registry_link *l, const struct nas_event *e)
{
	struct ipc_client *c = client_of_thread(l);

	if (!c)
		return err_set(ERR_NOMEM, "no memory for a connection");
	if (registry_link_is_paused(l))
		return err_set(ERR_UNAVAILABLE, "registryd did not answer a moment ago");
	return registry_nas_event(c, e);
}

bool registry_link_is_paused(const struct registry_link *l)
{
	return atomic_load(&l->paused_until_us) != 0;
}
