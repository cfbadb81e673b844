/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hands pumps' reports of themselves to registryd: a bound on how often a pump is listened to, a
 * bounded queue, one thread that asks; answers come back on the loop thread, which never waits.
 */
#ifndef ENROLL_ENROLLD_REPORT_ASKER_H
#define ENROLL_ENROLLD_REPORT_ASKER_H

#include "base/err.h"
#include "enroll/enrolld/waiting.h"
#include "enroll/enrolld/work_pool.h"
#include "sql/proto/registry_records.h"

struct event_base;
struct report_asker;

struct report_job {
	struct work work; /* the asker's; first */
	struct waiting waiting;
	struct pump_report report;
	/* the answer */
	int rc;
	struct report_answer answer;
};

/* Runs on the loop thread, once per job; the job is the callee's again, to be freed. */
typedef void (*report_done)(struct report_job *job, void *ctx);

/* Starts the thread, which connects to `socket` on first use. ERR_NOMEM, ERR_IO, ERR_LIMIT. */
int report_asker_new(struct event_base *base, const char *socket, report_done done, void *ctx,
		     struct report_asker **out) MUST_USE;
void report_asker_free(struct report_asker *a); /* NULL ok; as work_pool_free() */

/* Loop thread. Seconds until this certificate's pump is listened to again, 0: go on, which counts.
 * 6 reports at once, then one in 10 s. */
unsigned report_asker_wait_s(struct report_asker *a, const char *cert_serial, int64_t now_us);

/* Loop thread; never blocks. Takes the job over on success. ERR_BUSY when the queue is full. */
int report_asker_submit(struct report_asker *a, struct report_job *job) MUST_USE;

#endif
