/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the table alarms. An open alarm is kept once per kind and subject and counts up; once
 * written it leaves only long after it was acknowledged.
 */
#include "sql/store/store_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/anomaly.h"

#define OPEN_MAX 1000	  /* beyond: all that is new goes into one alarm that says so */
#define SETTLED_MAX 10000 /* acknowledged ones that are kept; the audit has them all */
#define SUBJECT_SIZE (DEVICE_SERIAL_SIZE + NAME_SIZE)

#define ALARM_COLUMNS                                                                          \
	"SELECT id, state, kind, device, nas, other_nas, cert_serial, mac, other_mac, detail," \
	" action, count, first_at, last_at, acked_at, acked_by, note FROM alarms"

static void alarm_read(const struct query *q, struct alarm *out)
{
	*out = (struct alarm){.id = (uint64_t)query_i64(q, 0)};
	snprintf(out->key, sizeof(out->key), "%020lld", (long long)query_i64(q, 0));
	query_text(q, 1, out->state, sizeof(out->state));
	query_text(q, 2, out->kind, sizeof(out->kind));
	query_text(q, 3, out->device, sizeof(out->device));
	query_text(q, 4, out->nas, sizeof(out->nas));
	query_text(q, 5, out->other_nas, sizeof(out->other_nas));
	query_text(q, 6, out->cert_serial, sizeof(out->cert_serial));
	query_text(q, 7, out->mac, sizeof(out->mac));
	query_text(q, 8, out->other_mac, sizeof(out->other_mac));
	query_text(q, 9, out->detail, sizeof(out->detail));
	query_text(q, 10, out->action, sizeof(out->action));
	out->count = (uint64_t)query_i64(q, 11);
	out->first_at = query_i64(q, 12);
	out->last_at = query_i64(q, 13);
	out->acked_at = query_i64(q, 14);
	query_text(q, 15, out->acked_by, sizeof(out->acked_by));
	query_text(q, 16, out->note, sizeof(out->note));
}

/* With a space, so that a NAS is no pump's serial. */
static void subject_of(const struct alarm *a, char out[SUBJECT_SIZE])
{
	if (*a->device)
		snprintf(out, SUBJECT_SIZE, "%s", a->device);
	else if (*a->nas)
		snprintf(out, SUBJECT_SIZE, "nas %s", a->nas);
	else
		snprintf(out, SUBJECT_SIZE, "all pumps");
}

/* ERR_NOT_FOUND. */
static int alarm_by_id(struct db *db, uint64_t id, struct alarm *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db, ALARM_COLUMNS " WHERE id = ?1", DB_I(id));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "no alarm %llu", (unsigned long long)id);
	alarm_read(&q, out);
	return 0;
}

/* ERR_NOT_FOUND: none is open. */
static int open_find(struct db *db, const char *kind, const char *subject, int64_t *id_out)
{
	return db_number(
		db, id_out,
		"SELECT id FROM alarms WHERE kind = ?1 AND subject = ?2 AND state = 'open'",
		DB_T(kind), DB_T(subject));
}

/* Counts up, and keeps the newest words. Where it was seen first stays: the suspect's NAS. */
static int count_up(struct db *db, int64_t id, const struct alarm *a)
{
	return db_run(db,
		      "UPDATE alarms SET count = count + ?2, detail = ?3, cert_serial = ?4,"
		      " last_at = CASE WHEN last_at > ?5 THEN last_at ELSE ?5 END WHERE id = ?1",
		      DB_I(id), DB_I(a->count), DB_T(a->detail), DB_T(a->cert_serial),
		      DB_I(a->last_at));
}

/* Room for one more: old acknowledged alarms go. ERR_LIMIT: too many are open. */
static int room_make(struct db *db)
{
	int64_t open;
	int rc = db_number(db, &open, "SELECT count(*) FROM alarms WHERE state = 'open'");

	if (!rc && open >= OPEN_MAX)
		return err_set(ERR_LIMIT, "%d alarms are open", OPEN_MAX);
	if (!rc)
		rc = db_run(db,
			    "DELETE FROM alarms WHERE state = 'acknowledged' AND id <="
			    " (SELECT id FROM alarms WHERE state = 'acknowledged'"
			    "  ORDER BY id DESC LIMIT 1 OFFSET ?1)",
			    DB_I(SETTLED_MAX));
	return rc;
}

static int alarm_open(struct db *db, const struct action *by, const struct alarm *a,
		      const char *subject, int64_t *id_out)
{
	int rc = db_run(db,
			"INSERT INTO alarms (kind, subject, state, device, nas, other_nas,"
			" cert_serial, mac, other_mac, detail, action, acted_at, count, first_at,"
			" last_at, acked_at, acked_by, note) VALUES (?1, ?2, 'open', ?3, ?4, ?5,"
			" ?6, ?7, ?8, ?9, 'none', 0, ?10, ?11, ?12, 0, '', '')",
			DB_T(a->kind), DB_T(subject), DB_T(a->device), DB_T(a->nas),
			DB_T(a->other_nas), DB_T(a->cert_serial), DB_T(a->mac), DB_T(a->other_mac),
			DB_T(a->detail), DB_I(a->count), DB_I(a->first_at), DB_I(a->last_at));

	if (!rc)
		rc = open_find(db, a->kind, subject, id_out);
	if (!rc)
		rc = audit_append(db, by, "alarm.open", subject, "id=%lld kind=%s nas=%s: %s",
				  (long long)*id_out, a->kind, a->nas, a->detail);
	return rc;
}

/* Everything that is too much: one alarm without a pump. */
static struct alarm overflow_of(const struct alarm *a)
{
	struct alarm o = {.count = a->count, .first_at = a->first_at, .last_at = a->last_at};

	snprintf(o.kind, sizeof(o.kind), "%s", anomaly_name(ANOMALY_OVERFLOW));
	snprintf(o.detail, sizeof(o.detail), "newest: %s of %.63s through %.32s", a->kind,
		 *a->device ? a->device : "no known pump", *a->nas ? a->nas : "-");
	return o;
}

int store_alarm_raise(struct store *st, const struct action *by, const struct alarm *in,
		      struct alarm *out, bool *opened_out)
{
	struct alarm a = *in;
	char subject[SUBJECT_SIZE];
	AUTO_TX tx = {0};
	bool opened = false;
	int64_t id;
	int rc = tx_begin(&tx, st->db);

	subject_of(&a, subject);
	if (!rc)
		rc = open_find(st->db, a.kind, subject, &id);
	if (rc == ERR_NOT_FOUND) {
		opened = true;
		rc = room_make(st->db);
	}
	if (rc == ERR_LIMIT) {
		a = overflow_of(in);
		subject_of(&a, subject);
		rc = open_find(st->db, a.kind, subject, &id);
		opened = rc == ERR_NOT_FOUND; /* the one that may be more than OPEN_MAX */
		rc = opened ? 0 : rc;
	}
	if (!rc)
		rc = opened ? alarm_open(st->db, by, &a, subject, &id) : count_up(st->db, id, &a);
	if (!rc)
		rc = alarm_by_id(st->db, (uint64_t)id, out);
	if (!rc)
		rc = tx_commit(&tx);
	if (!rc)
		*opened_out = opened;
	return rc;
}

int store_alarm_acted(struct store *st, uint64_t id, const char *action, int64_t at)
{
	return db_run(st->db, "UPDATE alarms SET action = ?2, acted_at = ?3 WHERE id = ?1",
		      DB_I(id), DB_T(action), DB_I(at));
}

int store_alarm_ack(struct store *st, const struct action *by, const struct alarm_ack *rq)
{
	struct alarm a;
	char subject[SUBJECT_SIZE];
	AUTO_TX tx = {0};
	int rc = label_check("note", rq->note);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = alarm_by_id(st->db, rq->id, &a);
	if (!rc && strcmp(a.state, "open") != 0)
		return err_set(ERR_UNCHANGED, "alarm %llu was acknowledged by %s",
			       (unsigned long long)rq->id, a.acked_by);
	if (!rc)
		rc = db_run(st->db,
			    "UPDATE alarms SET state = 'acknowledged', acked_at = ?2,"
			    " acked_by = ?3, note = ?4 WHERE id = ?1",
			    DB_I(rq->id), DB_I(by->at), DB_T(by->actor), DB_T(rq->note));
	subject_of(&a, subject);
	if (!rc)
		rc = audit_append(st->db, by, "alarm.ack", subject, "id=%llu kind=%s count=%llu %s",
				  (unsigned long long)rq->id, a.kind, (unsigned long long)a.count,
				  rq->note);
	return rc ? rc : tx_commit(&tx);
}

int store_alarm_show(struct store *st, uint64_t id, struct alarm *out)
{
	return alarm_by_id(st->db, id, out);
}

int store_alarm_list(struct store *st, const struct list_query *q, struct alarm *out, size_t max,
		     size_t *n_out)
{
	int64_t before = INT64_MAX;
	AUTO_QUERY rows = {0};
	size_t limit, n = 0;
	char *end = NULL;
	int rc = list_limit(q, max, &limit);

	if (!rc && *q->after) {
		before = strtoll(q->after, &end, 10);
		if (*end)
			return err_set(ERR_INVALID, "'%.32s' is not a key of an alarm", q->after);
	}
	if (!rc)
		rc = query_open(&rows, st->db,
				ALARM_COLUMNS " WHERE id < ?1 AND (?2 = '' OR device = ?2)"
					      " AND (?3 = '' OR nas = ?3 OR other_nas = ?3)"
					      " AND (?4 = 0 OR state = 'open')"
					      " ORDER BY id DESC LIMIT ?5",
				DB_I(before), DB_T(q->device), DB_T(q->nas), DB_I(q->live_only),
				DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		alarm_read(&rows, &out[n++]);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

/* Old software is counted for itself, and open ports not at all: they say nothing about copied
 * keys.
 */
static int pumps_count(struct db *db, const struct alarm *a, const char *nas, int64_t since,
		       uint64_t *out)
{
	const char *old = anomaly_name(ANOMALY_OLD_SOFTWARE);
	int64_t n;
	int rc = db_number(db, &n,
			   "SELECT count(DISTINCT device) FROM alarms WHERE last_at > ?1"
			   " AND device <> '' AND (?2 = '' OR nas = ?2)"
			   " AND (kind = ?3) = (?4 = ?3) AND kind <> ?5",
			   DB_I(since), DB_T(nas), DB_T(old), DB_T(a->kind),
			   DB_T(anomaly_name(ANOMALY_OPEN_PORT)));

	if (!rc)
		*out = (uint64_t)n;
	return rc;
}

static int is_open(struct db *db, enum anomaly_kind kind, const char *nas, bool *out)
{
	struct alarm a = {0};
	char subject[SUBJECT_SIZE];
	int64_t id;
	int rc;

	memcpy(a.nas, nas, strnlen(nas, sizeof(a.nas) - 1));
	subject_of(&a, subject);
	rc = open_find(db, anomaly_name(kind), subject, &id);
	*out = *out || !rc;
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

int store_alarm_history(struct store *st, const struct alarm *a, int64_t now,
			struct anomaly_history *out)
{
	struct anomaly_history h = {0};
	int64_t done = 0;
	int rc = pumps_count(st->db, a, "", now - STORE_ALARM_HOUR_MS, &h.pumps);

	if (!rc && *a->nas)
		rc = pumps_count(st->db, a, a->nas, now - STORE_ALARM_HOUR_MS, &h.pumps_via_nas);
	if (!rc)
		rc = is_open(st->db, anomaly_many_of(anomaly_parse(a->kind)), "", &h.people_asked);
	if (!rc && *a->nas)
		rc = is_open(st->db, ANOMALY_ONE_NAS, a->nas, &h.people_asked);
	if (!rc)
		rc = db_number(st->db, &done,
			       "SELECT count(*) FROM alarms WHERE device = ?1"
			       " AND action = 'quarantined' AND acted_at > ?2",
			       DB_T(a->device), DB_I(now - STORE_ALARM_DAY_MS));
	h.quarantined_already = done > 0;
	if (!rc)
		*out = h;
	return rc;
}
