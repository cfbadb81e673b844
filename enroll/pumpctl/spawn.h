/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding and starting sibling programs: under their own user, in a process group of their own (a
 * Ctrl-C at the terminal reaches pumpctl alone), with a short environment, and never outliving
 * pumpctl.
 */
#ifndef ENROLL_PUMPCTL_SPAWN_H
#define ENROLL_PUMPCTL_SPAWN_H

#include <limits.h>
#include <sys/types.h>

#include "base/buf.h"
#include "enroll/pumpctl/settings.h"

#define SPAWN_ARGS_MAX 20

struct spawn {
	const char *path;
	const char *args[SPAWN_ARGS_MAX]; /* args[0] is the name; NULL-terminated */
	struct owner owner;
	int nice;		   /* how far it steps back for others; 0: not */
	const char *notify_socket; /* NULL: none */
};

/* The folder of pumpctl's own executable. ERR_IO. */
int program_folder(char out[PATH_MAX]) MUST_USE;
/* `name` beside pumpctl, else in $PATH, else in the system's folders. ERR_NOT_FOUND. */
int program_find(const char *name, char out[PATH_MAX]) MUST_USE;
/* FreeRADIUS's server, under the name that the distribution gives it. ERR_NOT_FOUND. */
int radiusd_find(char out[PATH_MAX]) MUST_USE;

/* Starts it; its standard output and error go to *out_fd (non-blocking read end, the caller's). */
int spawn_start(const struct spawn *s, pid_t *pid_out, int *out_fd) MUST_USE;
/* Starts it and waits at most timeout_ms, then kills it. Output is appended to `output` as far as
 * it has room. 0 when it ended by itself (status_out: its exit status, 128 + N for signal N),
 * ERR_TIMEOUT, ERR_IO. */
int spawn_run(const struct spawn *s, int timeout_ms, struct buf *output, int *status_out) MUST_USE;

#endif
