/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making servers take their new pair. radiusd reads its certificate once, so it is started again:
 * it first takes on no new authentications for a second and brings those that run to their end,
 * then it is away for as long as a start takes; NAS ask again after that. enrolld likewise (it
 * can't open files once it is confined).
 */
#ifndef ENROLL_PUMPCTL_SERVER_RESTART_H
#define ENROLL_PUMPCTL_SERVER_RESTART_H

#include <stdint.h>

#include "enroll/pumpctl/server_keys.h"
#include "enroll/pumpctl/settings.h"

enum restart_result {
	RESTART_NOT_RUNNING, /* the new pair counts from the next start on */
	RESTART_DONE,
};

/* Has this server start with the pair in force, and settles it. Blocks until it serves, at most a
 * minute; *away_ms_out: for how long it took on nothing new. When it does not come up, the previous
 * pair is in force again and ERR_UNAVAILABLE says so. Also ERR_IO. */
int server_restart(const struct settings *s, const struct server_cert *c, enum restart_result *out,
		   int64_t *away_ms_out) MUST_USE;

#endif
