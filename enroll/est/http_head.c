/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the grammar of a request's head (RFC 9112 3 and 5). Whatever two readers could take in two
 * ways is refused. Pure: never does I/O. */
#include "enroll/est/http_head.h"

#include <string.h>
#include <strings.h>

#define TARGET_MAX 512

static int refuse(struct http_request *r, int status, const char *what)
{
	r->status = status;
	return err_set(ERR_INVALID, "%s", what);
}

/* RFC 9110 5.6.2: token */
static bool is_token_char(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_len(const uint8_t *s, size_t len)
{
	size_t n = 0;

	while (n < len && is_token_char(s[n]))
		n++;
	return n;
}

/* method SP request-target SP HTTP-version; `line` is NUL-terminated. */
static int request_line_parse(struct http_request *r, char *line, size_t len)
{
	size_t method = token_len((uint8_t *)line, len);
	char *target = line + method + 1;
	char *version;

	if (method == 0 || line[method] != ' ' || strlen(line) != len)
		return refuse(r, 400, "malformed request line");
	version = strchr(target, ' ');
	if (!version || version == target)
		return refuse(r, 400, "malformed request line");
	for (const char *p = target; p < version; p++)
		if (*p < 0x21 || *p > 0x7e)
			return refuse(r, 400, "foreign byte in the request target");
	if (version - target > TARGET_MAX)
		return refuse(r, 414, "request target too long");
	line[method] = '\0';
	*version++ = '\0';
	if (strncmp(version, "HTTP/", 5) != 0)
		return refuse(r, 400, "malformed request line");
	if (strcmp(version, "HTTP/1.0") != 0 && strcmp(version, "HTTP/1.1") != 0)
		return refuse(r, 505, "HTTP version is not 1.0 or 1.1");
	r->method = line;
	r->target = target;
	r->minor = version[7] == '1';
	return 0;
}

/* field-name ":" OWS field-value OWS, at `at` within r->head; NUL-terminates both. */
static int field_parse(struct http_request *r, size_t at, size_t len)
{
	uint8_t *line = r->head.data + at;
	size_t name = token_len(line, len);
	size_t from = name + 1, to = len;

	/* RFC 9112 5.1: "No whitespace is allowed between the field name and colon"; a line that
	 * begins with white space is obsolete folding, which 5.2 lets a server refuse. */
	if (name == 0 || name == len || line[name] != ':')
		return refuse(r, 400, "malformed header field");
	if (r->n_fields == HTTP_FIELDS_MAX)
		return refuse(r, 431, "too many header fields");
	for (size_t i = from; i < len; i++)
		if ((line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
			return refuse(r, 400, "control character in a header field");
	while (from < to && (line[from] == ' ' || line[from] == '\t'))
		from++;
	while (to > from && (line[to - 1] == ' ' || line[to - 1] == '\t'))
		to--;
	line[name] = '\0';
	line[to] = '\0'; /* at most the CR of this line's end */
	r->fields[r->n_fields++] = (struct http_field){.name = at, .value = at + from};
	return 0;
}

static bool is_repeated(const struct http_request *r, const char *name)
{
	const char *text = (const char *)r->head.data;
	unsigned n = 0;

	for (size_t i = 0; i < r->n_fields; i++)
		n += !strcasecmp(text + r->fields[i].name, name);
	return n > 1;
}

/* True when a comma-separated list such as Connection's holds `word`. */
static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list && *list) {
		list += strspn(list, " \t,");
		if (!strncasecmp(list, word, len) && strchr(" \t,", list[len]))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

static int meaning_take(struct http_request *r)
{
	static const char *const single[] = {"Host",	      "Content-Length", "Transfer-Encoding",
					     "Authorization", "Content-Type",	"Expect"};
	const char *expect = http_request_field(r, "Expect");
	const char *connection = http_request_field(r, "Connection");

	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
		if (is_repeated(r, single[i]))
			return refuse(r, 400, "a header field that may stand once is repeated");
	/* RFC 9112 3.2: "A server MUST respond with a 400 (Bad Request) status code to any
	 * HTTP/1.1 request message that lacks a Host header field" */
	if (r->minor == 1 && !http_request_field(r, "Host"))
		return refuse(r, 400, "no Host header field");
	r->keep_alive =
		r->minor == 1 ? !list_has(connection, "close") : list_has(connection, "keep-alive");
	if (!expect || r->minor == 0) /* RFC 9110 10.1.1: ignored in HTTP/1.0 */
		return 0;
	if (strcasecmp(expect, "100-continue") != 0)
		return refuse(r, 417, "an expectation other than 100-continue");
	r->wants_continue = true;
	return 0;
}

int http_head_parse(struct http_request *r)
{
	size_t at = 0;
	bool first = true;

	while (at < r->head.len - 2) { /* up to the empty line */
		uint8_t *line = r->head.data + at;
		uint8_t *lf = memchr(line, '\n', r->head.len - at);
		size_t len = (size_t)(lf - line); /* the head ends in LF */
		int rc;

		line[--len] = '\0'; /* the CR: http_request.c takes no LF without one */
		rc = first ? request_line_parse(r, (char *)line, len) : field_parse(r, at, len);
		if (rc)
			return rc;
		first = false;
		at += len + 2;
	}
	return meaning_take(r);
}

/* RFC 9110 8.6: 1*DIGIT */
static int length_parse(const char *text, size_t *out)
{
	size_t v = 0;

	if (!*text || strspn(text, "0123456789") != strlen(text))
		return ERR_INVALID;
	for (; *text; text++)
		if (v <= HTTP_BODY_MAX) /* beyond: too large, whatever it is */
			v = v * 10 + (size_t)(*text - '0');
	*out = v;
	return 0;
}

int http_head_body(struct http_request *r, bool *chunked_out, size_t *length_out)
{
	const char *coding = http_request_field(r, "Transfer-Encoding");
	const char *length = http_request_field(r, "Content-Length");

	*chunked_out = coding != NULL;
	*length_out = 0;
	/* RFC 9112 6.1: both together "ought to be handled as an error" (request smuggling). */
	if (coding && (length || r->minor == 0))
		return refuse(r, 400, "Transfer-Encoding that cannot be trusted");
	if (coding && strcasecmp(coding, "chunked") != 0)
		return refuse(r, 501, "a transfer coding other than chunked");
	if (length && length_parse(length, length_out))
		return refuse(r, 400, "malformed Content-Length");
	return 0;
}
