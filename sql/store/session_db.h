/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the session store share; nobody outside sql/store includes this. */
#ifndef SQL_STORE_SESSION_DB_H
#define SQL_STORE_SESSION_DB_H

#include "sql/store/db.h"
#include "sql/store/session_store.h"

struct session_store {
	struct db *db;
	struct tx tx; /* of the running group */
};

#endif
