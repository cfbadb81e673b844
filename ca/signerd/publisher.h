/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that makes the revocation lists, one for each CA that has certificates in force: at
 * the start, after each revocation (at most one list a second, however many come), and once a day
 * before the last one ends. Others fetch it over the socket, part by part. A revocation's receipt
 * never waits for it.
 */
#ifndef CA_SIGNERD_PUBLISHER_H
#define CA_SIGNERD_PUBLISHER_H

#include "ca/signerd/issuance.h"

struct publisher;

/* Starts the thread; `state_path` is where the list's number is kept. ERR_NOMEM. */
int publisher_new(struct signer *signer, const char *state_path, struct publisher **out) MUST_USE;
/* A list being made is finished. NULL ok. */
void publisher_free(struct publisher *p);

/* Something was revoked. Any thread; never blocks for long. NULL ok. */
void publisher_stir(struct publisher *p);

/* The part of the newest list that is asked for. ERR_BUSY: there is none yet; ERR_NOT_FOUND: the
 * list asked for is no longer the newest; ERR_DENIED: no CA has that number, or not yet a list;
 * ERR_INVALID: beyond its end. */
int publisher_part(struct publisher *p, const struct crl_query *q, struct crl_part *out) MUST_USE;
/* Number, times, size of the newest list; all zero when there is none. */
void publisher_describe(struct publisher *p, struct signer_status *out);

#endif
