/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that keeps the list of revoked serials. It waits at the registry for revocations and
 * writes them down; on each connection it tells the registry what the two lists hold beyond what
 * the registry has seen, so that one that was restored from a backup learns what it forgot
 * (docs/decisions/0094).
 */
#ifndef CA_SIGNERD_KEEPER_H
#define CA_SIGNERD_KEEPER_H

#include "ca/signerd/issuance.h"

struct keeper;

/* Starts the thread. ERR_NOMEM, ERR_LIMIT. */
int keeper_new(struct signer *signer, const char *registry_path, struct keeper **out) MUST_USE;
/* Ends what waits at once; a line being written is finished. */
void keeper_free(struct keeper *k); /* NULL ok */

#endif
