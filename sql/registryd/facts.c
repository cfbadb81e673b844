/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what the loop thread does itself: the look-ups of the packet path, and handing everything
 * else to a lane. Nothing here may write, or read more than a handful of rows.
 */
#include "sql/registryd/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"
#include "sql/registryd/event_memory.h"

static void facts_answer(struct ipc_request *rq, int rc, const void *facts)
{
	if (rc) {
		LOG(LOG_ERROR, "facts.failed", LOG_S("verb", ipc_request_verb(rq)->name),
		    LOG_S("why", err_text()));
		ipc_request_fail(rq, rc);
	} else {
		ipc_request_reply(rq, facts, 1);
	}
}

void verb_pump_facts(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;
	const struct cert_name *q = ipc_request_record(rq);
	struct pump_facts facts;
	int rc = store_pump_facts(s->facts, q->issuer, q->cert_serial, &facts);

	facts_answer(rq, rc, &facts);
}

void verb_login_facts(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;
	const struct cert_name *q = ipc_request_record(rq);
	struct login_facts facts;
	int rc = store_login_facts(s->facts, q->issuer, q->cert_serial, &facts);

	facts_answer(rq, rc, &facts);
}

void verb_mac_facts(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;
	const struct mac_query *q = ipc_request_record(rq);
	struct mac_facts facts;
	int rc = store_mac_facts(s->facts, q->mac, &facts);

	facts_answer(rq, rc, &facts);
}

void verb_birth_facts(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;
	const struct birth_query *q = ipc_request_record(rq);
	struct birth_facts facts;
	int rc = store_birth_facts(s->facts, q->device, &facts);

	facts_answer(rq, rc, &facts);
}

void verb_zone_facts(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;
	const struct zone_query *q = ipc_request_record(rq);
	struct zone_facts facts;
	int rc = store_zone_facts(s->facts, q->purpose, &facts);

	facts_answer(rq, rc, &facts);
}

void verb_nas_facts(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;
	const struct nas_query *q = ipc_request_record(rq);
	struct nas_facts facts;
	int rc = *q->cert_serial ? store_nas_facts_by_cert(s->facts, q->cert_serial,
							   clock_wall_ms(), &facts)
				 : store_nas_facts(s->facts, q->ip, &facts);

	facts_answer(rq, rc, &facts);
	explicit_bzero(&facts, sizeof(facts)); /* holds the secret */
}

void verb_standings(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;

	if (s->standings)
		ipc_request_reply_fd(rq, standings_fd(s->standings));
	else
		ipc_request_fail(rq, err_set(ERR_NOT_FOUND, "there is no map of standings"));
}

void verb_event_ring(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;

	ipc_request_reply_fd(rq, event_memory_fd(s->ring));
}

void verb_cert_facts(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;
	const struct cert_name *q = ipc_request_record(rq);
	struct cert_facts facts;
	int rc = store_cert_facts(s->facts, q->issuer, q->cert_serial, &facts);

	facts_answer(rq, rc, &facts);
}

void request_name(uint64_t id, char out[REQUEST_NAME_SIZE])
{
	snprintf(out, REQUEST_NAME_SIZE, "%016" PRIx64, id);
}

void service_hand_over(struct service *s, struct lane *lane, struct ipc_request *rq)
{
	struct request_job *job = calloc(1, sizeof(*job));
	int rc = job ? 0 : err_set(ERR_NOMEM, "no memory for a request");

	if (job) {
		job->service = s;
		job->rq = rq;
		job->asked_at = clock_wall_ms();
		rc = lane_put(lane, &job->job, 0);
	}
	if (rc) {
		LOG(LOG_WARN, "request.refused", LOG_S("verb", ipc_request_verb(rq)->name),
		    LOG_S("why", err_text()));
		free(job);
		ipc_request_fail(rq, rc);
	}
}

void verb_write(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;

	service_hand_over(s, s->writer, rq);
}

void verb_query(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;

	service_hand_over(s, s->queries, rq);
}

void verb_slow(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;

	/* only this thread knows the connections */
	for (unsigned i = 0; ipc_request_verb(rq)->verb == REGISTRY_STATUS && i < SERVICE_ROLES;
	     i++)
		atomic_store(&s->connected[i], ipc_server_role_count(s->server, s->roles[i].name));
	service_hand_over(s, s->slow, rq);
}
