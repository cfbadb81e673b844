/* SPDX-License-Identifier: BSD-2-Clause */
/* Two CAs of pumps at once: what the one that was replaced may still sign, and who tells what. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/ca_number.h"
#include "ca/crl.h"
#include "ca/keystore.h"
#include "ca/ocsp.h"
#include "ca/signerd/cert_status.h"
#include "ca/signerd/issuer_files.h"
#include "ca/signerd/remember.h"
#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

static char home[64];
static struct ca_hierarchy h;
static struct ca_issuer first, second;
static EVP_PKEY *pump_key;

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/ca/%s", home, name);
	return path;
}

static void key_put(const char *name, EVP_PKEY *key)
{
	unlink(path_of(name));
	assert_int_equal(keystore_key_write(path_of(name), key), 0);
}

static void cert_put(const char *name, X509 *cert)
{
	assert_int_equal(keystore_certs_write(path_of(name), 0644, &cert, 1), 0);
}

static int world_make(void **state)
{
	(void)state;
	strcpy(home, "/tmp/pumpgate-two.XXXXXX");
	assert_non_null(mkdtemp(home));
	assert_int_equal(mkdir(path_of(""), 0700), 0);
	assert_int_equal(ca_hierarchy_new(CA_KIND_DEVICE_ROOT, "City Hospital", NOW_MS, &h), 0);
	assert_int_equal(ca_issuer_init(h.ca, h.ca_key, h.root, &first), 0);
	fixture_next_issuer(&h, NOW_MS, &second);
	pump_key = fixture_ec("P-256");
	return 0;
}

static int world_free(void **state)
{
	static const char *const names[] = {
		"device-root.pem", "device-ca.key",	 "device-ca.pem",   "device-old.key",
		"device-old.pem",  "device-retired.pem", "device-next.pem", "issued.log"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path_of(names[i]));
	rmdir(path_of(""));
	rmdir(home);
	ca_issuer_done(&first);
	ca_issuer_done(&second);
	ca_hierarchy_done(&h);
	EVP_PKEY_free(pump_key);
	return 0;
}

static void files_begin(void)
{
	unlink(path_of("device-old.pem"));
	unlink(path_of("device-retired.pem"));
	unlink(path_of("issued.log"));
	cert_put("device-root.pem", h.root);
	key_put("device-ca.key", h.ca_key);
	cert_put("device-ca.pem", h.ca);
	key_put("device-old.key", h.ca_key);
}

static void files_switch(const char *old_part)
{
	cert_put(old_part, h.ca);
	key_put("device-ca.key", second.key);
	cert_put("device-ca.pem", second.cert);
}

static bool changed(void *ctx)
{
	return issuer_files_changed(ctx);
}

static int load(void *ctx, const struct issuer_set *before, struct issuer_set *out)
{
	return issuer_files_load(ctx, before, out);
}

static unsigned n_told;

static void told(void *ctx)
{
	(void)ctx;
	n_told++;
}

static void issue_for_pump(const struct ca_issuer *by, int64_t not_after_ms, const char *list)
{
	struct ca_terms t = {.kind = CA_KIND_DEVICE_LEAF,
			     .common_name = PUMP,
			     .not_before_ms = NOW_MS,
			     .not_after_ms = not_after_ms};
	struct issued_entry e = {.at_ms = NOW_MS, .device = PUMP, .not_after_ms = not_after_ms};
	AUTO_BUF der = {.max = 4096};
	AUTO_X509 cert = NULL;
	struct issued_log *log;
	size_t torn;

	ca_serial_random(t.serial);
	assert_int_equal(fixture_issue(by, &t, pump_key, &cert), 0);
	assert_int_equal(ossl_cert_put(&der, cert), 0);
	assert_int_equal(ossl_serial_hex(cert, e.serial, sizeof(e.serial)), 0);
	e.der = der.data;
	e.der_len = der.len;
	assert_int_equal(issued_log_open(list, &log, &torn), 0);
	assert_int_equal(issued_log_append(log, &e), 0);
	issued_log_close(log);
}

/* The mutant that this must catch: a CA that was replaced and certifies on. */
static void replaced_ca_certifies_no_pump(void **state)
{
	struct ca_terms t = {.kind = CA_KIND_DEVICE_LEAF,
			     .common_name = PUMP,
			     .not_before_ms = NOW_MS,
			     .not_after_ms = NOW_MS + DAY_MS};
	AUTO_X509 cert = NULL;

	(void)state;
	first.status_only = true;
	ca_serial_random(t.serial);
	assert_int_equal(fixture_issue(&first, &t, pump_key, &cert), ERR_DENIED);
	assert_null(cert);
	t.kind = CA_KIND_NAS_LEAF;
	assert_int_equal(fixture_issue(&first, &t, pump_key, &cert), ERR_DENIED);
	first.status_only = false;
}

static void replaced_ca_still_tells_of_its_revocations(void **state)
{
	const struct crl_terms terms = {1, NOW_MS, NOW_MS + DAY_MS};
	struct ocsp_responder responder = {0};
	AUTO_BUF der = {.max = CRL_DER_MAX};

	(void)state;
	first.status_only = true;
	assert_int_equal(ocsp_responder_new(&first, NOW_MS, DAY_MS, &responder), 0);
	assert_int_equal(ca_issuer_check(&first, responder.cert), 0);
	assert_int_equal(crl_build(&first, &terms, NULL, 0, &der), 0);
	ocsp_responder_done(&responder);
	first.status_only = false;
}

static void set_follows_the_files(void **state)
{
	struct issuer_files files;
	const struct issuers_source source = {changed, load, told, &files};
	struct issuers *is = NULL;
	struct issuer_set *before, *set;
	const struct ca_issuer *of = NULL;

	(void)state;
	files_begin();
	n_told = 0;
	issuer_files_init(&files, home, NULL);
	assert_int_equal(issuers_new(&source, &is), 0);
	before = issuers_get(is);
	assert_int_equal(before->current_ca, 1);
	assert_false(issuer_set_has_old(before));
	cert_put("device-old.pem", h.ca); /* a switch has begun, no more */
	set = issuers_get(is);
	assert_int_equal(set->current_ca, 1);
	assert_false(issuer_set_has_old(set));
	issuer_set_put(set);
	files_switch("device-old.pem");
	unlink(path_of("device-old.key")); /* what is open is not read again, but must be there */
	assert_int_equal(buf_write_file(path_of("device-old.key"), 0600, "?", 1), 0);
	set = issuers_get(is);
	assert_int_equal(set->current_ca, 2);
	assert_int_equal(set->old_ca, 1);
	assert_true(set->old.status_only);
	assert_false(set->current.status_only || set->old_is_retired);
	assert_true(n_told > 0);
	assert_ptr_equal(issuer_set_by_number(set, 0), &set->current);
	assert_ptr_equal(issuer_set_by_number(set, 1), &set->old);
	assert_null(issuer_set_by_number(set, 3));
	assert_int_equal(issuer_set_find(set, second.cert, &of), ERR_DENIED);
	/* who had the other one works with it to the end */
	assert_int_equal(before->current_ca, 1);
	issuer_set_put(before);
	issuer_set_put(set);
	unlink(path_of("device-old.pem"));
	cert_put("device-retired.pem", h.ca);
	set = issuers_get(is);
	assert_true(set->old_is_retired && set->old.status_only);
	issuer_set_put(set);
	unlink(path_of("device-old.key"));
	unlink(path_of("device-retired.pem"));
	set = issuers_get(is);
	assert_false(issuer_set_has_old(set));
	issuer_set_put(set);
	issuers_free(is);
}

/* Between the two renames of a switch: what worked works on. */
static void half_a_switch_keeps_the_set_of_before(void **state)
{
	struct issuer_files files;
	const struct issuers_source source = {changed, load, NULL, &files};
	struct issuers *is = NULL;
	struct issuer_set *set;

	(void)state;
	files_begin();
	issuer_files_init(&files, home, NULL);
	assert_int_equal(issuers_new(&source, &is), 0);
	cert_put("device-old.pem", h.ca);
	key_put("device-ca.key", second.key);
	set = issuers_get(is);
	assert_int_equal(set->current_ca, 1);
	assert_false(set->current.status_only);
	issuer_set_put(set);
	issuers_free(is);
}

static void old_ca_lives_until_its_last_certificate_ends(void **state)
{
	int64_t until = -1;
	char list[128];

	(void)state;
	files_begin();
	snprintf(list, sizeof(list), "%s", path_of("issued.log"));
	assert_int_equal(issued_until(home, h.ca, &until), 0); /* no list yet */
	assert_int_equal(until, 0);
	issue_for_pump(&first, NOW_MS + 2 * DAY_MS, list);
	issue_for_pump(&first, NOW_MS + 3 * DAY_MS, list);
	issue_for_pump(&first, NOW_MS + 1 * DAY_MS, list);
	issue_for_pump(&second, NOW_MS + 9 * DAY_MS, list);
	assert_int_equal(issued_until(home, h.ca, &until), 0);
	assert_int_equal(until, NOW_MS + 3 * DAY_MS);
	assert_int_equal(issued_until(home, second.cert, &until), 0);
	assert_int_equal(until, NOW_MS + 9 * DAY_MS);
}

/* Each CA speaks for its own certificates alone. */
static void status_is_of_the_ca_that_is_asked(void **state)
{
	char list[128];
	struct signer s = {.device_validity_ms = DAY_MS};
	struct ocsp_item i = {.serial_len = 16, .ca = 1};
	struct revoked_entry e;
	struct list_place place;
	size_t torn, len;

	(void)state;
	snprintf(list, sizeof(list), "%s", path_of("issued.log"));
	unlink(list);
	issue_for_pump(&second, NOW_MS + DAY_MS, list);
	assert_int_equal(issued_log_open(list, &s.log, &torn), 0);
	assert_int_equal(issued_log_at(s.log, 1, &place), 0);
	assert_int_equal(hex_decode(place.serial, 16, i.serial, &len), 0);
	assert_int_equal(revoked_set_new(&s.revoked_set), 0);
	cert_status_find(&s, true, &i);
	assert_int_equal(i.state, OCSP_NOT_ISSUED);
	i.ca = 2;
	cert_status_find(&s, true, &i);
	assert_int_equal(i.state, OCSP_GOOD);
	assert_int_equal(remember_revoked(&s, &place), 0);
	assert_true(revoked_set_get(s.revoked_set, place.serial, &e));
	assert_int_equal(e.ca, 2);
	assert_true(revoked_entry_is_of(&e, 2));
	assert_false(revoked_entry_is_of(&e, 1));
	cert_status_find(&s, true, &i);
	assert_int_equal(i.state, OCSP_REVOKED);
	i.ca = 1;
	cert_status_find(&s, true, &i);
	assert_int_equal(i.state, OCSP_NOT_ISSUED);
	e.ca = 0; /* of whom is not known: nobody is passed over */
	assert_true(revoked_entry_is_of(&e, 1) && revoked_entry_is_of(&e, 2));
	revoked_set_free(s.revoked_set);
	issued_log_close(s.log);
}

static void number_is_read_and_raised(void **state)
{
	char name[32] = "CA 9", url[CA_CRL_URL_SIZE];

	(void)state;
	assert_int_equal(ca_number_raise(name, sizeof(name)), 0);
	assert_string_equal(name, "CA 10");
	strcpy(name, "CA 99");
	assert_int_equal(ca_number_raise(name, sizeof(name)), ERR_INVALID);
	strcpy(name, "CA");
	assert_int_equal(ca_number_raise(name, sizeof(name)), ERR_INVALID);
	assert_int_equal(ca_number_of(X509_get_subject_name(h.ca)), 1);
	assert_int_equal(ca_crl_url("http://a.b/crl/device.crl", 1, url), 0);
	assert_string_equal(url, "http://a.b/crl/device.crl");
	assert_int_equal(ca_crl_url("http://a.b/crl/device.crl", 2, url), 0);
	assert_string_equal(url, "http://a.b/crl/device-2.crl");
	assert_int_equal(ca_crl_url("http://a.b/list", 3, url), 0);
	assert_string_equal(url, "http://a.b/list-3");
	assert_int_equal(ca_crl_url("", 2, url), 0);
	assert_string_equal(url, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaced_ca_certifies_no_pump),
		cmocka_unit_test(half_a_switch_keeps_the_set_of_before),
		cmocka_unit_test(status_is_of_the_ca_that_is_asked),
		cmocka_unit_test(replaced_ca_still_tells_of_its_revocations),
		cmocka_unit_test(set_follows_the_files),
		cmocka_unit_test(old_ca_lives_until_its_last_certificate_ends),
		cmocka_unit_test(number_is_read_and_raised),
	};

	return cmocka_run_group_tests(tests, world_make, world_free);
}
