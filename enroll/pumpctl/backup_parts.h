/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a backup, carried between a service's folder and the operator's with the rights of
 * who runs pumpctl; and the services' own commands that make and take them.
 */
#ifndef ENROLL_PUMPCTL_BACKUP_PARTS_H
#define ENROLL_PUMPCTL_BACKUP_PARTS_H

#include <limits.h>
#include <stddef.h>

#include "base/buf.h"
#include "enroll/pumpctl/settings.h"

struct backup_parts {
	const char *names[3];
	size_t n;
};
extern const struct backup_parts parts_registry;
extern const struct backup_parts parts_clinicians;

/* Those files, mode 0600, durable. make: into a new folder, of which nothing is left on failure.
 * ERR_EXISTS, ERR_NOT_FOUND, ERR_IO, ERR_FULL, ERR_LIMIT. */
int parts_copy(const struct backup_parts *p, const char *from, const char *to,
	       const struct owner *o, bool make) MUST_USE;
/* And the folder, if nothing else is in it. */
void parts_remove(const struct backup_parts *p, const char *folder);

/* True: the home has clinicians (homes of before there were any have none). */
bool clinicians_are_there(const char *home);
bool clinicians_are_in(const char *backup);
/* Through pumpgate-credd, as its user: into the existing folder `to`. Blocks long. */
int clinicians_fetch(const char *home, const char *to) MUST_USE;
/* command: "check" or "restore". said: credd's words for people. The server is stopped. */
int clinicians_restore(const struct settings *s, const char *backup, const char *command,
		       struct buf *said) MUST_USE;

#endif
