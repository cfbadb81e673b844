/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the clinician database share; nobody outside sql/people includes this. */
#ifndef SQL_PEOPLE_PEOPLE_DB_H
#define SQL_PEOPLE_PEOPLE_DB_H

#include "sql/people/people.h"
#include "sql/people/withdrawals.h"
#include "sql/store/store_db.h"

struct people {
	struct store st; /* with the tables of this database: for the audit chain's functions */
	struct withdrawals *withdrawals; /* of a connection that writes */
};

/* ERR_NOT_FOUND names the user. */
int user_id(struct db *db, const char *name, int64_t *id_out) MUST_USE;
/* ERR_NOT_FOUND names the role. */
int role_id(struct db *db, const char *role, int64_t *id_out) MUST_USE;
/* In the running transaction: pumps are to forget this user. */
int tombstone_add(struct db *db, int64_t user, int64_t now) MUST_USE;
/* As the last thing before the commit of what makes a tombstone, enables an account or raises the
 * epoch: a line in the list of withdrawals, on the disk when it returns 0. name "-": nobody's. */
int withdrawal_note(struct people *p, enum withdrawal_kind kind, const char *name,
		    int64_t now) MUST_USE;
/* In the running transaction. */
int user_role_put(struct db *db, int64_t user, int64_t role, const char *ward,
		  const char *model) MUST_USE;

#endif
