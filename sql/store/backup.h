/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backups: a folder with registry.db, sessions.db and backup.ini, which says what they hold and
 * their SHA-256. No database type is visible here. All calls block on the disk, and long.
 */
#ifndef SQL_STORE_BACKUP_H
#define SQL_STORE_BACKUP_H

#include <limits.h>

#include "sql/store/store.h"

/* False ends the backup. Called from the thread that makes it. */
typedef bool (*backup_step)(void *ctx, uint64_t done, uint64_t total);

/* Copies both databases while they are in use, as they are at one moment, into the new folder, and
 * reads the copies back: integrity, audit chain, row counts. The registry's copy knows that it is
 * one (store_mark_copy). On failure the folder is removed. ERR_EXISTS, ERR_FULL, ERR_CORRUPT,
 * ERR_UNAVAILABLE (ended by `step`). */
int backup_make(const char *registry, const char *sessions, const char *folder,
		const struct action *by, backup_step step, void *ctx,
		struct backup_state *out) MUST_USE;

/* First half of a restore: takes the backup into FOLDER/restore-TIME, checked as when it was made
 * and against its SHA-256, and durable. From then on the restore happens, whatever fails.
 * ERR_NOT_FOUND, ERR_CORRUPT, ERR_NEWER; nothing was changed then. */
int backup_stage(const char *backup, const char *folder, const struct action *by,
		 struct backup_state *out) MUST_USE;
/* Second half, repeatable after a crash: the databases in FOLDER go to FOLDER/before-restore-TIME,
 * those of FOLDER/restore-TIME take their place (credd's folder has the clinicians' alone).
 * aside_out: that folder, "" when none was staged. No database of FOLDER may be open. */
int backup_settle(const char *folder, char aside_out[PATH_MAX]) MUST_USE;

#endif
