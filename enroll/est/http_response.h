/* SPDX-License-Identifier: BSD-2-Clause */
/* The head of an HTTP answer as clients of EST, CRL and OCSP need it (RFC 7030 4, RFC 9110). Pure.
 */
#ifndef ENROLL_EST_HTTP_RESPONSE_H
#define ENROLL_EST_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct http_response {
	int status;
	const char *type;	/* Content-Type, a constant; NULL with an empty body */
	const char *allow;	/* Allow, for 405; NULL otherwise */
	bool is_base64;		/* adds Content-Transfer-Encoding: base64 */
	bool is_challenge;	/* adds WWW-Authenticate: Basic */
	unsigned retry_after_s; /* adds Retry-After unless 0 */
	const char *etag;	/* ETag, without the quotes: then caches may keep it, but must ask
				 * again each time; NULL: nothing may be kept */
	bool keep_alive;	/* otherwise Connection: close is said */
	unsigned minor;		/* of the request's HTTP/1.minor */
};

/* Appends status line, fields, an empty line and the body. Content-Length is always there.
 * ERR_LIMIT, ERR_NOMEM. */
int http_response_build(struct buf *out, const struct http_response *r, int64_t now_ms,
			const void *body, size_t len) MUST_USE;

/* The same without the body, for one of `len` bytes that is sent from elsewhere. */
int http_response_head_build(struct buf *out, const struct http_response *r, int64_t now_ms,
			     size_t len) MUST_USE;

#endif
