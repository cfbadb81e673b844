/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the audit chain: hash = SHA-256(hash of the row before, canonical form of the row). The
 * canonical form is u64 seq, u64 time, then actor, action, object and detail, each as u32 length
 * and bytes; the row before the first has 32 zero bytes. A chain shows a changed, removed or
 * swapped row; audit_head shows a tail cut off carelessly, not one cut by somebody who writes both.
 */
#include "sql/store/store_db.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define HASH_BYTES 32
#define VERIFY_CHUNK 4096 /* rows per read transaction, so that the log can be checkpointed */

struct audit_line {
	uint64_t seq;
	int64_t at;
	char actor[LABEL_SIZE];
	char action[REASON_SIZE];
	char object[ISSUER_SIZE];
	char detail[TEXT_SIZE];
};

static int line_hash(const uint8_t prev[HASH_BYTES], const struct audit_line *l,
		     uint8_t out[HASH_BYTES])
{
	const char *texts[] = {l->actor, l->action, l->object, l->detail};
	AUTO_BUF b;
	int rc;

	buf_init(&b, 4096);
	rc = buf_put(&b, prev, HASH_BYTES);
	if (!rc)
		rc = buf_put_u64(&b, l->seq);
	if (!rc)
		rc = buf_put_u64(&b, (uint64_t)l->at);
	for (size_t i = 0; !rc && i < sizeof(texts) / sizeof(texts[0]); i++) {
		rc = buf_put_u32(&b, (uint32_t)strlen(texts[i]));
		if (!rc)
			rc = buf_put_str(&b, texts[i]);
	}
	if (rc)
		return rc;
	crypto_hash_sha256(out, b.data, b.len);
	return 0;
}

static int head_read(struct db *db, uint64_t *seq_out, uint8_t hash_out[HASH_BYTES])
{
	RECORD_MEMBER_BLOB(hash, HASH_BYTES)
	AUTO_QUERY q;
	int rc = query_open(&q, db, "SELECT seq, hash FROM audit_head WHERE one = 1");

	*seq_out = 0;
	memset(hash_out, 0, HASH_BYTES);
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	rc = query_blob(&q, 1, &hash, HASH_BYTES);
	if (rc || hash.len != HASH_BYTES)
		return err_set(ERR_CORRUPT, "the head of the audit chain is damaged");
	*seq_out = (uint64_t)query_i64(&q, 0);
	memcpy(hash_out, hash.data, HASH_BYTES);
	return 0;
}

int audit_append(struct db *db, const struct action *by, const char *action, const char *object,
		 const char *fmt, ...)
{
	struct audit_line l = {.at = by->at};
	uint8_t prev[HASH_BYTES], hash[HASH_BYTES];
	va_list ap;
	int rc;

	snprintf(l.actor, sizeof(l.actor), "%s", by->actor);
	snprintf(l.action, sizeof(l.action), "%s", action);
	snprintf(l.object, sizeof(l.object), "%s", object);
	va_start(ap, fmt);
	vsnprintf(l.detail, sizeof(l.detail), fmt, ap);
	va_end(ap);
	rc = head_read(db, &l.seq, prev);
	l.seq++;
	if (!rc)
		rc = line_hash(prev, &l, hash);
	if (!rc)
		rc = db_run(db,
			    "INSERT INTO audit (seq, at, actor, action, object, detail, hash)"
			    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
			    DB_I(l.seq), DB_I(l.at), DB_T(l.actor), DB_T(l.action), DB_T(l.object),
			    DB_T(l.detail), DB_B(hash, HASH_BYTES));
	if (!rc)
		rc = db_run(db,
			    "INSERT INTO audit_head (one, seq, hash) VALUES (1, ?1, ?2)"
			    " ON CONFLICT (one) DO UPDATE SET seq = excluded.seq,"
			    " hash = excluded.hash",
			    DB_I(l.seq), DB_B(hash, HASH_BYTES));
	if (rc == ERR_EXISTS || rc == ERR_CONFLICT || rc == ERR_NOT_FOUND || rc == ERR_INVALID)
		rc = ERR_CORRUPT; /* never to be taken for a finding about the action's object */
	return rc ? err_add(rc, "audit") : 0;
}

static int line_read(const struct query *q, struct audit_line *l, uint8_t hash[HASH_BYTES])
{
	RECORD_MEMBER_BLOB(stored, HASH_BYTES)

	l->seq = (uint64_t)query_i64(q, 0);
	l->at = query_i64(q, 1);
	query_text(q, 2, l->actor, sizeof(l->actor));
	query_text(q, 3, l->action, sizeof(l->action));
	query_text(q, 4, l->object, sizeof(l->object));
	query_text(q, 5, l->detail, sizeof(l->detail));
	if (query_blob(q, 6, &stored, HASH_BYTES) || stored.len != HASH_BYTES)
		memset(hash, 0, HASH_BYTES); /* no SHA-256 of anything: will not match */
	else
		memcpy(hash, stored.data, HASH_BYTES);
	return 0;
}

#define AUDIT_COLUMNS "SELECT seq, at, actor, action, object, detail, hash FROM audit"

int store_audit_tail(struct store *st, const struct list_query *q, struct audit_row *out,
		     size_t max, size_t *n_out)
{
	bool newest = !*q->after;
	uint8_t hash[HASH_BYTES];
	struct audit_line l;
	AUTO_QUERY rows;
	size_t limit, n = 0;
	int rc = list_limit(q, max, &limit);

	if (rc)
		return rc;
	if (newest) /* newest first, turned round below */
		rc = query_open(&rows, st->db, AUDIT_COLUMNS " ORDER BY seq DESC LIMIT ?1",
				DB_I(limit));
	else
		rc = query_open(&rows, st->db,
				AUDIT_COLUMNS " WHERE seq > ?1 ORDER BY seq LIMIT ?2",
				DB_I(strtoll(q->after, NULL, 10)), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		struct audit_row *row = &out[n++];

		rc = line_read(&rows, &l, hash);
		*row = (struct audit_row){.seq = l.seq, .at = l.at};
		memcpy(row->actor, l.actor, sizeof(row->actor));
		memcpy(row->action, l.action, sizeof(row->action));
		memcpy(row->object, l.object, sizeof(row->object));
		memcpy(row->detail, l.detail, sizeof(row->detail));
		hex_encode(hash, HASH_BYTES, row->hash, sizeof(row->hash));
	}
	for (size_t i = 0; newest && i < n / 2; i++) {
		struct audit_row swap = out[i];

		out[i] = out[n - 1 - i];
		out[n - 1 - i] = swap;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

static int row_hash(struct db *db, uint64_t seq, char out[2 * HASH_BYTES + 1])
{
	uint8_t hash[HASH_BYTES];
	struct audit_line l;
	AUTO_QUERY q;
	int rc = query_open(&q, db, AUDIT_COLUMNS " WHERE seq = ?1", DB_I(seq));

	out[0] = '\0';
	if (!rc)
		rc = query_next(&q);
	if (rc == 1) {
		rc = line_read(&q, &l, hash);
		hex_encode(hash, HASH_BYTES, out, 2 * HASH_BYTES + 1);
	}
	return rc;
}

/* The newest row itself, not what audit_head says of it: rows are what is signed. */
int store_audit_head(struct store *st, uint64_t seq, struct audit_head *out)
{
	struct audit_head head = {0};
	AUTO_QUERY q;
	int rc = query_open(&q, st->db, "SELECT max(seq) FROM audit");

	if (!rc)
		rc = query_next(&q);
	if (rc == 1) {
		head.seq = (uint64_t)query_i64(&q, 0); /* 0 when there is none */
		rc = row_hash(st->db, head.seq, head.hash);
	}
	if (!rc && seq)
		rc = row_hash(st->db, seq, head.row_hash);
	if (!rc)
		*out = head;
	return rc;
}

/* The next chunk of the chain; 1: more to come, 0: at the end or broken. */
static int verify_chunk(struct db *db, uint8_t prev[HASH_BYTES], struct audit_check *check)
{
	uint8_t want[HASH_BYTES], have[HASH_BYTES];
	struct audit_line l;
	AUTO_QUERY q;
	int seen = 0;
	int rc = query_open(&q, db, AUDIT_COLUMNS " WHERE seq > ?1 ORDER BY seq LIMIT ?2",
			    DB_I(check->rows), DB_I(VERIFY_CHUNK));

	while (!rc && (rc = query_next(&q)) == 1) {
		rc = line_read(&q, &l, have);
		if (!rc)
			rc = line_hash(prev, &l, want);
		if (rc)
			break;
		if (l.seq != check->rows + 1 || memcmp(want, have, HASH_BYTES)) {
			check->intact = false;
			check->bad_seq = check->rows + 1;
			snprintf(check->text, sizeof(check->text),
				 l.seq != check->rows + 1
					 ? "row %" PRIu64 " is missing"
					 : "row %" PRIu64 " does not fit its hash: it was changed",
				 check->bad_seq);
			return 0;
		}
		memcpy(prev, have, HASH_BYTES);
		check->rows++;
		seen++;
	}
	return rc < 0 ? rc : seen == VERIFY_CHUNK;
}

int store_note(struct store *st, const struct action *by, const char *action, const char *object,
	       const char *detail)
{
	AUTO_TX tx;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = audit_append(st->db, by, action, object, "%s", detail);
	return rc ? rc : tx_commit(&tx);
}

#define ADMINS_DEFAULT "admins=root viewers= onboarders= auditors="

int store_admins_note(struct store *st, const struct action *by, const char *text)
{
	char last[TEXT_SIZE] = ADMINS_DEFAULT;
	AUTO_TX tx;
	int rc = tx_begin(&tx, st->db);

	if (!rc) {
		AUTO_QUERY q;

		rc = query_open(&q, st->db,
				"SELECT detail FROM audit WHERE object = 'admins'"
				" AND action = 'admins.rule' ORDER BY seq DESC LIMIT 1");
		if (!rc)
			rc = query_next(&q);
		if (rc == 1) {
			query_text(&q, 0, last, sizeof(last));
			rc = 0;
		}
	}
	if (!rc && strcmp(last, text) != 0)
		rc = audit_append(st->db, by, "admins.rule", "admins", "%s", text);
	return rc ? rc : tx_commit(&tx);
}

int store_audit_verify(struct store *st, struct audit_check *out)
{
	struct audit_check check = {.intact = true};
	uint8_t prev[HASH_BYTES] = {0}, head[HASH_BYTES];
	uint64_t head_seq;
	int rc = head_read(st->db, &head_seq, head); /* rows may be added while this reads */

	if (rc)
		return rc;
	do {
		rc = verify_chunk(st->db, prev, &check);
		if (rc < 0)
			return rc;
		if (check.rows == head_seq && memcmp(prev, head, HASH_BYTES) && check.intact) {
			check.intact = false;
			check.bad_seq = head_seq;
			snprintf(check.text, sizeof(check.text),
				 "row %" PRIu64 " is not the one that was last written", head_seq);
		}
	} while (rc == 1 && check.intact);
	if (check.intact && check.rows < head_seq) {
		check.intact = false;
		check.bad_seq = check.rows + 1;
		snprintf(check.text, sizeof(check.text),
			 "the end is missing: rows %" PRIu64 " to %" PRIu64, check.bad_seq,
			 head_seq);
	}
	if (check.intact)
		snprintf(check.text, sizeof(check.text), "the chain is whole");
	hex_encode(prev, HASH_BYTES, check.head, sizeof(check.head));
	*out = check;
	return 0;
}
