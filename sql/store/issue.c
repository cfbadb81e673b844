/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns issuance: proof checked, token burnt and serial reserved in one transaction (begin), the
 * signed certificate stored in another (store). What was begun with the same proof and key is
 * resumed, so that a lost answer costs nothing.
 */
#include "sql/store/approvals.h"
#include "sql/store/issue_proof.h"

#include <string.h>

#include <sodium.h>

#include "base/secret.h"

#define TOKENS_TRIED 16	 /* newest of the pump */
#define RENEWALS_OPEN 16 /* of one pump, in force and not yet superseded by use */
/* What allows this issuance; at most one of the two ids is not 0. */
struct issue_proof {
	int64_t token_id;
	int64_t prior_id;
	bool is_stale;	/* the used token is past its time, or was replaced */
	bool is_return; /* the prior certificate is past its end */
};

static int request_check(const struct issue_begin *rq)
{
	uint8_t serial[20];
	size_t len;

	if (rq->idevid_sha256.len && strcmp(rq->method, "idevid"))
		return err_set(ERR_INVALID, "a birth certificate with method %s", rq->method);
	if (rq->spki_sha256.len != SPKI_BYTES)
		return err_set(ERR_INVALID, "the key's SHA-256 has %u bytes", rq->spki_sha256.len);
	for (const char *p = rq->cert_serial; *p; p++)
		if (*p >= 'A' && *p <= 'F')
			return err_set(ERR_INVALID, "certificate serials are lower-case hex");
	/* RFC 5280 4.1.2.2: at most 20 octets */
	if (!*rq->cert_serial || hex_decode(rq->cert_serial, sizeof(serial), serial, &len))
		return err_set(ERR_INVALID, "'%s' is not a certificate serial", rq->cert_serial);
	return 0;
}

int issue_device_find(struct db *db, const char *serial, int64_t id, struct issue_device *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT id, serial, " DEVICE_STANDING ", maker, model FROM devices d"
			    " WHERE serial = ?1 OR id = ?2",
			    DB_T(serial), DB_I(id));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : ERR_NOT_FOUND;
	out->id = query_i64(&q, 0);
	query_text(&q, 1, out->serial, sizeof(out->serial));
	query_text(&q, 2, out->state, sizeof(out->state));
	query_text(&q, 3, out->maker, sizeof(out->maker));
	query_text(&q, 4, out->model, sizeof(out->model));
	return 0;
}

static int token_denied(void)
{
	return err_set(ERR_DENIED, "no such pump, or the token is wrong");
}

struct found_token {
	int64_t id; /* 0: none matched */
	char state[STATE_SIZE];
	int64_t expires_at;
	bool same_key;
};

/* Compares with every recent token of the pump in the same time, whichever matches. */
static int token_find(struct db *db, int64_t device, const struct issue_begin *rq,
		      struct found_token *out)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	RECORD_MEMBER_BLOB(stored, 32)
	RECORD_MEMBER_BLOB(spki, 32)
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT id, hash, state, expires_at, used_spki FROM tokens"
			    " WHERE device_id = ?1 ORDER BY id DESC LIMIT ?2",
			    DB_I(device), DB_I(TOKENS_TRIED));

	*out = (struct found_token){0};
	crypto_hash_sha256(hash, rq->token.data, rq->token.len);
	while (!rc && (rc = query_next(&q)) == 1) {
		rc = query_blob(&q, 1, &stored, sizeof(stored.data));
		if (!rc)
			rc = query_blob(&q, 4, &spki, sizeof(spki.data));
		if (rc || !secret_equal(hash, sizeof(hash), stored.data, stored.len))
			continue;
		out->id = query_i64(&q, 0);
		query_text(&q, 2, out->state, sizeof(out->state));
		out->expires_at = query_i64(&q, 3);
		out->same_key = spki.len == SPKI_BYTES &&
				!memcmp(spki.data, rq->spki_sha256.data, SPKI_BYTES);
	}
	return rc;
}

/* 1: this very request was begun before, `out` names the proof; 0: the proof is good and fresh. */
static int proof_by_token(struct db *db, const struct issue_begin *rq, int64_t now,
			  struct issue_device *device, struct issue_proof *out)
{
	struct found_token token;
	int64_t newer = 0;
	int rc = issue_device_find(db, rq->device, -1, device);

	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	if (rc == ERR_NOT_FOUND)
		device->id = -1;
	rc = token_find(db, device->id, rq, &token);
	if (rc)
		return rc;
	if (device->id < 0 || !token.id)
		return token_denied();
	if (!strcmp(device->state, "revoked"))
		return err_set(ERR_CONFLICT, "pump %s is revoked", device->serial);
	if (!strcmp(device->state, "held"))
		return err_set(ERR_CONFLICT,
			       "restored-gap: pump %s is held back: pumpctl backup merge",
			       device->serial);
	out->token_id = token.id;
	if (!strcmp(token.state, "used")) {
		if (!token.same_key)
			return err_set(ERR_USED, "the token was used before, for another key");
		rc = db_number(db, &newer,
			       "SELECT count(*) FROM tokens WHERE device_id = ?1 AND id > ?2",
			       DB_I(device->id), DB_I(token.id));
		out->is_stale = newer > 0 || now > token.expires_at;
		return rc ? rc : 1;
	}
	if (strcmp(token.state, "open"))
		return err_set(ERR_EXPIRED, "a newer token was made for this pump");
	if (now > token.expires_at)
		return err_set(ERR_EXPIRED, "the token is past its time");
	return 0;
}

/* A pump comes back once with a certificate that is past its end. */
static int returned_before(struct db *db, int64_t prior_id, int64_t not_after)
{
	int64_t n = 0;
	int rc = db_number(db, &n,
			   "SELECT count(*) FROM certificates WHERE prior_id = ?1"
			   " AND reserved_at > ?2",
			   DB_I(prior_id), DB_I(not_after));

	if (!rc && n)
		rc = err_set(ERR_USED, "return-used: for another key");
	return rc;
}

/* As proof_by_token. */
static int proof_by_certificate(struct db *db, const struct issue_begin *rq, int64_t now,
				struct issue_device *device, struct issue_proof *out)
{
	char state[STATE_SIZE];
	int64_t device_id, not_after, open;
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT c.id, c.device_id, c.state, c.not_after FROM issuers i"
			    " JOIN certificates c ON c.issuer_id = i.id AND c.serial = ?2"
			    " WHERE i.name = ?1",
			    DB_T(rq->prior_issuer), DB_T(rq->prior_serial));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "the certificate to renew is not in the registry");
	out->prior_id = query_i64(&q, 0);
	device_id = query_i64(&q, 1);
	query_text(&q, 2, state, sizeof(state));
	not_after = query_i64(&q, 3);
	rc = issue_device_find(db, "", device_id, device);
	if (rc)
		return rc;
	if (*rq->device && strcmp(rq->device, device->serial))
		return err_set(ERR_DENIED, "the certificate to renew belongs to another pump");
	if (!strcmp(device->state, "revoked"))
		return err_set(ERR_CONFLICT, "pump %s is revoked", device->serial);
	if (!strcmp(device->state, "held"))
		return err_set(ERR_CONFLICT,
			       "restored-gap: pump %s is held back: pumpctl backup merge",
			       device->serial);
	if (strcmp(state, "valid") || strcmp(device->state, "enrolled"))
		return err_set(ERR_CONFLICT, "the certificate to renew is %s, the pump is %s",
			       state, device->state);
	if (now > not_after && !rq->late)
		return err_set(ERR_EXPIRED, "the certificate to renew is past its end");
	rc = db_number(db, &open,
		       "SELECT count(*) FROM certificates WHERE prior_id = ?1"
		       " AND spki_sha256 = ?2",
		       DB_I(out->prior_id), DB_B(rq->spki_sha256.data, SPKI_BYTES));
	if (rc || open)
		return rc ? rc : 1;
	out->is_return = now > not_after;
	if (out->is_return) {
		rc = returned_before(db, out->prior_id, not_after);
		if (rc)
			return rc;
	}
	/* counted over the pump: a chain of renewals is as long as one likes */
	rc = db_number(db, &open,
		       "SELECT count(*) FROM certificates WHERE device_id = ?1"
		       " AND ((state = 'valid' AND not_after > ?2)"
		       "  OR (state = 'reserved' AND reserved_at > ?3))",
		       DB_I(device_id), DB_I(now), DB_I(now - RESERVED_MS));
	if (!rc && open > RENEWALS_OPEN)
		rc = err_set(ERR_LIMIT, "pump %s has %d renewed certificates that it never used",
			     device->serial, RENEWALS_OPEN);
	return rc;
}

/* NULL unless the grounds are a birth certificate. */
static struct db_value idevid_value(const struct issue_begin *rq)
{
	return rq->idevid_sha256.len ? DB_B(rq->idevid_sha256.data, rq->idevid_sha256.len)
				     : DB_REF(0);
}

/* The certificate or reservation that the same proof and key led to before, whichever CA was in use
 * then. */
static int resume(struct db *db, const struct issue_proof *proof, const struct issue_begin *rq,
		  struct issue_grant *out)
{
	char state[STATE_SIZE];
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT c.serial, c.state, x.der FROM certificates c"
			    " LEFT JOIN certificate_der x ON x.certificate_id = c.id"
			    " WHERE (c.token_id = ?1 OR c.prior_id = ?2 OR c.idevid = ?4)"
			    " AND c.spki_sha256 = ?3 ORDER BY c.id DESC LIMIT 1",
			    DB_REF(proof->token_id), DB_REF(proof->prior_id),
			    DB_B(rq->spki_sha256.data, SPKI_BYTES), idevid_value(rq));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_USED, "this request was begun for another key");
	query_text(&q, 0, out->cert_serial, sizeof(out->cert_serial));
	query_text(&q, 1, state, sizeof(state));
	if (strcmp(state, "reserved") && strcmp(state, "valid"))
		return err_set(ERR_CONFLICT, "the certificate of this request is %s", state);
	/* what was made may be fetched again; what was not made yet needs a token in force */
	if (proof->is_stale && !strcmp(state, "reserved"))
		return err_set(ERR_EXPIRED, "the token is past its time or was replaced");
	return query_blob(&q, 2, &out->der, sizeof(out->der.data));
}

static int key_check(struct db *db, int64_t device, const struct issue_begin *rq)
{
	int64_t others;
	int rc = db_number(db, &others,
			   "SELECT count(*) FROM certificates WHERE spki_sha256 = ?1"
			   " AND device_id <> ?2",
			   DB_B(rq->spki_sha256.data, SPKI_BYTES), DB_I(device));

	if (!rc && others)
		rc = err_set(ERR_DENIED, "key-refused: another pump uses this key");
	return rc;
}

static int reserve(struct db *db, const struct action *by, const struct issue_begin *rq,
		   const struct issue_device *device, const struct issue_proof *proof)
{
	int64_t issuer;
	int rc = db_number(db, &issuer, "SELECT id FROM issuers WHERE name = ?1", DB_T(rq->issuer));

	if (rc == ERR_NOT_FOUND)
		return err_set(ERR_CONFLICT, "the issuer is not registered");
	if (!rc)
		rc = db_run(db,
			    "INSERT INTO certificates (issuer_id, serial, device_id, state, method,"
			    " key_type, spki_sha256, not_before, not_after, reserved_at, issued_at,"
			    " superseded_at, revoked_at, source, token_id, prior_id, idevid)"
			    " VALUES (?1, ?2, ?3, 'reserved', ?4, ?5, ?6, 0, 0, ?7, 0, 0, 0, ?8,"
			    " ?9, ?10, ?11)",
			    DB_I(issuer), DB_T(rq->cert_serial), DB_I(device->id),
			    DB_T(proof->is_return ? "return"
				 : rq->unproven	  ? "approved"
						  : rq->method),
			    DB_T(rq->key_type), DB_B(rq->spki_sha256.data, SPKI_BYTES),
			    DB_I(by->at), DB_T(rq->source), DB_REF(proof->token_id),
			    DB_REF(proof->prior_id), idevid_value(rq));
	if (rc == ERR_EXISTS)
		return err_set(ERR_EXISTS, "certificate serial %s is taken", rq->cert_serial);
	if (!rc && proof->token_id)
		rc = db_run(db,
			    "UPDATE tokens SET state = 'used', used_at = ?2, used_spki = ?3"
			    " WHERE id = ?1",
			    DB_I(proof->token_id), DB_I(by->at),
			    DB_B(rq->spki_sha256.data, SPKI_BYTES));
	if (!rc)
		rc = audit_append(db, by, proof->is_return ? "cert.return" : "cert.reserve",
				  device->serial, "serial=%s method=%s source=%s", rq->cert_serial,
				  proof->is_return ? "return" : rq->method, rq->source);
	return rc;
}

int store_issue_begin(struct store *st, const struct action *by, const struct issue_begin *rq,
		      struct issue_grant *out)
{
	struct issue_device device = {0};
	struct issue_proof proof = {0};
	struct issue_grant grant = {0};
	AUTO_TX tx = {0};
	int rc = request_check(rq);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (rc)
		return rc;
	if (!strcmp(rq->method, "token"))
		rc = proof_by_token(st->db, rq, by->at, &device, &proof);
	else if (!strcmp(rq->method, "renewal"))
		rc = proof_by_certificate(st->db, rq, by->at, &device, &proof);
	else if (!strcmp(rq->method, "idevid"))
		rc = issue_proof_by_idevid(st->db, rq, by->at, &device);
	else
		rc = err_set(ERR_INVALID, "no issuing method '%s'", rq->method);
	if (rc < 0)
		return rc;
	memcpy(grant.device, device.serial, sizeof(grant.device));
	memcpy(grant.maker, device.maker, sizeof(grant.maker));
	memcpy(grant.model, device.model, sizeof(grant.model));
	if (rc == 1) {
		rc = resume(st->db, &proof, rq, &grant);
		if (!rc)
			*out = grant;
		return rc;
	}
	rc = key_check(st->db, device.id, rq);
	if (!rc && rq->unproven) {
		struct approval_of of = {device.id, proof.prior_id, device.serial};
		bool queued;

		rc = approval_check(st->db, by, rq, &of, &queued);
		if (queued) /* what is said stays the same: not yet */
			return tx_commit(&tx) ? ERR_IO : rc;
		if (!rc)
			rc = approval_use(st->db, by, rq, &of);
	}
	if (!rc)
		rc = reserve(st->db, by, rq, &device, &proof);
	if (!rc)
		rc = tx_commit(&tx);
	if (rc)
		return rc;
	memcpy(grant.cert_serial, rq->cert_serial, sizeof(grant.cert_serial));
	*out = grant;
	return 0;
}

struct reservation {
	int64_t id, device_id, issuer_id;
	char state[STATE_SIZE];
	char device[DEVICE_SERIAL_SIZE];
	char device_state[STATE_SIZE];
	bool same_der;
};

/* A serial that was reserved before a roll-over is still the one that gets the certificate. */
static int reservation_find(struct db *db, const struct issue_store *rq, struct reservation *out)
{
	RECORD_MEMBER_BLOB(der, CERT_DER_MAX)
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT c.id, d.id, c.state, d.serial, d.state, x.der, i.id"
			    " FROM issuers i"
			    " JOIN certificates c ON c.serial = ?2"
			    "  AND (c.issuer_id = i.id OR c.state = 'reserved')"
			    " JOIN devices d ON d.id = c.device_id"
			    " LEFT JOIN certificate_der x ON x.certificate_id = c.id"
			    " WHERE i.name = ?1",
			    DB_T(rq->issuer), DB_T(rq->cert_serial));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "serial %s was not reserved", rq->cert_serial);
	out->id = query_i64(&q, 0);
	out->device_id = query_i64(&q, 1);
	query_text(&q, 2, out->state, sizeof(out->state));
	query_text(&q, 3, out->device, sizeof(out->device));
	query_text(&q, 4, out->device_state, sizeof(out->device_state));
	out->issuer_id = query_i64(&q, 6);
	rc = query_blob(&q, 5, &der, sizeof(der.data));
	out->same_der = der.len && secret_equal(der.data, der.len, rq->der.data, rq->der.len);
	return rc;
}

static int store_check(const struct issue_store *rq)
{
	if (!rq->der.len)
		return err_set(ERR_INVALID, "no certificate was given");
	if (rq->not_after <= rq->not_before || rq->not_before <= 0)
		return err_set(ERR_INVALID, "the certificate ends before it begins");
	return 0;
}

int store_issue_store(struct store *st, const struct action *by, const struct issue_store *rq)
{
	struct reservation res;
	bool revoked;
	AUTO_TX tx = {0};
	int rc = store_check(rq);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = reservation_find(st->db, rq, &res);
	if (rc)
		return rc;
	revoked = !strcmp(res.device_state, "revoked");
	if (res.same_der && !revoked)
		return err_set(ERR_UNCHANGED, "serial %s is stored already", rq->cert_serial);
	if (strcmp(res.state, "reserved") && !(revoked && !strcmp(res.state, "revoked")))
		return err_set(ERR_EXISTS, "serial %s has another certificate", rq->cert_serial);
	rc = db_run(st->db,
		    "INSERT INTO certificate_der (certificate_id, der) VALUES (?1, ?2)"
		    " ON CONFLICT (certificate_id) DO NOTHING",
		    DB_I(res.id), DB_B(rq->der.data, rq->der.len));
	if (!rc)
		rc = db_run(st->db,
			    "UPDATE certificates SET state = ?2, not_before = ?3, not_after = ?4,"
			    " issued_at = ?5, issuer_id = ?6 WHERE id = ?1",
			    DB_I(res.id), DB_T(revoked ? "revoked" : "valid"), DB_I(rq->not_before),
			    DB_I(rq->not_after), DB_I(by->at), DB_I(res.issuer_id));
	if (!rc && !revoked)
		rc = db_run(st->db, "UPDATE devices SET mab_until = 0 WHERE id = ?1",
			    DB_I(res.device_id));
	if (!rc && !strcmp(res.device_state, "expected"))
		rc = db_run(st->db,
			    "UPDATE devices SET state = 'enrolled', state_at = ?2, state_by = ?3"
			    " WHERE id = ?1",
			    DB_I(res.device_id), DB_I(by->at), DB_T(by->actor));
	if (!rc)
		rc = audit_append(st->db, by, "cert.issue", res.device, "serial=%s%s",
				  rq->cert_serial, revoked ? " revoked meanwhile" : "");
	if (!rc)
		rc = tx_commit(&tx);
	if (!rc && revoked)
		rc = err_set(ERR_CONFLICT, "pump %s was revoked meanwhile", res.device);
	return rc;
}
