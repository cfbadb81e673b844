/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the tables makers and maker_anchors. Never reads a certificate: whether a chain ends at an
 * anchor is the signer's to verify.
 */
#include "sql/store/maker_models.h"
#include "sql/store/store_db.h"

#include <string.h>

#include <sodium.h>

/* One DER element (X.690 8.1) of SEQUENCE's tag at the front of what is left. */
static int der_next(struct cursor *c, const uint8_t **der_out, size_t *len_out)
{
	const uint8_t *at = c->at;
	size_t header = 2, len;

	if (c->left < 4 || at[0] != 0x30)
		return err_set(ERR_INVALID, "anchors: not certificates");
	len = at[1];
	if (len == 0x82) { /* no certificate is shorter than 256 bytes or longer than 65535 */
		len = (size_t)at[2] << 8 | at[3];
		header = 4;
	} else if (len > 0x7f) {
		return err_set(ERR_INVALID, "anchors: not certificates");
	}
	*len_out = header + len;
	return cursor_bytes(c, header + len, der_out)
		       ? err_set(ERR_INVALID, "anchors: a certificate is cut off")
		       : 0;
}

static int maker_check(const struct maker *m)
{
	int rc = *m->name ? label_check("maker", m->name)
			  : err_set(ERR_INVALID, "a maker needs a name");

	if (!rc)
		rc = label_check("models", m->models);
	if (!rc)
		rc = maker_models_check(m->models);
	if (!rc && !m->anchors.len)
		rc = err_set(ERR_INVALID, "a maker needs an anchor");
	return rc;
}

#define MAKER_COLUMNS "SELECT m.id, m.name, m.enabled, m.models, m.added_at, m.added_by, "
#define MAKER_PUMPS "(SELECT count(*) FROM devices d WHERE d.maker = m.name)"

static void maker_take(const struct query *q, struct maker *out)
{
	*out = (struct maker){.enabled = query_i64(q, 2) != 0, .added_at = query_i64(q, 4)};
	query_text(q, 1, out->name, sizeof(out->name));
	query_text(q, 3, out->models, sizeof(out->models));
	query_text(q, 5, out->added_by, sizeof(out->added_by));
	out->pumps = (uint64_t)query_i64(q, 6);
}

/* Fills anchor_sha256 and, if wanted, anchors. */
static int anchors_take(struct db *db, int64_t maker, bool with_der, struct maker *out)
{
	RECORD_MEMBER_BLOB(der, CERT_DER_MAX)
	RECORD_MEMBER_BLOB(sha256, 32)
	size_t used = 0;
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT sha256, der FROM maker_anchors WHERE maker_id = ?1 ORDER BY id",
			    DB_I(maker));

	while (!rc && (rc = query_next(&q)) == 1) {
		rc = query_blob(&q, 0, &sha256, sizeof(sha256.data));
		if (!rc)
			rc = query_blob(&q, 1, &der, sizeof(der.data));
		if (rc)
			return rc;
		if (used + 66 > sizeof(out->anchor_sha256) ||
		    out->anchors.len + der.len > sizeof(out->anchors.data))
			return err_set(ERR_CORRUPT, "maker %s has too many anchors", out->name);
		if (used)
			out->anchor_sha256[used++] = ' ';
		hex_encode(sha256.data, sha256.len, out->anchor_sha256 + used, 65);
		used += 64;
		if (with_der) {
			memcpy(out->anchors.data + out->anchors.len, der.data, der.len);
			out->anchors.len += der.len;
		}
	}
	return rc;
}

/* 0: no such maker. ERR_UNCHANGED, ERR_EXISTS. */
static int maker_compare(struct db *db, const struct maker *m)
{
	struct maker old;
	int64_t id;
	AUTO_QUERY q;
	int rc = query_open(&q, db, MAKER_COLUMNS "0 FROM makers m WHERE m.name = ?1",
			    DB_T(m->name));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	maker_take(&q, &old);
	id = query_i64(&q, 0);
	query_close(&q);
	rc = anchors_take(db, id, true, &old);
	if (rc)
		return rc;
	if (!strcmp(old.models, m->models) && old.anchors.len == m->anchors.len &&
	    !memcmp(old.anchors.data, m->anchors.data, m->anchors.len))
		return err_set(ERR_UNCHANGED, "maker %s is just so already", m->name);
	return err_set(ERR_EXISTS,
		       "maker %s exists with other models or anchors: remove it first (pumps that "
		       "are enrolled stay so)",
		       m->name);
}

static int anchors_put(struct db *db, int64_t maker, const struct maker *m)
{
	struct cursor c = cursor_of(m->anchors.data, m->anchors.len);
	int rc = 0;

	for (unsigned n = 0; !rc && c.left; n++) {
		uint8_t hash[crypto_hash_sha256_BYTES];
		const uint8_t *der;
		size_t len;

		if (n == MAKER_ANCHORS_MAX)
			return err_set(ERR_LIMIT, "more than %d anchors", MAKER_ANCHORS_MAX);
		rc = der_next(&c, &der, &len);
		if (rc)
			return rc;
		if (len > CERT_DER_MAX)
			return err_set(ERR_LIMIT, "an anchor of %zu bytes", len);
		crypto_hash_sha256(hash, der, len);
		rc = db_run(db,
			    "INSERT INTO maker_anchors (maker_id, sha256, der)"
			    " VALUES (?1, ?2, ?3)",
			    DB_I(maker), DB_B(hash, sizeof(hash)), DB_B(der, len));
		if (rc == ERR_EXISTS)
			return err_set(rc, "an anchor is there twice, or another maker's");
	}
	return rc;
}

int store_maker_add(struct store *st, const struct action *by, const struct maker *m)
{
	AUTO_TX tx = {0};
	int64_t n = 0, id = 0;
	int rc = maker_check(m);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = maker_compare(st->db, m);
	if (!rc)
		rc = db_number(st->db, &n, "SELECT count(*) FROM makers WHERE 0 = ?1", DB_I(0));
	if (!rc && n >= MAKERS_MAX)
		rc = err_set(ERR_LIMIT, "there are %d makers already", MAKERS_MAX);
	if (!rc)
		rc = db_run(st->db,
			    "INSERT INTO makers (name, enabled, models, added_at, added_by)"
			    " VALUES (?1, 1, ?2, ?3, ?4)",
			    DB_T(m->name), DB_T(m->models), DB_I(by->at), DB_T(by->actor));
	if (!rc)
		rc = db_number(st->db, &id, "SELECT id FROM makers WHERE name = ?1", DB_T(m->name));
	if (!rc)
		rc = anchors_put(st->db, id, m);
	if (!rc)
		rc = audit_append(st->db, by, "maker.add", m->name, "models=%.200s", m->models);
	return rc ? rc : tx_commit(&tx);
}

int store_maker_enable(struct store *st, const struct action *by, const char *name, bool enabled)
{
	AUTO_TX tx = {0};
	int64_t now = 0;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = db_number(st->db, &now, "SELECT enabled FROM makers WHERE name = ?1",
			       DB_T(name));
	if (rc == ERR_NOT_FOUND)
		return err_set(rc, "no maker %s", name);
	if (!rc && (now != 0) == enabled)
		return err_set(ERR_UNCHANGED, "maker %s is %s already", name,
			       enabled ? "enabled" : "disabled");
	if (!rc)
		rc = db_run(st->db, "UPDATE makers SET enabled = ?2 WHERE name = ?1", DB_T(name),
			    DB_I(enabled));
	if (!rc)
		rc = audit_append(st->db, by, enabled ? "maker.enable" : "maker.disable", name,
				  "%s", "");
	return rc ? rc : tx_commit(&tx);
}

int store_maker_remove(struct store *st, const struct action *by, const char *name)
{
	AUTO_TX tx = {0};
	int64_t id = 0;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = db_number(st->db, &id, "SELECT id FROM makers WHERE name = ?1", DB_T(name));
	if (rc == ERR_NOT_FOUND)
		return err_set(rc, "no maker %s", name);
	if (!rc)
		rc = db_run(st->db, "DELETE FROM maker_anchors WHERE maker_id = ?1", DB_I(id));
	if (!rc)
		rc = db_run(st->db, "DELETE FROM makers WHERE id = ?1", DB_I(id));
	if (!rc)
		rc = audit_append(st->db, by, "maker.remove", name, "%s", "");
	return rc ? rc : tx_commit(&tx);
}

static int makers_read(struct store *st, struct query *rows, bool with_der, struct maker *out,
		       size_t max, size_t *n_out)
{
	size_t n = 0;
	int rc = 0;

	while (!rc && n < max && (rc = query_next(rows)) == 1) {
		maker_take(rows, &out[n]);
		rc = anchors_take(st->db, query_i64(rows, 0), with_der, &out[n]);
		n++;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int store_maker_list(struct store *st, const struct list_query *q, struct maker *out, size_t max,
		     size_t *n_out)
{
	AUTO_QUERY rows = {0};
	size_t limit;
	int rc = list_limit(q, max, &limit);

	if (!rc)
		rc = query_open(&rows, st->db,
				MAKER_COLUMNS MAKER_PUMPS
				" FROM makers m WHERE m.name > ?1 ORDER BY m.name LIMIT ?2",
				DB_T(q->after), DB_I(limit));
	return rc ? rc : makers_read(st, &rows, false, out, limit, n_out);
}

int store_maker_trust(struct store *st, struct maker *out, size_t max, size_t *n_out)
{
	AUTO_QUERY rows;
	int rc = query_open(&rows, st->db,
			    MAKER_COLUMNS "0 FROM makers m WHERE m.enabled = ?1 ORDER BY m.name",
			    DB_I(1));

	return rc ? rc : makers_read(st, &rows, true, out, max, n_out);
}
