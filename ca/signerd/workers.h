/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that issue: the loop thread hands requests over, a few workers with a registry connection
 * each take them. The queue is bounded, and a request that waited too long is not begun any more.
 */
#ifndef CA_SIGNERD_WORKERS_H
#define CA_SIGNERD_WORKERS_H

#include "base/ipc_server.h"
#include "ca/signerd/issuance.h"

struct workers;

/* Starts `n` threads; `registry_path` is the registry's socket. ERR_NOMEM, ERR_LIMIT. */
int workers_new(struct signer *signer, const char *registry_path, unsigned n,
		struct workers **out) MUST_USE;
/* Queued requests fail as signer-away, running ones end (bounded), threads are joined. */
void workers_free(struct workers *w); /* NULL ok */

/* Takes the request over and answers it in any case. Never blocks. */
void workers_give(struct workers *w, struct ipc_request *rq);

#endif
