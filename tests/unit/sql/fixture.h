/* SPDX-License-Identifier: BSD-2-Clause */
/* A registry and a session database in a scratch folder, with a zone, two NAS and a few pumps. */
#ifndef TESTS_UNIT_SQL_FIXTURE_H
#define TESTS_UNIT_SQL_FIXTURE_H

#include "tests/support/cmocka.h"

#include "sql/store/session_store.h"
#include "sql/store/store.h"

#define NOW 1800000000000LL /* the clock of all these tests */
#define ISSUER "/CN=Pumpgate Device CA"

struct fixture {
	char dir[64];
	char registry[96];
	char sessions[96];
	struct store *st;
	struct session_store *ss;
};

int fixture_setup(void **state);      /* *state: a struct fixture with databases and content */
int fixture_setup_bare(void **state); /* just the folder and its paths */
int fixture_teardown(void **state);

extern const struct action admin_now;
struct action admin_at(int64_t at);

void pump_add(struct store *st, const char *serial, const char *mac);
void token_make_for(struct store *st, const char *serial, struct token *out);
/* begin with a token; serial_no makes the certificate's serial, key its SPKI hash */
struct issue_begin token_request(const char *device, const struct token *token, unsigned serial_no,
				 uint8_t key);
struct issue_store store_request(const char *cert_serial, const char *der);
/* Token, begin and store in one go; the certificate's serial is "%08x". */
void enroll(struct store *st, const char *device, unsigned serial_no, uint8_t key);
/* Runs SQL behind the store's back, with the sqlite3 library. */
void sql_run(const char *path, const char *sql);
int64_t sql_number(const char *path, const char *sql);

#endif
