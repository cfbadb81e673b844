/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the life of a directory and what is told about its servers. */
#include "sql/directory/directory_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

const char *directory_verdict_name(enum directory_verdict v)
{
	static const char *const names[] = {
		"undecided", "good",	    "wrong-password", "unknown", "ambiguous", "disabled",
		"expired",   "must-change", "locked",	      "not-now", "no-role",   "not-proven",
	};

	return (unsigned)v < sizeof(names) / sizeof(names[0]) ? names[v] : "undecided";
}

int directory_new(struct config *conf, struct directory **out)
{
	AUTO_DIRECTORY d = calloc(1, sizeof(*d));
	bool there;
	int rc;

	*out = NULL;
	if (!d)
		return err_set(ERR_NOMEM, "no memory for the directory");
	pthread_mutex_init(&d->lock, NULL);
	rc = settings_read(conf, &d->s, &there);
	if (rc || !there)
		return rc;
	for (size_t i = 0; i < d->s.n_servers; i++) {
		d->servers[i].address = &d->s.servers[i];
		d->servers[i].breaker.first_us = d->s.retry_ms * 1000LL;
	}
	rc = watch_new(&d->watch);
	if (rc)
		return rc;
	*out = d;
	d = NULL;
	return 0;
}

void directory_free(struct directory *d)
{
	if (!d)
		return;
	service_drop_all(d);
	watch_free(d->watch);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

bool directory_takes_unknown(const struct directory *d)
{
	return d->s.takes_unknown;
}

size_t directory_health(struct directory *d, struct directory_health *out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&d->lock);
	for (; n < d->s.n_servers && n < max; n++) {
		const struct server *server = &d->servers[n];

		out[n] = (struct directory_health){
			.open = server->breaker.open,
			.failures = server->breaker.failures,
			.retry_ms = (uint32_t)((breaker_wait_us(&server->breaker, clock_mono_us()) +
						999) /
					       1000),
		};
		snprintf(out[n].server, sizeof(out[n].server), "%s", server->address->url);
		if (server->breaker.failures)
			snprintf(out[n].text, sizeof(out[n].text), "%s", server->text);
	}
	pthread_mutex_unlock(&d->lock);
	return n;
}
