/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the table nas. A NAS secret leaves only through nas facts and dispatch orders. */
#include "sql/store/store_db.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"

#define SECRET_MIN 8

/* RFC 2865 3 wants it long and unguessable; FreeRADIUS keeps it as a C string. */
static int secret_check(const struct nas *in)
{
	if (in->secret.len < SECRET_MIN)
		return err_set(ERR_INVALID, "the NAS secret is shorter than %d bytes", SECRET_MIN);
	if (memchr(in->secret.data, 0, in->secret.len))
		return err_set(ERR_INVALID, "the NAS secret holds a NUL byte");
	return 0;
}

/* A RadSec NAS is known by certificate; the column of addresses is unique and never empty. */
static void ip_none(const struct nas *in, char ip[IP_SIZE])
{
	snprintf(ip, IP_SIZE, "~%s", in->name);
}

void nas_ip_read(const struct query *q, int column, char out[IP_SIZE])
{
	query_text(q, column, out, IP_SIZE);
	if (*out == '~')
		*out = '\0';
}

/* The address comes back in canonical form, so that one look-up finds it. */
static int nas_check(const struct nas *in, char ip[IP_SIZE])
{
	struct in_addr v4;
	struct in6_addr v6;
	int rc = name_check("NAS", in->name);

	if (rc)
		return rc;
	if (in->radsec && !*in->ip)
		ip_none(in, ip);
	else if (inet_pton(AF_INET, in->ip, &v4) == 1)
		inet_ntop(AF_INET, &v4, ip, IP_SIZE);
	else if (inet_pton(AF_INET6, in->ip, &v6) == 1)
		inet_ntop(AF_INET6, &v6, ip, IP_SIZE);
	else
		return err_set(ERR_INVALID, "'%s' is not an IP address", in->ip);
	if (in->das_port > 65535)
		return err_set(ERR_INVALID, "DAS port %u: must be 0 (none) to 65535", in->das_port);
	rc = label_check("site", in->site);
	return rc || in->radsec ? rc : secret_check(in);
}

/* What RFC 6614 2.3 has instead of a secret. */
static void secret_settle(struct nas *n)
{
	static const char constant[] = "radsec";

	if (!n->radsec)
		return;
	n->secret.len = sizeof(constant) - 1;
	memcpy(n->secret.data, constant, sizeof(constant) - 1);
}

/* 0: neither name nor address is taken. ERR_UNCHANGED, ERR_EXISTS. */
static int nas_compare(struct db *db, const struct nas *in, const char *ip)
{
	RECORD_MEMBER_BLOB(secret, NAS_SECRET_MAX)
	char name[NAME_SIZE], old_ip[IP_SIZE], site[NAME_SIZE];
	AUTO_QUERY q;
	bool same;
	int rc = query_open(&q, db,
			    "SELECT name, ip, das_port, secret, site, radsec FROM nas"
			    " WHERE name = ?1 UNION ALL"
			    " SELECT name, ip, das_port, secret, site, radsec FROM nas"
			    " WHERE ip = ?2 LIMIT 1",
			    DB_T(in->name), DB_T(ip));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 0, name, sizeof(name));
	query_text(&q, 1, old_ip, sizeof(old_ip));
	query_text(&q, 4, site, sizeof(site));
	if ((query_i64(&q, 5) != 0) != in->radsec)
		return err_set(ERR_EXISTS, "NAS %s exists and speaks %s", name,
			       in->radsec ? "UDP" : "RadSec");
	rc = query_blob(&q, 3, &secret, NAS_SECRET_MAX);
	if (rc)
		return rc;
	same = secret_equal(secret.data, secret.len, in->secret.data, in->secret.len);
	secret_wipe(&secret, sizeof(secret));
	if (strcmp(name, in->name))
		return err_set(ERR_EXISTS, "address %s belongs to NAS %s", ip, name);
	if (strcmp(old_ip, ip) || query_i64(&q, 2) != in->das_port)
		return err_set(ERR_EXISTS, "NAS %s exists with address %s, DAS port %lld", name,
			       *old_ip == '~' ? "none" : old_ip, (long long)query_i64(&q, 2));
	if (!same)
		return err_set(ERR_EXISTS, "NAS %s exists with another secret", name);
	if (*in->site && strcmp(site, in->site) != 0)
		return err_set(ERR_EXISTS, "NAS %s exists with site '%s'", name, site);
	return err_set(ERR_UNCHANGED, "NAS %s is just so already", name);
}

static int nas_insert(struct store *st, const struct action *by, const struct nas *nas)
{
	char ip[IP_SIZE];
	AUTO_TX tx = {0};
	int rc = nas_check(nas, ip);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = nas_compare(st->db, nas, ip);
	if (!rc)
		rc = db_run(st->db,
			    "INSERT INTO nas (name, ip, das_port, enabled, secret, secret_version,"
			    " added_at, site, radsec)"
			    " VALUES (?1, ?2, ?3, 1, ?4, 1, ?5, ?6, ?7)",
			    DB_T(nas->name), DB_T(ip), DB_I(nas->das_port),
			    DB_B(nas->secret.data, nas->secret.len), DB_I(by->at), DB_T(nas->site),
			    DB_I(nas->radsec));
	if (!rc)
		rc = audit_append(st->db, by, "nas.add", nas->name, "ip=%s das_port=%u site=%s%s",
				  *ip == '~' ? "" : ip, nas->das_port, nas->site,
				  nas->radsec ? " radsec" : "");
	return rc ? rc : tx_commit(&tx);
}

int store_nas_add(struct store *st, const struct action *by, const struct nas *nas)
{
	struct nas n = *nas;
	int rc;

	secret_settle(&n);
	rc = nas_insert(st, by, &n);
	secret_wipe(&n.secret, sizeof(n.secret));
	return rc;
}

int store_nas_list(struct store *st, const struct list_query *q, struct nas *out, size_t max,
		   size_t *n_out)
{
	AUTO_QUERY rows = {0};
	size_t limit, n = 0;
	int rc = list_limit(q, max, &limit);

	if (rc)
		return rc;
	rc = query_open(&rows, st->db,
			"SELECT name, ip, das_port, enabled, secret_version, site, radsec FROM nas"
			" WHERE name > ?1 ORDER BY name LIMIT ?2",
			DB_T(q->after), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		struct nas *row = &out[n++];

		*row = (struct nas){0};
		query_text(&rows, 0, row->name, sizeof(row->name));
		nas_ip_read(&rows, 1, row->ip);
		row->das_port = (uint32_t)query_i64(&rows, 2);
		row->enabled = query_i64(&rows, 3) != 0;
		row->secret_version = (uint32_t)query_i64(&rows, 4);
		query_text(&rows, 5, row->site, sizeof(row->site));
		row->radsec = query_i64(&rows, 6) != 0;
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

/* The NAS's row id. ERR_NOT_FOUND. */
static int nas_find(struct db *db, const char *name, int64_t *id_out)
{
	int rc = db_number(db, id_out, "SELECT id FROM nas WHERE name = ?1", DB_T(name));

	return rc == ERR_NOT_FOUND ? err_set(rc, "no NAS '%s'", name) : rc;
}

int store_nas_enable(struct store *st, const struct action *by, const char *name, bool enabled)
{
	int64_t id, now_enabled;
	AUTO_TX tx = {0};
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = nas_find(st->db, name, &id);
	if (!rc)
		rc = db_number(st->db, &now_enabled, "SELECT enabled FROM nas WHERE id = ?1",
			       DB_I(id));
	if (!rc && (now_enabled != 0) == enabled)
		return err_set(ERR_UNCHANGED, "NAS %s is %s already", name,
			       enabled ? "enabled" : "disabled");
	if (!rc)
		rc = db_run(st->db, "UPDATE nas SET enabled = ?2 WHERE id = ?1", DB_I(id),
			    DB_I(enabled));
	if (!rc)
		rc = audit_append(st->db, by, enabled ? "nas.enable" : "nas.disable", name, "%s",
				  "");
	return rc ? rc : tx_commit(&tx);
}

/* ERR_CONFLICT: it is known by certificate. */
static int no_radsec_check(struct db *db, const char *name)
{
	int64_t radsec = 0;
	int rc = db_number(db, &radsec, "SELECT radsec FROM nas WHERE name = ?1", DB_T(name));

	if (!rc && radsec)
		rc = err_set(ERR_CONFLICT,
			     "NAS %s speaks RadSec and has no secret; do: pumpctl nas certificate "
			     "%s",
			     name, name);
	return rc;
}

static int secret_is(struct db *db, int64_t id, const struct nas *in, bool *same_out)
{
	RECORD_MEMBER_BLOB(secret, NAS_SECRET_MAX)
	AUTO_QUERY q;
	int rc = query_open(&q, db, "SELECT secret FROM nas WHERE id = ?1", DB_I(id));

	if (!rc)
		rc = query_next(&q);
	if (rc == 1)
		rc = query_blob(&q, 0, &secret, NAS_SECRET_MAX);
	if (rc)
		return rc;
	*same_out = secret_equal(secret.data, secret.len, in->secret.data, in->secret.len);
	secret_wipe(&secret, sizeof(secret));
	return 0;
}

int store_nas_secret(struct store *st, const struct action *by, const struct nas *nas)
{
	int64_t id, version;
	bool same = false;
	AUTO_TX tx = {0};
	int rc = secret_check(nas);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = nas_find(st->db, nas->name, &id);
	if (!rc)
		rc = no_radsec_check(st->db, nas->name);
	if (!rc)
		rc = secret_is(st->db, id, nas, &same);
	if (!rc && same)
		return err_set(ERR_UNCHANGED, "NAS %s has this secret already", nas->name);
	if (!rc)
		rc = db_run(st->db,
			    "UPDATE nas SET secret = ?2, secret_version = secret_version + 1"
			    " WHERE id = ?1",
			    DB_I(id), DB_B(nas->secret.data, nas->secret.len));
	if (!rc)
		rc = db_number(st->db, &version, "SELECT secret_version FROM nas WHERE id = ?1",
			       DB_I(id));
	if (!rc)
		rc = audit_append(st->db, by, "nas.secret", nas->name, "version=%lld",
				  (long long)version);
	return rc ? rc : tx_commit(&tx);
}

int store_nas_show(struct store *st, const char *name, int64_t now_ms, struct nas_detail *out)
{
	int64_t orders = 0;
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT name, ip, das_port, enabled, secret_version, added_at, site,"
			    " radsec FROM nas WHERE name = ?1",
			    DB_T(name));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_NOT_FOUND, "no NAS '%s'", name);
	*out = (struct nas_detail){.das_port = (uint32_t)query_i64(&q, 2),
				   .enabled = query_i64(&q, 3) != 0,
				   .secret_version = (uint32_t)query_i64(&q, 4),
				   .added_at = query_i64(&q, 5),
				   .radsec = query_i64(&q, 7) != 0};
	query_text(&q, 0, out->name, sizeof(out->name));
	nas_ip_read(&q, 1, out->ip);
	query_text(&q, 6, out->site, sizeof(out->site));
	rc = db_number(st->db, &orders,
		       "SELECT count(*) FROM orders WHERE nas = ?1"
		       " AND state IN ('waiting', 'sent')",
		       DB_T(name));
	out->open_orders = (uint64_t)orders;
	return rc ? rc : nas_certs_detail(st->db, now_ms, out);
}

int store_nas_reach(struct store *st, const char *name, int64_t now_ms, struct dispatch_order *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT name, ip, das_port, secret, radsec FROM nas WHERE name = ?1",
			    DB_T(name));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_NOT_FOUND, "no NAS '%s'", name);
	*out = (struct dispatch_order){.das_port = (uint32_t)query_i64(&q, 2),
				       .radsec = query_i64(&q, 4) != 0};
	query_text(&q, 0, out->nas, sizeof(out->nas));
	nas_ip_read(&q, 1, out->nas_ip);
	rc = query_blob(&q, 3, &out->secret, sizeof(out->secret.data));
	return rc ? rc : nas_certs_reach(st->db, now_ms, out);
}

int store_nas_claimed(struct store *st, const char *nas, const char *ip, const char *id,
		      char other_out[NAME_SIZE])
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT name FROM nas WHERE name <> ?1 AND ip = ?2 UNION ALL"
			    " SELECT name FROM nas WHERE name <> ?1 AND name = ?3 LIMIT 1",
			    DB_T(nas), DB_T(ip), DB_T(id));

	other_out[0] = '\0';
	if (!rc)
		rc = query_next(&q);
	if (rc == 1)
		query_text(&q, 0, other_out, NAME_SIZE);
	return rc < 0 ? rc : 0;
}

int store_nas_site_set(struct store *st, const struct action *by, const char *name,
		       const char *site)
{
	char old[NAME_SIZE];
	AUTO_TX tx = {0};
	int64_t id;
	int rc = label_check("site", site);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = nas_find(st->db, name, &id);
	if (!rc)
		rc = store_nas_site(st, name, old);
	if (!rc && !strcmp(old, site))
		return err_set(ERR_UNCHANGED, "NAS %s stands at '%s' already", name, site);
	if (!rc)
		rc = db_run(st->db, "UPDATE nas SET site = ?2 WHERE id = ?1", DB_I(id), DB_T(site));
	if (!rc)
		rc = audit_append(st->db, by, "nas.site", name, "site=%s", site);
	return rc ? rc : tx_commit(&tx);
}

int store_nas_site(struct store *st, const char *name, char site_out[NAME_SIZE])
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db, "SELECT site FROM nas WHERE name = ?1", DB_T(name));

	site_out[0] = '\0';
	if (!rc)
		rc = query_next(&q);
	if (rc == 1)
		query_text(&q, 0, site_out, NAME_SIZE);
	return rc < 0 ? rc : 0;
}
