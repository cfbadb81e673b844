/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backups of the clinician database: clinicians.db and clinicians.ini, which says what it holds,
 * its SHA-256 and under which key (cred/pepper) its secrets are, by that key's print. Not the key:
 * who has the backup alone can't try PINs on it (decision 156). All calls block on the disk, and
 * long.
 */
#ifndef SQL_PEOPLE_COPIES_H
#define SQL_PEOPLE_COPIES_H

#include <limits.h>

#include "sql/people/people.h"

struct people_copy {
	char made_at[TEXT_SIZE];
	uint64_t users;
	uint64_t disabled;
	uint64_t audit_rows;
	uint64_t codes_void; /* break-glass codes that were open in it; of a restore */
};

/* A copy as of one moment, while others write, into the new folder, read back: integrity and audit
 * chain. pepper: the key's print. On failure the folder is removed. ERR_EXISTS, ERR_CORRUPT. */
int people_copy_make(struct people *p, const char *folder, const char *pepper, int64_t now_ms,
		     struct people_copy *out) MUST_USE;
/* First half of a restore: takes the backup into FOLDER/restore-TIME, checked against its SHA-256
 * and as when it was made, brought to this release; open break-glass codes are void in it and the
 * policy epoch is new. From then on the restore happens; backup_settle(FOLDER) (sql/store/backup.h)
 * is its second half. dry: only the checks. ERR_NOT_FOUND: no backup of clinicians; ERR_DENIED: its
 * secrets are under another key; ERR_CORRUPT, ERR_NEWER. */
int people_copy_stage(const char *backup, const char *folder, const char *pepper,
		      const struct action *by, bool dry, struct people_copy *out) MUST_USE;

#endif
