/* SPDX-License-Identifier: BSD-2-Clause */
/* NAS that speak RadSec in the registry: by which certificates they are known. */
#include "tests/unit/sql/fixture.h"

#include <string.h>

#define SERIAL_1 "11111111111111111111111111111111"
#define SERIAL_2 "22222222222222222222222222222222"
#define HOUR 3600000LL

static void radsec_add(struct fixture *f, const char *name, const char *ip)
{
	struct nas n = {.das_port = 2083, .radsec = true};

	strcpy(n.name, name);
	strcpy(n.ip, ip);
	assert_int_equal(store_nas_add(f->st, &admin_now, &n), 0);
}

static struct nas_cert cert_with(const char *nas, const char *serial)
{
	struct nas_cert c = {.not_before = NOW - HOUR, .not_after = NOW + HOUR};

	strcpy(c.nas, nas);
	strcpy(c.issuer, "/O=Hospital/CN=Pumpgate NAS CA 1");
	strcpy(c.cert_serial, serial);
	c.spki_sha256.len = 32;
	c.der.len = 4;
	memcpy(c.der.data, "cert", 4);
	return c;
}

static bool speaks(struct fixture *f, const char *serial, int64_t now)
{
	struct nas_facts facts;

	assert_int_equal(store_nas_facts_by_cert(f->st, serial, now, &facts), 0);
	return facts.found && facts.enabled;
}

static void an_unknown_certificate_is_nobodys(void **state)
{
	struct fixture *f = *state;
	struct nas_facts facts;

	radsec_add(f, "sw-9", "");
	assert_int_equal(store_nas_facts_by_cert(f->st, SERIAL_1, NOW, &facts), 0);
	assert_false(facts.found);
	assert_int_equal(store_nas_facts_by_cert(f->st, "", NOW, &facts), 0);
	assert_false(facts.found);
}

static void a_certificate_that_is_not_described_whole_is_refused(void **state)
{
	struct fixture *f = *state;
	struct nas_cert c = cert_with("sw-9", "ABCDEF1234567890");

	radsec_add(f, "sw-9", "");
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &c), ERR_INVALID);
	c = cert_with("sw-9", "1234");
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &c), ERR_INVALID);
	c = cert_with("sw-9", SERIAL_1);
	c.spki_sha256.len = 0;
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &c), ERR_INVALID);
	c = cert_with("sw-9", SERIAL_1);
	c.not_after = c.not_before;
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &c), ERR_INVALID);
}

static void only_a_nas_that_speaks_radsec_has_certificates(void **state)
{
	struct fixture *f = *state;
	struct nas n = {.das_port = 3799};
	struct nas_cert c = cert_with("udp-9", SERIAL_1);

	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &c), ERR_NOT_FOUND);
	strcpy(n.name, "udp-9");
	strcpy(n.ip, "192.0.2.9");
	n.secret.len = 32;
	memset(n.secret.data, 'x', 32);
	assert_int_equal(store_nas_add(f->st, &admin_now, &n), 0);
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &c), ERR_CONFLICT);
}

static void a_serial_belongs_to_one_nas(void **state)
{
	struct fixture *f = *state;
	struct nas_cert c = cert_with("sw-9", SERIAL_1);

	radsec_add(f, "sw-9", "");
	radsec_add(f, "sw-8", "");
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &c), 0);
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &c), ERR_UNCHANGED);
	strcpy(c.nas, "sw-8");
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &c), ERR_EXISTS);
}

static void a_radsec_nas_is_not_found_by_its_address_and_has_no_secret(void **state)
{
	struct fixture *f = *state;
	struct nas n = {0};
	struct nas_facts facts;

	radsec_add(f, "sw-9", "192.0.2.9");
	assert_int_equal(store_nas_facts(f->st, "192.0.2.9", &facts), 0);
	assert_false(facts.found);
	assert_int_equal(store_nas_facts(f->st, "~sw-8", &facts), 0);
	assert_false(facts.found);
	strcpy(n.name, "sw-9");
	n.secret.len = 32;
	memset(n.secret.data, 'x', 32);
	assert_int_equal(store_nas_secret(f->st, &admin_now, &n), ERR_CONFLICT);
}

static void it_speaks_while_enabled_and_within_its_certificates_time(void **state)
{
	struct fixture *f = *state;
	struct nas_cert c = cert_with("sw-9", SERIAL_1);

	radsec_add(f, "sw-9", "");
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &c), 0);
	assert_true(speaks(f, SERIAL_1, NOW));
	assert_false(speaks(f, SERIAL_1, NOW - 2 * HOUR));
	assert_false(speaks(f, SERIAL_1, NOW + HOUR));
	assert_int_equal(store_nas_enable(f->st, &admin_now, "sw-9", false), 0);
	assert_false(speaks(f, SERIAL_1, NOW));
	assert_int_equal(store_nas_enable(f->st, &admin_now, "sw-9", true), 0);
	assert_true(speaks(f, SERIAL_1, NOW));
}

static void a_sole_certificate_ends_the_others_and_they_stay_ended(void **state)
{
	struct fixture *f = *state;
	struct nas_cert first = cert_with("sw-9", SERIAL_1), second = cert_with("sw-9", SERIAL_2);
	struct nas_detail d;

	radsec_add(f, "sw-9", "");
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &first), 0);
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &second), 0);
	assert_true(speaks(f, SERIAL_1, NOW) && speaks(f, SERIAL_2, NOW));
	second.sole = true;
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &second), 0);
	assert_false(speaks(f, SERIAL_1, NOW));
	assert_true(speaks(f, SERIAL_2, NOW));
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &second), ERR_UNCHANGED);
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &first), ERR_EXISTS);
	assert_int_equal(store_nas_show(f->st, "sw-9", NOW, &d), 0);
	assert_int_equal(d.certificates, 1);
	assert_string_equal(d.cert_serial, SERIAL_2);
	assert_string_equal(d.ip, "");
}

static void orders_name_the_certificates_in_force_newest_first(void **state)
{
	struct fixture *f = *state;
	struct nas_cert first = cert_with("sw-9", SERIAL_1), second = cert_with("sw-9", SERIAL_2);
	struct dispatch_order to;

	radsec_add(f, "sw-9", "");
	assert_int_equal(store_nas_reach(f->st, "sw-9", NOW, &to), 0);
	assert_true(to.radsec);
	assert_string_equal(to.cert_serials, "");
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &first), 0);
	assert_int_equal(store_nas_cert_add(f->st, &admin_now, &second), 0);
	assert_int_equal(store_nas_reach(f->st, "sw-9", NOW, &to), 0);
	assert_string_equal(to.cert_serials, SERIAL_2 " " SERIAL_1);
	assert_int_equal(store_nas_reach(f->st, "sw-9", NOW + HOUR, &to), 0);
	assert_string_equal(to.cert_serials, "");
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(an_unknown_certificate_is_nobodys),
		RUN(a_certificate_that_is_not_described_whole_is_refused),
		RUN(only_a_nas_that_speaks_radsec_has_certificates),
		RUN(a_serial_belongs_to_one_nas),
		RUN(a_radsec_nas_is_not_found_by_its_address_and_has_no_secret),
		RUN(it_speaks_while_enabled_and_within_its_certificates_time),
		RUN(a_sole_certificate_ends_the_others_and_they_stay_ended),
		RUN(orders_name_the_certificates_in_force_newest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
