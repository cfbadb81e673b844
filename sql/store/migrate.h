/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbered migrations: each is one SQL text that takes a database from version N-1 to N, applied in
 * one transaction with its row in schema_version. Released texts never change.
 */
#ifndef SQL_STORE_MIGRATE_H
#define SQL_STORE_MIGRATE_H

#include "sql/store/db.h"

struct schema {
	const char *name;	  /* "registry", "sessions", "clinicians" */
	uint32_t application_id;  /* in the file's header: tells the databases apart */
	const char *const *texts; /* [i] leads to version i + 1 */
	unsigned version;	  /* how many texts there are: what this program works with */
};

extern const struct schema schema_registry;
extern const struct schema schema_sessions;
extern const struct schema schema_clinicians;

/* 0 for an empty database. ERR_CORRUPT when it belongs to another program or schema. */
int schema_version(struct db *db, const struct schema *s, unsigned *out) MUST_USE;
/* ERR_NEWER, ERR_CONFLICT (older: needs an upgrade), ERR_CORRUPT. */
int schema_check(struct db *db, const struct schema *s) MUST_USE;
/* Brings an empty or older database to s->version, one transaction per step. ERR_NEWER when it was
 * written by a later release (nothing is touched), else as tx_commit. */
int schema_upgrade(struct db *db, const struct schema *s, unsigned *from_out) MUST_USE;

#endif
