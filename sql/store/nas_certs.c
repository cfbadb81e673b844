/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the table nas_certificates: by which certificates a RadSec NAS is known. */
#include "sql/store/store_db.h"

#include <ctype.h>
#include <string.h>

#define SERIAL_SHORTEST 16 /* characters: 64 bits (CA/Browser Forum's least) */

int store_nas_facts_by_cert(struct store *st, const char *cert_serial, int64_t now_ms,
			    struct nas_facts *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT n.name, n.enabled = 1 AND c.state = 'valid'"
			    " AND c.not_before <= ?2 AND c.not_after > ?2, n.secret,"
			    " n.secret_version FROM nas_certificates c"
			    " JOIN nas n ON n.id = c.nas_id AND n.radsec = 1 WHERE c.serial = ?1",
			    DB_T(cert_serial), DB_I(now_ms));

	memset(out, 0, sizeof(*out));
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	rc = query_blob(&q, 2, &out->secret, sizeof(out->secret.data));
	if (rc)
		return rc;
	out->found = true;
	query_text(&q, 0, out->name, sizeof(out->name));
	out->enabled = query_i64(&q, 1) != 0;
	out->secret_version = (uint32_t)query_i64(&q, 3);
	return 0;
}

static int cert_check(const struct nas_cert *c)
{
	size_t len = strlen(c->cert_serial);

	for (const char *p = c->cert_serial; *p; p++)
		if (!isdigit((unsigned char)*p) && (*p < 'a' || *p > 'f'))
			return err_set(ERR_INVALID, "a certificate's serial is lower-case hex");
	if (len < SERIAL_SHORTEST || !*c->issuer || c->spki_sha256.len != 32 || !c->der.len ||
	    c->not_before >= c->not_after)
		return err_set(ERR_INVALID, "the certificate is not described whole");
	return 0;
}

/* ERR_NOT_FOUND, ERR_CONFLICT: no NAS that speaks RadSec. */
static int radsec_find(struct db *db, const char *name, int64_t *id_out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db, "SELECT id, radsec FROM nas WHERE name = ?1", DB_T(name));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_NOT_FOUND, "no NAS '%s'", name);
	if (!query_i64(&q, 1))
		return err_set(ERR_CONFLICT, "NAS %s has a shared secret and speaks no RadSec",
			       name);
	*id_out = query_i64(&q, 0);
	return 0;
}

/* ERR_UNCHANGED: in force already; ERR_EXISTS: another's, or revoked. */
static int serial_compare(struct db *db, int64_t nas, const char *serial)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db, "SELECT nas_id, state FROM nas_certificates WHERE serial = ?1",
			    DB_T(serial));
	char state[STATE_SIZE];

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 1, state, sizeof(state));
	if (query_i64(&q, 0) == nas && !strcmp(state, "valid"))
		return err_set(ERR_UNCHANGED, "certificate %s is registered already", serial);
	return err_set(ERR_EXISTS, "certificate %s is another NAS's, or revoked", serial);
}

static int others_revoke(struct db *db, int64_t nas, const char *serial, int64_t at)
{
	return db_run(db,
		      "UPDATE nas_certificates SET state = 'revoked', revoked_at = ?3"
		      " WHERE nas_id = ?1 AND serial <> ?2 AND state = 'valid'",
		      DB_I(nas), DB_T(serial), DB_I(at));
}

static int others_count(struct db *db, const struct nas_cert *c, int64_t nas, int64_t *n_out)
{
	return db_number(db, n_out,
			 "SELECT count(*) FROM nas_certificates WHERE nas_id = ?1"
			 " AND serial <> ?2 AND state = 'valid'",
			 DB_I(nas), DB_T(c->cert_serial));
}

int store_nas_cert_add(struct store *st, const struct action *by, const struct nas_cert *c)
{
	int64_t nas, others = 0;
	bool there;
	AUTO_TX tx = {0};
	int rc = cert_check(c);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = radsec_find(st->db, c->nas, &nas);
	if (!rc)
		rc = serial_compare(st->db, nas, c->cert_serial);
	there = rc == ERR_UNCHANGED;
	if ((!rc || there) && c->sole) {
		int counted = others_count(st->db, c, nas, &others);

		rc = counted ? counted : there && others ? 0 : rc;
	}
	if (!rc && !there)
		rc = db_run(st->db,
			    "INSERT INTO nas_certificates (nas_id, issuer, serial, state,"
			    " spki_sha256, not_before, not_after, issued_at, revoked_at, der)"
			    " VALUES (?1, ?2, ?3, 'valid', ?4, ?5, ?6, ?7, 0, ?8)",
			    DB_I(nas), DB_T(c->issuer), DB_T(c->cert_serial),
			    DB_B(c->spki_sha256.data, c->spki_sha256.len), DB_I(c->not_before),
			    DB_I(c->not_after), DB_I(by->at), DB_B(c->der.data, c->der.len));
	if (!rc && c->sole)
		rc = others_revoke(st->db, nas, c->cert_serial, by->at);
	if (!rc)
		rc = audit_append(st->db, by, "nas.certificate", c->nas,
				  "serial=%s not_after=%lld others_refused=%lld", c->cert_serial,
				  (long long)c->not_after, (long long)others);
	return rc ? rc : tx_commit(&tx);
}

int store_nas_cert_list(struct store *st, const char *name, struct nas_cert *out, size_t max,
			size_t *n_out)
{
	AUTO_QUERY q = {0};
	int64_t nas;
	size_t n = 0;
	int rc = radsec_find(st->db, name, &nas);

	if (rc)
		return rc;
	rc = query_open(&q, st->db,
			"SELECT issuer, serial, state, spki_sha256, not_before, not_after,"
			" issued_at, revoked_at, der FROM nas_certificates"
			" WHERE nas_id = ?1 ORDER BY id DESC LIMIT ?2",
			DB_I(nas), DB_I(max));
	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		struct nas_cert *c = &out[n++];

		*c = (struct nas_cert){.not_before = query_i64(&q, 4),
				       .not_after = query_i64(&q, 5),
				       .issued_at = query_i64(&q, 6),
				       .revoked_at = query_i64(&q, 7)};
		query_text(&q, 0, c->issuer, sizeof(c->issuer));
		query_text(&q, 1, c->cert_serial, sizeof(c->cert_serial));
		query_text(&q, 2, c->state, sizeof(c->state));
		memcpy(c->nas, name, strlen(name) + 1);
		rc = query_blob(&q, 3, &c->spki_sha256, sizeof(c->spki_sha256.data));
		if (!rc)
			rc = query_blob(&q, 8, &c->der, sizeof(c->der.data));
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int nas_certs_reach(struct db *db, int64_t now_ms, struct dispatch_order *out)
{
	AUTO_QUERY q = {0};
	size_t at = 0;
	int rc;

	out->cert_serials[0] = '\0';
	if (!out->radsec)
		return 0;
	rc = query_open(&q, db,
			"SELECT c.serial FROM nas n JOIN nas_certificates c ON c.nas_id = n.id"
			" WHERE n.name = ?1 AND c.state = 'valid' AND c.not_after > ?2"
			" ORDER BY c.id DESC LIMIT 4",
			DB_T(out->nas), DB_I(now_ms));
	while (!rc && (rc = query_next(&q)) == 1) {
		char serial[CERT_SERIAL_SIZE];
		size_t len;

		query_text(&q, 0, serial, sizeof(serial));
		len = strlen(serial);
		if (at + len + 2 > sizeof(out->cert_serials))
			return 0;
		if (at)
			out->cert_serials[at++] = ' ';
		memcpy(out->cert_serials + at, serial, len + 1);
		at += len;
		rc = 0;
	}
	return rc < 0 ? rc : 0;
}

int nas_certs_detail(struct db *db, int64_t now_ms, struct nas_detail *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT c.serial, c.not_after, count(*) OVER () FROM nas n"
			    " JOIN nas_certificates c ON c.nas_id = n.id"
			    " WHERE n.name = ?1 AND c.state = 'valid' AND c.not_after > ?2"
			    " ORDER BY c.id DESC LIMIT 1",
			    DB_T(out->name), DB_I(now_ms));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 0, out->cert_serial, sizeof(out->cert_serial));
	out->cert_not_after = query_i64(&q, 1);
	out->certificates = (uint64_t)query_i64(&q, 2);
	return 0;
}
