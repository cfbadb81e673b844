/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions that a NAS says have begun, of pumps that were quarantined, parked or released once. Is
 * it in the zone that is due now? Asked a second later: the event of the Accept that led it there
 * comes after the NAS's word.
 */
#ifndef SQL_REGISTRYD_LOOKS_H
#define SQL_REGISTRYD_LOOKS_H

#include "sql/registryd/service.h"

struct looks;

int looks_new(struct looks **out) MUST_USE; /* ERR_NOMEM */
void looks_free(struct looks *l);	    /* NULL ok */

/* To be looked at a second after now_us (clock_mono_us). When too many wait, the oldest is due. */
void looks_add(struct looks *l, const char *device, const struct foothold *hold, int64_t now_us);
/* Looks at those that are due, and has the writer disconnect what is in a wrong zone. When to come
 * again (clock_mono_us). */
int64_t looks_serve(struct looks *l, struct service *s, struct session_store *sessions,
		    struct store *registry, int64_t now_us);

#endif
