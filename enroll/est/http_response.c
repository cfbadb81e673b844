/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of answers. Pure: never does I/O, never reads a clock. */
#include "enroll/est/http_response.h"

#include <stdio.h>
#include <time.h>

static const char *phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{200, "OK"},
		{202, "Accepted"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{417, "Expectation Failed"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Internal Server Error";
}

/* RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", never in the process's language. */
static int date_put(struct buf *out, int64_t now_ms)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = (time_t)(now_ms / 1000);
	struct tm t;

	if (!gmtime_r(&now, &t))
		return 0;
	return buf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[t.tm_wday],
			  t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min,
			  t.tm_sec);
}

/* What may be kept, and how long it is. RFC 9110 8.6: a 304 says no length but that of its 200. */
static int length_put(struct buf *out, const struct http_response *r, size_t len)
{
	int rc = r->etag ? buf_printf(out, "ETag: \"%s\"\r\nCache-Control: no-cache\r\n", r->etag)
			 : buf_put_str(out, "Cache-Control: no-store\r\n");

	if (!rc && r->status != 304)
		rc = buf_printf(out, "Content-Length: %zu\r\n", len);
	return rc ? rc : buf_put_str(out, "\r\n");
}

int http_response_head_build(struct buf *out, const struct http_response *r, int64_t now_ms,
			     size_t len)
{
	int rc = buf_printf(out, "HTTP/1.1 %d %s\r\n", r->status, phrase(r->status));

	if (!rc)
		rc = date_put(out, now_ms);
	if (!rc && r->is_challenge)
		rc = buf_put_str(out, "WWW-Authenticate: Basic realm=\"Pumpgate enrolment\"\r\n");
	if (!rc && r->allow)
		rc = buf_printf(out, "Allow: %s\r\n", r->allow);
	if (!rc && r->retry_after_s)
		rc = buf_printf(out, "Retry-After: %u\r\n", r->retry_after_s);
	if (!rc && r->type)
		rc = buf_printf(out, "Content-Type: %s\r\n", r->type);
	if (!rc && r->is_base64)
		rc = buf_put_str(out, "Content-Transfer-Encoding: base64\r\n");
	if (!rc && !r->keep_alive)
		rc = buf_put_str(out, "Connection: close\r\n");
	if (!rc && r->keep_alive && r->minor == 0)
		rc = buf_put_str(out, "Connection: keep-alive\r\n");
	return rc ? rc : length_put(out, r, len);
}

int http_response_build(struct buf *out, const struct http_response *r, int64_t now_ms,
			const void *body, size_t len)
{
	int rc = http_response_head_build(out, r, now_ms, len);

	return rc || !len ? rc : buf_put(out, body, len);
}
