/* SPDX-License-Identifier: BSD-2-Clause */
/* What radsecd gives up once it runs: files, programs, and sockets of any other kind than those
 * that it accepts, radiusd's (UDP) and the supervisor's (local). */
#ifndef RADIUS_MODULES_RADSEC_CONFINE_H
#define RADIUS_MODULES_RADSEC_CONFINE_H

#include "base/err.h"

/* For good. Call when all files have been read and the listening sockets are there. Does nothing in
 * sanitized builds. ERR_IO. */
int radsec_confine(void) MUST_USE;

#endif
