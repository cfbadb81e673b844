/* SPDX-License-Identifier: BSD-2-Clause */
/* The TLS session cache, and the stripping of sessions that OpenSSL really made. */
#include "tests/support/cmocka.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "radius_modules/rlm_pump/session_cache.h"
#include "radius_modules/rlm_pump/tls_session_strip.h"

static const struct session_owner owner_a = {"/CN=ca", "0a"};
static const struct session_owner owner_b = {"/CN=ca", "0b"};

static int put(struct session_cache *c, const char *id, const struct session_owner *o, int64_t now)
{
	return session_cache_put(c, (const uint8_t *)id, strlen(id), (const uint8_t *)"data", 4, o,
				 now);
}

static int get(struct session_cache *c, const char *id, struct session_owner *o, int64_t now)
{
	AUTO_BUF data = {.max = SESSION_DATA_MAX};

	return session_cache_get(c, (const uint8_t *)id, strlen(id), now, &data, o);
}

static void cache_refuses_sessions_without_id_data_or_owner(void **state)
{
	const struct session_owner nobody = {"/CN=ca", ""};
	uint8_t big[SESSION_DATA_MAX + 1] = {0};
	struct session_cache *c;

	(void)state;
	assert_int_equal(session_cache_new(4, 1000, &c), 0);
	assert_int_equal(put(c, "", &owner_a, 0), ERR_INVALID);
	assert_int_equal(put(c, "id", &nobody, 0), ERR_INVALID);
	assert_int_equal(session_cache_put(c, big, 8, big, 0, &owner_a, 0), ERR_INVALID);
	assert_int_equal(session_cache_put(c, big, SESSION_ID_MAX + 1, big, 1, &owner_a, 0),
			 ERR_LIMIT);
	assert_int_equal(session_cache_put(c, big, 8, big, sizeof(big), &owner_a, 0), ERR_LIMIT);
	assert_int_equal(session_cache_count(c), 0);
	session_cache_free(c);
}

static void cache_finds_only_the_very_id(void **state)
{
	struct session_owner o;
	struct session_cache *c;

	(void)state;
	assert_int_equal(session_cache_new(4, 1000, &c), 0);
	assert_int_equal(put(c, "session-1", &owner_a, 0), 0);
	assert_int_equal(get(c, "session-", &o, 1), ERR_NOT_FOUND);
	assert_int_equal(get(c, "session-2", &o, 1), ERR_NOT_FOUND);
	assert_int_equal(get(c, "session-1", &o, 1), 0);
	assert_string_equal(o.cert_serial, "0a");
	session_cache_free(c);
}

static void cache_forgets_by_age_though_it_was_used(void **state)
{
	struct session_owner o;
	struct session_cache *c;

	(void)state;
	assert_int_equal(session_cache_new(4, 1000, &c), 0);
	assert_int_equal(put(c, "one", &owner_a, 0), 0);
	assert_int_equal(get(c, "one", &o, 999), 0);
	assert_int_equal(get(c, "one", &o, 1000), ERR_NOT_FOUND);
	assert_int_equal(session_cache_count(c), 0);
	session_cache_free(c);
}

static void cache_never_holds_more_than_its_maximum_and_drops_the_oldest(void **state)
{
	struct session_owner o;
	struct session_cache *c;
	char id[16];

	(void)state;
	assert_int_equal(session_cache_new(100, 1000000, &c), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "id-%d", i);
		assert_int_equal(put(c, id, &owner_a, i), 0);
		assert_true(session_cache_count(c) <= 100);
	}
	assert_int_equal(get(c, "id-899", &o, 1000), ERR_NOT_FOUND);
	assert_int_equal(get(c, "id-900", &o, 1000), 0);
	assert_int_equal(get(c, "id-999", &o, 1000), 0);
	session_cache_free(c);
}

static void cache_replaces_an_entry_and_drops_one_on_order(void **state)
{
	struct session_owner o;
	struct session_cache *c;

	(void)state;
	assert_int_equal(session_cache_new(4, 1000, &c), 0);
	assert_int_equal(put(c, "one", &owner_a, 0), 0);
	assert_int_equal(put(c, "one", &owner_b, 1), 0);
	assert_int_equal(session_cache_count(c), 1);
	assert_int_equal(get(c, "one", &o, 2), 0);
	assert_string_equal(o.cert_serial, "0b");
	session_cache_drop(c, (const uint8_t *)"one", 3);
	assert_int_equal(get(c, "one", &o, 2), ERR_NOT_FOUND);
	session_cache_free(c);
}

static void cache_drops_every_session_of_one_certificate_and_no_other(void **state)
{
	const struct session_owner other_issuer = {"/CN=other", "0a"}, nobody = {"/CN=ca", "0c"};
	struct session_owner o;
	struct session_cache *c;
	char id[16];

	(void)state;
	assert_int_equal(session_cache_new(500, 1000, &c), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "a-%d", i);
		assert_int_equal(put(c, id, &owner_a, 0), 0);
		snprintf(id, sizeof(id), "b-%d", i);
		assert_int_equal(put(c, id, &owner_b, 0), 0);
	}
	assert_int_equal(put(c, "x", &other_issuer, 0), 0);
	session_cache_drop_owner(c, &nobody);
	assert_int_equal(session_cache_count(c), 201);
	session_cache_drop_owner(c, &owner_a);
	assert_int_equal(session_cache_count(c), 101);
	assert_int_equal(get(c, "a-0", &o, 1), ERR_NOT_FOUND);
	assert_int_equal(get(c, "b-99", &o, 1), 0);
	assert_int_equal(get(c, "x", &o, 1), 0);
	session_cache_drop_owner(c, &owner_a);
	assert_int_equal(session_cache_count(c), 101);
	session_cache_free(c);
}

/* ---- stripping ---- */

/* A self-signed certificate, so that a session has a peer. */
static X509 *certificate(EVP_PKEY **key_out)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	assert_non_null(key);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"PG-1", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	*key_out = key;
	return x;
}

/* Client and server in memory; returns the server's session with the client's certificate. */
static SSL_SESSION *handshake(int version)
{
	EVP_PKEY *key;
	X509 *x = certificate(&key);
	SSL_CTX *sctx = SSL_CTX_new(TLS_server_method()), *cctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX *both[] = {sctx, cctx};
	BIO *sb, *cb;
	SSL *s, *c;
	SSL_SESSION *session;

	for (size_t i = 0; i < 2; i++) {
		SSL_CTX_set_min_proto_version(both[i], version);
		SSL_CTX_set_max_proto_version(both[i], version);
		assert_int_equal(SSL_CTX_use_certificate(both[i], x), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(both[i], key), 1);
		X509_STORE_add_cert(SSL_CTX_get_cert_store(both[i]), x);
	}
	SSL_CTX_set_verify(sctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_session_id_context(sctx, (const unsigned char *)"test", 4);
	s = SSL_new(sctx);
	c = SSL_new(cctx);
	assert_int_equal(BIO_new_bio_pair(&sb, 0, &cb, 0), 1);
	SSL_set_bio(s, sb, sb);
	SSL_set_bio(c, cb, cb);
	SSL_set_accept_state(s);
	SSL_set_connect_state(c);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(c);
		SSL_do_handshake(s);
	}
	assert_true(SSL_is_init_finished(s));
	session = SSL_get1_session(s);
	SSL_free(s);
	SSL_free(c);
	SSL_CTX_free(sctx);
	SSL_CTX_free(cctx);
	X509_free(x);
	EVP_PKEY_free(key);
	return session;
}

static void a_stripped_session_is_the_same_without_its_certificate(void **state)
{
	SSL_SESSION *session = handshake(TLS1_2_VERSION), *again;
	AUTO_BUF out = {.max = SESSION_DATA_MAX};
	unsigned char *der = NULL, key_a[64], key_b[64];
	int len = i2d_SSL_SESSION(session, &der);
	const unsigned char *p;
	uint32_t version;

	(void)state;
	assert_true(len > SESSION_DATA_MAX / 2);
	assert_non_null(SSL_SESSION_get0_peer(session));
	assert_int_equal(tls_session_strip(der, (size_t)len, &out, &version), 0);
	assert_int_equal(version, TLS_VERSION_1_2);
	assert_true(out.len + 200 < (size_t)len);
	p = out.data;
	again = d2i_SSL_SESSION(NULL, &p, (long)out.len);
	assert_non_null(again);
	assert_ptr_equal(p, out.data + out.len);
	assert_null(SSL_SESSION_get0_peer(again));
	assert_int_equal(SSL_SESSION_get_master_key(session, key_a, sizeof(key_a)),
			 SSL_SESSION_get_master_key(again, key_b, sizeof(key_b)));
	assert_memory_equal(key_a, key_b, 48);
	assert_int_equal(SSL_SESSION_get_time(session), SSL_SESSION_get_time(again));
	SSL_SESSION_free(again);
	SSL_SESSION_free(session);
	OPENSSL_free(der);
}

static void a_tls_1_3_session_is_told_apart(void **state)
{
	SSL_SESSION *session = handshake(TLS1_3_VERSION);
	AUTO_BUF out = {.max = 4096};
	unsigned char *der = NULL;
	int len = i2d_SSL_SESSION(session, &der);
	uint32_t version;

	(void)state;
	assert_true(len > 0);
	assert_int_equal(tls_session_strip(der, (size_t)len, &out, &version), 0);
	assert_int_not_equal(version, TLS_VERSION_1_2);
	SSL_SESSION_free(session);
	OPENSSL_free(der);
}

static void stripping_refuses_cut_or_lengthened_sessions(void **state)
{
	SSL_SESSION *session = handshake(TLS1_2_VERSION);
	unsigned char *der = NULL;
	int len = i2d_SSL_SESSION(session, &der);
	unsigned char longer[4096];
	uint32_t version;

	(void)state;
	for (size_t cut = 0; cut < (size_t)len; cut++) {
		AUTO_BUF out = {.max = 4096};

		assert_int_equal(tls_session_strip(der, cut, &out, &version), ERR_INVALID);
		assert_int_equal(out.len, 0);
	}
	{
		AUTO_BUF out = {.max = 4096};

		memcpy(longer, der, (size_t)len);
		longer[len] = 0;
		assert_int_equal(tls_session_strip(longer, (size_t)len + 1, &out, &version),
				 ERR_INVALID);
	}
	SSL_SESSION_free(session);
	OPENSSL_free(der);
}

static void stripping_refuses_odd_lengths_and_tags(void **state)
{
	static const struct {
		const char *der;
		size_t len;
	} wrong[] = {
		{"\x30\x80\x02\x01\x01\x02\x02\x03\x03\x00\x00", 11}, /* indefinite */
		{"\x31\x07\x02\x01\x01\x02\x02\x03\x03", 9},	      /* a SET */
		{"\x30\x85\x00\x00\x00\x00\x07\x02\x01\x01\x02\x02\x03\x03", 14},
		{"\x30\x00", 2},
		{"\x30\x03\x02\x01\x01", 5},			  /* no version */
		{"\x30\x08\x1f\x01\x01\x02\x02\x03\x03\x00", 10}, /* long tag */
		{"\x30\x84\xff\xff\xff\xff", 6},
		{"\x30\x07\x02\x01\x01\x04\x02\x03\x03", 9}, /* version is no integer */
	};
	uint32_t version;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		AUTO_BUF out = {.max = 4096};

		assert_int_equal(tls_session_strip((const uint8_t *)wrong[i].der, wrong[i].len,
						   &out, &version),
				 ERR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cache_refuses_sessions_without_id_data_or_owner),
		cmocka_unit_test(cache_finds_only_the_very_id),
		cmocka_unit_test(cache_forgets_by_age_though_it_was_used),
		cmocka_unit_test(cache_never_holds_more_than_its_maximum_and_drops_the_oldest),
		cmocka_unit_test(cache_replaces_an_entry_and_drops_one_on_order),
		cmocka_unit_test(cache_drops_every_session_of_one_certificate_and_no_other),
		cmocka_unit_test(stripping_refuses_cut_or_lengthened_sessions),
		cmocka_unit_test(stripping_refuses_odd_lengths_and_tags),
		cmocka_unit_test(a_tls_1_3_session_is_told_apart),
		cmocka_unit_test(a_stripped_session_is_the_same_without_its_certificate),
	};

	return cmocka_run_group_tests_name("rlm_pump_session", tests, NULL, NULL);
}
