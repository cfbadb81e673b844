/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread that asks signerd for the revocation list and for OCSP answers, so that the loop never
 * waits and enrolments keep the signer's other connections to themselves. A bounded queue in front;
 * results come back on the loop thread.
 */
#ifndef ENROLL_ENROLLD_STATUS_ASKER_H
#define ENROLL_ENROLLD_STATUS_ASKER_H

#include <stdatomic.h>

#include "enroll/enrolld/work_pool.h"
#include "enroll/status/ocsp_request.h"

struct event_base;
struct status_asker;

/* A revocation list as it was fetched; shared by all connections that send it. */
struct crl_copy {
	_Atomic unsigned refs;
	uint64_t number;
	int64_t next_update_ms;
	size_t len;
	uint8_t data[];
};
struct crl_copy *crl_copy_ref(struct crl_copy *c);
void crl_copy_unref(struct crl_copy *c); /* NULL ok */

struct status_job {
	struct work work;   /* the asker's; first */
	int64_t give_up_us; /* clock_mono_us(): not begun by then, it is not asked at all */
	bool is_ocsp;	    /* else the list is wanted */
	uint32_t ca;	    /* of this CA (ca/ca_number.h) */
	struct ocsp_asked asked;
	void *waiter; /* the connection's; NULL once that is gone */
	/* the answer */
	int rc;
	struct ocsp_answer answer;
	struct crl_copy *crl; /* a reference, freed with the job */
};
void status_job_free(struct status_job *job); /* NULL ok */

/* Runs on the loop thread, once per job; the job is the callee's again. */
typedef void (*status_done)(struct status_job *job, void *ctx);

/* Starts the thread, which connects to `socket` on first use. ERR_NOMEM, ERR_IO, ERR_LIMIT. */
int status_asker_new(struct event_base *base, const char *socket, status_done done, void *ctx,
		     struct status_asker **out) MUST_USE;
/* Waits up to 2 s for a call under way, then leaves the thread alone: the process must end. */
void status_asker_free(struct status_asker *a); /* NULL ok */

/* Loop thread; never blocks. Takes the job over on success. ERR_BUSY when the queue is full. */
int status_asker_submit(struct status_asker *a, struct status_job *job) MUST_USE;

#endif
