/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of pumpgate-credd on a home, as its user. They print for people, block on the disk, and
 * return 0 or an error. */
#ifndef SQL_CREDD_COMMANDS_H
#define SQL_CREDD_COMMANDS_H

#include <stdbool.h>

#include "base/err.h"
#include "sql/people/people.h"

/* A backup of the clinician database into the new folder, while credd serves. ERR_EXISTS,
 * ERR_NOT_FOUND (no cred/pepper), ERR_CORRUPT. */
int command_backup(const char *home, const char *folder) MUST_USE;
/* The backup in `from` takes the database's place; the caller holds the home's lock. dry: only
 * what people_copy_stage checks. Errors as there. */
int command_restore(const char *home, const char *from, bool dry) MUST_USE;
/* Before the database is opened: finishes a restore that was cut short. */
int command_settle(const char *home) MUST_USE;
/* people_catch_up, logged. */
int command_catch_up(const char *people_path, struct people_gap *out) MUST_USE;

#endif
