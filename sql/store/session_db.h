/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the session store share; nobody outside sql/store includes this. */
#ifndef SQL_STORE_SESSION_DB_H
#define SQL_STORE_SESSION_DB_H

#include "sql/store/db.h"
#include "sql/store/session_store.h"

#define NAS_REMEMBERED 1024

struct nas_memory {
	char name[NAME_SIZE];
	int64_t at;
};

struct session_store {
	struct db *db;
	struct tx tx;			       /* of the running group */
	struct nas_memory nas[NAS_REMEMBERED]; /* when each was last written down */
};

/* The subject of a NAS's events: with a space, so that it is no pump's serial. What a User-Name may
 * claim is told apart by the event's source. */
#define NAS_SUBJECT_SIZE (4 + NAME_SIZE)
void nas_subject(const char *nas, char out[NAS_SUBJECT_SIZE]);
/* A version as people write it; "" for none. */
void tls_version_put(uint32_t version, char out[TLS_VERSION_SIZE]);

#endif
