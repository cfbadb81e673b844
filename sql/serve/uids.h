/* SPDX-License-Identifier: BSD-2-Clause */
/* Users as pumpgate.conf and the audit name them. */
#ifndef SQL_SERVE_UIDS_H
#define SQL_SERVE_UIDS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define UIDS_MAX 32   /* of one role */
#define ACTOR_SIZE 65 /* LABEL_SIZE */

struct ipc_request;

/* A name or a number. ERR_NOT_FOUND. */
int uid_parse(const char *text, uid_t *out) MUST_USE;
/* "a, 17 b" is added to uids[UIDS_MAX]. ERR_NOT_FOUND, ERR_LIMIT. */
int uids_parse(const char *list, uid_t *uids, size_t *n) MUST_USE;

/* Who asks, for the audit: the Unix user behind the role admin, else the role. */
void actor_name(struct ipc_request *rq, char out[ACTOR_SIZE]);

#endif
