/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/est/http_request.h"

/* Feeds all of `text` in pieces of at most `piece` bytes; *rest_out: what was left unread. */
static int feed(struct http_request *r, const char *text, size_t len, size_t piece,
		size_t *rest_out)
{
	size_t at = 0;

	http_request_init(r);
	while (at < len && r->state != HTTP_DONE) {
		size_t n = len - at < piece ? len - at : piece, used;
		int rc = http_request_feed(r, (const uint8_t *)text + at, n, &used);

		if (rc)
			return rc;
		assert_true(used > 0 && used <= n);
		at += used;
	}
	*rest_out = len - at;
	return 0;
}

static void refused(const char *text, size_t len, int status)
{
	static const size_t pieces[] = {1, 7, 100000};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct http_request r;
		size_t rest;
		int rc = feed(&r, text, len, pieces[i], &rest);

		if (rc == 0 || r.status != status)
			fail_msg("'%.60s' gave %d, status %d; wanted %d", text, rc, r.status,
				 status);
		http_request_done(&r);
	}
}
#define REFUSED(text, status) refused((text), sizeof(text) - 1, (status))
#define H "Host: h\r\n"

static void malformed_request_lines_are_refused(void **state)
{
	(void)state;
	REFUSED("GET\r\n" H "\r\n", 400);
	REFUSED("GET /\r\n" H "\r\n", 400);
	REFUSED("GET  / HTTP/1.1\r\n" H "\r\n", 400);
	REFUSED(" GET / HTTP/1.1\r\n" H "\r\n", 400);
	REFUSED("G(T / HTTP/1.1\r\n" H "\r\n", 400);
	REFUSED("G(/ HTTP/1.1\r\n" H "\r\n", 400);
	REFUSED("GET\0/ HTTP/1.1\r\n" H "\r\n", 400);
	REFUSED("GET\r/ HTTP/1.1\r\n" H "\r\n", 400);
	REFUSED("GET /\r HTTP/1.1\r\n" H "\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\r\n" H "\r\n", 505);
	REFUSED("GET /\x01 HTTP/1.1\r\n" H "\r\n", 400);
	REFUSED("GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400);
	REFUSED("GET / HTTP/1.1 x\r\n" H "\r\n", 505);
	REFUSED("GET / HTTP/2.0\r\n" H "\r\n", 505);
	REFUSED("GET / HTTP/0.9\r\n" H "\r\n", 505);
	REFUSED("GET / SPDY/3\r\n" H "\r\n", 400);
	REFUSED("GET /\0x HTTP/1.1\r\n" H "\r\n", 400);
	REFUSED("PRI * HTTP/2.0\r\n\r\n", 505);
	REFUSED("\x16\x03\x01\x02\n", 400); /* a TLS record inside TLS */
}

static void lines_that_end_in_other_than_crlf_are_refused(void **state)
{
	(void)state;
	REFUSED("GET / HTTP/1.1\nHost: h\n\n", 400);
	REFUSED("GET / HTTP/1.1\r\nHost: h\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 400);
}

static void malformed_fields_are_refused(void **state)
{
	(void)state;
	REFUSED("GET / HTTP/1.1\r\n" H "NoColon\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\n" H ": v\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\n" H "A : v\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\n" H "A: v\r\n folded\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\n" H "A: \x01\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\n" H "A: x\0y\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\n" H "A\0B: v\r\n\r\n", 400);
}

static void a_request_without_host_or_with_two_is_refused(void **state)
{
	(void)state;
	REFUSED("GET / HTTP/1.1\r\n\r\n", 400);
	REFUSED("GET / HTTP/1.1\r\n" H H "\r\n", 400);
}

static void framing_with_two_readings_is_refused(void **state)
{
	(void)state;
#define P "POST / HTTP/1.1\r\n" H
	REFUSED(P "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400);
	REFUSED(P "Content-Length: 3, 3\r\n\r\nabc", 400);
	REFUSED(P "Content-Length: +3\r\n\r\nabc", 400);
	REFUSED(P "Content-Length: -1\r\n\r\nabc", 400);
	REFUSED(P "Content-Length: 0x3\r\n\r\nabc", 400);
	REFUSED(P "Content-Length: \r\n\r\nabc", 400);
	REFUSED(P "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
	REFUSED(P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
	REFUSED(P "Transfer-Encoding: gzip, chunked\r\n\r\n", 501);
	REFUSED(P "Transfer-Encoding: xchunked\r\n\r\n", 501);
	REFUSED("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
	REFUSED(P "Authorization: a\r\nAuthorization: b\r\n\r\n", 400);
	REFUSED(P "Expect: miracles\r\n\r\n", 417);
}

static void malformed_chunks_are_refused(void **state)
{
	(void)state;
#define C P "Transfer-Encoding: chunked\r\n\r\n"
	REFUSED(C "\r\n", 400);
	REFUSED(C "x\r\n", 400);
	REFUSED(C "-1\r\n", 400);
	REFUSED(C "3x\r\nabc", 400);
	REFUSED(C "0000000003\r\nabc", 400);
	REFUSED(C "3\nabc\r\n0\r\n\r\n", 400);
	REFUSED(C "3;x\ny\r\nabc\r\n0\r\n\r\n", 400);
	REFUSED(C "3;x\ry\r\nabc\r\n0\r\n\r\n", 400);
	REFUSED(C "3\r\nabcd\r\n0\r\n\r\n", 400);
	REFUSED(C "3\r\nabc0\r\n\r\n", 400);
	REFUSED(C "ffffffffffffffff\r\n", 413);
	REFUSED(C "4001\r\n", 413);
}

static void oversize_parts_are_refused_before_they_have_come(void **state)
{
	AUTO_BUF text = {.max = 100000};

	(void)state;
	REFUSED(P "Content-Length: 16385\r\n\r\n", 413);
	REFUSED(P "Content-Length: 99999999999999999999999999\r\n\r\n", 413);
	assert_int_equal(buf_put_str(&text, "GET / HTTP/1.1\r\nA: "), 0);
	while (text.len <= HTTP_HEAD_MAX)
		assert_int_equal(buf_put_u8(&text, 'a'), 0);
	refused((char *)text.data, text.len, 431);
	buf_reset(&text);
	assert_int_equal(buf_put_str(&text, "GET / HTTP/1.1\r\n" H), 0);
	for (int i = 0; i < HTTP_FIELDS_MAX; i++)
		assert_int_equal(buf_put_str(&text, "A: b\r\n"), 0);
	assert_int_equal(buf_put_str(&text, "\r\n"), 0);
	refused((char *)text.data, text.len, 431);
	buf_reset(&text);
	assert_int_equal(buf_put_str(&text, "GET /"), 0);
	for (int i = 0; i < 600; i++)
		assert_int_equal(buf_put_u8(&text, 'a'), 0);
	assert_int_equal(buf_put_str(&text, " HTTP/1.1\r\n" H "\r\n"), 0);
	refused((char *)text.data, text.len, 414);
	buf_reset(&text);
	assert_int_equal(buf_put_str(&text, C), 0); /* small chunks, many of them */
	for (int i = 0; i <= HTTP_BODY_MAX / 256; i++) {
		uint8_t *at;

		assert_int_equal(buf_put_str(&text, "100\r\n"), 0);
		assert_int_equal(buf_reserve(&text, 256, &at), 0);
		memset(at, 'a', 256);
		assert_int_equal(buf_put_str(&text, "\r\n"), 0);
	}
	refused((char *)text.data, text.len, 413);
	buf_reset(&text);
	assert_int_equal(buf_put_str(&text, C "3;"), 0);
	for (int i = 0; i < 300; i++)
		assert_int_equal(buf_put_u8(&text, 'x'), 0);
	refused((char *)text.data, text.len, 400);
	buf_reset(&text);
	assert_int_equal(buf_put_str(&text, C "0\r\n"), 0);
	for (int i = 0; i < 300; i++)
		assert_int_equal(buf_put_str(&text, "T: v\r\n"), 0);
	refused((char *)text.data, text.len, 400);
}

static void taken(const char *text, size_t len, const char *body, size_t rest_wanted)
{
	for (size_t piece = 1; piece <= len; piece++) {
		struct http_request r;
		size_t rest;

		assert_int_equal(feed(&r, text, len, piece, &rest), 0);
		assert_int_equal(r.state, HTTP_DONE);
		assert_int_equal(rest, rest_wanted);
		assert_int_equal(r.body.len, strlen(body));
		if (*body)
			assert_memory_equal(r.body.data, body, strlen(body));
		http_request_done(&r);
	}
}
#define TAKEN(text, body, rest) taken((text), sizeof(text) - 1, (body), (rest))

static void bodies_are_the_same_in_pieces_of_any_size(void **state)
{
	(void)state;
	TAKEN("GET / HTTP/1.1\r\n" H "\r\n", "", 0);
	TAKEN("\r\n\r\nGET / HTTP/1.0\r\n\r\n", "", 0);
	TAKEN(P "Content-Length: 0\r\n\r\nGET", "", 3);
	TAKEN(P "Content-Length: 3\r\n\r\nabcGET", "abc", 3);
	TAKEN(P "content-length:\t 3 \r\n\r\nabc", "abc", 0);
	TAKEN(C "3\r\nabc\r\n0A;x=\"y\"\r\n0123456789\r\n0\r\nT: v\r\n\r\nGET", "abc0123456789", 3);
	TAKEN(P "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", "", 0);
}

static void what_the_head_says_is_understood(void **state)
{
	static const char text[] = "POST /x HTTP/1.1\r\nhOST:h\r\nExpect: 100-Continue\r\n"
				   "Connection: foo, Close\r\nEmpty:\r\nContent-Length: 1\r\n\r\n";
	struct http_request r;
	size_t rest;

	(void)state;
	assert_int_equal(feed(&r, text, sizeof(text) - 1, 1000, &rest), 0);
	assert_int_equal(r.state, HTTP_BODY);
	assert_string_equal(r.method, "POST");
	assert_string_equal(r.target, "/x");
	assert_true(r.wants_continue);
	assert_false(r.keep_alive);
	assert_string_equal(http_request_field(&r, "HOST"), "h");
	assert_string_equal(http_request_field(&r, "empty"), "");
	assert_null(http_request_field(&r, "Hos"));
	http_request_done(&r);
}

static void persistence_follows_the_version(void **state)
{
	static const struct {
		const char *text;
		bool keep_alive;
	} cases[] = {
		{"GET / HTTP/1.1\r\n" H "\r\n", true},
		{"GET / HTTP/1.1\r\n" H "Connection: closed\r\n\r\n", true},
		{"GET / HTTP/1.0\r\n\r\n", false},
		{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_request r;
		size_t rest;

		assert_int_equal(feed(&r, cases[i].text, strlen(cases[i].text), 1000, &rest), 0);
		assert_int_equal(r.keep_alive, cases[i].keep_alive);
		http_request_done(&r);
	}
}

/* No 100 Continue for a request without a body: the client would wait for two answers. */
static void nothing_is_to_be_continued_without_a_body(void **state)
{
	static const char text[] = "POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n";
	struct http_request r;
	size_t rest;

	(void)state;
	assert_int_equal(feed(&r, text, sizeof(text) - 1, 1000, &rest), 0);
	assert_int_equal(r.state, HTTP_DONE);
	assert_false(r.wants_continue);
	http_request_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_request_lines_are_refused),
		cmocka_unit_test(lines_that_end_in_other_than_crlf_are_refused),
		cmocka_unit_test(malformed_fields_are_refused),
		cmocka_unit_test(a_request_without_host_or_with_two_is_refused),
		cmocka_unit_test(framing_with_two_readings_is_refused),
		cmocka_unit_test(malformed_chunks_are_refused),
		cmocka_unit_test(oversize_parts_are_refused_before_they_have_come),
		cmocka_unit_test(bodies_are_the_same_in_pieces_of_any_size),
		cmocka_unit_test(what_the_head_says_is_understood),
		cmocka_unit_test(persistence_follows_the_version),
		cmocka_unit_test(nothing_is_to_be_continued_without_a_body),
	};

	return cmocka_run_group_tests_name("enroll/http_request", tests, NULL, NULL);
}
