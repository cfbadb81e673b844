/* SPDX-License-Identifier: BSD-2-Clause */
/* A log file with a bound: at LOGFILE_MAX bytes it becomes NAME.1 and a new one begins. */
#ifndef ENROLL_PUMPCTL_LOGFILE_H
#define ENROLL_PUMPCTL_LOGFILE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LOGFILE_MAX (10u * 1024 * 1024)

struct logfile {
	char path[PATH_MAX];
	int fd; /* -1: closed */
	uint64_t size;
	uint64_t max;
};

/* Appends to `path` (mode 0640). ERR_IO, ERR_LIMIT. */
int logfile_open(struct logfile *f, const char *path, uint64_t max) MUST_USE;
/* A log that cannot be written stops nobody: errors are swallowed, the next write tries again. */
void logfile_write(struct logfile *f, const void *data, size_t len);
void logfile_close(struct logfile *f); /* safe twice */

#endif
