/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that asks each minute where the audit chains end, and signs that into the signer's own
 * list (docs/decisions/0161). It signs its own statement of numbers and hashes that it asked for
 * itself, never bytes of somebody else's, and with a key that signs nothing but checkpoints. A
 * chain that does not go on from the last checkpoint is not signed until an admin has accepted it.
 */
#ifndef CA_SIGNERD_CHECKPOINTER_H
#define CA_SIGNERD_CHECKPOINTER_H

#include "base/ipc_server.h"
#include "ca/proto/signer_records.h"

struct checkpointer;

/* Reads or makes HOME/ca/checkpoint.key, opens HOME/ca/checkpoints.log, starts the thread. A key or
 * list that can't be used stops no certificate: it is logged, and every question answered with it.
 * ERR_NOMEM, ERR_LIMIT. */
int checkpointer_new(const char *home, uint32_t every_s, struct checkpointer **out) MUST_USE;
void checkpointer_free(struct checkpointer *cp); /* NULL ok */

/* Fills in checkpoint_*. */
void checkpointer_describe(struct checkpointer *cp, struct signer_status *out);

/* The verbs of role admin; each answers or keeps the request for the thread. */
void checkpointer_list(struct checkpointer *cp, struct ipc_request *rq);
void checkpointer_state(struct checkpointer *cp, struct ipc_request *rq);
void checkpointer_accept(struct checkpointer *cp, struct ipc_request *rq);

#endif
