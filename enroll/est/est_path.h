/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The EST operation that a request target names (RFC 7030 3.2.2). Pure.
 */
#ifndef ENROLL_EST_EST_PATH_H
#define ENROLL_EST_EST_PATH_H

#include "base/err.h"

#define EST_LABEL_SIZE 33

enum est_operation {
	EST_NONE = 0, /* not below /.well-known/est, or no such operation */
	EST_CACERTS,
	EST_CSRATTRS,
	EST_SIMPLEENROLL,
	EST_SIMPLEREENROLL,
	EST_SERVERKEYGEN, /* known to the RFC, not offered here */
	EST_FULLCMC,	  /* as above */
};

struct est_path {
	enum est_operation operation;
	char label[EST_LABEL_SIZE]; /* "" when the path has none */
};

/* `target` in origin-form (/.well-known/est/[label/]operation) or absolute-form
 * (https://host/...; RFC 9112 3.2.2 wants servers to take both). Percent-encoding is not decoded:
 * no name here needs it. A query makes another resource. ERR_NOT_FOUND, also for a label that is
 * an operation's name, which RFC 7030 3.2.2 forbids. */
int est_path_parse(const char *target, struct est_path *out) MUST_USE;

/* "simpleenroll"; "none" for EST_NONE. */
const char *est_operation_name(enum est_operation op);

#endif
