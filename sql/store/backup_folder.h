/* SPDX-License-Identifier: BSD-2-Clause */
/* Files and folders of a backup: names, digests, backup.ini. Within sql/ only. */
#ifndef SQL_STORE_BACKUP_FOLDER_H
#define SQL_STORE_BACKUP_FOLDER_H

#include <limits.h>

#include "sql/proto/registry_records.h"

#define BACKUP_SUM_SIZE 65
#define BACKUP_REGISTRY "registry.db"
#define BACKUP_SESSIONS "sessions.db"
#define BACKUP_CLINICIANS "clinicians.db" /* its note: sql/people/copies.c */

/* "FOLDER/NAME". ERR_LIMIT. */
int folder_path(const char *folder, const char *name, char out[PATH_MAX]) MUST_USE;
int folder_sync(const char *folder) MUST_USE;
/* Everything of ours in it, and the folder; what can't be removed stays. */
void folder_remove(const char *folder);

/* SHA-256 in hex; with `to` the bytes are also copied there (new file, mode 0600, synced). */
int file_sum(const char *path, const char *to, char out[BACKUP_SUM_SIZE]) MUST_USE;

struct backup_note {
	struct backup_state state;
	char registry_sum[BACKUP_SUM_SIZE];
	char sessions_sum[BACKUP_SUM_SIZE];
};
int backup_note_write(const char *folder, const struct backup_note *note, int64_t at) MUST_USE;
/* ERR_NOT_FOUND: no backup; ERR_CORRUPT. */
int backup_note_read(const char *folder, struct backup_note *out) MUST_USE;

#endif
