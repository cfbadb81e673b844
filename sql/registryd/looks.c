/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the sessions that wait for their second look, in a ring. Runs on the event lane's thread. */
#include "sql/registryd/looks.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define LOOKS_MAX 1024
#define LOOK_AFTER_US 1000000

struct look {
	char device[DEVICE_SERIAL_SIZE];
	struct foothold hold;
	int64_t due_us;
};

struct looks {
	struct look ring[LOOKS_MAX];
	size_t first, n;
};

int looks_new(struct looks **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : err_set(ERR_NOMEM, "no memory for sessions to look at");
}

void looks_free(struct looks *l)
{
	free(l);
}

void looks_add(struct looks *l, const char *device, const struct foothold *hold, int64_t now_us)
{
	struct look *k = &l->ring[(l->first + l->n) % LOOKS_MAX];

	memcpy(k->device, device, sizeof(k->device));
	k->hold = *hold;
	k->due_us = now_us + LOOK_AFTER_US;
	if (++l->n == LOOKS_MAX)
		l->ring[l->first].due_us = now_us;
}

/* Errors mean that it is to be disconnected: it may be where it must not be. */
static bool is_misplaced(struct session_store *sessions, struct store *registry,
			 const struct look *k)
{
	struct zone_due due;
	char zone[NAME_SIZE];
	int rc = session_store_zone(sessions, k->device, k->hold.nas, k->hold.session_id, zone);

	if (rc == ERR_NOT_FOUND)
		return false; /* over */
	if (!rc)
		rc = store_zone_due(registry, k->device, &due);
	if (rc)
		LOG(LOG_ERROR, "standing.look_failed", LOG_S("object", k->device),
		    LOG_S("why", err_text()));
	return rc || (strcmp(zone, due.zone) != 0 && (!*due.low || strcmp(zone, due.low) != 0));
}

int64_t looks_serve(struct looks *l, struct service *s, struct session_store *sessions,
		    struct store *registry, int64_t now_us)
{
	while (l->n && l->ring[l->first].due_us <= now_us) {
		const struct look *k = &l->ring[l->first];
		struct followup f = {.kind = FOLLOWUP_LATE, .at = clock_wall_ms(), .hold = k->hold};

		memcpy(f.device, k->device, sizeof(f.device));
		if (is_misplaced(sessions, registry, k))
			writer_follow_up(s, &f);
		l->first = (l->first + 1) % LOOKS_MAX;
		l->n--;
	}
	return l->n ? l->ring[l->first].due_us : INT64_MAX;
}
