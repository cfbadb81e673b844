/* SPDX-License-Identifier: BSD-2-Clause */
/* An issuance against a registry that answers what the test says: wrong grants, lost steps. */
#include "ca/signerd/issuance.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "base/clock.h"
#include "base/ipc_server.h"
#include "sql/proto/registry_records.h"
#include "sql/proto/registry_verbs.h"
#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

/* What the registry says next, and what it was asked. Only touched between calls. */
static struct {
	int begin_rc;
	int begin_rc_once; /* for the first call only */
	int issuer_rc;
	int store_rc;
	struct issue_grant grant; /* cert_serial "": the one that was asked for */
	unsigned begins, stores;
	struct issue_store stored;
	char told[2][ISSUER_SIZE]; /* the last two CAs, oldest first */
} says;

static void answer_begin(struct ipc_request *rq, void *ctx)
{
	const struct issue_begin *b = ipc_request_record(rq);
	struct issue_grant g = says.grant;
	int rc = says.begin_rc_once ? says.begin_rc_once : says.begin_rc;

	(void)ctx;
	says.begin_rc_once = 0;
	says.begins++;
	if (!g.cert_serial[0])
		memcpy(g.cert_serial, b->cert_serial, sizeof(g.cert_serial));
	memcpy(says.grant.cert_serial, g.cert_serial, sizeof(g.cert_serial));
	if (rc)
		ipc_request_fail(rq, err_set(rc, "the registry's words"));
	else
		ipc_request_reply(rq, &g, 1);
}

static void answer_store(struct ipc_request *rq, void *ctx)
{
	(void)ctx;
	says.stores++;
	says.stored = *(const struct issue_store *)ipc_request_record(rq);
	if (says.store_rc)
		ipc_request_fail(rq, err_set(says.store_rc, "the registry's words"));
	else
		ipc_request_reply(rq, NULL, 0);
}

static void answer_issuer(struct ipc_request *rq, void *ctx)
{
	(void)ctx;
	memmove(says.told[0], says.told[1], sizeof(says.told[0]));
	snprintf(says.told[1], sizeof(says.told[1]), "%s",
		 ((const struct issuer *)ipc_request_record(rq))->issuer);
	if (says.issuer_rc)
		ipc_request_fail(rq, err_set(says.issuer_rc, "known"));
	else
		ipc_request_reply(rq, NULL, 0);
}

static const struct ipc_verb verbs[] = {
	{.verb = REGISTRY_ISSUER_SET,
	 .name = "issuer_set",
	 .req = &record_issuer,
	 .req_max = 1,
	 .handle = answer_issuer},
	{.verb = REGISTRY_ISSUE_BEGIN,
	 .name = "begin",
	 .req = &record_issue_begin,
	 .req_max = 1,
	 .rep = &record_issue_grant,
	 .handle = answer_begin},
	{.verb = REGISTRY_ISSUE_STORE,
	 .name = "store",
	 .req = &record_issue_store,
	 .req_max = 1,
	 .handle = answer_store},
};

static char dir[64], socket_path[96], log_path[96];
static struct event_base *base;
static struct ipc_server *server;
static pthread_t loop;
static struct signer signer;
static struct issuance is;
/* What the files would say. */
static struct ca_hierarchy hierarchy;
static struct ca_issuer next_ca;
static bool is_switched, was_switched;
static uint8_t ca_keys[2][32];
static size_t n_ca_keys;
static struct issuer_set *at_start;
static struct sign_enroll rq;
static EVP_PKEY *ec;

static bool cas_changed(void *ctx)
{
	(void)ctx;
	return is_switched != was_switched;
}

static int cas_load(void *ctx, const struct issuer_set *before, struct issuer_set *out)
{
	const struct ca_hierarchy *h = &hierarchy;
	struct ca_issuer *first = is_switched ? &out->old : &out->current;

	(void)ctx;
	(void)before;
	assert_int_equal(ca_issuer_init(h->ca, h->ca_key, h->root, first), 0);
	first->status_only = is_switched;
	out->current_ca = 1;
	memcpy(out->ca_spki_sha256, ca_keys, sizeof(ca_keys));
	out->n_ca_keys = n_ca_keys;
	if (is_switched) {
		assert_int_equal(ca_issuer_init(next_ca.cert, next_ca.key, h->root, &out->current),
				 0);
		out->current_ca = 2;
		out->old_ca = 1;
	}
	was_switched = is_switched;
	return 0;
}

static void *loop_run(void *arg)
{
	event_base_loop(arg, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static int world_make(void **state)
{
	static uid_t uid;
	static const struct ipc_role role = {
		.name = "signer", .uids = &uid, .n_uids = 1, .verbs = verbs, .n_verbs = 3};
	struct ipc_server_options o = {.path = socket_path,
				       .mode = 0600,
				       .group = (gid_t)-1,
				       .max_connections = 4,
				       .max_in_flight = 4,
				       .roles = &role,
				       .n_roles = 1};
	const struct issuers_source source = {cas_changed, cas_load, NULL, NULL};
	size_t torn;

	(void)state;
	uid = geteuid();
	strcpy(dir, "/tmp/pumpgate-issue-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(socket_path, sizeof(socket_path), "%s/sock", dir);
	snprintf(log_path, sizeof(log_path), "%s/issued.log", dir);
	evthread_use_pthreads();
	base = event_base_new();
	assert_int_equal(ipc_server_new(base, &o, &server), 0);
	assert_int_equal(pthread_create(&loop, NULL, loop_run, base), 0);
	assert_int_equal(
		ca_hierarchy_new(CA_KIND_DEVICE_ROOT, "St. Test", clock_wall_ms(), &hierarchy), 0);
	fixture_next_issuer(&hierarchy, clock_wall_ms(), &next_ca);
	assert_int_equal(ossl_spki_sha256(X509_get_X509_PUBKEY(hierarchy.root), ca_keys[0]), 0);
	assert_int_equal(ossl_spki_sha256(X509_get_X509_PUBKEY(hierarchy.ca), ca_keys[1]), 0);
	n_ca_keys = 2;
	assert_int_equal(issuers_new(&source, &signer.issuers), 0);
	at_start = issuers_get(signer.issuers);
	assert_int_equal(issued_log_open(log_path, &signer.log, &torn), 0);
	signer.device_validity_ms = 30 * DAY_MS;
	pthread_mutex_init(&signer.rate_lock, NULL);
	rate_init(&signer.minute, 1000, clock_mono_us());
	rate_init_window(&signer.hour, 1000, RATE_HOUR_US, clock_mono_us());
	is.signer = &signer;
	ec = fixture_ec("P-256");
	return ipc_client_new(socket_path, "signer", &is.registry);
}

static int world_free(void **state)
{
	(void)state;
	ipc_client_free(is.registry);
	event_base_loopbreak(base);
	pthread_join(loop, NULL);
	ipc_server_free(server);
	event_base_free(base);
	issued_log_close(signer.log);
	issuer_set_put(at_start);
	issuers_free(signer.issuers);
	ca_issuer_done(&next_ca);
	ca_hierarchy_done(&hierarchy);
	EVP_PKEY_free(ec);
	unlink(log_path);
	unlink(socket_path);
	return rmdir(dir);
}

/* Each test begins with a registry that grants what is asked for. */
static int registry_reset(void **state)
{
	AUTO_BUF der = {.max = CSR_DER_MAX};

	(void)state;
	memset(&says, 0, sizeof(says));
	strcpy(says.grant.device, PUMP);
	is.introduced = 0;
	is_switched = false;
	memset(&rq, 0, sizeof(rq));
	strcpy(rq.device, PUMP);
	memcpy(rq.token.data, "token", 5);
	rq.token.len = 5;
	fixture_request(&(struct request){.key = ec, .cn = PUMP}, &der);
	memcpy(rq.csr.data, der.data, der.len);
	rq.csr.len = (uint32_t)der.len;
	return 0;
}

/* Refused with this code and reason, and nothing was signed. */
static void assert_refused(int code, const char *reason)
{
	uint64_t before = issued_log_count(signer.log);
	struct signed_cert cert;

	assert_int_equal(issuance_enroll(&is, &rq, &cert), code);
	assert_true(refused_as(reason));
	assert_int_equal(issued_log_count(signer.log), before);
	assert_int_equal(says.stores, 0);
}

static void bad_request_never_reaches_the_registry(void **state)
{
	(void)state;
	rq.csr.data[rq.csr.len - 1] ^= 1;
	assert_refused(ERR_CRYPTO, "proof-failed");
	registry_reset(NULL);
	strcpy(rq.device, "PG-000124");
	assert_refused(ERR_INVALID, "name-refused");
	registry_reset(NULL);
	rq.token.len = 0;
	assert_refused(ERR_DENIED, "token-wrong");
	assert_int_equal(says.begins, 0);
}

static void registrys_refusal_is_passed_on_with_its_reason(void **state)
{
	const struct {
		int code;
		const char *reason;
	} cases[] = {{ERR_DENIED, "token-wrong"},     {ERR_USED, "token-used"},
		     {ERR_EXPIRED, "token-expired"},  {ERR_CONFLICT, "pump-revoked"},
		     {ERR_NOT_FOUND, "unknown-pump"}, {ERR_IO, "registry-away"},
		     {ERR_FULL, "registry-away"}};

	(void)state;
	says.issuer_rc = ERR_UNCHANGED;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		says.begin_rc = cases[i].code;
		assert_refused(cases[i].code, cases[i].reason);
		assert_non_null(strstr(err_text(), "the registry's words"));
	}
}

static void grant_for_another_pump_is_refused(void **state)
{
	(void)state;
	strcpy(says.grant.device, "PG-000124");
	assert_refused(ERR_CORRUPT, "signer-away");
}

/* Proven by its private half: somebody has the key of a CA. */
static void key_of_a_ca_is_refused_before_the_registry_is_asked(void **state)
{
	struct request r = {.key = hierarchy.ca_key, .cn = PUMP};
	struct sign_enroll by_ca = rq;
	AUTO_BUF der = {.max = CSR_DER_MAX};
	struct signed_cert cert;

	(void)state;
	fixture_request(&r, &der);
	memcpy(by_ca.csr.data, der.data, der.len);
	by_ca.csr.len = (uint32_t)der.len;
	assert_int_equal(issuance_enroll(&is, &by_ca, &cert), ERR_CRYPTO);
	assert_true(refused_as("key-refused"));
	assert_non_null(strstr(err_text(), "CAs' own"));
	assert_int_equal(says.begins, 0);
}

static void grant_of_an_odd_serial_is_refused(void **state)
{
	const char *const odd[] = {"01", "80000000000000000000000000000001",
				   "00000000000000000000000000000001",
				   "4100000000000000000000000000000102", "not hex"};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		strcpy(says.grant.cert_serial, odd[i]);
		assert_refused(ERR_CORRUPT, "signer-away");
	}
}

static void grant_of_another_keys_certificate_is_refused(void **state)
{
	EVP_PKEY *other = fixture_ec("P-256");
	struct ca_terms t = {.kind = CA_KIND_DEVICE_LEAF,
			     .not_before_ms = clock_wall_ms(),
			     .not_after_ms = clock_wall_ms() + DAY_MS,
			     .common_name = PUMP};
	X509 *cert = NULL;
	AUTO_BUF der = {.max = 4096};

	(void)state;
	ca_serial_random(t.serial);
	assert_int_equal(fixture_issue(&at_start->current, &t, other, &cert), 0);
	assert_int_equal(ossl_cert_put(&der, cert), 0);
	memcpy(says.grant.der.data, der.data, der.len);
	says.grant.der.len = (uint32_t)der.len;
	assert_refused(ERR_CORRUPT, "signer-away");
	X509_free(cert);
	EVP_PKEY_free(other);
}

static void registry_that_lost_its_database_is_told_our_ca_again(void **state)
{
	struct signed_cert cert;

	(void)state;
	is.introduced = at_start->generation;
	says.begin_rc_once = ERR_CONFLICT; /* "the issuer is not registered" */
	assert_int_equal(issuance_enroll(&is, &rq, &cert), 0);
	assert_int_equal(says.begins, 2);
}

/* Between list and registry: no answer, and the repeated request gets the certificate of the list.
 */
static void lost_store_gives_the_same_certificate_later(void **state)
{
	uint64_t before = issued_log_count(signer.log);
	struct issue_store first;
	struct signed_cert cert;

	(void)state;
	says.store_rc = ERR_FULL;
	assert_int_equal(issuance_enroll(&is, &rq, &cert), ERR_FULL);
	assert_true(refused_as("registry-away"));
	first = says.stored;
	says.store_rc = 0;
	assert_int_equal(issuance_enroll(&is, &rq, &cert), 0);
	assert_int_equal(issued_log_count(signer.log), before + 1);
	assert_int_equal(cert.der.len, first.der.len);
	assert_memory_equal(cert.der.data, first.der.data, first.der.len);
	assert_string_equal(cert.cert_serial, says.grant.cert_serial);
}

/* The mutant that this must catch: a signer that goes on with what it has in memory. */
static void after_the_switch_the_next_ca_signs(void **state)
{
	struct signed_cert before, after;
	AUTO_X509 cert = NULL;

	(void)state;
	assert_int_equal(issuance_enroll(&is, &rq, &before), 0);
	assert_string_equal(says.stored.issuer, at_start->current.name);
	is_switched = true;
	memset(says.grant.cert_serial, 0, sizeof(says.grant.cert_serial));
	assert_int_equal(issuance_enroll(&is, &rq, &after), 0);
	assert_string_equal(says.stored.issuer, next_ca.name);
	assert_int_equal(ossl_cert_parse(after.der.data, after.der.len, &cert), 0);
	assert_int_equal(ca_issuer_check(&next_ca, cert), 0);
	/* the one in use was told last */
	assert_string_equal(says.told[0], at_start->current.name);
	assert_string_equal(says.told[1], next_ca.name);
}

/* Signed before the switch, stored after it: under the CA that it is of. */
static void certificate_of_before_the_switch_is_stored_as_the_old_cas(void **state)
{
	struct signed_cert cert;

	(void)state;
	says.store_rc = ERR_FULL;
	assert_int_equal(issuance_enroll(&is, &rq, &cert), ERR_FULL);
	says.store_rc = 0;
	is_switched = true;
	assert_int_equal(issuance_enroll(&is, &rq, &cert), 0);
	assert_string_equal(says.stored.issuer, at_start->current.name);
}

static void pump_revoked_meanwhile_gets_nothing(void **state)
{
	struct signed_cert cert;

	(void)state;
	says.store_rc = ERR_CONFLICT;
	assert_int_equal(issuance_enroll(&is, &rq, &cert), ERR_CONFLICT);
	assert_true(refused_as("pump-revoked"));
}

static void cap_of_an_hour_refuses_before_the_registry_is_asked(void **state)
{
	struct rate before = signer.hour;
	struct signed_cert cert;
	uint64_t capped = signer.capped;
	unsigned begins;

	(void)state;
	rate_init_window(&signer.hour, 2, RATE_HOUR_US, clock_mono_us());
	says.begin_rc = ERR_DENIED; /* what comes to nothing does not count */
	for (int i = 0; i < 5; i++)
		assert_int_equal(issuance_enroll(&is, &rq, &cert), ERR_DENIED);
	says.begin_rc = 0;
	assert_int_equal(issuance_enroll(&is, &rq, &cert), 0);
	for (int i = 0; i < 5; i++) /* nor does the same request again */
		assert_int_equal(issuance_enroll(&is, &rq, &cert), 0);
	says.grant.cert_serial[0] = '\0';
	assert_int_equal(issuance_enroll(&is, &rq, &cert), 0);
	begins = says.begins;
	says.stores = 0;
	says.grant.cert_serial[0] = '\0';
	assert_refused(ERR_LIMIT, "signer-away");
	assert_int_equal(says.begins, begins);
	assert_int_equal(signer.capped, capped + 1);
	assert_true(signer.capped_at_ms > 0);
	signer.hour = before;
}

#define TEST(name) cmocka_unit_test_setup(name, registry_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bad_request_never_reaches_the_registry),
		TEST(registrys_refusal_is_passed_on_with_its_reason),
		TEST(grant_for_another_pump_is_refused),
		TEST(key_of_a_ca_is_refused_before_the_registry_is_asked),
		TEST(grant_of_an_odd_serial_is_refused),
		TEST(grant_of_another_keys_certificate_is_refused),
		TEST(registry_that_lost_its_database_is_told_our_ca_again),
		TEST(lost_store_gives_the_same_certificate_later),
		TEST(after_the_switch_the_next_ca_signs),
		TEST(certificate_of_before_the_switch_is_stored_as_the_old_cas),
		TEST(pump_revoked_meanwhile_gets_nothing),
		TEST(cap_of_an_hour_refuses_before_the_registry_is_asked),
	};

	return cmocka_run_group_tests(tests, world_make, world_free);
}
