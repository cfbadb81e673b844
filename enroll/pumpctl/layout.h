/* SPDX-License-Identifier: BSD-2-Clause */
/* The folders of a home: which there are, whose they are, how closed (docs/ARCHITECTURE.md). */
#ifndef ENROLL_PUMPCTL_LAYOUT_H
#define ENROLL_PUMPCTL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "enroll/pumpctl/settings.h"

struct layout_folder {
	const char *path; /* below the home; "" is the home itself */
	int process;	  /* whose: enum process, -1 for the user that runs pumpctl */
	mode_t mode;
};
extern const struct layout_folder layout_folders[];
extern const size_t layout_n_folders;

/* Makes what is missing, sets owners and modes. *changed is set to true when anything was done,
 * else left. ERR_IO, ERR_LIMIT when the home's path is too long for a socket, ERR_DENIED when other
 * users cannot reach the home. Blocks on disk. */
int layout_apply(const struct settings *s, bool *changed) MUST_USE;

/* Gives a file of ours to the process's user; a symbolic link is refused. */
int layout_give_file(const struct settings *s, const char *rel, int process) MUST_USE;

/* Takes the lock file HOME/REL for the life of this process. ERR_BUSY when another holds it. */
int layout_lock(const char *home, const char *rel) MUST_USE;
/* Whether some process holds it. */
bool layout_is_locked(const char *home, const char *rel);
#define LOCK_RUN "run/supervisor.lock"
#define LOCK_INIT "run/init.lock"
#define LOCK_REGISTRY "registry/lock" /* registryd's own */

#endif
