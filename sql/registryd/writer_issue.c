/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the writer's verbs for issuing. What was done before is success here: the signer repeats.
 * Those that wait at the same time share one commit; nobody is told anything before it
 * (docs/decisions/0195).
 */
#include "sql/registryd/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"

/* What one request of an issuance came to, before anybody is told. */
struct issue_result {
	int rc;
	char text[TEXT_SIZE]; /* err_text() of a failure */
	struct issue_grant grant;
};

struct issue_group {
	struct issue_result results[ISSUE_GROUP_MAX];
};

int writer_issue_init(struct writer *w)
{
	w->issues = calloc(1, sizeof(*w->issues));
	return w->issues ? 0 : err_set(ERR_NOMEM, "no memory for the writer");
}

void writer_issue_done(struct writer *w)
{
	free(w->issues);
}

static bool is_begin(const struct ipc_request *rq)
{
	return ipc_request_verb(rq)->verb == REGISTRY_ISSUE_BEGIN;
}

static bool is_issuance(const struct ipc_request *rq)
{
	return is_begin(rq) || ipc_request_verb(rq)->verb == REGISTRY_ISSUE_STORE;
}

static void issuance_run(struct writer *w, const struct ipc_request *rq, const struct action *by,
			 struct issue_result *out)
{
	const void *record = ipc_request_record(rq);

	out->rc = is_begin(rq) ? store_issue_begin(w->registry, by, record, &out->grant)
			       : store_issue_store(w->registry, by, record);
	if (out->rc == ERR_UNCHANGED)
		out->rc = 0;
	snprintf(out->text, sizeof(out->text), "%s", out->rc ? err_text() : "");
}

static void issuance_tell(struct ipc_request *rq, const char *actor, const struct issue_result *r)
{
	const struct issue_begin *q = ipc_request_record(rq);
	char id[REQUEST_NAME_SIZE];
	int rc = r->rc ? err_set(r->rc, "%s", r->text) : 0;

	if (!is_begin(rq)) {
		writer_tell(rq, rc, "issue.store",
			    ((const struct issue_store *)ipc_request_record(rq))->cert_serial,
			    actor);
		return;
	}
	if (rc) {
		writer_tell(rq, rc, "issue.begin", q->device, actor);
		return;
	}
	request_name(ipc_request_id(rq), id);
	LOG(LOG_INFO, "issue.begin", LOG_S("object", r->grant.device), LOG_S("method", q->method),
	    LOG_S("outcome", r->grant.der.len ? "issued before" : "reserved"),
	    LOG_S("serial", r->grant.cert_serial), LOG_S("source", q->source),
	    LOG_S("request", id));
	ipc_request_reply(rq, &r->grant, 1);
}

size_t writer_issue_group(struct writer *w, struct ipc_request *const *rqs, size_t n)
{
	struct issue_result *results = w->issues->results;
	char actor[LABEL_SIZE], why[TEXT_SIZE];
	struct action by = {.actor = actor};
	size_t done = 0;
	int rc;

	for (size_t i = 0; i < n && i < ISSUE_GROUP_MAX && rqs[i] && is_issuance(rqs[i]); i++)
		done++;
	n = done;
	if (n < 2)
		return 0;
	rc = store_group_begin(w->registry);
	for (done = 0; !rc && done < n && store_group_is_whole(w->registry); done++) {
		actor_name(rqs[done], actor);
		by.at = clock_wall_ms();
		issuance_run(w, rqs[done], &by, &results[done]);
	}
	if (!rc)
		rc = store_group_commit(w->registry);
	else
		done = n;
	snprintf(why, sizeof(why), "%s", rc ? err_text() : "");
	for (size_t i = 0; i < done; i++) {
		if (rc) {
			results[i].rc = rc;
			memcpy(results[i].text, why, sizeof(why));
		}
		actor_name(rqs[i], actor);
		issuance_tell(rqs[i], actor, &results[i]);
	}
	return done;
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
	case REGISTRY_ISSUE_STORE:
		issuance_run(w, rq, by, w->issues->results);
		issuance_tell(rq, by->actor, w->issues->results);
		return;
	default:
		ipc_request_fail(rq, err_set(ERR_INTERNAL, "no handler for this verb"));
	}
}
