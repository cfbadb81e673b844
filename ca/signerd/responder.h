/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that answers OCSP: a lane of its own, with a bounded queue, a cap on signatures and a
 * lower priority, so that whoever asks much can't hold up issuing. Answers without a nonce about
 * certificates that exist are signed once and given again while they are true. The responder's key
 * lives in this thread's memory only; its certificate lasts days and is renewed here.
 */
#ifndef CA_SIGNERD_RESPONDER_H
#define CA_SIGNERD_RESPONDER_H

#include "base/ipc_server.h"
#include "ca/signerd/issuance.h"

struct responder;

/* Starts the thread; `per_minute`: most signatures. ERR_NOMEM. */
int responder_new(struct signer *signer, uint32_t per_minute, struct responder **out) MUST_USE;
/* Queued requests fail as too many. NULL ok. */
void responder_free(struct responder *r);

/* Takes the request over (ocsp_query[1..8]) and answers it in any case. Never blocks. */
void responder_give(struct responder *r, struct ipc_request *rq);
/* The responder's certificate and what it did. */
void responder_describe(struct responder *r, struct signer_status *out);

#endif
