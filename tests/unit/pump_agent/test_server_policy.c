/* SPDX-License-Identifier: BSD-2-Clause */
/* Server policies, signed by the real CA and judged by the real pump. */
#include "pump_agent/server_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ca/server_policy.h"
#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

#define NAME "radius-2.pumpgate.internal"
#define CONTENT                                                                                 \
	"{\"version\":1,\"kind\":\"server-policy\",\"number\":7,\"radius_server_name\":\"" NAME \
	"\"}"

struct site {
	struct ca_hierarchy h;
	struct ca_issuer ca;
	STACK_OF(X509) * anchors; /* what a pump pins */
};

static struct site ours, others;

/* In force now: the pump judges by its clock. */
static void site_make(struct site *s)
{
	assert_int_equal(ca_hierarchy_new(CA_KIND_SERVER_ROOT, "Hospital", clock_wall_ms(), &s->h),
			 0);
	assert_int_equal(ca_issuer_init(s->h.ca, s->h.ca_key, s->h.root, &s->ca), 0);
	s->anchors = sk_X509_new_null();
	assert_true(sk_X509_push(s->anchors, s->h.root) > 0);
	assert_true(sk_X509_push(s->anchors, s->h.ca) > 0);
}

static void site_done(struct site *s)
{
	sk_X509_free(s->anchors);
	ca_issuer_done(&s->ca);
	ca_hierarchy_done(&s->h);
}

static int sites_make(void **state)
{
	(void)state;
	site_make(&ours);
	site_make(&others);
	return 0;
}

static int sites_done(void **state)
{
	(void)state;
	site_done(&ours);
	site_done(&others);
	return 0;
}

static int judge(const struct buf *der, struct server_policy *out)
{
	static char base64[2 * SERVER_POLICY_MAX];
	int len = EVP_EncodeBlock((uint8_t *)base64, der->data, (int)der->len);

	return server_policy_verify(base64, (size_t)len, ours.anchors, out);
}

static void policy_of(const struct site *s, struct buf *out)
{
	const struct server_policy_terms p = {.number = 7, .radius_name = NAME};
	AUTO_X509 cert = NULL;

	assert_int_equal(server_policy_sign(&s->ca, &p, NULL, clock_wall_ms(), out, &cert), 0);
}

static X509 *leaf(enum ca_kind kind, EVP_PKEY *key, int64_t not_after_ms)
{
	struct ca_terms t = {.kind = kind,
			     .common_name = "radius-1.pumpgate.internal",
			     .names = {"radius-1.pumpgate.internal"},
			     .not_before_ms = ours.ca.not_before_ms,
			     .not_after_ms = not_after_ms};
	X509 *cert = NULL;

	ca_serial_random(t.serial);
	assert_int_equal(fixture_issue(&ours.ca, &t, key, &cert), 0);
	return cert;
}

static CMS_ContentInfo *signed_by(X509 *cert, EVP_PKEY *key, const char *content)
{
	AUTO_BIO bio = BIO_new_mem_buf(content, -1);
	CMS_ContentInfo *cms = CMS_sign(cert, key, NULL, bio, CMS_BINARY);

	assert_non_null(cms);
	return cms;
}

static int judge_cms(CMS_ContentInfo *cms)
{
	AUTO_BUF der = {.max = SERVER_POLICY_MAX};
	struct server_policy p;
	uint8_t *at;
	int len = i2d_CMS_ContentInfo(cms, NULL);

	assert_true(len > 0);
	assert_int_equal(buf_reserve(&der, (size_t)len, &at), 0);
	assert_int_equal(i2d_CMS_ContentInfo(cms, &at), len);
	return judge(&der, &p);
}

static int judge_content(const char *content)
{
	AUTO_PKEY key = EVP_EC_gen("P-256");
	AUTO_X509 cert = leaf(CA_KIND_POLICY_LEAF, key, ours.ca.not_after_ms);
	AUTO_CMS cms = signed_by(cert, key, content);

	return judge_cms(cms);
}

static void a_login_server_out_of_bounds_is_refused(void **state)
{
#define LOGINS(more)                                              \
	"{\"version\":1,\"kind\":\"server-policy\",\"number\":7," \
	"\"radius_server_name\":\"" NAME "\"," more "}"
	static const char *const bad[] = {
		LOGINS("\"login_server\":\"10.0.0.5:22087\""), /* without a name, anybody's */
		LOGINS("\"login_server_name\":\"login-1.x.org\""),
		LOGINS("\"login_server\":\"login.x.org:22087\",\"login_server_name\":\"a.b\""),
		LOGINS("\"login_server\":\"10.0.0.5\",\"login_server_name\":\"login-1.x.org\""),
		LOGINS("\"login_server\":\"10.0.0.5:0\",\"login_server_name\":\"login-1.x.org\""),
		LOGINS("\"login_server\":\"10.0.0.5:22087\",\"login_server_name\":\"*.x.org\""),
		LOGINS("\"login_server\":22087,\"login_server_name\":\"login-1.x.org\""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(judge_content(bad[i]), ERR_INVALID);
	assert_int_equal(judge_content(LOGINS("\"login_server\":\"10.0.0.5:22087\","
					      "\"login_server_name\":\"login-1.x.org\"")),
			 0);
}

static void no_policy_is_signed_over_what_json_would_escape(void **state)
{
	static const struct server_policy_terms bad[] = {
		{.number = 7,
		 .radius_name = NAME,
		 .login_server = "1.2.3.4:5\"",
		 .login_name = NAME},
		{.number = 7, .radius_name = NAME, .login_server = "", .login_name = NAME},
		{.number = 7,
		 .radius_name = NAME,
		 .login_server = "1.2.3.4:5",
		 .login_name = "a b"},
		{.number = 7, .radius_name = NAME, .login_server = "1.2.3.4:5", .login_name = ""},
	};
	AUTO_BUF der = {.max = SERVER_POLICY_MAX};
	AUTO_X509 cert = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			server_policy_sign(&ours.ca, &bad[i], NULL, clock_wall_ms(), &der, &cert),
			ERR_INVALID);
}

static void the_login_server_is_told_when_there_is_one(void **state)
{
	const struct server_policy_terms p = {.number = 8,
					      .radius_name = NAME,
					      .login_server = "[2001:db8::5]:22087",
					      .login_name = "login-1.pumpgate.internal"};
	AUTO_BUF der = {.max = SERVER_POLICY_MAX};
	AUTO_BUF plain = {.max = SERVER_POLICY_MAX};
	AUTO_X509 cert = NULL;
	struct server_policy got;

	(void)state;
	assert_int_equal(server_policy_sign(&ours.ca, &p, NULL, clock_wall_ms(), &der, &cert), 0);
	assert_int_equal(judge(&der, &got), 0);
	assert_string_equal(got.login_address, p.login_server);
	assert_string_equal(got.login_name, p.login_name);
	policy_of(&ours, &plain);
	assert_int_equal(judge(&plain, &got), 0);
	assert_string_equal(got.login_address, "");
}

static void an_older_policy_changes_nothing(void **state)
{
	const struct server_policy old = {.number = 7,
					  .radius_name = "radius-1.x.org",
					  .login_address = "10.0.0.9:1",
					  .login_name = "login-9.x.org"};
	struct pump_settings s = {.radius_name = "radius-2.x.org",
				  .login_address = "10.0.0.5:22087",
				  .login_name = "login-1.x.org"};
	const struct pump_settings before = s;
	uint64_t number = 7;
	bool logins = true;

	(void)state;
	assert_false(server_policy_take(&old, &number, &s, &logins));
	assert_false(logins);
	number = 8;
	assert_false(server_policy_take(&old, &number, &s, &logins));
	assert_int_equal(number, 8);
	assert_memory_equal(&s, &before, sizeof(s));
	assert_false(server_policy_take(&(struct server_policy){0}, &number, &s, &logins));
}

static void a_newer_policy_moves_the_login_server_if_it_names_one(void **state)
{
	struct server_policy p = {.number = 8, .radius_name = "radius-3.x.org"};
	struct pump_settings s = {.radius_name = "radius-2.x.org",
				  .login_address = "10.0.0.5:22087",
				  .login_name = "login-1.x.org"};
	uint64_t number = 7;
	bool logins;

	(void)state;
	assert_true(server_policy_take(&p, &number, &s, &logins));
	assert_false(logins);
	assert_int_equal(number, 8);
	assert_string_equal(s.radius_name, "radius-3.x.org");
	assert_string_equal(s.login_address, "10.0.0.5:22087");
	p.number = 9;
	strcpy(p.login_address, "10.0.0.6:22087");
	strcpy(p.login_name, "login-1.x.org");
	assert_true(server_policy_take(&p, &number, &s, &logins));
	assert_true(logins);
	assert_string_equal(s.login_address, "10.0.0.6:22087");
	p.number = 10;
	strcpy(p.login_name, "login-2.x.org"); /* the name alone is another server too */
	assert_true(server_policy_take(&p, &number, &s, &logins));
	assert_true(logins);
	assert_string_equal(s.login_name, "login-2.x.org");
	p.number = 11;
	assert_true(server_policy_take(&p, &number, &s, &logins));
	assert_false(logins);
}

static void policy_of_another_site_is_refused(void **state)
{
	AUTO_BUF der = {.max = SERVER_POLICY_MAX};
	struct server_policy p;

	(void)state;
	policy_of(&others, &der);
	assert_int_equal(judge(&der, &p), ERR_CRYPTO);
}

static void policy_signed_by_the_radius_server_is_refused(void **state)
{
	AUTO_PKEY key = EVP_EC_gen("P-256");
	AUTO_X509 cert = leaf(CA_KIND_SERVER_LEAF, key, ours.ca.not_after_ms);
	AUTO_CMS cms = signed_by(cert, key, CONTENT);

	(void)state;
	assert_int_equal(judge_cms(cms), ERR_CRYPTO);
	assert_non_null(strstr(err_text(), "not for it"));
}

static int judge_with_a_second_signer(void)
{
	AUTO_PKEY key = EVP_EC_gen("P-256");
	AUTO_X509 cert = leaf(CA_KIND_POLICY_LEAF, key, ours.ca.not_after_ms);
	AUTO_PKEY server_key = EVP_EC_gen("P-256");
	AUTO_X509 server = leaf(CA_KIND_SERVER_LEAF, server_key, ours.ca.not_after_ms);
	AUTO_BIO bio = BIO_new_mem_buf(CONTENT, -1);
	AUTO_CMS cms = CMS_sign(cert, key, NULL, bio, CMS_BINARY | CMS_PARTIAL);

	assert_non_null(CMS_add1_signer(cms, server, server_key, NULL, CMS_BINARY));
	assert_int_equal(BIO_reset(bio), 1);
	assert_int_equal(CMS_final(cms, bio, NULL, CMS_BINARY), 1);
	return judge_cms(cms);
}

/* Which of the two comes first in the message is chance. */
static void policy_with_a_second_signer_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++)
		assert_int_equal(judge_with_a_second_signer(), ERR_CRYPTO);
}

static void policy_whose_signer_has_ended_is_refused(void **state)
{
	AUTO_PKEY key = EVP_EC_gen("P-256");
	AUTO_X509 cert = leaf(CA_KIND_POLICY_LEAF, key, clock_wall_ms() - 60000);
	AUTO_CMS cms = signed_by(cert, key, CONTENT);

	(void)state;
	assert_int_equal(judge_cms(cms), ERR_CRYPTO);
}

static void something_else_that_was_signed_is_no_policy(void **state)
{
	(void)state;
	assert_int_equal(judge_content("{}"), ERR_INVALID);
	assert_int_equal(judge_content("[1]"), ERR_INVALID);
	assert_int_equal(judge_content(""), ERR_LIMIT);
	assert_int_equal(judge_content("{\"version\":1,\"kind\":\"update\",\"number\":7,"
				       "\"radius_server_name\":\"" NAME "\"}"),
			 ERR_INVALID);
	assert_int_equal(judge_content("{\"version\":2,\"kind\":\"server-policy\"}"), ERR_NEWER);
}

static void policy_with_a_value_out_of_bounds_is_refused(void **state)
{
	(void)state;
	assert_int_equal(judge_content("{\"version\":1,\"kind\":\"server-policy\",\"number\":0,"
				       "\"radius_server_name\":\"" NAME "\"}"),
			 ERR_INVALID);
	assert_int_equal(judge_content("{\"version\":1,\"kind\":\"server-policy\",\"number\":-7,"
				       "\"radius_server_name\":\"" NAME "\"}"),
			 ERR_INVALID);
	assert_int_equal(judge_content("{\"version\":1,\"kind\":\"server-policy\",\"number\":7,"
				       "\"radius_server_name\":\"internal\"}"),
			 ERR_INVALID);
	assert_int_equal(judge_content("{\"version\":1,\"kind\":\"server-policy\",\"number\":7,"
				       "\"radius_server_name\":\"a.b;c.d\"}"),
			 ERR_INVALID);
}

static void bytes_that_are_no_message_are_refused(void **state)
{
	static char large[SERVER_POLICY_MAX + 1];
	struct server_policy p;

	(void)state;
	memset(large, 'A', sizeof(large));
	assert_int_equal(server_policy_verify("", 0, ours.anchors, &p), ERR_INVALID);
	assert_int_equal(server_policy_verify("!!!!", 4, ours.anchors, &p), ERR_INVALID);
	assert_int_equal(server_policy_verify("AAAA", 4, ours.anchors, &p), ERR_INVALID);
	assert_int_equal(server_policy_verify(large, sizeof(large), ours.anchors, &p), ERR_LIMIT);
}

/* Some bytes are not covered by the signature: then what is said must be the same. */
static void a_changed_byte_changes_nothing_that_is_believed(void **state)
{
	AUTO_BUF der = {.max = SERVER_POLICY_MAX};
	struct server_policy p;
	unsigned refused = 0;

	(void)state;
	policy_of(&ours, &der);
	for (size_t i = 0; i < der.len; i++) {
		der.data[i] ^= 0x01;
		if (judge(&der, &p)) {
			refused++;
		} else {
			assert_int_equal(p.number, 7);
			assert_string_equal(p.radius_name, NAME);
		}
		der.data[i] ^= 0x01;
	}
	assert_true(refused > der.len / 2);
	der.len--;
	assert_int_not_equal(judge(&der, &p), 0);
}

static void the_signed_policy_is_believed(void **state)
{
	AUTO_BUF der = {.max = SERVER_POLICY_MAX};
	struct server_policy p;

	(void)state;
	policy_of(&ours, &der);
	assert_int_equal(judge(&der, &p), 0);
	assert_int_equal(p.number, 7);
	assert_string_equal(p.radius_name, NAME);
	assert_int_equal(judge_content(CONTENT),
			 0); /* so the refusals above have their own cause */
}

/* After a roll-over of the CA below it, a pump holds the root and the next CA. */
static void a_policy_of_the_previous_ca_below_the_root_is_believed(void **state)
{
	AUTO_BUF der = {.max = SERVER_POLICY_MAX};
	struct server_policy p;
	X509 *ca = sk_X509_pop(ours.anchors);
	int rc;

	(void)state;
	policy_of(&ours, &der);
	rc = judge(&der, &p);
	assert_true(sk_X509_push(ours.anchors, ca) > 0);
	assert_int_equal(rc, 0);
}

static void no_policy_is_signed_for_what_is_no_host_name(void **state)
{
	const struct server_policy_terms p = {.number = 7, .radius_name = "a\",\"number\":9"};
	AUTO_BUF der = {.max = SERVER_POLICY_MAX};
	X509 *cert = NULL;

	(void)state;
	assert_int_equal(server_policy_sign(&ours.ca, &p, NULL, clock_wall_ms(), &der, &cert),
			 ERR_INVALID);
	assert_null(cert);
}

static void the_signer_of_policies_is_no_server(void **state)
{
	const struct server_policy_terms p = {.number = 7, .radius_name = NAME};
	AUTO_BUF der = {.max = SERVER_POLICY_MAX};
	AUTO_X509 cert = NULL;

	(void)state;
	assert_int_equal(server_policy_sign(&ours.ca, &p, NULL, clock_wall_ms(), &der, &cert), 0);
	assert_int_equal(X509_check_purpose(cert, X509_PURPOSE_SSL_SERVER, 0), 0);
	assert_int_equal(X509_check_purpose(cert, X509_PURPOSE_SSL_CLIENT, 0), 0);
	assert_int_not_equal(X509_check_host(cert, NAME, 0, 0, NULL), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_login_server_out_of_bounds_is_refused),
		cmocka_unit_test(no_policy_is_signed_over_what_json_would_escape),
		cmocka_unit_test(the_login_server_is_told_when_there_is_one),
		cmocka_unit_test(an_older_policy_changes_nothing),
		cmocka_unit_test(a_newer_policy_moves_the_login_server_if_it_names_one),
		cmocka_unit_test(policy_of_another_site_is_refused),
		cmocka_unit_test(policy_signed_by_the_radius_server_is_refused),
		cmocka_unit_test(policy_with_a_second_signer_is_refused),
		cmocka_unit_test(policy_whose_signer_has_ended_is_refused),
		cmocka_unit_test(something_else_that_was_signed_is_no_policy),
		cmocka_unit_test(policy_with_a_value_out_of_bounds_is_refused),
		cmocka_unit_test(bytes_that_are_no_message_are_refused),
		cmocka_unit_test(a_changed_byte_changes_nothing_that_is_believed),
		cmocka_unit_test(no_policy_is_signed_for_what_is_no_host_name),
		cmocka_unit_test(the_signer_of_policies_is_no_server),
		cmocka_unit_test(the_signed_policy_is_believed),
		cmocka_unit_test(a_policy_of_the_previous_ca_below_the_root_is_believed),
	};

	return cmocka_run_group_tests(tests, sites_make, sites_done);
}
