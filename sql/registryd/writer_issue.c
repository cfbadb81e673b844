/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the writer's verbs for issuing. What was done before is success here: the signer repeats. */
#include "sql/registryd/writer.h"

#include <stdio.h>

#include "base/log.h"
#include "sql/proto/registry_verbs.h"

static void issue_begin(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const struct issue_begin *q = ipc_request_record(rq);
	struct issue_grant grant;
	char id[REQUEST_NAME_SIZE];
	int rc = store_issue_begin(w->registry, by, q, &grant);

	if (rc) {
		writer_tell(rq, rc, "issue.begin", q->device, by->actor);
		return;
	}
	request_name(ipc_request_id(rq), id);
	LOG(LOG_INFO, "issue.begin", LOG_S("object", grant.device), LOG_S("method", q->method),
	    LOG_S("outcome", grant.der.len ? "issued before" : "reserved"),
	    LOG_S("serial", grant.cert_serial), LOG_S("source", q->source), LOG_S("request", id));
	ipc_request_reply(rq, &grant, 1);
}

static void approval_decide(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const struct approval_decision *q = ipc_request_record(rq);
	const char *event = q->approve ? "approval.approve" : "approval.deny";
	struct approval a;
	int rc = store_approval_decide(w->registry, by, q, &a);

	if (rc) {
		writer_tell(rq, rc, event, q->device, by->actor);
		return;
	}
	LOG(LOG_INFO, event, LOG_S("object", a.device), LOG_S("key", a.key), LOG_S("by", by->actor),
	    LOG_S("outcome", "done"));
	ipc_request_reply(rq, &a, 1);
}

static void maker_change(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const struct maker *m = ipc_request_record(rq);

	switch (ipc_request_verb(rq)->verb) {
	case REGISTRY_MAKER_ADD:
		writer_tell(rq, store_maker_add(w->registry, by, m), "maker.add", m->name,
			    by->actor);
		return;
	case REGISTRY_MAKER_REMOVE:
		writer_tell(rq, store_maker_remove(w->registry, by, m->name), "maker.remove",
			    m->name, by->actor);
		return;
	default:
		writer_tell(rq, store_maker_enable(w->registry, by, m->name, m->enabled),
			    m->enabled ? "maker.enable" : "maker.disable", m->name, by->actor);
	}
}

static void ca_step(struct ipc_request *rq, int rc, const struct action *by)
{
	const struct ca_step *s = ipc_request_record(rq);
	char action[REASON_SIZE];

	snprintf(action, sizeof(action), "ca.%s", s->step);
	writer_tell(rq, rc == ERR_UNCHANGED ? 0 : rc, action, s->ca, by->actor);
}

void writer_issue(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const void *record = ipc_request_record(rq);
	int rc;

	switch (ipc_request_verb(rq)->verb) {
	case REGISTRY_ISSUER_SET:
		rc = store_issuer_set(w->registry, by, record);
		writer_tell(rq, rc == ERR_UNCHANGED ? 0 : rc, "issuer.set",
			    ((const struct issuer *)record)->issuer, by->actor);
		return;
	case REGISTRY_CA_STEP:
		ca_step(rq, store_ca_step(w->registry, by, record), by);
		return;
	case REGISTRY_APPROVAL_DECIDE:
		approval_decide(w, rq, by);
		return;
	case REGISTRY_MAKER_ADD:
	case REGISTRY_MAKER_ENABLE:
	case REGISTRY_MAKER_REMOVE:
		maker_change(w, rq, by);
		return;
	case REGISTRY_SERVER_POLICY_SET:
		writer_tell(rq, store_server_policy_set(w->registry, by, record), "server.policy",
			    ((const struct server_policy *)record)->radius_name, by->actor);
		return;
	case REGISTRY_ISSUE_BEGIN:
		issue_begin(w, rq, by);
		return;
	case REGISTRY_ISSUE_STORE:
		rc = store_issue_store(w->registry, by, record);
		writer_tell(rq, rc == ERR_UNCHANGED ? 0 : rc, "issue.store",
			    ((const struct issue_store *)record)->cert_serial, by->actor);
		return;
	default:
		ipc_request_fail(rq, err_set(ERR_INTERNAL, "no handler for this verb"));
	}
}
