/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns issuers, reading certificates, and superseding. Issuing stands in issue.c. */
#include "sql/store/store_db.h"

#include <string.h>

#include "base/secret.h"

int store_issuer_set(struct store *st, const struct action *by, const struct issuer *is)
{
	RECORD_MEMBER_BLOB(der, CERT_DER_MAX)
	AUTO_TX tx = {0};
	AUTO_QUERY q = {0};
	int rc;

	if (!*is->issuer || !is->der.len)
		return err_set(ERR_INVALID, "an issuer needs a name and a certificate");
	rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = query_open(&q, st->db, "SELECT der FROM issuers WHERE name = ?1",
				DB_T(is->issuer));
	if (!rc)
		rc = query_next(&q);
	if (rc == 1) {
		rc = query_blob(&q, 0, &der, sizeof(der.data));
		if (rc)
			return rc;
		if (secret_equal(der.data, der.len, is->der.data, is->der.len))
			return err_set(ERR_UNCHANGED, "this issuer is registered already");
		return err_set(ERR_EXISTS, "another issuer of this name is registered");
	}
	query_close(&q);
	if (!rc)
		rc = db_run(st->db, "INSERT INTO issuers (name, der, added_at) VALUES (?1, ?2, ?3)",
			    DB_T(is->issuer), DB_B(is->der.data, is->der.len), DB_I(by->at));
	if (!rc)
		rc = audit_append(st->db, by, "issuer.add", is->issuer, "%s", "");
	return rc ? rc : tx_commit(&tx);
}

#define CERT_COLUMNS                                                                      \
	"SELECT d.serial, i.name, c.serial, c.state, c.method, c.key_type, c.not_before," \
	" c.not_after, c.issued_at, c.revoked_at"                                         \
	" FROM certificates c JOIN issuers i ON i.id = c.issuer_id"                       \
	" JOIN devices d ON d.id = c.device_id"

static void cert_read(const struct query *q, struct cert *out)
{
	*out = (struct cert){0};
	query_text(q, 0, out->device, sizeof(out->device));
	query_text(q, 1, out->issuer, sizeof(out->issuer));
	query_text(q, 2, out->cert_serial, sizeof(out->cert_serial));
	query_text(q, 3, out->state, sizeof(out->state));
	query_text(q, 4, out->method, sizeof(out->method));
	query_text(q, 5, out->key_type, sizeof(out->key_type));
	out->not_before = query_i64(q, 6);
	out->not_after = query_i64(q, 7);
	out->issued_at = query_i64(q, 8);
	out->revoked_at = query_i64(q, 9);
}

int store_cert_list(struct store *st, const struct list_query *q, struct cert *out, size_t max,
		    size_t *n_out)
{
	AUTO_QUERY rows = {0};
	size_t limit, n = 0;
	int rc = list_limit(q, max, &limit);

	if (!rc && *q->device)
		rc = query_open(&rows, st->db,
				CERT_COLUMNS " WHERE d.serial = ?1 AND c.serial > ?2"
					     " AND (?3 = '' OR c.state = ?3)"
					     " ORDER BY c.serial LIMIT ?4",
				DB_T(q->device), DB_T(q->after), DB_T(q->state), DB_I(limit));
	else if (!rc)
		rc = query_open(&rows, st->db,
				CERT_COLUMNS " WHERE c.serial > ?1 AND (?2 = '' OR c.state = ?2)"
					     " ORDER BY c.serial LIMIT ?3",
				DB_T(q->after), DB_T(q->state), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		cert_read(&rows, &out[n++]);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int store_cert_show(struct store *st, const struct cert_name *name, struct cert *out)
{
	AUTO_QUERY q;
	AUTO_QUERY der = {0};
	int rc = query_open(&q, st->db,
			    CERT_COLUMNS " WHERE c.serial = ?1 AND (?2 = '' OR i.name = ?2)",
			    DB_T(name->cert_serial), DB_T(name->issuer));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "no certificate has serial '%s'", name->cert_serial);
	cert_read(&q, out);
	rc = query_next(&q);
	if (rc == 1)
		return err_set(ERR_CONFLICT, "several issuers have a certificate %s: name one",
			       name->cert_serial);
	if (!rc)
		rc = query_open(&der, st->db,
				"SELECT x.der FROM issuers i"
				" JOIN certificates c ON c.issuer_id = i.id AND c.serial = ?2"
				" JOIN certificate_der x ON x.certificate_id = c.id"
				" WHERE i.name = ?1",
				DB_T(out->issuer), DB_T(out->cert_serial));
	if (!rc)
		rc = query_next(&der);
	return rc == 1 ? query_blob(&der, 0, &out->der, sizeof(out->der.data)) : rc;
}

int store_supersede(struct store *st, const struct action *by, const char *issuer,
		    const char *cert_serial)
{
	char device[DEVICE_SERIAL_SIZE];
	int64_t id, device_id, changed;
	AUTO_TX tx = {0};
	AUTO_QUERY q = {0};
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = query_open(&q, st->db,
				"SELECT c.id, d.id, d.serial FROM issuers i"
				" JOIN certificates c ON c.issuer_id = i.id AND c.serial = ?2"
				" JOIN devices d ON d.id = c.device_id"
				" WHERE i.name = ?1 AND c.state = 'valid'",
				DB_T(issuer), DB_T(cert_serial));
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_UNCHANGED, "no valid certificate is named so");
	id = query_i64(&q, 0);
	device_id = query_i64(&q, 1);
	query_text(&q, 2, device, sizeof(device));
	query_close(&q);
	rc = db_run_count(st->db, &changed,
			  "UPDATE certificates SET state = 'superseded', superseded_at = ?3"
			  " WHERE device_id = ?1 AND id < ?2 AND state = 'valid'",
			  DB_I(device_id), DB_I(id), DB_I(by->at));
	if (!rc && !changed)
		return err_set(ERR_UNCHANGED, "no older certificate is in force");
	if (!rc)
		rc = audit_append(st->db, by, "cert.supersede", device, "by=%s count=%lld",
				  cert_serial, (long long)changed);
	return rc ? rc : tx_commit(&tx);
}
