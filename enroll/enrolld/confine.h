/* SPDX-License-Identifier: BSD-2-Clause */
/* What enrolld gives up once it serves (seccomp). */
#ifndef ENROLL_ENROLLD_CONFINE_H
#define ENROLL_ENROLLD_CONFINE_H

#include "base/err.h"

/* All threads, for good: no file can be opened, no program started, no process looked into, no
 * socket made but Unix ones. Call when all files are read and all threads run. Starting a program
 * or tracing kills the process; anything else not on the list fails with EPERM. ERR_IO. In a
 * sanitized build, whose runtime needs more, it does nothing. */
int confine(void) MUST_USE;

#endif
