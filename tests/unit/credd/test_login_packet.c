/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>

#include "radius_modules/packet/radius_packet.h"
#include "radius_modules/rlm_clinician/login_packet.h"

static const uint8_t authenticator[RADIUS_AUTHENTICATOR_BYTES] = "0123456789abcdef";

/* As a pump would: name and password, then `more`. */
static void login_begin(struct radius_packet *p, const char *name, const char *password)
{
	radius_begin(p, RADIUS_ACCESS_REQUEST, 1);
	if (name)
		assert_int_equal(radius_put_str(p, RADIUS_USER_NAME, name), 0);
	if (password)
		assert_int_equal(radius_put_password(p, authenticator, "radsec", 6, password,
						     strlen(password)),
				 0);
}

static int packet_read(struct radius_packet *p, struct cred_login *out, bool *contact)
{
	assert_int_equal(radius_sign_access_request(p, authenticator, "radsec", 6), 0);
	return login_packet_read(p->data, p->len, "radsec", 6, out, contact);
}

static int refused(struct radius_packet *p)
{
	struct cred_login out = {0};
	bool contact;

	return packet_read(p, &out, &contact);
}

static void what_is_missing_or_there_twice_is_refused(void **state)
{
	struct radius_packet p;

	(void)state;
	login_begin(&p, NULL, "secret");
	assert_int_equal(refused(&p), ERR_INVALID);
	login_begin(&p, "anna", NULL);
	assert_int_equal(refused(&p), ERR_INVALID);
	login_begin(&p, "anna", "secret");
	assert_int_equal(radius_put_str(&p, RADIUS_USER_NAME, "berta"), 0);
	assert_int_equal(refused(&p), ERR_INVALID);
	login_begin(&p, "anna", "secret");
	assert_int_equal(radius_put_password(&p, authenticator, "radsec", 6, "other", 5), 0);
	assert_int_equal(refused(&p), ERR_INVALID);
	radius_begin(&p, RADIUS_ACCOUNTING_REQUEST, 1);
	assert_int_equal(login_packet_read(p.data, p.len, "radsec", 6, &(struct cred_login){0},
					   &(bool){false}),
			 ERR_INVALID);
}

static void a_password_of_no_whole_blocks_or_of_padding_alone_is_refused(void **state)
{
	uint8_t hidden[32] = {0};
	struct radius_packet p;

	(void)state;
	login_begin(&p, "anna", NULL);
	assert_int_equal(radius_put(&p, RADIUS_USER_PASSWORD, hidden, 17), 0);
	assert_int_equal(refused(&p), ERR_INVALID);
	login_begin(&p, "anna", NULL);
	assert_int_equal(radius_put(&p, RADIUS_USER_PASSWORD, hidden, 15), 0);
	assert_int_equal(refused(&p), ERR_INVALID);
}

static void a_contact_with_a_password_is_refused(void **state)
{
	struct cred_login out = {0};
	struct radius_packet p;
	bool contact = false;

	(void)state;
	login_begin(&p, NULL, "secret");
	assert_int_equal(radius_put_u32(&p, RADIUS_SERVICE_TYPE, LOGIN_SERVICE_CONTACT), 0);
	assert_int_equal(refused(&p), ERR_INVALID);
	login_begin(&p, NULL, NULL);
	assert_int_equal(radius_put_u32(&p, RADIUS_SERVICE_TYPE, LOGIN_SERVICE_CONTACT), 0);
	assert_int_equal(packet_read(&p, &out, &contact), 0);
	assert_true(contact);
	login_begin(&p, "anna", "secret");
	assert_int_equal(radius_put_u32(&p, RADIUS_SERVICE_TYPE, 1), 0);
	assert_int_equal(packet_read(&p, &out, &contact), 0);
	assert_false(contact);
}

static void more_than_a_blob_may_have_is_refused(void **state)
{
	static uint8_t says[LOGIN_BLOB_MAX + 1];
	struct cred_login out = {0};
	struct radius_packet p;
	bool contact;

	(void)state;
	login_begin(&p, "anna", "secret");
	assert_int_equal(radius_put_vendor(&p, LOGIN_VENDOR, LOGIN_ATTR_SAYS, says, sizeof(says)),
			 0);
	assert_int_equal(refused(&p), ERR_LIMIT);
	memset(says, 7, LOGIN_BLOB_MAX);
	login_begin(&p, "anna", "secret");
	assert_int_equal(radius_put_vendor(&p, LOGIN_VENDOR, LOGIN_ATTR_SAYS, says, LOGIN_BLOB_MAX),
			 0);
	assert_int_equal(packet_read(&p, &out, &contact), 0);
	assert_int_equal(out.says.len, LOGIN_BLOB_MAX);
	assert_memory_equal(out.says.data, says, LOGIN_BLOB_MAX);
}

static void name_and_password_of_every_length_come_back(void **state)
{
	char password[LOGIN_PASSWORD_MAX + 1];
	struct cred_login out;
	struct radius_packet p;
	bool contact;

	(void)state;
	for (size_t len = 1; len <= LOGIN_PASSWORD_MAX; len++) {
		memset(password, 'p', len);
		password[len] = '\0';
		memset(&out, 0, sizeof(out));
		login_begin(&p, "anna", password);
		assert_int_equal(packet_read(&p, &out, &contact), 0);
		assert_int_equal(out.password.len, len);
		assert_memory_equal(out.password.data, password, len);
		assert_int_equal(out.name.len, 4);
		assert_memory_equal(out.name.data, "anna", 4);
	}
}

/* Hidden with the library's own function for "secXet", then one bit pattern changed: "sec\0et". */
static void a_nul_inside_a_password_is_kept_to_be_refused(void **state)
{
	struct cred_login out = {0};
	struct radius_packet p;
	struct radius_view v;
	struct radius_attr a;
	bool contact;

	(void)state;
	login_begin(&p, "anna", "secXet");
	assert_int_equal(radius_view_parse(p.data, p.len, &v), ERR_INVALID); /* not signed yet */
	assert_int_equal(radius_sign_access_request(&p, authenticator, "radsec", 6), 0);
	assert_int_equal(radius_view_parse(p.data, p.len, &v), 0);
	assert_true(radius_attr_find(&v, RADIUS_USER_PASSWORD, &a));
	p.data[(size_t)(a.value - p.data) + 3] ^= 'X';
	assert_int_equal(packet_read(&p, &out, &contact), 0);
	assert_int_equal(out.password.len, 6);
	assert_memory_equal(out.password.data, "sec\0et", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_or_there_twice_is_refused),
		cmocka_unit_test(a_password_of_no_whole_blocks_or_of_padding_alone_is_refused),
		cmocka_unit_test(a_contact_with_a_password_is_refused),
		cmocka_unit_test(more_than_a_blob_may_have_is_refused),
		cmocka_unit_test(name_and_password_of_every_length_come_back),
		cmocka_unit_test(a_nul_inside_a_password_is_kept_to_be_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
