/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slows down who fails. Token buckets per source address and per pump serial, in a table of fixed
 * size under a random key. Time comes in as an argument; no I/O.
 *
 * A source whose bucket is empty waits. A serial whose bucket is empty makes only those sources
 * wait that have failed lately: so guessing at one pump from many addresses gets one try a second
 * from each, and nobody can lock the pump itself out by failing in its name. What a serial was
 * given counts too: only its owner gets anything, so that bucket holds up nobody else.
 */
#ifndef ENROLL_ENROLLD_THROTTLE_H
#define ENROLL_ENROLLD_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define THROTTLE_SOURCE_BYTES 16

struct throttle;

/* ERR_NOMEM. About 400 KiB. */
int throttle_new(struct throttle **out) MUST_USE;
void throttle_free(struct throttle *t); /* NULL ok */

/* Seconds to wait before the next try, 0: go on. `serial` may be "". */
unsigned throttle_wait_s(const struct throttle *t, const uint8_t source[THROTTLE_SOURCE_BYTES],
			 const char *serial, int64_t now_us);

/* Records how a try ended. */
void throttle_record(struct throttle *t, const uint8_t source[THROTTLE_SOURCE_BYTES],
		     const char *serial, bool failed, int64_t now_us);

/* An address in the form used here: IPv4 mapped, IPv6 cut to its /64. False: another family. */
struct sockaddr;
bool throttle_source(const struct sockaddr *sa, uint8_t out[THROTTLE_SOURCE_BYTES]);

#endif
