/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * radiusd's view of registryd's map of standings (sql/proto/standing_map.h): the answer to most
 * questions without another process. Whatever it does not say has to be asked; it is not believed
 * when registryd is dead, hangs or was started anew. Thread-safe.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_STANDING_VIEW_H
#define RADIUS_MODULES_RLM_PUMP_STANDING_VIEW_H

#include "sql/client/registry_client.h"

#define VIEW_WAIT_MS 100     /* for registryd to hand the map over */
#define VIEW_EVERY_US 500000 /* between two attempts */

struct standing_view;

/* Empty. ERR_NOMEM. */
int standing_view_new(struct standing_view **out) MUST_USE;
void standing_view_free(struct standing_view *v); /* NULL ok */
/* Never waits. False: ask. */
bool standing_view_find(struct standing_view *v, const struct cert_name *name,
			struct pump_facts *out) MUST_USE;
/* After registryd has answered: fetches its map when the one at hand is not believed, at most one
 * thread at a time and not all the time. Failing costs speed alone. */
void standing_view_renew(struct standing_view *v, struct ipc_client *c);

#endif
