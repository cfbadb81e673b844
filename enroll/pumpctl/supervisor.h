/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the server's processes in order, each after the one before is ready, restarts what
 * crashes, and stops all in reverse order. One thread, one libevent loop; blocks until the end.
 */
#ifndef ENROLL_PUMPCTL_SUPERVISOR_H
#define ENROLL_PUMPCTL_SUPERVISOR_H

#include <stdbool.h>

#include "enroll/pumpctl/settings.h"

struct supervisor_options {
	const struct settings *settings;
	bool verbose; /* copy the children's output to standard error */
	/* Called once, when everything is ready. */
	int (*ready)(void *ctx);
	void *ctx;
};

/* Until SIGINT or SIGTERM. 0: stopped as asked. ERR_UNAVAILABLE: a process could not be started,
 * the text has its last words; ERR_IO, ERR_NOMEM. In every case no child is left. */
int supervisor_run(const struct supervisor_options *o) MUST_USE;

#endif
