/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the framing of a request: head, body, chunks. The head's grammar is http_head.c's. Pure:
 * never does I/O. */
#include "enroll/est/http_request.h"

#include <string.h>
#include <strings.h>

#include "enroll/est/http_head.h"

#define LINE_MAX_BYTES 256
#define TRAILER_MAX_BYTES 1024

void http_request_init(struct http_request *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->head, HTTP_HEAD_MAX);
	buf_init(&r->body, HTTP_BODY_MAX);
	buf_init(&r->line, LINE_MAX_BYTES);
}

void http_request_done(struct http_request *r)
{
	buf_done(&r->head);
	buf_done(&r->body);
	buf_done(&r->line);
}

void http_request_reset(struct http_request *r)
{
	http_request_done(r);
	http_request_init(r);
}

bool http_request_is_begun(const struct http_request *r)
{
	return r->state != HTTP_HEAD || r->head.len != 0;
}

const char *http_request_field(const struct http_request *r, const char *name)
{
	const char *text = (const char *)r->head.data;

	for (size_t i = 0; i < r->n_fields; i++)
		if (!strcasecmp(text + r->fields[i].name, name))
			return text + r->fields[i].value;
	return NULL;
}

static int too_large(struct http_request *r)
{
	r->status = 413;
	return err_set(ERR_LIMIT, "body above %d bytes", HTTP_BODY_MAX);
}

static int malformed(struct http_request *r, const char *what)
{
	r->status = 400;
	return err_set(ERR_INVALID, "%s", what);
}

static int body_begin(struct http_request *r)
{
	bool chunked;
	size_t length;
	int rc = http_head_body(r, &chunked, &length);

	if (rc)
		return rc;
	if (chunked) {
		r->state = HTTP_CHUNK_SIZE;
		return 0;
	}
	if (length > HTTP_BODY_MAX)
		return too_large(r);
	r->left = length;
	r->state = length ? HTTP_BODY : HTTP_DONE;
	if (!length)
		r->wants_continue = false;
	return 0;
}

static bool ends_with_empty_line(const struct buf *head)
{
	return head->len >= 4 && !memcmp(head->data + head->len - 4, "\r\n\r\n", 4);
}

static int head_feed(struct http_request *r, const uint8_t *data, size_t len, size_t *used)
{
	while (*used < len) {
		uint8_t c = data[(*used)++];

		/* RFC 9112 2.2: "a server [...] SHOULD ignore at least one empty line (CRLF)
		 * received prior to the request-line." */
		if (r->head.len == 0 && (c == '\r' || c == '\n'))
			continue;
		if (c == '\n' && r->head.data[r->head.len - 1] != '\r')
			return malformed(r, "a line ends in other than CRLF");
		if (buf_put_u8(&r->head, c)) {
			r->status = 431;
			return err_add(ERR_LIMIT, "request head");
		}
		if (c != '\n' || !ends_with_empty_line(&r->head))
			continue;
		int rc = http_head_parse(r);

		return rc ? rc : body_begin(r);
	}
	return 0;
}

static int data_feed(struct http_request *r, const uint8_t *data, size_t len, size_t *used)
{
	size_t n = len - *used < r->left ? len - *used : r->left;
	int rc = buf_put(&r->body, data + *used, n);

	if (rc) { /* no memory: its size was checked before */
		r->status = 500;
		return err_add(rc, "request body");
	}
	*used += n;
	r->left -= n;
	if (r->left == 0)
		r->state = r->state == HTTP_BODY ? HTTP_DONE : HTTP_CHUNK_END;
	return 0;
}

/* One line into r->line without its CRLF; *whole_out says that it is there. */
static int line_feed(struct http_request *r, const uint8_t *data, size_t len, size_t *used,
		     bool *whole_out)
{
	*whole_out = false;
	while (*used < len) {
		uint8_t c = data[(*used)++];
		bool after_cr = r->line.len && r->line.data[r->line.len - 1] == '\r';

		if (after_cr != (c == '\n'))
			return malformed(r, "a line ends in other than CRLF");
		if (after_cr) {
			r->line.len--;
			*whole_out = true;
			return 0;
		}
		if (buf_put_u8(&r->line, c))
			return malformed(r, "a chunk's line is too long");
	}
	return 0;
}

/* chunk-size [ chunk-ext ]: extensions are ignored, as RFC 9112 7.1.1 wants. */
static int chunk_size_take(struct http_request *r)
{
	size_t size = 0, digits = 0;

	for (; digits < r->line.len; digits++) {
		uint8_t c = r->line.data[digits];
		int v = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;

		if (v < 0)
			break;
		size = size * 16 + (size_t)v;
		if (size > HTTP_BODY_MAX)
			return too_large(r);
	}
	if (digits == 0 || digits > 8 ||
	    (digits < r->line.len && r->line.data[digits] != ';' && r->line.data[digits] != ' ' &&
	     r->line.data[digits] != '\t'))
		return malformed(r, "malformed chunk size");
	buf_reset(&r->line);
	r->left = size;
	r->state = size ? HTTP_CHUNK_DATA : HTTP_TRAILER;
	return size > HTTP_BODY_MAX - r->body.len ? too_large(r) : 0;
}

static int line_take(struct http_request *r)
{
	switch (r->state) {
	case HTTP_CHUNK_SIZE:
		return chunk_size_take(r);
	case HTTP_CHUNK_END:
		if (r->line.len)
			return malformed(r, "a chunk is longer than its size");
		r->state = HTTP_CHUNK_SIZE;
		return 0;
	default: /* HTTP_TRAILER: fields are dropped, none is needed */
		r->trailer_bytes += r->line.len + 2;
		if (r->trailer_bytes > TRAILER_MAX_BYTES)
			return malformed(r, "trailer too long");
		if (r->line.len == 0)
			r->state = HTTP_DONE;
		buf_reset(&r->line);
		return 0;
	}
}

int http_request_feed(struct http_request *r, const uint8_t *data, size_t len, size_t *used_out)
{
	size_t used = 0;
	int rc = 0;

	if (r->state == HTTP_HEAD) {
		rc = head_feed(r, data, len, &used);
		*used_out = used;
		return rc;
	}
	r->wants_continue = false;
	while (!rc && used < len && r->state != HTTP_DONE) {
		bool whole = true;

		if (r->state == HTTP_BODY || r->state == HTTP_CHUNK_DATA)
			rc = data_feed(r, data, len, &used);
		else if (!(rc = line_feed(r, data, len, &used, &whole)) && whole)
			rc = line_take(r);
	}
	*used_out = used;
	return rc;
}
