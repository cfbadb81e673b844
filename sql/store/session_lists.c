/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading sessions and events. */
#include "sql/store/session_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A NAS that shows more live sessions of one pump than this (a broken one, or somebody who has its
 * secret) is told of the newest by name, and of the stations; it can't crowd the other NAS out. */
#define FOOTHOLDS_PER_NAS "16"
/* A NAS that sends no Acct-Session-Id in its Access-Request has a pump on without any session here:
 * its accept alone tells, and the station is all to name it by (RFC 3580 3.21: upper case, dashes).
 */
#define ACCEPTS_WITHOUT_SESSION                                                              \
	" SELECT nas, '', upper(replace(max(mac), ':', '-')), 0, 1, max(at) FROM events e"   \
	" WHERE subject = ?1 AND device = ?1 AND source = 'auth' AND nas <> '' AND at >= ?3" \
	" AND session_id = '' AND what <> 'reject' AND NOT EXISTS"                           \
	"  (SELECT 1 FROM sessions r WHERE r.device = ?1 AND r.nas = e.nas"                  \
	"   AND (r.state <> 'stopped' OR r.updated_at >= ?2)) GROUP BY nas"
#define LIVE "FROM sessions WHERE device = ?1 AND state <> 'stopped'"

/* Rows of nas, session, station, two to sort by, time. */
static int footholds_read(struct query *q, struct foothold *out, size_t max, size_t *n_out)
{
	size_t n = 0;
	int rc = 0;

	while (!rc && n < max && (rc = query_next(q)) == 1) {
		out[n].at = query_i64(q, 5);
		query_text(q, 0, out[n].nas, sizeof(out[n].nas));
		query_text(q, 1, out[n].session_id, sizeof(out[n].session_id));
		query_text(q, 2, out[n].calling_station, sizeof(out[n].calling_station));
		n++;
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int session_store_footholds(struct session_store *ss, const char *device, int64_t since,
			    int64_t accepts_since, struct foothold *out, size_t max, size_t *n_out)
{
	AUTO_QUERY q;
	/* the newest session per NAS stands for the key that this NAS may still hold */
	int rc = query_open(
		&q, ss->db,
		"SELECT nas, session_id, calling_station, 1 AS live, nth, updated_at FROM"
		" (SELECT nas, session_id, calling_station, updated_at, row_number() OVER"
		"   (PARTITION BY nas ORDER BY updated_at DESC, id DESC) AS nth " LIVE ") a"
		" WHERE nth <= " FOOTHOLDS_PER_NAS " UNION ALL"
		" SELECT nas, '', calling_station, 1, nth, 0 FROM"
		" (SELECT nas, calling_station, row_number() OVER"
		"   (PARTITION BY nas ORDER BY max(updated_at) DESC) AS nth " LIVE
		"   AND nas IN (SELECT nas " LIVE
		" GROUP BY nas HAVING count(*) > " FOOTHOLDS_PER_NAS ")"
		"   GROUP BY nas, calling_station) b"
		" WHERE nth <= " FOOTHOLDS_PER_NAS " UNION ALL"
		" SELECT nas, '', max(calling_station), 0, 1, 0 FROM sessions s"
		" WHERE device = ?1 AND updated_at >= ?2 AND NOT EXISTS"
		"  (SELECT 1 FROM sessions l WHERE l.device = ?1 AND l.nas = s.nas"
		"   AND l.state <> 'stopped')"
		" GROUP BY nas UNION ALL" ACCEPTS_WITHOUT_SESSION " ORDER BY 4 DESC, 5, 1",
		DB_T(device), DB_I(since), DB_I(accepts_since));

	return rc ? rc : footholds_read(&q, out, max, n_out);
}

/* Of sessions s of pump ?1. */
#define ZONE_LET_INTO                                                                     \
	"CASE WHEN s.zone <> '' THEN s.zone ELSE COALESCE((SELECT e.zone FROM events e"   \
	" WHERE e.subject = ?1 AND e.device = ?1 AND e.source = 'auth' AND e.nas = s.nas" \
	" AND e.what <> 'reject' ORDER BY e.id DESC LIMIT 1), '') END"

int session_store_zone(struct session_store *ss, const char *device, const char *nas,
		       const char *session_id, char out[NAME_SIZE])
{
	AUTO_QUERY q;
	int rc = query_open(&q, ss->db,
			    "SELECT " ZONE_LET_INTO " FROM sessions s WHERE s.device = ?1"
			    " AND s.nas = ?2 AND s.session_id = ?3 AND s.state <> 'stopped'",
			    DB_T(device), DB_T(nas), DB_T(session_id));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_NOT_FOUND, "no such live session");
	query_text(&q, 0, out, NAME_SIZE);
	return 0;
}

int session_store_misplaced(struct session_store *ss, const char *device,
			    const struct zone_due *due, int64_t accepts_since, struct foothold *out,
			    size_t max, size_t *n_out)
{
	AUTO_QUERY q;
	int rc = query_open(
		&q, ss->db,
		"SELECT nas, session_id, calling_station, 1, 1, updated_at FROM sessions s"
		" WHERE s.device = ?1 AND s.state <> 'stopped' AND " ZONE_LET_INTO
		" NOT IN (?2, ?5)"
		" UNION ALL"
		" SELECT nas, '', upper(replace(mac, ':', '-')), 0, 1, at FROM"
		" (SELECT nas, mac, zone, at, row_number() OVER"
		"   (PARTITION BY nas ORDER BY id DESC) AS nth FROM events WHERE subject = ?1"
		"   AND device = ?1 AND source = 'auth' AND nas <> '' AND session_id = ''"
		"   AND what <> 'reject' AND at >= ?3) a"
		" WHERE nth = 1 AND zone NOT IN (?2, ?5) LIMIT ?4",
		DB_T(device), DB_T(due->zone), DB_I(accepts_since), DB_I(max),
		DB_T(*due->low ? due->low : due->zone));

	return rc ? rc : footholds_read(&q, out, max, n_out);
}

int session_store_live_devices(struct session_store *ss, const char *after,
			       char (*out)[DEVICE_SERIAL_SIZE], size_t max, size_t *n_out)
{
	AUTO_QUERY q;
	size_t n = 0;
	int rc = query_open(&q, ss->db,
			    "SELECT DISTINCT device FROM sessions WHERE state <> 'stopped'"
			    " AND device > ?1 ORDER BY device LIMIT ?2",
			    DB_T(after), DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		query_text(&q, 0, out[n++], DEVICE_SERIAL_SIZE);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

#define REJECTS_MAX 1000

/* Refusals since the pump was last let on. Only those that its certificate proves to be its own:
 * anybody can fail under a claimed name. */
static int rejects_count(struct session_store *ss, const char *device, uint32_t *out)
{
	char what[REASON_SIZE] = "reject";
	AUTO_QUERY q;
	uint32_t n = 0;
	int rc = query_open(&q, ss->db,
			    "SELECT what FROM events WHERE subject = ?1 AND device = ?1"
			    " AND source = 'auth' AND method <> 'mab' ORDER BY id DESC LIMIT ?2",
			    DB_T(device), DB_I(REJECTS_MAX));

	while (!rc && (rc = query_next(&q)) == 1) {
		query_text(&q, 0, what, sizeof(what));
		if (strcmp(what, "reject"))
			break;
		n++;
		rc = 0;
	}
	*out = n;
	return rc < 0 ? rc : 0;
}

static int device_tls(struct session_store *ss, struct device *d)
{
	struct model_pump p = {0};
	int rc;

	memcpy(p.device, d->serial, sizeof(p.device));
	rc = session_store_tls(ss, &p);
	memcpy(d->tls, p.tls, sizeof(d->tls));
	d->tls_at = p.tls_at;
	memcpy(d->tls_cipher, p.tls_cipher, sizeof(d->tls_cipher));
	return rc;
}

int session_store_device(struct session_store *ss, struct device *d)
{
	int64_t live;
	AUTO_QUERY q;
	int rc = query_open(&q, ss->db,
			    "SELECT at, nas FROM seen WHERE device = ?1 ORDER BY at DESC LIMIT 1",
			    DB_T(d->serial));

	if (!rc)
		rc = query_next(&q);
	if (rc == 1) {
		d->last_seen = query_i64(&q, 0);
		query_text(&q, 1, d->last_nas, sizeof(d->last_nas));
	}
	if (rc >= 0)
		rc = db_number(ss->db, &live,
			       "SELECT count(*) FROM sessions WHERE device = ?1"
			       " AND state <> 'stopped'",
			       DB_T(d->serial));
	if (!rc)
		rc = rejects_count(ss, d->serial, &d->rejects);
	if (!rc)
		rc = device_tls(ss, d);
	if (!rc)
		d->live_sessions = (uint32_t)live;
	return rc;
}

int session_store_cert(struct session_store *ss, struct cert *c)
{
	int rc = db_number(ss->db, &c->last_used,
			   "SELECT at FROM seen WHERE device = ?1 AND cert_serial = ?2",
			   DB_T(c->device), DB_T(c->cert_serial));

	return rc == ERR_NOT_FOUND ? 0 : rc;
}

int session_store_nas(struct session_store *ss, struct nas *n)
{
	int rc = db_number(ss->db, &n->last_seen, "SELECT at FROM nas_seen WHERE nas = ?1",
			   DB_T(n->name));

	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* How many events of that kind, and when the newest was. */
static int nas_events_count(struct db *db, const char *subject, const char *kind, uint64_t *n_out,
			    int64_t *at_out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT count(*), COALESCE(max(at), 0) FROM events"
			    " WHERE subject = ?1 AND source = 'nas' AND what = ?2",
			    DB_T(subject), DB_T(kind));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	*n_out = (uint64_t)query_i64(&q, 0);
	*at_out = query_i64(&q, 1);
	return 0;
}

static int nas_event_last(struct db *db, const char *subject, struct nas_detail *n)
{
	char reason[REASON_SIZE], detail[TEXT_SIZE - REASON_SIZE - 2];
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT reason, detail FROM events WHERE subject = ?1"
			    " AND source = 'nas' ORDER BY id DESC LIMIT 1",
			    DB_T(subject));

	if (!rc)
		rc = query_next(&q);
	if (rc == 1) {
		query_text(&q, 0, reason, sizeof(reason));
		query_text(&q, 1, detail, sizeof(detail));
		snprintf(n->last_event, sizeof(n->last_event), "%s: %s", reason, detail);
	}
	return rc < 0 ? rc : 0;
}

int session_store_nas_detail(struct session_store *ss, struct nas_detail *n)
{
	char subject[NAS_SUBJECT_SIZE];
	int64_t live = 0;
	int rc = db_number(ss->db, &n->last_seen, "SELECT at FROM nas_seen WHERE nas = ?1",
			   DB_T(n->name));

	nas_subject(n->name, subject);
	if (!rc || rc == ERR_NOT_FOUND)
		rc = db_number(ss->db, &live,
			       "SELECT count(*) FROM sessions WHERE nas = ?1"
			       " AND state <> 'stopped'",
			       DB_T(n->name));
	n->live_sessions = (uint64_t)live;
	if (!rc)
		rc = nas_events_count(ss->db, subject, "wrong-secret", &n->wrong_secret_events,
				      &n->wrong_secret_at);
	if (!rc)
		rc = nas_events_count(ss->db, subject, "claim", &n->claim_events, &n->claim_at);
	return rc ? rc : nas_event_last(ss->db, subject, n);
}

static void session_read(const struct query *q, struct session *out)
{
	*out = (struct session){0};
	snprintf(out->key, sizeof(out->key), "%020lld", (long long)query_i64(q, 0));
	query_text(q, 1, out->nas, sizeof(out->nas));
	query_text(q, 2, out->session_id, sizeof(out->session_id));
	query_text(q, 3, out->device, sizeof(out->device));
	query_text(q, 4, out->cert_serial, sizeof(out->cert_serial));
	query_text(q, 5, out->mac, sizeof(out->mac));
	query_text(q, 6, out->nas_port, sizeof(out->nas_port));
	query_text(q, 7, out->zone, sizeof(out->zone));
	out->vlan = (uint32_t)query_i64(q, 8);
	query_text(q, 9, out->state, sizeof(out->state));
	out->accepted_at = query_i64(q, 10);
	out->started_at = query_i64(q, 11);
	out->updated_at = query_i64(q, 12);
	out->stopped_at = query_i64(q, 13);
	out->input_octets = (uint64_t)query_i64(q, 14);
	out->output_octets = (uint64_t)query_i64(q, 15);
	query_text(q, 16, out->cause, sizeof(out->cause));
}

#define SESSION_COLUMNS                                                                      \
	"SELECT id, nas, session_id, device, cert_serial, mac, nas_port, zone, vlan, state," \
	" accepted_at, started_at, updated_at, stopped_at, input_octets, output_octets,"     \
	" cause FROM sessions"
#define SESSION_FILTERS                                                                     \
	" AND (?2 = '' OR nas = ?2) AND (?3 = '' OR zone = ?3) AND (?4 = '' OR state = ?4)" \
	" AND (?5 = 0 OR state <> 'stopped') ORDER BY id LIMIT ?6"

int session_store_list(struct session_store *ss, const struct list_query *q, struct session *out,
		       size_t max, size_t *n_out)
{
	long long after = 0;
	AUTO_QUERY rows = {0};
	size_t limit = q->limit ? q->limit : STORE_LIST_MAX, n = 0;
	char *end = NULL;
	int rc;

	if (limit > STORE_LIST_MAX)
		return err_set(ERR_LIMIT, "at most %d rows at once", STORE_LIST_MAX);
	if (limit > max)
		limit = max;
	if (*q->after) {
		after = strtoll(q->after, &end, 10);
		if (*end)
			return err_set(ERR_INVALID, "'%.32s' is not a key of a session", q->after);
	}
	rc = *q->device
		     ? query_open(&rows, ss->db,
				  SESSION_COLUMNS " WHERE device = ?7 AND id > ?1" SESSION_FILTERS,
				  DB_I(after), DB_T(q->nas), DB_T(q->zone), DB_T(q->state),
				  DB_I(q->live_only), DB_I(limit), DB_T(q->device))
		     : query_open(&rows, ss->db, SESSION_COLUMNS " WHERE id > ?1" SESSION_FILTERS,
				  DB_I(after), DB_T(q->nas), DB_T(q->zone), DB_T(q->state),
				  DB_I(q->live_only), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		session_read(&rows, &out[n++]);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

static void event_read(const struct query *q, struct event *out)
{
	*out = (struct event){.at = query_i64(q, 0)};
	query_text(q, 1, out->source, sizeof(out->source));
	query_text(q, 2, out->what, sizeof(out->what));
	query_text(q, 3, out->reason, sizeof(out->reason));
	query_text(q, 4, out->device, sizeof(out->device));
	query_text(q, 5, out->identity, sizeof(out->identity));
	query_text(q, 6, out->cert_serial, sizeof(out->cert_serial));
	query_text(q, 7, out->mac, sizeof(out->mac));
	query_text(q, 8, out->nas, sizeof(out->nas));
	query_text(q, 9, out->zone, sizeof(out->zone));
	out->vlan = (uint32_t)query_i64(q, 10);
	query_text(q, 11, out->detail, sizeof(out->detail));
	tls_version_put((uint32_t)query_i64(q, 12), out->tls);
	query_text(q, 13, out->tls_cipher, sizeof(out->tls_cipher));
}

#define EVENT_COLUMNS                                                                     \
	"SELECT at, source, what, reason, device, identity, cert_serial, mac, nas, zone," \
	" vlan, detail, tls, tls_cipher FROM events"

int session_store_events(struct session_store *ss, const char *device, int64_t before,
			 struct event *out, size_t max, size_t *n_out)
{
	int64_t end = before ? before : INT64_MAX;
	AUTO_QUERY q = {0};
	size_t n = 0;
	int rc;

	if (*device)
		rc = query_open(&q, ss->db,
				EVENT_COLUMNS " WHERE subject = ?1 AND at < ?2"
					      " ORDER BY id DESC LIMIT ?3",
				DB_T(device), DB_I(end), DB_I(max));
	else
		rc = query_open(&q, ss->db,
				EVENT_COLUMNS " WHERE at < ?1 ORDER BY id DESC LIMIT ?2", DB_I(end),
				DB_I(max));
	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		event_read(&q, &out[n++]);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int session_store_status(struct session_store *ss, struct status *out)
{
	int64_t live, version;
	int rc = db_number(ss->db, &live, "SELECT count(*) FROM sessions WHERE state <> 'stopped'");

	if (!rc)
		rc = db_number(ss->db, &version, "SELECT max(version) FROM schema_version");
	if (rc)
		return rc;
	out->live_sessions = (uint64_t)live;
	out->sessions_schema = (uint32_t)version;
	return 0;
}
