/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connections of radiusd's threads to registryd: one each, closed when the thread ends. Every
 * wait is bounded. When registryd does not answer in time, the following questions fail at once and
 * one thread at a time tries again: threads never pile up behind a hanging service, and it is used
 * again within a fraction of a second once it is back.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_REGISTRY_LINK_H
#define RADIUS_MODULES_RLM_PUMP_REGISTRY_LINK_H

#include "radius_modules/rlm_pump/event_outbox.h"
#include "sql/client/registry_client.h"

#define LINK_FACTS_MS 300
#define LINK_NAS_MS 100 /* asked by the thread that receives packets */
#define LINK_PAUSE_MS 200
#define LINK_ACCT_MS 2000
/* Accounting waits for a commit. While that is quick, any number of threads may; once it took
 * longer than LINK_ACCT_QUICK_MS, only LINK_ACCT_MAX for a while, so that the others serve
 * authentication. */
#define LINK_ACCT_MAX 8
#define LINK_ACCT_QUICK_MS 500
#define LINK_ACCT_SLOW_MS 1000 /* how long that while is */

struct registry_link;

/* Does not connect; starts the thread of the events. ERR_NOMEM, ERR_LIMIT, ERR_IO. */
int registry_link_new(const char *socket_path, struct registry_link **out) MUST_USE;
/* Closes the calling thread's connection too; no other thread may use the link any more. How many
 * events were lost, because registryd had no ring for them. */
size_t registry_link_free(struct registry_link *l); /* NULL ok */

/* A new id for what the calling thread sends from now on: one per RADIUS packet, it stands in the
 * logs of both processes. 0 without memory. */
uint64_t registry_link_request_begin(struct registry_link *l);

/* Questions: 0 or why there is no answer (ERR_UNAVAILABLE at once during a pause). */
/* From registryd's map of standings where that says so, without asking (standing_view.h). */
int registry_link_pump_facts(struct registry_link *l, const struct cert_name *q,
			     struct pump_facts *out) MUST_USE;
int registry_link_mac_facts(struct registry_link *l, const struct mac_query *q,
			    struct mac_facts *out) MUST_USE;
int registry_link_zone_facts(struct registry_link *l, const struct zone_query *q,
			     struct zone_facts *out) MUST_USE;
int registry_link_birth_facts(struct registry_link *l, const struct birth_query *q,
			      struct birth_facts *out) MUST_USE;
int registry_link_nas_facts(struct registry_link *l, const struct nas_query *q,
			    struct nas_facts *out) MUST_USE;
/* See event_outbox_put. */
int registry_link_auth_event(struct registry_link *l, const struct auth_event *e) MUST_USE;
/* Never waits, and is not kept: what it says of a NAS will be seen again. */
int registry_link_nas_event(struct registry_link *l, const struct nas_event *e) MUST_USE;
/* registryd did not answer a moment ago: a question now may cost its whole time. */
bool registry_link_is_paused(const struct registry_link *l);
/* 0 once committed. ERR_BUSY when LINK_ACCT_MAX threads wait already and commits are slow. */
int registry_link_acct_event(struct registry_link *l, const struct acct_event *e) MUST_USE;

#endif
