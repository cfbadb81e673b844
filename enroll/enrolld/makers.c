/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the fresh copy of the makers' anchors. Never lets a maker's certificate count as a pump's.
 */
#include "enroll/enrolld/makers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/log.h"
#include "enroll/enrolld/trust.h"
#include "sql/client/registry_client.h"

#define ASK_MS 2000
#define DIGEST_BYTES 32

struct makers {
	pthread_t thread;
	pthread_mutex_t lock; /* store, stopping */
	pthread_cond_t wake;
	bool stopping;
	X509_STORE *store; /* NULL: nobody is enabled */
	/* the thread's */
	struct ipc_client *registry;
	struct maker *list; /* MAKERS_MAX of them: the latest answer */
	uint8_t digest[DIGEST_BYTES];
};

static int anchors_add(X509_STORE *store, const struct maker *m)
{
	const uint8_t *at = m->anchors.data, *end = at + m->anchors.len;

	while (at < end) {
		X509 *cert = d2i_X509(NULL, &at, (long)(end - at));
		int ok = cert && X509_STORE_add_cert(store, cert) == 1;

		X509_free(cert);
		if (!ok)
			return trust_crypto_error(m->name);
	}
	return 0;
}

static int store_build(const struct maker *list, size_t n, X509_STORE **out)
{
	X509_STORE *store = n ? X509_STORE_new() : NULL;
	int rc = n && !store ? err_set(ERR_NOMEM, "no memory for a trust store") : 0;

	for (size_t i = 0; !rc && i < n; i++)
		rc = anchors_add(store, &list[i]);
	if (rc) {
		X509_STORE_free(store);
		return rc;
	}
	*out = store;
	return 0;
}

static void store_put(struct makers *m, X509_STORE *store, size_t n)
{
	X509_STORE *old;

	pthread_mutex_lock(&m->lock);
	old = m->store;
	m->store = store;
	pthread_mutex_unlock(&m->lock);
	if (old || store)
		LOG(LOG_INFO, "enroll.makers", LOG_U("enabled", n));
	X509_STORE_free(old);
}

/* Without an answer things stay as they are: signerd asks for itself. */
static int refresh(struct makers *m)
{
	const struct list_query all = {.limit = 0};
	uint8_t digest[DIGEST_BYTES];
	X509_STORE *store;
	size_t n = 0;
	int rc;

	memset(m->list, 0, MAKERS_MAX * sizeof(*m->list));
	rc = registry_maker_trust(m->registry, &all, m->list, MAKERS_MAX, &n, ASK_MS);
	if (rc)
		return rc;
	if (!EVP_Digest(m->list, MAKERS_MAX * sizeof(*m->list), digest, NULL, EVP_sha256(), NULL))
		return trust_crypto_error("SHA-256");
	if (!memcmp(digest, m->digest, sizeof(digest)))
		return 0;
	rc = store_build(m->list, n, &store);
	if (rc)
		return rc;
	store_put(m, store, n);
	memcpy(m->digest, digest, sizeof(digest));
	return 0;
}

/* False at the end. */
static bool pause_wait(struct makers *m)
{
	struct timespec until;
	bool go_on;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += MAKERS_EVERY_MS / 1000;
	pthread_mutex_lock(&m->lock);
	if (!m->stopping)
		pthread_cond_timedwait(&m->wake, &m->lock, &until);
	go_on = !m->stopping;
	pthread_mutex_unlock(&m->lock);
	return go_on;
}

static void *run(void *arg)
{
	struct makers *m = arg;
	bool away = false;

	do {
		int rc = refresh(m);

		if (rc && !away) /* once per outage */
			LOG(LOG_WARN, "enroll.makers_unknown", LOG_S("why", err_text()));
		away = rc != 0;
	} while (pause_wait(m));
	return NULL;
}

int makers_new(const char *socket, struct makers **out)
{
	struct makers *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return err_set(ERR_NOMEM, "no memory for makers");
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->wake, NULL);
	m->list = calloc(MAKERS_MAX, sizeof(*m->list));
	rc = m->list ? ipc_client_new(socket, "enroll", &m->registry)
		     : err_set(ERR_NOMEM, "no memory for makers");
	if (!rc && pthread_create(&m->thread, NULL, run, m))
		rc = err_set(ERR_IO, "no thread for makers");
	if (rc) {
		ipc_client_free(m->registry);
		free(m->list);
		free(m);
		return rc;
	}
	*out = m;
	return 0;
}

void makers_free(struct makers *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->stopping = true;
	pthread_cond_signal(&m->wake);
	pthread_mutex_unlock(&m->lock);
	pthread_join(m->thread, NULL);
	ipc_client_free(m->registry);
	X509_STORE_free(m->store);
	pthread_cond_destroy(&m->wake);
	pthread_mutex_destroy(&m->lock);
	free(m->list);
	free(m);
}

X509_STORE *makers_store(struct makers *m)
{
	X509_STORE *store;

	pthread_mutex_lock(&m->lock);
	store = m->store;
	if (store)
		X509_STORE_up_ref(store);
	pthread_mutex_unlock(&m->lock);
	return store;
}

static int names_add(STACK_OF(X509_NAME) * names, const X509_STORE *store)
{
	const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects((X509_STORE *)store);

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		const X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		X509_NAME *name = cert ? X509_NAME_dup(X509_get_subject_name(cert)) : NULL;

		if (cert && (!name || !sk_X509_NAME_push(names, name))) {
			X509_NAME_free(name);
			return err_set(ERR_NOMEM, "no memory for a CA's name");
		}
	}
	return 0;
}

int makers_announce(struct makers *m, SSL *ssl)
{
	X509_STORE *store = makers_store(m);
	STACK_OF(X509_NAME) * names;
	int rc;

	if (!store)
		return 0;
	names = SSL_dup_CA_list(SSL_CTX_get_client_CA_list(SSL_get_SSL_CTX(ssl)));
	rc = names ? names_add(names, store) : err_set(ERR_NOMEM, "no memory for CA names");
	X509_STORE_free(store);
	if (rc) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return rc;
	}
	SSL_set_client_CA_list(ssl, names);
	return 0;
}
