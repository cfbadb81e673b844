/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every long-running Pumpgate program does the same way: find its home, close itself off from
 * debuggers and core dumps, tell its supervisor that it is ready, end on SIGTERM or SIGINT.
 */
#ifndef BASE_DAEMON_H
#define BASE_DAEMON_H

#include <limits.h>
#include <stddef.h>

#include "base/err.h"

struct event_base;

#define PUMPGATE_VERSION "0.1.0"

/* The state folder: `option` (--home, may be NULL), else $PUMPGATE_HOME, else /var/lib/pumpgate. */
const char *home_dir(const char *option);
/* "HOME/rel" into out[PATH_MAX]. ERR_LIMIT. */
int home_path(const char *home, const char *rel, char out[PATH_MAX]) MUST_USE;

/* First call in main: umask 077, no core files, not dumpable, no new privileges, SIGPIPE ignored.
 * Ends the process when the kernel refuses one of these. */
void daemon_harden(void);

/* Runs the loop until SIGTERM or SIGINT. Tells the supervisor READY=1 (sd_notify) first and
 * STOPPING=1 last. 0, ERR_NOMEM. */
int daemon_loop(struct event_base *base) MUST_USE;

#endif
