/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what an authentication or accounting event does to events and sessions. A session is named
 * by NAS and Acct-Session-Id; which pump it is comes from the accept, or from the Class that the
 * NAS sends back (RFC 2865 5.25).
 */
#include "sql/store/session_db.h"

#include <stdio.h>
#include <string.h>

#include "policies/reason.h"
#include "policies/tls_profile.h"

#define NAS_SEEN_STEP_MS 10000 /* a busy NAS is noted this often */

static int event_insert(struct db *db, const char *source, const char *subject,
			const struct auth_event *e, int64_t at)
{
	return db_run(db,
		      "INSERT INTO events (at, source, subject, what, reason, method, device,"
		      " identity, issuer, cert_serial, mac, nas, nas_port, session_id, zone, vlan,"
		      " took_us, detail, tls, tls_cipher) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
		      " ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
		      DB_I(at), DB_T(source), DB_T(subject), DB_T(e->verdict), DB_T(e->reason),
		      DB_T(e->method), DB_T(e->device), DB_T(e->identity), DB_T(e->issuer),
		      DB_T(e->cert_serial), DB_T(e->mac), DB_T(e->nas), DB_T(e->nas_port),
		      DB_T(e->session_id), DB_T(e->zone), DB_I(e->vlan), DB_I(e->took_us),
		      DB_T(e->detail), DB_I(e->tls), DB_T(e->tls_cipher));
}

/* Where `nas` is remembered, to write it down only now and then. */
static struct nas_memory *nas_slot(struct session_store *ss, const char *nas)
{
	size_t at = 5381;

	for (const char *p = nas; *p; p++)
		at = at * 33 + (unsigned char)*p;
	return &ss->nas[at % NAS_REMEMBERED];
}

static int nas_note(struct session_store *ss, const char *nas, int64_t at)
{
	struct nas_memory *slot = nas_slot(ss, nas);
	int rc;

	if (!*nas || (!strcmp(slot->name, nas) && at < slot->at + NAS_SEEN_STEP_MS))
		return 0;
	rc = db_run(ss->db,
		    "INSERT INTO nas_seen (nas, at) VALUES (?1, ?2)"
		    " ON CONFLICT (nas) DO UPDATE SET at = excluded.at"
		    " WHERE nas_seen.at < excluded.at",
		    DB_T(nas), DB_I(at));
	if (!rc && !str_copy(slot->name, sizeof(slot->name), nas))
		slot->at = at;
	return rc;
}

/* The session's accounting came before its accept, whose event rests a moment in radiusd: what was
 * stopped after it stays so. */
#define STOPPED_SINCE "(sessions.state = 'stopped' AND sessions.stopped_at > excluded.accepted_at)"

static int session_open(struct db *db, const struct auth_event *e, int64_t at)
{
	/* the same pump on the same port: an earlier accept that never came to a session is over
	 * (the state is asked twice to name the index of live sessions) */
	int rc = db_run(db,
			"UPDATE sessions SET state = 'stopped', stopped_at = ?5,"
			" cause = 'replaced' WHERE device = ?1 AND nas = ?2"
			" AND calling_station = ?3 AND session_id <> ?4 AND state <> 'stopped' AND "
			"state = 'accepted'",
			DB_T(e->device), DB_T(e->nas), DB_T(e->calling_station),
			DB_T(e->session_id), DB_I(at));

	if (rc || !*e->session_id)
		return rc;
	return db_run(db,
		      "INSERT INTO sessions (nas, session_id, device, cert_serial, mac, nas_port,"
		      " calling_station, zone, vlan, state, accepted_at, started_at, updated_at,"
		      " stopped_at, input_octets, output_octets, cause) VALUES (?1, ?2, ?3, ?4, ?5,"
		      " ?6, ?7, ?8, ?9, 'accepted', ?10, 0, ?10, 0, 0, 0, '')"
		      " ON CONFLICT (nas, session_id) DO UPDATE SET device = excluded.device,"
		      " cert_serial = excluded.cert_serial, mac = excluded.mac,"
		      " nas_port = excluded.nas_port, calling_station = excluded.calling_station,"
		      " zone = excluded.zone, vlan = excluded.vlan,"
		      " state = CASE WHEN sessions.state = 'started' THEN 'started'"
		      "  WHEN " STOPPED_SINCE " THEN 'stopped' ELSE 'accepted' END,"
		      " accepted_at = excluded.accepted_at,"
		      " updated_at = CASE WHEN sessions.updated_at > excluded.updated_at"
		      "  THEN sessions.updated_at ELSE excluded.updated_at END,"
		      " stopped_at = CASE WHEN " STOPPED_SINCE
		      " THEN sessions.stopped_at ELSE 0 END,"
		      " cause = CASE WHEN " STOPPED_SINCE " THEN sessions.cause ELSE '' END",
		      DB_T(e->nas), DB_T(e->session_id), DB_T(e->device), DB_T(e->cert_serial),
		      DB_T(e->mac), DB_T(e->nas_port), DB_T(e->calling_station), DB_T(e->zone),
		      DB_I(e->vlan), DB_I(at));
}

/* What a birth certificate or MAC authentication does not tell stays as it was. */
static int seen_note(struct db *db, const struct auth_event *e, int64_t at)
{
	return db_run(
		db,
		"INSERT INTO seen (device, cert_serial, at, nas, mac, mac_nas, mac_session, tls,"
		" tls_cipher, tls_at, low)"
		" VALUES (?1, ?2, ?3, ?4, ?5, CASE WHEN ?5 = '' THEN '' ELSE ?4 END,"
		" CASE WHEN ?5 = '' THEN '' ELSE ?6 END, ?7, ?8, CASE WHEN ?7 = 0 THEN 0 ELSE ?3"
		" END, ?9)"
		" ON CONFLICT (device, cert_serial) DO UPDATE SET at = excluded.at,"
		" nas = excluded.nas,"
		" mac = CASE WHEN ?5 = '' THEN seen.mac ELSE ?5 END,"
		" mac_nas = CASE WHEN ?5 = '' THEN seen.mac_nas ELSE ?4 END,"
		" mac_session = CASE WHEN ?5 = '' THEN seen.mac_session ELSE ?6 END,"
		" tls = CASE WHEN ?7 = 0 THEN seen.tls ELSE ?7 END,"
		" tls_cipher = CASE WHEN ?7 = 0 THEN seen.tls_cipher ELSE ?8 END,"
		" tls_at = CASE WHEN ?7 = 0 THEN seen.tls_at ELSE ?3 END, low = ?9",
		DB_T(e->device), DB_T(e->cert_serial), DB_I(at), DB_T(e->nas), DB_T(e->mac),
		DB_T(e->session_id), DB_I(e->tls), DB_T(e->tls_cipher),
		DB_I(!strcmp(e->reason, reason_name(REASON_TLS_BELOW_MODEL))));
}

int session_store_auth(struct session_store *ss, const struct auth_event *e, int64_t now)
{
	int64_t at = e->at ? e->at : now;
	int rc = event_insert(ss->db, "auth", *e->device ? e->device : e->identity, e, at);

	if (!rc)
		rc = nas_note(ss, e->nas, at);
	if (rc || !strcmp(e->verdict, "reject"))
		return rc;
	rc = session_open(ss->db, e, at);
	return rc || !*e->device ? rc : seen_note(ss->db, e, at);
}

void tls_version_put(uint32_t version, char out[TLS_VERSION_SIZE])
{
	snprintf(out, TLS_VERSION_SIZE, "%s", tls_version_name(version));
}

int session_store_tls(struct session_store *ss, struct model_pump *p)
{
	AUTO_QUERY q;
	int rc = query_open(&q, ss->db,
			    "SELECT tls, tls_cipher, tls_at, low FROM seen WHERE device = ?1"
			    " AND (tls > 0 OR low = 1) ORDER BY at DESC LIMIT 1",
			    DB_T(p->device));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	tls_version_put((uint32_t)query_i64(&q, 0), p->tls);
	query_text(&q, 1, p->tls_cipher, sizeof(p->tls_cipher));
	p->tls_at = query_i64(&q, 2);
	p->low = query_i64(&q, 3) != 0;
	return 0;
}

int session_store_seen(struct session_store *ss, const char *device, struct seen *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, ss->db,
			    "SELECT at, nas, mac, mac_nas, mac_session FROM seen"
			    " WHERE device = ?1 AND cert_serial <> '' ORDER BY at DESC LIMIT 1",
			    DB_T(device));

	*out = (struct seen){0};
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	out->at = query_i64(&q, 0);
	query_text(&q, 1, out->nas, sizeof(out->nas));
	query_text(&q, 2, out->mac, sizeof(out->mac));
	query_text(&q, 3, out->mac_nas, sizeof(out->mac_nas));
	query_text(&q, 4, out->mac_session, sizeof(out->mac_session));
	return 0;
}

int session_store_goes_on(struct session_store *ss, const char *device, const char *nas,
			  const char *session_id, bool *out)
{
	int64_t n;
	int rc = db_number(ss->db, &n,
			   "SELECT count(*) FROM sessions WHERE nas = ?1 AND session_id = ?2"
			   " AND device = ?3 AND state <> 'stopped'",
			   DB_T(nas), DB_T(session_id), DB_T(device));

	if (!rc)
		*out = n > 0;
	return rc;
}

int session_store_anomaly(struct session_store *ss, const struct alarm *a, int64_t at)
{
	struct auth_event row = {0};

	if (!*a->device)
		return 0; /* nobody's history: the alarm tells */
	memcpy(row.verdict, "anomaly", sizeof("anomaly"));
	memcpy(row.reason, a->kind, sizeof(row.reason));
	memcpy(row.device, a->device, sizeof(row.device));
	memcpy(row.cert_serial, a->cert_serial, sizeof(row.cert_serial));
	memcpy(row.mac, a->mac, sizeof(row.mac));
	memcpy(row.nas, a->nas, sizeof(row.nas));
	memcpy(row.detail, a->detail, sizeof(row.detail));
	return event_insert(ss->db, "anomaly", a->device, &row, at);
}

int session_store_enroll(struct session_store *ss, const struct enroll_event *e, int64_t now)
{
	struct auth_event row = {0};

	memcpy(row.verdict, e->operation, sizeof(row.verdict));
	memcpy(row.reason, e->reason, sizeof(row.reason));
	memcpy(row.device, e->device, sizeof(row.device));
	snprintf(row.detail, sizeof(row.detail), "%s%sfrom %s", e->detail, *e->detail ? "; " : "",
		 *e->source ? e->source : "unknown");
	return event_insert(ss->db, !strcmp(e->operation, "report") ? "report" : "enroll",
			    e->device, &row, e->at ? e->at : now);
}

int session_store_nas_event(struct session_store *ss, const struct nas_event *e, const char *reason,
			    const char *detail, int64_t now)
{
	struct auth_event row = {0};
	char subject[NAS_SUBJECT_SIZE];

	nas_subject(e->nas, subject);
	if (str_copy(row.verdict, sizeof(row.verdict), e->kind) ||
	    str_copy(row.reason, sizeof(row.reason), reason) ||
	    str_copy(row.detail, sizeof(row.detail), detail))
		return err_set(ERR_INVALID, "a NAS event whose text is too long");
	memcpy(row.nas, e->nas, sizeof(row.nas));
	return event_insert(ss->db, "nas", subject, &row, e->at ? e->at : now);
}

void nas_subject(const char *nas, char out[NAS_SUBJECT_SIZE])
{
	snprintf(out, NAS_SUBJECT_SIZE, "nas %s", nas);
}

/* A NAS began an id again that had been stopped, and says for whom (?14: interim): it is that
 * pump's session now, or a revocation of it would not find it. */
#define BEGUN_ANEW                                                                    \
	"(sessions.state = 'stopped' AND excluded.state = 'started' AND ?14 = 0 AND " \
	"excluded.device"                                                             \
	" <> '')"

/* Yields one row: the session's pump. */
static int session_update(struct query *q, struct db *db, const struct acct_event *e, int64_t at)
{
	const char *state = !strcmp(e->type, "stop") ? "stopped" : "started";
	bool stop = *state == 's' && !strcmp(state, "stopped");

	/* An interim that overtakes a stop must not wake the session again; a start may: some NAS
	 * begin the same id again. A pump once known is not forgotten for a missing Class. */
	return query_open(
		q, db,
		"INSERT INTO sessions (nas, session_id, device, cert_serial, mac, nas_port,"
		" calling_station, zone, vlan, state, accepted_at, started_at, updated_at,"
		" stopped_at, input_octets, output_octets, cause) VALUES (?1, ?2, ?3, ?4, ?5,"
		" ?6, ?7, '', 0, ?8, 0, ?9, ?9, ?10, ?11, ?12, ?13)"
		" ON CONFLICT (nas, session_id) DO UPDATE SET"
		" device = CASE WHEN sessions.device = '' OR " BEGUN_ANEW " THEN excluded.device"
		"  ELSE sessions.device END,"
		" cert_serial = CASE WHEN sessions.cert_serial = '' OR " BEGUN_ANEW
		"  THEN excluded.cert_serial ELSE sessions.cert_serial END,"
		" mac = CASE WHEN " BEGUN_ANEW " THEN excluded.mac ELSE sessions.mac END,"
		" calling_station = CASE WHEN " BEGUN_ANEW " THEN excluded.calling_station"
		"  ELSE sessions.calling_station END,"
		" nas_port = CASE WHEN excluded.nas_port = '' THEN sessions.nas_port"
		"  ELSE excluded.nas_port END,"
		" state = CASE WHEN sessions.state = 'stopped' AND ?14 = 1 THEN 'stopped'"
		"  ELSE excluded.state END,"
		" started_at = CASE WHEN sessions.started_at = 0 THEN excluded.started_at"
		"  ELSE sessions.started_at END,"
		" updated_at = excluded.updated_at,"
		" stopped_at = CASE WHEN sessions.state = 'stopped' AND ?14 = 1"
		"  THEN sessions.stopped_at ELSE excluded.stopped_at END,"
		" input_octets = excluded.input_octets,"
		" output_octets = excluded.output_octets,"
		" cause = CASE WHEN sessions.state = 'stopped' AND ?14 = 1"
		"  THEN sessions.cause ELSE excluded.cause END RETURNING device",
		DB_T(e->nas), DB_T(e->session_id), DB_T(e->device), DB_T(e->cert_serial),
		DB_T(e->mac), DB_T(e->nas_port), DB_T(e->calling_station), DB_T(state), DB_I(at),
		DB_I(stop ? at : 0), DB_I(e->input_octets), DB_I(e->output_octets),
		DB_T(stop ? e->cause : ""), DB_I(!strcmp(e->type, "interim")));
}

static int acct_check(const struct acct_event *e)
{
	static const char *const known[] = {"start", "interim", "stop", "on", "off"};

	if (!*e->nas)
		return err_set(ERR_INVALID, "accounting without a NAS");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(e->type, known[i]))
			continue;
		if (i < 3 && !*e->session_id)
			return err_set(ERR_INVALID, "accounting %s without a session", e->type);
		return 0;
	}
	return err_set(ERR_INVALID, "no accounting type '%s'", e->type);
}

int session_store_acct(struct session_store *ss, const struct acct_event *e, int64_t now,
		       char device_out[DEVICE_SERIAL_SIZE])
{
	int64_t at = e->at ? e->at : now;
	AUTO_QUERY q = {0};
	int rc = acct_check(e);

	*device_out = 0;
	if (!rc)
		rc = nas_note(ss, e->nas, at);
	if (rc)
		return rc;
	/* what came up after the restart stays: the NAS may say late that it restarted */
	if (!strcmp(e->type, "on") || !strcmp(e->type, "off"))
		return db_run(ss->db,
			      "UPDATE sessions SET state = 'stopped', stopped_at = ?2,"
			      " cause = ?3 WHERE nas = ?1 AND state <> 'stopped'"
			      " AND accepted_at <= ?2 AND started_at <= ?2",
			      DB_T(e->nas), DB_I(at),
			      DB_T(!strcmp(e->type, "on") ? "nas-started" : "nas-stopped"));
	rc = session_update(&q, ss->db, e, at);
	if (!rc)
		rc = query_next(&q);
	if (rc == 1) {
		query_text(&q, 0, device_out, DEVICE_SERIAL_SIZE);
		rc = query_next(&q); /* runs the statement to its end */
	}
	return rc < 0 ? rc : 0;
}
