/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns who may ask for a recall, confirm and stop it. Never revokes a pump: recall_run.c does.
 */
#include "sql/store/recall.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sql/store/store_db.h"

#define DRAFT_MAX_MS 3600000LL
#define ALONE_WINDOW_MS 3600000LL

struct head {
	char state[STATE_SIZE];
	int64_t pumps, requested_at, confirmed_at;
	uid_t uid;
};

static int head_read(struct db *db, uint64_t id, struct head *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT state, pumps, requested_at, confirmed_at, requested_uid"
			    " FROM recalls WHERE id = ?1",
			    DB_I(id));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "there is no recall %" PRIu64, id);
	query_text(&q, 0, out->state, sizeof(out->state));
	out->pumps = query_i64(&q, 1);
	out->requested_at = query_i64(&q, 2);
	out->confirmed_at = query_i64(&q, 3);
	out->uid = (uid_t)query_i64(&q, 4);
	return 0;
}

static int drafts_remove(struct db *db, int64_t before)
{
	int rc = db_run(db,
			"DELETE FROM recall_pumps WHERE recall_id IN (SELECT id FROM recalls"
			" WHERE state = 'draft' AND requested_at < ?1)",
			DB_I(before));

	return rc ? rc
		  : db_run(db, "DELETE FROM recalls WHERE state = 'draft' AND requested_at < ?1",
			   DB_I(before));
}

int store_recall_draft(struct store *st, const struct person *who, const struct recall_draft *rq,
		       uint64_t *id_out)
{
	int64_t id;
	AUTO_TX tx = {0};
	int rc = label_check("reason", rq->reason);

	if (!rc && !*rq->reason)
		rc = err_set(ERR_INVALID, "a recall needs a reason");
	if (!rc)
		rc = label_check("choice", rq->chosen);
	if (!rc && rq->per_second > RECALL_PACE_MAX)
		rc = err_set(ERR_INVALID, "at most %d pumps a second", RECALL_PACE_MAX);
	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = drafts_remove(st->db, who->by.at - DRAFT_MAX_MS);
	if (!rc)
		rc = db_number(st->db, &id,
			       "INSERT INTO recalls (state, chosen, reason, per_second, pumps,"
			       " revoked, already, second_person, requested_at, requested_by,"
			       " requested_uid, confirmed_at, confirmed_by, changed_at,"
			       " changed_by, ended_at) VALUES ('draft', ?1, ?2, ?3, 0, 0, 0, 1, ?4,"
			       " ?5, ?6, 0, '', 0, '', 0) RETURNING id",
			       DB_T(rq->chosen), DB_T(rq->reason), DB_I(rq->per_second),
			       DB_I(who->by.at), DB_T(who->by.actor), DB_I(who->uid));
	if (!rc)
		rc = tx_commit(&tx);
	if (!rc)
		*id_out = (uint64_t)id;
	return rc;
}

static int draft_check(struct db *db, const struct person *who, uint64_t id, struct head *out)
{
	int rc = head_read(db, id, out);

	if (rc)
		return rc;
	if (strcmp(out->state, "draft") || out->uid != who->uid)
		return err_set(ERR_CONFLICT, "recall %" PRIu64 " is no draft of yours", id);
	return 0;
}

static int pump_add(struct db *db, const struct recall_pump *p, int64_t *added)
{
	int64_t device, n = 0;
	int rc =
		db_number(db, &device, "SELECT id FROM devices WHERE serial = ?1", DB_T(p->device));

	if (rc == ERR_NOT_FOUND)
		return err_set(rc, "the inventory has no pump '%s'", p->device);
	if (!rc)
		rc = db_run_count(db, &n,
				  "INSERT INTO recall_pumps (recall_id, device_id, state)"
				  " VALUES (?1, ?2, 'waiting')"
				  " ON CONFLICT (recall_id, device_id) DO NOTHING",
				  DB_I(p->recall), DB_I(device));
	*added += n;
	return rc;
}

int store_recall_add(struct store *st, const struct person *who, const struct recall_pump *pumps,
		     size_t n)
{
	int64_t added = 0;
	struct head head;
	AUTO_TX tx = {0};
	int rc = n ? tx_begin(&tx, st->db) : err_set(ERR_INVALID, "no pumps");

	if (!rc)
		rc = draft_check(st->db, who, pumps[0].recall, &head);
	for (size_t i = 0; !rc && i < n; i++)
		rc = pumps[i].recall == pumps[0].recall
			     ? pump_add(st->db, &pumps[i], &added)
			     : err_set(ERR_INVALID, "pumps of one recall, please");
	if (!rc && head.pumps + added > RECALL_PUMPS_MAX)
		rc = err_set(ERR_LIMIT, "a recall has at most %d pumps", RECALL_PUMPS_MAX);
	if (!rc)
		rc = db_run(st->db, "UPDATE recalls SET pumps = pumps + ?2 WHERE id = ?1",
			    DB_I(pumps[0].recall), DB_I(added));
	return rc ? rc : tx_commit(&tx);
}

static int pumps_check(const struct head *head, const struct recall_step *rq)
{
	if ((uint64_t)head->pumps == rq->pumps)
		return 0;
	return err_set(ERR_CONFLICT, "recall %" PRIu64 " takes %lld pumps, not %" PRIu64, rq->id,
		       (long long)head->pumps, rq->pumps);
}

/* Small recalls one after the other must not make up a large one that nobody confirmed. */
static int second_person_needed(struct db *db, const struct person *who, const struct head *head,
				bool *out)
{
	int64_t lately;
	int rc = db_number(db, &lately,
			   "SELECT COALESCE(sum(pumps), 0) FROM recalls WHERE requested_uid = ?1"
			   " AND requested_at > ?2 AND state <> 'draft' AND second_person = 0",
			   DB_I(who->uid), DB_I(who->by.at - ALONE_WINDOW_MS));

	*out = head->pumps + lately > RECALL_ALONE_MAX;
	return rc;
}

static int request_store(struct db *db, const struct person *who, const struct recall_step *rq,
			 const struct head *head, bool second, bool alone)
{
	bool wait = second && !alone;
	int rc = db_run(db,
			"UPDATE recalls SET state = ?2, second_person = ?3, requested_at = ?4,"
			" confirmed_at = ?5 WHERE id = ?1",
			DB_I(rq->id), DB_T(wait ? "requested" : "running"), DB_I(wait),
			DB_I(who->by.at), DB_I(wait ? 0 : who->by.at));
	char object[32];

	snprintf(object, sizeof(object), "recall %" PRIu64, rq->id);
	return rc ? rc
		  : audit_append(db, &who->by, "recall.request", object,
				 "pumps=%lld second_person=%s uid=%u", (long long)head->pumps,
				 !second ? "few pumps"
				 : alone ? "rule is off"
					 : "needed",
				 (unsigned)who->uid);
}

int store_recall_request(struct store *st, const struct person *who, const struct recall_step *rq,
			 bool alone)
{
	struct head head;
	bool second = true;
	AUTO_TX tx;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = draft_check(st->db, who, rq->id, &head);
	if (!rc)
		rc = pumps_check(&head, rq);
	if (!rc && !head.pumps)
		rc = err_set(ERR_UNCHANGED, "no pump is to be recalled");
	if (!rc)
		rc = second_person_needed(st->db, who, &head, &second);
	if (!rc)
		rc = request_store(st->db, who, rq, &head, second, alone);
	return rc ? rc : tx_commit(&tx);
}

static int confirm_check(const struct head *head, const struct person *who,
			 const struct recall_step *rq)
{
	if (!strcmp(head->state, "running") || !strcmp(head->state, "done"))
		return err_set(ERR_UNCHANGED, "recall %" PRIu64 " is %s", rq->id, head->state);
	if (strcmp(head->state, "requested"))
		return err_set(ERR_CONFLICT, "recall %" PRIu64 " is %s: nothing to confirm", rq->id,
			       head->state);
	if (head->uid == who->uid)
		return err_set(ERR_DENIED,
			       "recall %" PRIu64 " was requested by this same user (uid %u): "
			       "another admin has to confirm it",
			       rq->id, (unsigned)who->uid);
	if (who->by.at - head->requested_at > RECALL_LAPSE_MS)
		return err_set(ERR_EXPIRED,
			       "recall %" PRIu64 " was requested more than a day ago: pumps have "
			       "moved since; request it again",
			       rq->id);
	return pumps_check(head, rq);
}

int store_recall_confirm(struct store *st, const struct person *who, const struct recall_step *rq)
{
	struct head head;
	char object[32];
	AUTO_TX tx;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = head_read(st->db, rq->id, &head);
	if (!rc)
		rc = confirm_check(&head, who, rq);
	if (!rc)
		rc = db_run(st->db,
			    "UPDATE recalls SET state = 'running', confirmed_at = ?2,"
			    " confirmed_by = ?3 WHERE id = ?1",
			    DB_I(rq->id), DB_I(who->by.at), DB_T(who->by.actor));
	snprintf(object, sizeof(object), "recall %" PRIu64, rq->id);
	if (!rc)
		rc = audit_append(st->db, &who->by, "recall.confirm", object,
				  "pumps=%lld uid=%u requested_uid=%u", (long long)head.pumps,
				  (unsigned)who->uid, (unsigned)head.uid);
	return rc ? rc : tx_commit(&tx);
}

static int change_check(const struct head *head, const struct person *who,
			const struct recall_step *rq)
{
	bool cancel = !strcmp(rq->state, "cancelled"), resume = !strcmp(rq->state, "running");
	const char *from = resume ? "paused" : "running";

	if (!cancel && !resume && strcmp(rq->state, "paused"))
		return err_set(ERR_INVALID, "a recall is paused, running or cancelled");
	if (!strcmp(head->state, rq->state) || (resume && !strcmp(head->state, "done")))
		return err_set(ERR_UNCHANGED, "recall %" PRIu64 " is %s", rq->id, head->state);
	if (cancel ? !strcmp(head->state, "done") : strcmp(head->state, from) != 0)
		return err_set(ERR_CONFLICT, "recall %" PRIu64 " is %s", rq->id, head->state);
	if (resume && who->by.at - head->confirmed_at > RECALL_STALE_MS)
		return err_set(ERR_EXPIRED,
			       "recall %" PRIu64 " was begun more than seven days ago: pumps have "
			       "moved since; cancel it and request another",
			       rq->id);
	return 0;
}

int store_recall_change(struct store *st, const struct person *who, const struct recall_step *rq)
{
	const char *action = !strcmp(rq->state, "running")  ? "recall.resume"
			     : !strcmp(rq->state, "paused") ? "recall.pause"
							    : "recall.cancel";
	struct head head;
	char object[32];
	AUTO_TX tx;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = head_read(st->db, rq->id, &head);
	if (!rc)
		rc = change_check(&head, who, rq);
	if (!rc)
		rc = db_run(st->db,
			    "UPDATE recalls SET state = ?2, changed_at = ?3, changed_by = ?4,"
			    " ended_at = ?5 WHERE id = ?1",
			    DB_I(rq->id), DB_T(rq->state), DB_I(who->by.at), DB_T(who->by.actor),
			    DB_I(!strcmp(rq->state, "cancelled") ? who->by.at : 0));
	snprintf(object, sizeof(object), "recall %" PRIu64, rq->id);
	if (!rc)
		rc = audit_append(st->db, &who->by, action, object, "was=%s uid=%u", head.state,
				  (unsigned)who->uid);
	return rc ? rc : tx_commit(&tx);
}

int store_recall_rule(struct store *st, const struct action *by, bool second_person)
{
	int64_t changed;
	AUTO_TX tx;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = db_run_count(st->db, &changed,
				  "UPDATE recall_rule SET second_person = ?1"
				  " WHERE second_person <> ?1",
				  DB_I(second_person));
	if (!rc && changed)
		rc = audit_append(st->db, by, "recall.rule", "second_person", "%s",
				  second_person ? "on" : "OFF by pumpgate.conf");
	return rc ? rc : tx_commit(&tx);
}
