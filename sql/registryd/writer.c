/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the writer lane: the one thread that changes the registry. Verbs of administration stand
 * here; issuing, revocation and dispatch have files of their own.
 */
#include "sql/registryd/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"
#include "sql/store/model_ports.h"
#include "sql/store/model_tls.h"

int writer_new(struct service *s, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return err_set(ERR_NOMEM, "no memory for the writer");
	w->service = s;
	w->next_due = 0; /* unknown: look */
	rc = store_open(s->registry_path, STORE_WRITE, &w->registry);
	if (!rc)
		rc = session_store_open(s->sessions_path, STORE_READ, &w->sessions);
	if (!rc)
		rc = writer_recall_init(w);
	if (!rc)
		rc = writer_issue_init(w);
	if (!rc && standings_new(w->registry, &s->standings))
		LOG(LOG_ERROR, "standings.none", LOG_S("why", err_text()));
	if (rc) {
		writer_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	writer_takes_end(w);
	writer_ledger_end(w);
	writer_recall_done(w);
	writer_issue_done(w);
	session_store_close(w->sessions);
	store_close(w->registry);
	free(w);
}

void writer_tell(struct ipc_request *rq, int rc, const char *event, const char *object,
		 const char *actor)
{
	char id[REQUEST_NAME_SIZE];

	request_name(ipc_request_id(rq), id);
	if (rc) {
		LOG(rc == ERR_UNCHANGED ? LOG_INFO : LOG_WARN, event, LOG_S("object", object),
		    LOG_S("by", actor), LOG_S("outcome", err_name(rc)), LOG_S("why", err_text()),
		    LOG_S("request", id));
		ipc_request_fail(rq, rc);
		return;
	}
	LOG(LOG_INFO, event, LOG_S("object", object), LOG_S("by", actor), LOG_S("outcome", "done"),
	    LOG_S("request", id));
	ipc_request_reply(rq, NULL, 0);
}

static void device_add(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	size_t n, added = 0, unchanged = 0;
	const struct device *devices = ipc_request_records(rq, &n);
	struct add_outcome *out = calloc(n, sizeof(*out));
	char id[REQUEST_NAME_SIZE];
	int rc = out ? store_device_add(w->registry, by, devices, n, out)
		     : err_set(ERR_NOMEM, "no memory for outcomes");

	if (rc) {
		writer_tell(rq, rc, "pump.add", "", by->actor);
		free(out);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		added += out[i].code == 0;
		unchanged += out[i].code == (uint32_t)-ERR_UNCHANGED;
	}
	request_name(ipc_request_id(rq), id);
	LOG(LOG_INFO, "pump.add", LOG_S("by", by->actor), LOG_U("added", added),
	    LOG_U("unchanged", unchanged), LOG_U("refused", n - added - unchanged),
	    LOG_S("first", devices[0].serial), LOG_S("request", id));
	ipc_request_reply(rq, out, n);
	free(out);
}

static void token_create(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const struct token_create *q = ipc_request_record(rq);
	struct token token;
	char id[REQUEST_NAME_SIZE];
	int rc = store_token_create(w->registry, by, q, &token);

	if (rc) {
		writer_tell(rq, rc, "token.create", q->device, by->actor);
		return;
	}
	request_name(ipc_request_id(rq), id);
	LOG(LOG_INFO, "token.create", LOG_S("object", q->device), LOG_S("by", by->actor),
	    LOG_S("outcome", "done"), LOG_U("ttl_s", q->ttl_ms / 1000), LOG_S("request", id));
	ipc_request_reply(rq, &token, 1);
	explicit_bzero(&token, sizeof(token));
}

/* The caller's to free; NULL without memory. */
static struct dispatch_result *results_copy(struct ipc_request *rq, size_t *n_out)
{
	const struct dispatch_result *r = ipc_request_records(rq, n_out);
	struct dispatch_result *copy = calloc(*n_out ? *n_out : 1, sizeof(*copy));

	if (copy)
		memcpy(copy, r, *n_out * sizeof(*copy));
	return copy;
}

static void nas_cert_add(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const struct nas_cert *c = ipc_request_record(rq);

	writer_tell(rq, store_nas_cert_add(w->registry, by, c), "nas.certificate", c->nas,
		    by->actor);
}

/* NAS verbs that change one row. */
static void nas_change(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const struct nas *n = ipc_request_record(rq);

	switch (ipc_request_verb(rq)->verb) {
	case REGISTRY_NAS_ADD:
		writer_tell(rq, store_nas_add(w->registry, by, n), "nas.add", n->name, by->actor);
		return;
	case REGISTRY_NAS_CERT_ADD:
		nas_cert_add(w, rq, by);
		return;
	case REGISTRY_NAS_SECRET:
		writer_tell(rq, store_nas_secret(w->registry, by, n), "nas.secret", n->name,
			    by->actor);
		return;
	default:
		writer_tell(rq, store_nas_enable(w->registry, by, n->name, n->enabled),
			    n->enabled ? "nas.enable" : "nas.disable", n->name, by->actor);
	}
}

static void results(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	size_t n;
	struct dispatch_result *r = results_copy(rq, &n);
	int rc;

	if (!r) {
		ipc_request_fail(rq, err_set(ERR_NOMEM, "no memory for results"));
		return;
	}
	n = writer_probes_result(w, r, n);
	rc = n ? store_orders_result(w->registry, by, r, n) : 0;
	w->next_due = 0;
	for (size_t i = 0; !rc && i < n; i++)
		LOG(LOG_INFO, "order.result", LOG_U("order", r[i].id), LOG_S("result", r[i].result),
		    LOG_U("error_cause", r[i].error_cause), LOG_U("rtt_us", r[i].rtt_us));
	free(r);
	if (rc) {
		writer_tell(rq, rc, "order.result", "", by->actor);
		return;
	}
	ipc_request_reply(rq, NULL, 0);
}

static void request_run(struct writer *w, struct request_job *job)
{
	struct ipc_request *rq = job->rq;
	const void *record = ipc_request_record(rq);
	char actor[LABEL_SIZE];
	struct action by = {.actor = actor, .at = clock_wall_ms()};

	actor_name(rq, actor);
	switch (ipc_request_verb(rq)->verb) {
	case REGISTRY_ZONE_ADD:
		writer_tell(rq, store_zone_add(w->registry, &by, record), "zone.add",
			    ((const struct zone *)record)->name, actor);
		return;
	case REGISTRY_MODEL_SET:
		writer_tell(rq, store_model_ports_set(w->registry, &by, record), "model.ports",
			    ((const struct model_ports *)record)->model, actor);
		return;
	case REGISTRY_MODEL_TLS_SET:
		writer_tell(rq, store_model_tls_set(w->registry, &by, record), "model.tls",
			    ((const struct model_tls *)record)->model, actor);
		return;
	case REGISTRY_NAS_ADD:
	case REGISTRY_NAS_ENABLE:
	case REGISTRY_NAS_SECRET:
	case REGISTRY_NAS_CERT_ADD:
		nas_change(w, rq, &by);
		return;
	case REGISTRY_NAS_PROBE:
		writer_probe(w, rq);
		return;
	case REGISTRY_DEVICE_ADD:
		device_add(w, rq, &by);
		return;
	case REGISTRY_TOKEN_CREATE:
		token_create(w, rq, &by);
		return;
	case REGISTRY_REVOKE:
		writer_revoke(w, rq, &by, job->asked_at);
		return;
	case REGISTRY_STANDING_CHANGE:
		writer_standing(w, rq, &by, job->asked_at);
		return;
	case REGISTRY_DISPATCH_TAKE:
		writer_take(w, rq);
		return;
	case REGISTRY_DISPATCH_RESULT:
		results(w, rq, &by);
		return;
	default:
		if (!writer_report(w, rq) && !writer_pending(w, rq, &by) &&
		    !writer_ledger(w, rq, &by) && !writer_recall(w, rq, &by) &&
		    !writer_alarm(w, rq, &by) && !writer_rotation(w, rq, &by) &&
		    !writer_decommission(w, rq, &by, job->asked_at))
			writer_issue(w, rq, &by);
	}
}

static void job_run(struct writer *w, struct request_job *job)
{
	if (job->rq)
		request_run(w, job);
	else
		writer_followup(w, &job->followup);
}

void writer_run(struct lane_job **jobs, size_t n, void *worker)
{
	struct ipc_request *rqs[LANE_BATCH_MAX];
	size_t at = 0, took;

	for (size_t i = 0; i < n; i++)
		rqs[i] = ((struct request_job *)(void *)jobs[i])->rq;
	while (at < n) {
		took = writer_issue_group(worker, rqs + at, n - at);
		if (!took) {
			job_run(worker, (struct request_job *)(void *)jobs[at]);
			took = 1;
		}
		for (size_t i = at; i < at + took; i++)
			free(jobs[i]);
		at += took;
		if (at < n) /* orders and standings wait for no batch */
			(void)writer_idle(worker);
	}
}

int64_t writer_idle(void *worker)
{
	struct writer *w = worker;
	int64_t takes, ledger, recall, rotation, standings, pending;

	if (!w->swept) {
		w->swept = true;
		writer_sweep(w);
	}
	recall = writer_recall_serve(w);   /* makes work for the others */
	pending = writer_pending_serve(w); /* likewise */
	takes = writer_takes_serve(w);
	ledger = writer_ledger_serve(w);
	standings = w->service->standings ? standings_serve(w->service->standings) : INT64_MAX;
	takes = takes < ledger ? takes : ledger;
	rotation = writer_rotation_serve(w);
	takes = takes < recall ? takes : recall;
	takes = takes < pending ? takes : pending;
	takes = takes < rotation ? takes : rotation;
	return takes < standings ? takes : standings;
}
