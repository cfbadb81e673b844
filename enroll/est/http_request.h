/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One HTTP/1.x request, read from bytes as they come (RFC 9110, RFC 9112), as far as EST needs it:
 * strict, bounded, no state that outlives the request. Pure.
 */
#ifndef ENROLL_EST_HTTP_REQUEST_H
#define ENROLL_EST_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define HTTP_HEAD_MAX 8192
#define HTTP_BODY_MAX 16384 /* a CSR of 8 KiB in base64, with line ends */
#define HTTP_FIELDS_MAX 64

enum http_state {
	HTTP_HEAD = 0,
	HTTP_BODY,	 /* Content-Length */
	HTTP_CHUNK_SIZE, /* chunked, RFC 9112 7.1 */
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_END,
	HTTP_TRAILER,
	HTTP_DONE,
};

struct http_field {
	size_t name;  /* offset into head of a NUL-terminated string */
	size_t value; /* as above; no white space around it */
};

struct http_request {
	enum http_state state;
	int status; /* after a failure: what to answer before closing, such as 400 */
	struct buf head;
	struct buf body;
	struct buf line; /* chunk size or trailer line being read */
	size_t trailer_bytes;
	size_t left; /* of the body or of the chunk */
	const char *method;
	const char *target;
	unsigned minor; /* of HTTP/1.minor */
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t n_fields;
	bool wants_continue; /* Expect: 100-continue, and a body is still to come */
	bool keep_alive;
};

void http_request_init(struct http_request *r);
void http_request_done(struct http_request *r); /* wipes: a head may hold a token */
/* As after http_request_init. */
void http_request_reset(struct http_request *r);

/* Takes up to `len` bytes and says how many in *used_out; stops at the end of the head (state
 * passes from HTTP_HEAD to another: the moment to send 100 Continue) and at HTTP_DONE.
 * ERR_INVALID, ERR_LIMIT, ERR_NOMEM: r->status is set and the connection must end, since the bytes
 * that follow have no sure meaning. */
int http_request_feed(struct http_request *r, const uint8_t *data, size_t len,
		      size_t *used_out) MUST_USE;

/* True once a byte of a request has come. */
bool http_request_is_begun(const struct http_request *r);
/* The value of the first field of that name (any case), or NULL. Valid until the reset. */
const char *http_request_field(const struct http_request *r, const char *name);

#endif
