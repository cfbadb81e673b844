/* SPDX-License-Identifier: BSD-2-Clause */
/* What dispatchd gives up once it runs: files, programs, and sockets of any other kind than the
 * registry's (local) and the NAS's (UDP). */
#ifndef DISPATCH_CONFINE_H
#define DISPATCH_CONFINE_H

#include "base/err.h"

/* For all threads, for good. Call when the threads run and the cryptographic library has been used
 * once: it reads its configuration then. Does nothing in sanitized builds. ERR_IO. */
int dispatch_confine(void) MUST_USE;

#endif
