/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that ask signerd, so that the loop never waits. A bounded queue in front; results come
 * back on the loop thread.
 */
#ifndef ENROLL_ENROLLD_SIGNER_POOL_H
#define ENROLL_ENROLLD_SIGNER_POOL_H

#include "base/err.h"
#include "ca/proto/signer_records.h"
#include "enroll/enrolld/work_pool.h"

struct event_base;
struct signer_pool;

struct signer_job {
	struct work work; /* the pool's; first */
	uint64_t request_id;
	int64_t give_up_us;    /* clock_mono_us(): not begun by then, it is not asked at all */
	enum signer_verb verb; /* SIGNER_ENROLL, _RENEW, _IDEVID or _WIPE: which request counts */
	union {
		struct sign_enroll enroll; /* holds a token: jobs are wiped when freed */
		struct sign_renew renew;
		struct sign_idevid idevid;
		struct wipe_check wipe;
	};
	/* the answer */
	int rc;
	char text[256]; /* err_text() of a failure */
	struct signed_cert cert;
};

/* Runs on the loop thread, once per job; the job is the callee's again. */
typedef void (*signer_done)(struct signer_job *job, void *ctx);

/* Starts `n_threads` that connect to `socket` on first use. ERR_NOMEM, ERR_IO, ERR_LIMIT. */
int signer_pool_new(struct event_base *base, const char *socket, unsigned n_threads,
		    unsigned queue_max, signer_done done, void *ctx,
		    struct signer_pool **out) MUST_USE;
/* Waits up to 2 s for calls under way; a pool whose threads hang longer is left alone, and the
 * process must end. Jobs not yet answered are freed without `done`. */
void signer_pool_free(struct signer_pool *p); /* NULL ok */

/* Loop thread; never blocks. Takes the job over on success. ERR_BUSY when the queue is full. */
int signer_pool_submit(struct signer_pool *p, struct signer_job *job) MUST_USE;

/* free() for a job, wiping it. `size` is that of the struct that embeds the job first. */
void signer_job_wipe(struct signer_job *job, size_t size);

#endif
