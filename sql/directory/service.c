/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the connections that are bound as the service account. They rest between logins, because a
 * TLS handshake costs more than the search. Never binds as a person.
 */
#include "sql/directory/directory_state.h"

#include "base/clock.h"

#define REST_US (120 * 1000000LL) /* then it is closed: load balancers forget quiet connections */

static int service_bind(const struct directory_settings *s, struct conn *c)
{
	AUTO_SECRET secret = NULL;
	struct bind_outcome outcome;
	bool sent;
	int rc = settings_secret_read(s, &secret);

	if (!rc)
		rc = conn_bind(c, s->bind_dn, secret_data(secret), secret_len(secret), &sent,
			       &outcome);
	if (rc)
		return rc;
	if (outcome.code == LDAP_SUCCESS)
		return 0;
	return err_set(outcome.code == LDAP_INVALID_CREDENTIALS ? ERR_DENIED : ERR_UNAVAILABLE,
		       "the service account is refused: %s %.100s", ldap_err2string(outcome.code),
		       outcome.diagnostic);
}

/* The youngest one that still stands; NULL: none. */
static struct conn *resting_take(struct directory *d, struct server *server)
{
	for (;;) {
		struct conn *c = NULL;
		int64_t since_us = 0;

		pthread_mutex_lock(&d->lock);
		if (server->n_resting) {
			c = server->resting[--server->n_resting].conn;
			since_us = server->resting[server->n_resting].since_us;
		}
		pthread_mutex_unlock(&d->lock);
		if (!c || (clock_mono_us() - since_us < REST_US && !conn_is_stale(c)))
			return c;
		conn_close(c);
	}
}

int service_take(struct directory *d, struct server *server, bool fresh, int64_t until_us,
		 struct conn **out)
{
	AUTO_CONN c = fresh ? NULL : resting_take(d, server);
	int64_t connect_us = clock_mono_us() + d->s.connect_ms * 1000LL;
	int rc;

	if (c) {
		conn_limit(c, until_us);
		*out = c;
		c = NULL;
		return 0;
	}
	rc = conn_open(&d->s, server->address, d->watch,
		       connect_us < until_us ? connect_us : until_us, &c);
	if (rc)
		return rc;
	conn_limit(c, until_us);
	rc = service_bind(&d->s, c);
	if (rc)
		return rc;
	*out = c;
	c = NULL;
	return 0;
}

void service_give(struct directory *d, struct server *server, struct conn *c)
{
	bool kept;

	conn_limit(c, INT64_MAX);
	pthread_mutex_lock(&d->lock);
	kept = server->n_resting < RESTING_MAX;
	if (kept)
		server->resting[server->n_resting++] =
			(struct resting){.conn = c, .since_us = clock_mono_us()};
	pthread_mutex_unlock(&d->lock);
	if (!kept)
		conn_close(c);
}

void service_drop_all(struct directory *d)
{
	for (size_t i = 0; i < d->s.n_servers; i++)
		while (d->servers[i].n_resting)
			conn_close(d->servers[i].resting[--d->servers[i].n_resting].conn);
}
