/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A roll-over of the pumps' CA (docs/decisions/0190), step by step: which servers of ours believe
 * the CAs that are in force, which pumps still have a certificate of the old one, and what the
 * signer issues with. May be killed anywhere and is repeated.
 */
#ifndef ENROLL_PUMPCTL_ROLLOVER_DEVICE_H
#define ENROLL_PUMPCTL_ROLLOVER_DEVICE_H

#include <stdint.h>

#include "enroll/pumpctl/args.h"

struct rollover_choice {
	const char *step; /* start, status, switch, finish, abort */
	const char *uri;  /* start: of a key in a token, or NULL */
	unsigned long percent;
	int64_t within_ms; /* active is who was heard of in so long */
};

/* `ca rollover STEP device`. Yields the exit status: EXIT_TRY_AGAIN while a gate is closed, or, for
 * status, while a roll-over is under way. */
int rollover_device_run(const struct call *call, const struct rollover_choice *choice);

#endif
