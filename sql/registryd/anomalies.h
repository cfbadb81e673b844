/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signs of a copied key among the events: the event lane's part of the alarms. Looks at facts and
 * hands what policies/anomaly.h finds to the writer; decides nothing about a pump.
 */
#ifndef SQL_REGISTRYD_ANOMALIES_H
#define SQL_REGISTRYD_ANOMALIES_H

#include "sql/registryd/service.h"

struct anomalies;

/* The connections stay the caller's. ERR_NOMEM. */
int anomalies_new(struct service *s, struct store *registry, struct session_store *sessions,
		  struct anomalies **out) MUST_USE;
void anomalies_free(struct anomalies *a); /* NULL ok */
/* Before the event itself is stored, in its transaction. *odd_out: the caller's to free, NULL when
 * nothing is odd. Only what the session database says fails the call: a registry that can't be read
 * leaves the event as it is, and is logged. */
int anomalies_look(struct anomalies *a, const struct auth_event *e, int64_t now,
		   struct alarm **odd_out) MUST_USE;
/* After the commit. The first of its kind goes to the writer at once; more of the same within ten
 * seconds go together, so that a storm costs the registry nothing. now_us: clock_mono_us. */
void anomalies_tell(struct anomalies *a, const struct alarm *odd, int64_t now_us);
/* Hands on what has waited its ten seconds; when to call again (clock_mono_us; INT64_MAX: no need).
 * What waits when the service ends is lost: a count, never an alarm. */
int64_t anomalies_tell_rest(struct anomalies *a, int64_t now_us);

#endif
