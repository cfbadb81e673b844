/* SPDX-License-Identifier: BSD-2-Clause */
/* The grammar of a request's head, for http_request.c alone. Pure. */
#ifndef ENROLL_EST_HTTP_HEAD_H
#define ENROLL_EST_HTTP_HEAD_H

#include "enroll/est/http_request.h"

/* Splits r->head, which ends in an empty line, in place and fills method, target, minor, fields,
 * wants_continue and keep_alive. ERR_INVALID, ERR_LIMIT with r->status set. */
int http_head_parse(struct http_request *r) MUST_USE;

/* How the body is framed. ERR_INVALID with r->status set. */
int http_head_body(struct http_request *r, bool *chunked_out, size_t *length_out) MUST_USE;

#endif
