/* SPDX-License-Identifier: BSD-2-Clause */
/* The agent's HTTPS against a server in a thread: what is believed, and what is not even asked. */
#include "tests/support/cmocka.h"

#include <signal.h>
#include <string.h>

#include "pump_agent/est_url.h"
#include "pump_agent/http_fields.h"
#include "tests/unit/pump_agent/https_server.h"

#define OK "HTTP/1.1 200 OK\r\n"

static const struct https_request GET = {.path = "/x"};
static struct https_mock *mock;
static struct https *client;
static atomic_bool stop;

static void start_as(const struct https_script *script, const char *host)
{
	struct https_server server;

	mock = https_mock_start(script, &server);
	server.stop = &stop;
	server.host = host;
	assert_int_equal(https_new(&server, &client), 0);
}

static void start(const struct https_script *script)
{
	start_as(script, "127.0.0.1");
}

static int end(void **state)
{
	(void)state;
	https_free(client);
	https_mock_stop(mock);
	client = NULL;
	mock = NULL;
	atomic_store(&stop, false);
	return 0;
}

/* What a GET says; `body` holds at most the answer's text. */
static int ask(char body[8192], struct https_answer *answer)
{
	AUTO_BUF got = {.max = 8191};
	int rc = https_request(client, &GET, &got, answer);

	body[0] = '\0';
	if (!rc)
		memcpy(body, buf_cstr(&got), got.len + 1);
	return rc;
}

static int ask_rc(void)
{
	struct https_answer a;
	char body[8192];

	return ask(body, &a);
}

static void a_server_of_another_ca_hears_no_request(void **state)
{
	(void)state;
	start(&(struct https_script){.is_foreign = true, .answers = {{OK "\r\n"}}});
	assert_int_equal(ask_rc(), ERR_CRYPTO);
	assert_false(https_is_expired(client));
	assert_int_equal(https_mock_seen(mock).requests, 0);
	assert_non_null(strstr(err_text(), "127.0.0.1"));
}

static void a_server_of_another_address_hears_no_request(void **state)
{
	(void)state;
	start(&(struct https_script){.san = "IP:127.0.0.9", .answers = {{OK "\r\n"}}});
	assert_int_equal(ask_rc(), ERR_CRYPTO);
	assert_int_equal(https_mock_seen(mock).requests, 0);
}

static void a_server_of_another_name_hears_no_request(void **state)
{
	(void)state;
	start_as(&(struct https_script){.san = "DNS:other.test", .answers = {{OK "\r\n"}}},
		 "localhost");
	assert_int_equal(ask_rc(), ERR_CRYPTO);
	assert_int_equal(https_mock_seen(mock).requests, 0);
}

static void an_expired_server_is_refused_and_known_as_such(void **state)
{
	(void)state;
	start(&(struct https_script){.is_expired = true, .answers = {{OK "\r\n"}}});
	assert_int_equal(ask_rc(), ERR_CRYPTO);
	assert_true(https_is_expired(client));
	assert_int_equal(https_mock_seen(mock).requests, 0);
}

static void an_old_tls_is_refused(void **state)
{
	(void)state;
	start(&(struct https_script){.tls_max = TLS1_1_VERSION, .answers = {{OK "\r\n"}}});
	assert_int_equal(ask_rc(), ERR_CRYPTO);
	assert_int_equal(https_mock_seen(mock).requests, 0);
}

static void where_nobody_listens_there_is_no_connection(void **state)
{
	struct https_server server;

	(void)state;
	mock = https_mock_start(&(struct https_script){0}, &server);
	server.host = "127.0.0.1";
	server.port = 1;
	assert_int_equal(https_new(&server, &client), 0);
	assert_int_equal(ask_rc(), ERR_UNAVAILABLE);
}

static void a_server_that_is_silent_is_given_up(void **state)
{
	(void)state;
	for (int mute = 0; mute < 2; mute++) {
		struct https_server server;

		mock = https_mock_start(&(struct https_script){.is_mute = mute}, &server);
		server.wait_ms = 1200;
		server.connect_ms = 600;
		assert_int_equal(https_new(&server, &client), 0);
		assert_int_equal(ask_rc(), ERR_TIMEOUT);
		end(NULL);
	}
}

static void a_request_ends_when_the_agent_does(void **state)
{
	(void)state;
	start(&(struct https_script){.answers = {{NULL, 0}}});
	atomic_store(&stop, true);
	assert_int_equal(ask_rc(), ERR_UNAVAILABLE);
}

static void an_answer_that_is_too_large_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t tail;
	} bad[] = {
		{OK "Content-Length: 5000\r\n\r\n", 5000},
		{OK "Content-Length: 2000000000\r\n\r\n", 5000},
		{OK "Transfer-Encoding: chunked\r\n\r\n1388\r\n", 5000},
		{OK "Connection: close\r\n\r\n", 1000000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(&(struct https_script){.closes = true,
					     .answers = {{bad[i].text, bad[i].tail}}});
		assert_int_equal(ask_rc(), ERR_LIMIT);
		end(NULL);
	}
}

static void what_is_no_whole_answer_is_refused(void **state)
{
	static const char *const bad[] = {
		"SSH-2.0-OpenSSH_9.2\r\n\r\n",
		"HTTP/1.1 OK\r\n\r\n",
		OK "no field at all\r\n\r\n",
		OK "Content-Length: 100\r\n\r\nnot so many",
		OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(&(struct https_script){.closes = true, .answers = {{bad[i], 0}}});
		assert_int_not_equal(ask_rc(), 0);
		end(NULL);
	}
}

static void a_head_that_is_too_large_is_refused(void **state)
{
	(void)state;
	start(&(struct https_script){
		.answers = {{OK "X: ", 100000, "\r\nContent-Length: 0\r\n\r\n"}}});
	assert_int_equal(ask_rc(), ERR_INVALID);
}

static void a_redirect_is_not_followed(void **state)
{
	struct https_answer a;
	char body[8192];

	(void)state;
	start(&(struct https_script){.answers = {{"HTTP/1.1 302 Found\r\nLocation: /y\r\n"
						  "Content-Length: 0\r\n\r\n",
						  0}}});
	assert_int_equal(ask(body, &a), 0);
	assert_int_equal(a.status, 302);
	assert_int_equal(https_mock_seen(mock).requests, 1);
}

static void answers_are_taken_in_all_forms(void **state)
{
	static const char *const good[] = {
		OK "Content-Length: 5\r\n\r\nhello",
		OK "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
		OK "Connection: close\r\n\r\nhello",
		"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 5\r\n\r\nhello",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct https_answer a;
		char body[8192];

		start(&(struct https_script){.closes = i == 2, .answers = {{good[i], 0}}});
		assert_int_equal(ask(body, &a), 0);
		assert_string_equal(body, "hello");
		assert_int_equal(a.status, 200);
		end(NULL);
	}
}

static void the_fields_of_an_answer_are_read(void **state)
{
	struct https_answer a;
	char body[8192];

	(void)state;
	start(&(struct https_script){.answers = {{"HTTP/1.1 202 Accepted\r\n"
						  "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
						  "Retry-After: 120\r\nContent-Length: 0\r\n\r\n",
						  0}}});
	assert_int_equal(ask(body, &a), 0);
	assert_int_equal(a.status, 202);
	assert_int_equal(a.date_s, 784111777);
	assert_int_equal(a.again_s, 120);
}

static void a_post_shows_what_it_should(void **state)
{
	AUTO_BUF body = {.max = 100};
	AUTO_BUF got = {.max = 100};
	const struct https_request post = {.path = "/.well-known/est/simpleenroll",
					   .body = &body,
					   .fields = {{"Content-Type", "application/pkcs10"},
						      {"Authorization", "Basic eA=="}}};
	struct https_seen seen;
	struct https_answer a;

	(void)state;
	assert_int_equal(buf_put_str(&body, "request"), 0);
	start(&(struct https_script){.answers = {{OK "Content-Length: 0\r\n\r\n", 0}}});
	assert_int_equal(https_request(client, &post, &got, &a), 0);
	seen = https_mock_seen(mock);
	assert_ptr_equal(strstr(seen.last, "POST /.well-known/est/simpleenroll HTTP/1.1\r\n"),
			 seen.last);
	assert_non_null(strstr(seen.last, "\r\nHost: 127.0.0.1:"));
	assert_non_null(strstr(seen.last, "\r\nContent-Type: application/pkcs10\r\n"));
	assert_non_null(strstr(seen.last, "\r\nAuthorization: Basic eA==\r\n"));
	assert_non_null(strstr(seen.last, "\r\nContent-Length: 7\r\n"));
	assert_non_null(strstr(seen.last, "\r\n\r\nrequest"));
	assert_null(strstr(seen.last, "Expect"));
	assert_true(seen.client_cert);
}

static void one_connection_serves_many_requests(void **state)
{
	const char *binding;

	(void)state;
	start(&(struct https_script){.answers = {{OK "Content-Length: 0\r\n\r\n", 0}}});
	assert_int_equal(https_connection(client, &binding), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_rc(), 0);
	assert_int_equal(https_mock_seen(mock).connections, 1);
	assert_int_equal(https_connection(client, &binding), 1);
}

static void a_connection_that_was_closed_is_made_anew(void **state)
{
	const char *binding;

	(void)state;
	start(&(struct https_script){.closes_at = 2,
				     .answers = {{OK "Content-Length: 0\r\n\r\n", 0}}});
	assert_int_equal(ask_rc(), 0);
	assert_int_equal(ask_rc(), 0);
	assert_int_equal(https_mock_seen(mock).requests, 3);
	assert_int_equal(https_connection(client, &binding), 2);
}

static void a_new_connection_that_ends_is_not_tried_again(void **state)
{
	(void)state;
	start(&(struct https_script){.closes_at = 1,
				     .answers = {{OK "Content-Length: 0\r\n\r\n", 0}}});
	assert_int_equal(ask_rc(), ERR_UNAVAILABLE);
	assert_int_equal(https_mock_seen(mock).requests, 1);
}

static void the_binding_is_the_server_s_own(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t text[100];
		struct https_seen seen;
		const char *binding;

		start(&(struct https_script){.tls_max = versions[i],
					     .answers = {{OK "Content-Length: 0\r\n\r\n", 0}}});
		assert_int_equal(ask_rc(), 0);
		assert_int_equal(ask_rc(), 0);
		seen = https_mock_seen(mock);
		EVP_EncodeBlock(text, seen.binding, (int)seen.binding_len);
		assert_int_equal(https_connection(client, &binding), 1);
		assert_string_equal(binding, (char *)text);
		end(NULL);
	}
}

static void a_name_is_found_and_proven(void **state)
{
	(void)state;
	start_as(&(struct https_script){.san = "DNS:localhost",
					.answers = {{OK "Content-Length: 0\r\n\r\n", 0}}},
		 "localhost");
	assert_int_equal(ask_rc(), 0);
	assert_non_null(strstr(https_mock_seen(mock).last, "\r\nHost: localhost:"));
}

static void without_anchors_anybody_answers(void **state)
{
	struct https_server server;

	(void)state;
	mock = https_mock_start(
		&(struct https_script){.is_foreign = true,
				       .answers = {{OK "Content-Length: 0\r\n\r\n", 0}}},
		&server);
	server.tls = (struct tls_client){0};
	assert_int_equal(https_new(&server, &client), 0);
	assert_int_equal(ask_rc(), 0);
	assert_false(https_mock_seen(mock).client_cert);
}

static void addresses_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {
		"http://a.test/est",	   "https://a.test:0/est",     "https://a.test:65536/est",
		"https://a.test:/est",	   "https://a.test:8a/est",    "https://[::1/est",
		"https://[::1]8443/est",   "https://a.test:1:2/est",   "https://[]/est",
		"https://a.test:123456/e", "https://a]b:1/est/simple", "https://a.test",
	};
	struct est_url u;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(est_url_parse(bad[i], &u), ERR_INVALID);
}

static void the_parts_of_an_address_are_found(void **state)
{
	struct est_url u;

	(void)state;
	assert_int_equal(est_url_parse("https://est.test/.well-known/est", &u), 0);
	assert_string_equal(u.host, "est.test");
	assert_int_equal(u.port, 443);
	assert_string_equal(u.path, "/.well-known/est");
	assert_int_equal(est_url_parse("https://[fd00::1]:8443/est", &u), 0);
	assert_string_equal(u.host, "fd00::1");
	assert_int_equal(u.port, 8443);
}

static void dates_that_are_none_are_zero(void **state)
{
	static const char *const bad[] = {"",
					  "now",
					  "Sun, 06 Nov 1994 08:49:37",
					  "Sun, 06 Nov 1994 08:49:37 GMT and more",
					  "Sun, 06 Nov 1894 08:49:37 GMT",
					  "06 Nov 1994 08:49:37 GMT"};

	(void)state;
	assert_int_equal(http_date_parse(NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(http_date_parse(bad[i]), 0);
}

static void dates_are_read_in_the_three_forms(void **state)
{
	(void)state;
	assert_int_equal(http_date_parse("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
	assert_int_equal(http_date_parse("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
	assert_int_equal(http_date_parse("Sun Nov  6 08:49:37 1994"), 784111777);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
	(void)state;
	assert_int_equal(http_retry_parse(NULL, 0), 0);
	assert_int_equal(http_retry_parse("-5", 0), 0);
	assert_int_equal(http_retry_parse("5s", 0), 0);
	assert_int_equal(http_retry_parse("30", 0), 30);
	assert_int_equal(http_retry_parse("99999999999999999999", 0), HTTP_RETRY_MAX_S);
	assert_int_equal(http_retry_parse("Sun, 06 Nov 1994 08:49:37 GMT", 784111770), 7);
	assert_int_equal(http_retry_parse("Sun, 06 Nov 1994 08:49:37 GMT", 784111790), 0);
}

#define WITH_END(test) cmocka_unit_test_teardown(test, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_END(a_server_of_another_ca_hears_no_request),
		WITH_END(a_server_of_another_address_hears_no_request),
		WITH_END(a_server_of_another_name_hears_no_request),
		WITH_END(an_expired_server_is_refused_and_known_as_such),
		WITH_END(an_old_tls_is_refused),
		WITH_END(where_nobody_listens_there_is_no_connection),
		WITH_END(a_request_ends_when_the_agent_does),
		WITH_END(an_answer_that_is_too_large_is_refused),
		WITH_END(what_is_no_whole_answer_is_refused),
		WITH_END(a_head_that_is_too_large_is_refused),
		WITH_END(a_redirect_is_not_followed),
		WITH_END(answers_are_taken_in_all_forms),
		WITH_END(the_fields_of_an_answer_are_read),
		WITH_END(a_post_shows_what_it_should),
		WITH_END(one_connection_serves_many_requests),
		WITH_END(a_connection_that_was_closed_is_made_anew),
		WITH_END(a_new_connection_that_ends_is_not_tried_again),
		WITH_END(the_binding_is_the_server_s_own),
		WITH_END(a_name_is_found_and_proven),
		WITH_END(without_anchors_anybody_answers),
		cmocka_unit_test(addresses_that_are_none_are_refused),
		cmocka_unit_test(the_parts_of_an_address_are_found),
		cmocka_unit_test(dates_that_are_none_are_zero),
		cmocka_unit_test(dates_are_read_in_the_three_forms),
		cmocka_unit_test(retry_after_is_seconds_or_a_date),
		WITH_END(a_server_that_is_silent_is_given_up),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
