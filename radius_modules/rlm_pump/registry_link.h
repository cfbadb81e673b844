/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connections of radiusd's threads to registryd: one each, closed when the thread ends. Every
 * wait is bounded. When registryd does not answer in time, the following questions fail at once and
 * one thread at a time tries again: threads never pile up behind a hanging service, and it is used
 * again within a fraction of a second once it is back.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_REGISTRY_LINK_H
#define RADIUS_MODULES_RLM_PUMP_REGISTRY_LINK_H

#include "sql/client/registry_client.h"

#define LINK_FACTS_MS 300
#define LINK_NAS_MS 100 /* asked by the thread that receives packets */
#define LINK_PAUSE_MS 200
#define LINK_ACCT_MS 2000
#define LINK_ACCT_MAX 8	 /* accounting packets that wait for a commit at a time */
#define LINK_BACKLOG 128 /* events kept while registryd is away: accepts, and as many rejects */

struct registry_link;

/* Does not connect. ERR_NOMEM, ERR_LIMIT, ERR_IO. */
int registry_link_new(const char *socket_path, struct registry_link **out) MUST_USE;
/* Closes the calling thread's connection too; no other thread may use the link any more. */
void registry_link_free(struct registry_link *l); /* NULL ok */

/* A new id for what the calling thread sends from now on: one per RADIUS packet, it stands in the
 * logs of both processes. 0 without memory. */
uint64_t registry_link_request_begin(struct registry_link *l);

/* Questions: 0 or why there is no answer (ERR_UNAVAILABLE at once during a pause). */
int registry_link_pump_facts(struct registry_link *l, const struct cert_name *q,
			     struct pump_facts *out) MUST_USE;
int registry_link_mac_facts(struct registry_link *l, const struct mac_query *q,
			    struct mac_facts *out) MUST_USE;
int registry_link_nas_facts(struct registry_link *l, const struct nas_query *q,
			    struct nas_facts *out) MUST_USE;
/* Never waits. On failure the event is kept and delivered after a later one, unless LINK_BACKLOG
 * newer ones of its kind come before that. */
int registry_link_auth_event(struct registry_link *l, const struct auth_event *e) MUST_USE;
/* 0 once committed. ERR_BUSY when LINK_ACCT_MAX threads wait already. */
int registry_link_acct_event(struct registry_link *l, const struct acct_event *e) MUST_USE;

#endif
