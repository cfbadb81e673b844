/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the verbs that only read: lists and single objects (lane "queries"), totals and the audit
 * chain (lane "slow"). Each thread has connections of its own, so a long list delays nobody else.
 */
#include "sql/registryd/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"
#include "sql/store/decommission.h"
#include "sql/store/model_ports.h"
#include "sql/store/model_tls.h"
#include "sql/store/pending.h"
#include "sql/store/recall.h"
#include "sql/store/reports.h"
#include "sql/store/rotation.h"

#define ORDERS_MAX 2000 /* fit one message, however long their session ids */

int reader_new(struct service *s, struct reader **out)
{
	struct reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return err_set(ERR_NOMEM, "no memory for a reader");
	r->service = s;
	rc = store_open(s->registry_path, STORE_READ, &r->registry);
	if (!rc)
		rc = session_store_open(s->sessions_path, STORE_READ, &r->sessions);
	if (rc) {
		reader_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	session_store_close(r->sessions);
	store_close(r->registry);
	free(r);
}

/* Reads up to max rows of the verb's reply record into `out`. */
typedef int (*list_fn)(struct reader *r, const void *query, void *out, size_t max, size_t *n_out);

static int zone_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_zone_list(r->registry, query, out, max, n);
}

static int nas_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	struct nas *rows = out;
	int rc = store_nas_list(r->registry, query, rows, max, n);

	for (size_t i = 0; !rc && i < *n; i++)
		rc = session_store_nas(r->sessions, &rows[i]);
	return rc;
}

static int nas_show(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct nas_name *q = query;
	int rc = store_nas_show(r->registry, q->name, clock_wall_ms(), out);

	(void)max;
	*n = 1;
	return rc ? rc : session_store_nas_detail(r->sessions, out);
}

static int nas_cert_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct nas_name *q = query;

	return store_nas_cert_list(r->registry, q->name, out, max, n);
}

static int device_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	struct device *rows = out;
	int rc = store_device_list(r->registry, query, clock_wall_ms(), rows, max, n);

	for (size_t i = 0; !rc && i < *n; i++)
		rc = session_store_device(r->sessions, &rows[i]);
	return rc;
}

static int device_show(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct list_query *q = query;
	int rc = store_device_show(r->registry, q->device, clock_wall_ms(), out);

	(void)max;
	*n = 1;
	return rc ? rc : session_store_device(r->sessions, out);
}

static int pending_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_pending_list(r->registry, query, out, max, n);
}

static int model_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_model_ports_list(r->registry, query, out, max, n);
}

static int model_pumps(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	struct model_pump *rows = out;
	int rc = store_model_pumps(r->registry, query, rows, max, n);

	for (size_t i = 0; !rc && i < *n; i++)
		rc = session_store_tls(r->sessions, &rows[i]);
	return rc;
}

/* Who has been on the network is not to be passed over because it says nothing of itself. */
static int lack_seen(struct reader *r, int64_t since, struct anchor_lack *rows, size_t n)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++) {
		struct device d = {0};

		memcpy(d.serial, rows[i].device, sizeof(d.serial));
		rc = session_store_device(r->sessions, &d);
		rows[i].last_seen = d.last_seen;
		rows[i].active = rows[i].reported_at > since || d.last_seen > since;
	}
	return rc;
}

static int anchor_lack(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct anchor_query *q = query;
	int rc = store_anchor_lack(r->registry, q, out, max, n);

	return rc ? rc : lack_seen(r, q->since, out, *n);
}

static int issuer_lack(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct issuer_query *q = query;
	int rc = store_issuer_lack(r->registry, q, out, max, n);

	return rc ? rc : lack_seen(r, q->since, out, *n);
}

static int issuer_count(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	(void)max;
	*n = 1;
	return store_issuer_count(r->registry, query, out);
}

static int anchor_count(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	(void)max;
	*n = 1;
	return store_anchor_count(r->registry, query, out);
}

static int report_show(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct list_query *q = query;
	struct pump_report *report = out;
	int rc = store_report_show(r->registry, q->device, report);

	(void)max;
	*n = 1;
	return rc ? rc
		  : store_model_ports_beyond(r->registry, q->device, report->ports,
					     report->ports_beyond);
}

static int revocation(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct list_query *q = query;

	(void)max;
	*n = 1;
	return store_revocation(r->registry, q->device, out);
}

static int order_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct id_query *q = query;

	return store_order_list(r->registry, q->id, out, max, n);
}

static int event_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct list_query *q = query;
	size_t limit = q->limit ? q->limit : 100, others = 0;
	int64_t before = strtoll(q->after, NULL, 10);
	int rc;

	if (limit > max / 2)
		return err_set(ERR_LIMIT, "at most %zu events at once", max / 2);
	rc = session_store_events(r->sessions, q->device, before, out, limit, n);
	if (!rc && *q->device)
		rc = store_events(r->registry, q->device, before, (struct event *)out + *n, limit,
				  &others);
	events_merge(out, *n, others);
	*n = *n + others < limit ? *n + others : limit;
	return rc;
}

static int approval_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_approval_list(r->registry, query, clock_wall_ms(), out, max, n);
}

static int maker_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_maker_list(r->registry, query, out, max, n);
}

static int maker_trust(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	(void)query;
	return store_maker_trust(r->registry, out, max, n);
}

static int server_policy(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	(void)query;
	return store_server_policy(r->registry, out, max, n);
}

static int cert_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	struct cert *rows = out;
	int rc = store_cert_list(r->registry, query, rows, max, n);

	for (size_t i = 0; !rc && i < *n; i++)
		rc = session_store_cert(r->sessions, &rows[i]);
	return rc;
}

static int cert_show(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	int rc = store_cert_show(r->registry, query, out);

	(void)max;
	*n = 1;
	return rc ? rc : session_store_cert(r->sessions, out);
}

static int session_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return session_store_list(r->sessions, query, out, max, n);
}

static int gap_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_gap_list(r->registry, query, out, max, n);
}

static int recall_show(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct id_query *q = query;

	(void)max;
	*n = 1;
	return store_recall_show(r->registry, q->id, clock_wall_ms(), out);
}

static int recall_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_recall_list(r->registry, query, clock_wall_ms(), out, max, n);
}

static int renewal_asked(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_renewal_asked(r->registry, query, out, max, n);
}

static int wipe_orders(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_wipe_orders(r->registry, query, clock_wall_ms(), out, max, n);
}

static int decommission_show(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct list_query *q = query;

	(void)max;
	*n = 1;
	return store_decommission_show(r->registry, q->device, out);
}

static int rotation_preview(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_rotation_preview(r->registry, clock_wall_ms(), query, out, max, n);
}

static int rotation_show(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct id_query *q = query;

	(void)max;
	*n = 1;
	return store_rotation_show(r->registry, q->id, out);
}

static int rotation_waves(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_rotation_waves(r->registry, query, out, max, n);
}

static int recall_nas(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_recall_nas(r->registry, query, out, max, n);
}

/* A pump that is not there gets an empty record in its place. */
static int device_look(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct pump_name *names = query;
	struct device *rows = out;
	int rc = 0;

	for (*n = 0; !rc && *n < r->n_query && *n < max; (*n)++) {
		rc = store_device_show(r->registry, names[*n].device, clock_wall_ms(), &rows[*n]);
		if (!rc)
			rc = session_store_device(r->sessions, &rows[*n]);
		if (rc == ERR_NOT_FOUND)
			rc = 0;
	}
	return rc;
}

static int alarm_list(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_alarm_list(r->registry, query, out, max, n);
}

static int alarm_show(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct id_query *q = query;

	(void)max;
	*n = 1;
	return store_alarm_show(r->registry, q->id, out);
}

static int audit_tail(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	return store_audit_tail(r->registry, query, out, max, n);
}

static int audit_head(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	const struct audit_head_query *q = query;

	(void)max;
	*n = 1;
	return store_audit_head(r->registry, q->seq, out);
}

static int audit_verify(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	(void)query;
	(void)max;
	*n = 1;
	return store_audit_verify(r->registry, out);
}

static uint64_t file_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static int status(struct reader *r, const void *query, void *out, size_t max, size_t *n)
{
	struct service *s = r->service;
	struct status *st = out;
	int rc = store_status(r->registry, clock_wall_ms(), st);

	(void)query;
	(void)max;
	*n = 1;
	if (!rc)
		rc = store_report_status(r->registry, clock_wall_ms(), &s->report_policy, st);
	if (!rc)
		rc = session_store_status(r->sessions, st);
	snprintf(st->version, sizeof(st->version), "%s", PUMPGATE_VERSION);
	st->started_at = s->started_at;
	st->recall_alone = s->recall_alone;
	st->events_dropped = atomic_load(&s->events_dropped);
	st->accepts_lost_at = atomic_load(&s->accepts_lost_at);
	st->radius_present = atomic_load(&s->connected[SERVICE_RADIUS]) > 0;
	st->signer_present = atomic_load(&s->connected[SERVICE_SIGNER]) > 0;
	st->enroll_present = atomic_load(&s->connected[SERVICE_ENROLL]) > 0;
	st->dispatcher_present = atomic_load(&s->connected[SERVICE_DISPATCH]) > 0;
	st->registry_bytes = file_bytes(s->registry_path);
	st->sessions_bytes = file_bytes(s->sessions_path);
	return rc;
}

static const struct {
	uint16_t verb;
	size_t max;
	list_fn read;
} readers[] = {
	{REGISTRY_ZONE_LIST, STORE_LIST_MAX, zone_list},
	{REGISTRY_NAS_LIST, STORE_LIST_MAX, nas_list},
	{REGISTRY_NAS_SHOW, 1, nas_show},
	{REGISTRY_NAS_CERT_LIST, STORE_NAS_CERTS_MAX, nas_cert_list},
	{REGISTRY_DEVICE_LIST, STORE_LIST_MAX, device_list},
	{REGISTRY_DEVICE_SHOW, 1, device_show},
	{REGISTRY_REPORT_SHOW, 1, report_show},
	{REGISTRY_MODEL_LIST, STORE_LIST_MAX, model_list},
	{REGISTRY_MODEL_CHECK, STORE_LIST_MAX, model_pumps},
	{REGISTRY_ANCHOR_LACK, STORE_LIST_MAX, anchor_lack},
	{REGISTRY_ANCHOR_COUNT, 1, anchor_count},
	{REGISTRY_ISSUER_LACK, STORE_LIST_MAX, issuer_lack},
	{REGISTRY_ISSUER_COUNT, 1, issuer_count},
	{REGISTRY_PENDING_LIST, STORE_LIST_MAX, pending_list},
	{REGISTRY_REVOCATION, 1, revocation},
	{REGISTRY_ORDER_LIST, ORDERS_MAX, order_list},
	{REGISTRY_EVENT_LIST, 2 * STORE_LIST_MAX, event_list},
	{REGISTRY_CERT_LIST, STORE_LIST_MAX, cert_list},
	{REGISTRY_CERT_SHOW, 1, cert_show},
	{REGISTRY_SESSION_LIST, STORE_LIST_MAX, session_list},
	{REGISTRY_AUDIT_TAIL, STORE_LIST_MAX, audit_tail},
	{REGISTRY_AUDIT_VERIFY, 1, audit_verify},
	{REGISTRY_AUDIT_HEAD, 1, audit_head},
	{REGISTRY_STATUS, 1, status},
	{REGISTRY_MAKER_LIST, MAKERS_MAX, maker_list},
	{REGISTRY_MAKER_TRUST, MAKERS_MAX, maker_trust},
	{REGISTRY_SERVER_POLICY, 1, server_policy},
	{REGISTRY_APPROVAL_LIST, STORE_LIST_MAX, approval_list},
	{REGISTRY_GAP_LIST, STORE_LIST_MAX, gap_list},
	{REGISTRY_RECALL_SHOW, 1, recall_show},
	{REGISTRY_RECALL_LIST, STORE_LIST_MAX, recall_list},
	{REGISTRY_RECALL_NAS, STORE_LIST_MAX, recall_nas},
	{REGISTRY_RENEWAL_ASKED, STORE_LIST_MAX, renewal_asked},
	{REGISTRY_WIPE_ORDERS, STORE_LIST_MAX, wipe_orders},
	{REGISTRY_DECOMMISSION_SHOW, 1, decommission_show},
	{REGISTRY_ROTATION_PREVIEW, STORE_LIST_MAX, rotation_preview},
	{REGISTRY_ROTATION_SHOW, 1, rotation_show},
	{REGISTRY_ROTATION_WAVES, STORE_LIST_MAX, rotation_waves},
	{REGISTRY_DEVICE_LOOK, REGISTRY_LOOK_MAX, device_look},
	{REGISTRY_ALARM_LIST, STORE_LIST_MAX, alarm_list},
	{REGISTRY_ALARM_SHOW, 1, alarm_show},
};

static void query_answer(struct reader *r, struct ipc_request *rq)
{
	const struct ipc_verb *verb = ipc_request_verb(rq);
	size_t i = 0, n = 0;
	void *rows;
	int rc;

	while (i < sizeof(readers) / sizeof(readers[0]) && readers[i].verb != verb->verb)
		i++;
	if (i == sizeof(readers) / sizeof(readers[0])) {
		ipc_request_fail(rq, err_set(ERR_INTERNAL, "no reader for %s", verb->name));
		return;
	}
	ipc_request_records(rq, &r->n_query);
	rows = calloc(readers[i].max, verb->rep->size);
	rc = rows ? readers[i].read(r, ipc_request_record(rq), rows, readers[i].max, &n)
		  : err_set(ERR_NOMEM, "no memory for a list");
	if (rc) {
		if (rc != ERR_NOT_FOUND && rc != ERR_INVALID && rc != ERR_LIMIT)
			LOG(LOG_ERROR, "query.failed", LOG_S("verb", verb->name),
			    LOG_S("why", err_text()));
		ipc_request_fail(rq, rc);
	} else {
		ipc_request_reply(rq, rows, n);
	}
	free(rows);
}

void queries_run(struct lane_job **jobs, size_t n, void *worker)
{
	for (size_t i = 0; i < n; i++) {
		struct request_job *job = (struct request_job *)(void *)jobs[i];

		query_answer(worker, job->rq);
		free(job);
	}
}
