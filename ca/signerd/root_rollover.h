/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root's part of a roll-over (docs/decisions/0220): its successor, the two cross certificates,
 * and their files. rollover.c calls these at its own steps; each can be killed anywhere and is
 * repeated.
 */
#ifndef CA_SIGNERD_ROOT_ROLLOVER_H
#define CA_SIGNERD_ROOT_ROLLOVER_H

#include "ca/signerd/rollover_files.h"

enum { ROOT_CHANGE_CERTS = 3 }; /* the other root, new with old, old with new */

/* A roll-over of the root is under way. */
bool root_is_changing(const struct rollover *r);

/* The next root for the present one, and what both say of each other, into their files; what a
 * killed run left is used. The caller frees both. ERR_EXPIRED: the present root has ended. */
int root_next_make(const struct rollover *r, enum ca_kind kind, X509 *root, EVP_PKEY *root_key,
		   const struct key_access *a, X509 **next_out, EVP_PKEY **next_key_out) MUST_USE;
/* The same from outside: certs are the next root, new with old, old with new. ERR_INVALID says what
 * is not as it has to be; then nothing was written. */
int root_next_take(const struct rollover *r, enum ca_kind kind, X509 *root,
		   X509 *const certs[ROOT_CHANGE_CERTS]) MUST_USE;

/* Before the point of no return of a switch: what is in use gets a second name. */
int root_keep(const struct rollover *r) MUST_USE;
/* After it: the next root takes the place. */
int root_replace(const struct rollover *r) MUST_USE;
/* The other root, its key and the cross certificates go: the old one, or the next one. */
int root_finish(const struct rollover *r) MUST_USE;
int root_abandon(const struct rollover *r) MUST_USE;

/* The other root and the two cross certificates, as far as they are there. The caller frees. */
int root_others_read(const struct rollover *r, X509 *out[ROOT_CHANGE_CERTS],
		     size_t *n_out) MUST_USE;

#endif
