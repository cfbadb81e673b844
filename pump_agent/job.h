/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One enrolment or renewal at a time on a thread of its own, so that the loop hears wpa_supplicant
 * and its supervisor while a server keeps it waiting.
 */
#ifndef PUMP_AGENT_JOB_H
#define PUMP_AGENT_JOB_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "pump_agent/enrol.h"

struct event_base;

typedef int (*job_work)(struct enrol *e);
/* On the loop thread. `rc` and `why` are the work's. */
typedef void (*job_done)(void *ctx, int rc, const char *why, const struct enrol *e);

struct job;

/* ERR_NOMEM, ERR_IO. */
int job_new(struct event_base *base, job_done done, void *ctx, struct job **out) MUST_USE;
/* Tells a running work to stop and waits for it (about a second). NULL ok. */
void job_free(struct job *j);

/* As job_free for the work alone: it ends unheard, and the job can be started anew. Blocks for
 * about a second when one is running. */
void job_cancel(struct job *j);

bool job_is_running(const struct job *j);
/* `e` is copied; its `stop` is set here. ERR_BUSY when one is running, ERR_NOMEM. */
int job_start(struct job *j, job_work work, const struct enrol *e) MUST_USE;

#endif
