/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>

#include "enroll/est/http_response.h"

#define SOME_TIME_MS 784111777999LL /* Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 5.6.7) */

static const char *build(struct buf *out, const struct http_response *r, const char *body)
{
	buf_init(out, 4096);
	assert_int_equal(http_response_build(out, r, SOME_TIME_MS, body, strlen(body)), 0);
	return buf_cstr(out);
}

static void an_answer_that_does_not_fit_is_refused(void **state)
{
	struct http_response r = {.status = 200};
	AUTO_BUF out = {.max = 90};

	(void)state;
	assert_int_equal(http_response_build(&out, &r, SOME_TIME_MS, "", 0), ERR_LIMIT);
}

static void a_challenge_has_no_body_and_a_length(void **state)
{
	struct http_response r = {
		.status = 401, .is_challenge = true, .keep_alive = true, .minor = 1};
	AUTO_BUF out = {.max = 0};

	(void)state;
	assert_string_equal(build(&out, &r, ""),
			    "HTTP/1.1 401 Unauthorized\r\n"
			    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
			    "WWW-Authenticate: Basic realm=\"Pumpgate enrolment\"\r\n"
			    "Cache-Control: no-store\r\nContent-Length: 0\r\n\r\n");
}

static void a_certificate_says_how_it_is_encoded(void **state)
{
	struct http_response r = {.status = 200,
				  .type = "application/pkcs7-mime; smime-type=certs-only",
				  .is_base64 = true,
				  .keep_alive = true,
				  .minor = 1};
	AUTO_BUF out = {.max = 0};

	(void)state;
	assert_string_equal(build(&out, &r, "MIIB"),
			    "HTTP/1.1 200 OK\r\n"
			    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
			    "Content-Type: application/pkcs7-mime; smime-type=certs-only\r\n"
			    "Content-Transfer-Encoding: base64\r\n"
			    "Cache-Control: no-store\r\nContent-Length: 4\r\n\r\nMIIB");
}

static void the_end_of_the_connection_is_said_and_its_going_on_to_1_0(void **state)
{
	struct http_response last = {.status = 405, .allow = "POST", .minor = 1};
	struct http_response old = {.status = 503, .retry_after_s = 7, .keep_alive = true};
	AUTO_BUF out = {.max = 0};
	AUTO_BUF other = {.max = 0};

	(void)state;
	assert_non_null(strstr(build(&out, &last, ""), "\r\nAllow: POST\r\nConnection: close\r\n"));
	assert_non_null(strstr(build(&other, &old, ""),
			       "\r\nRetry-After: 7\r\nConnection: keep-alive\r\n"));
}

static void an_unknown_status_is_an_error_inside(void **state)
{
	struct http_response r = {.status = 599, .minor = 1};
	AUTO_BUF out = {.max = 0};

	(void)state;
	assert_non_null(strstr(build(&out, &r, ""), "599 Internal Server Error\r\n"));
}

static void what_may_be_kept_must_be_asked_for_again(void **state)
{
	struct http_response r = {.status = 200, .etag = "7f", .minor = 1, .keep_alive = true};
	AUTO_BUF out = {.max = 0};
	AUTO_BUF again = {.max = 0};

	(void)state;
	assert_non_null(strstr(build(&out, &r, "abc"), "ETag: \"7f\"\r\nCache-Control: no-cache\r\n"
						       "Content-Length: 3\r\n\r\nabc"));
	r.status = 304;
	assert_null(strstr(build(&again, &r, ""), "Content-Length"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_that_does_not_fit_is_refused),
		cmocka_unit_test(a_challenge_has_no_body_and_a_length),
		cmocka_unit_test(a_certificate_says_how_it_is_encoded),
		cmocka_unit_test(the_end_of_the_connection_is_said_and_its_going_on_to_1_0),
		cmocka_unit_test(an_unknown_status_is_an_error_inside),
		cmocka_unit_test(what_may_be_kept_must_be_asked_for_again),
	};

	return cmocka_run_group_tests_name("enroll/http_response", tests, NULL, NULL);
}
