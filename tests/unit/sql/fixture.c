/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

const struct action admin_now = {.actor = "root", .at = NOW};

struct action admin_at(int64_t at)
{
	return (struct action){.actor = "root", .at = at};
}

int fixture_setup_bare(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "%s/pumpgate-sql-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->registry, sizeof(f->registry), "%s/registry.db", f->dir);
	snprintf(f->sessions, sizeof(f->sessions), "%s/sessions.db", f->dir);
	*state = f;
	return 0;
}

static void nas_make(struct store *st, const char *name, const char *ip, uint32_t das_port)
{
	struct nas nas = {.das_port = das_port, .secret = {.len = 10}};

	strcpy(nas.name, name);
	strcpy(nas.ip, ip);
	memcpy(nas.secret.data, "0123456789", 10);
	assert_int_equal(store_nas_add(st, &admin_now, &nas), 0);
}

void pump_add(struct store *st, const char *serial, const char *mac)
{
	struct device d = {.maker = "Maker", .model = "M1", .zone = "wards", .ward = "3B"};
	struct add_outcome out;

	strcpy(d.serial, serial);
	strcpy(d.mac, mac);
	assert_int_equal(store_device_add(st, &admin_now, &d, 1, &out), 0);
	assert_int_equal(out.code, 0);
}

int fixture_setup(void **state)
{
	struct zone wards = {.name = "wards", .vlan = 120, .filter_id = "pumps", .session_s = 3600};
	struct zone onboarding = {.name = "onboarding", .vlan = 900, .purpose = "onboarding"};
	struct issuer issuer = {.issuer = ISSUER, .der = {.len = 3, .data = "der"}};
	struct fixture *f;
	unsigned from, to;

	fixture_setup_bare(state);
	f = *state;
	assert_int_equal(store_upgrade(f->registry, &from, &to), 0);
	assert_int_equal(session_store_upgrade(f->sessions, &from, &to), 0);
	assert_int_equal(store_open(f->registry, STORE_WRITE, &f->st), 0);
	assert_int_equal(session_store_open(f->sessions, STORE_WRITE, &f->ss), 0);
	assert_int_equal(store_zone_add(f->st, &admin_now, &wards), 0);
	assert_int_equal(store_zone_add(f->st, &admin_now, &onboarding), 0);
	nas_make(f->st, "ap-1", "10.0.0.1", 3799);
	nas_make(f->st, "ap-2", "10.0.0.2", 3799);
	nas_make(f->st, "old-switch", "10.0.0.3", 0);
	assert_int_equal(store_issuer_set(f->st, &admin_now, &issuer), 0);
	pump_add(f->st, "PG-1", "02:00:00:00:00:01");
	pump_add(f->st, "PG-2", "02:00:00:00:00:02");
	return 0;
}

int fixture_teardown(void **state)
{
	static const char *const names[] = {"registry.db", "registry.db-wal", "registry.db-shm",
					    "sessions.db", "sessions.db-wal", "sessions.db-shm"};
	struct fixture *f = *state;
	char path[128];

	store_close(f->st);
	session_store_close(f->ss);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
	return 0;
}

void token_make_for(struct store *st, const char *serial, struct token *out)
{
	struct token_create rq = {.ttl_ms = 3600 * 1000};

	strcpy(rq.device, serial);
	assert_int_equal(store_token_create(st, &admin_now, &rq, out), 0);
}

struct issue_begin token_request(const char *device, const struct token *token, unsigned serial_no,
				 uint8_t key)
{
	struct issue_begin rq = {.method = "token", .issuer = ISSUER, .key_type = "p256"};

	strcpy(rq.device, device);
	memcpy(&rq.token, &token->token, sizeof(rq.token));
	snprintf(rq.cert_serial, sizeof(rq.cert_serial), "%08x", serial_no);
	rq.spki_sha256.len = 32;
	memset(rq.spki_sha256.data, key, 32);
	return rq;
}

struct issue_store store_request(const char *cert_serial, const char *der)
{
	struct issue_store rq = {.issuer = ISSUER, .not_before = NOW - 1000};

	rq.not_after = NOW + 86400000;
	strcpy(rq.cert_serial, cert_serial);
	rq.der.len = (uint32_t)strlen(der);
	memcpy(rq.der.data, der, rq.der.len);
	return rq;
}

void enroll(struct store *st, const char *device, unsigned serial_no, uint8_t key)
{
	struct issue_grant grant;
	struct issue_begin begin;
	struct issue_store save;
	struct token token;

	token_make_for(st, device, &token);
	begin = token_request(device, &token, serial_no, key);
	assert_int_equal(store_issue_begin(st, &admin_now, &begin, &grant), 0);
	save = store_request(grant.cert_serial, "certificate");
	assert_int_equal(store_issue_store(st, &admin_now, &save), 0);
}

void sql_run(const char *path, const char *sql)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(db);
}

int64_t sql_number(const char *path, const char *sql)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int64_t n;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}
