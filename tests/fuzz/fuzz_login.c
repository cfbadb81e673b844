/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a pump may send to log somebody in: any bytes as the packet, as the blob of items, as a
 * name, a badge and a password. What comes through must keep the rules that the database and
 * directory rely on.
 */
#include <stdlib.h>
#include <string.h>

#include "radius_modules/rlm_clinician/login_packet.h"
#include "sql/wire/login_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void items_walk(const uint8_t *data, size_t size)
{
	struct cursor blob = cursor_of(data, size), record;
	struct login_record r;
	struct login_state s;
	uint8_t kind;

	while (login_item_next(&blob, &kind, &record) == 1) {
		struct cursor again = record;

		if (record.at < data || record.at + record.left > data + size)
			abort();
		if (!record_get(&record, &record_login_record, &r) && r.user[sizeof(r.user) - 1])
			abort();
		if (!record_get(&again, &record_login_state, &s) &&
		    s.journal.len > LOGIN_JOURNAL_ID)
			abort();
	}
}

static void texts_prepare(const uint8_t *data, size_t size)
{
	char name[LOGIN_USER_SIZE], again[LOGIN_USER_SIZE], password[LOGIN_PASSWORD_MAX + 1];

	if (!login_name_prepare(data, size, name)) {
		if (!*name || strlen(name) >= sizeof(name) || strpbrk(name, " \n\t\r\x7f"))
			abort();
		/* prepared once, it stays as it is: else an account could not be found again */
		if (login_name_prepare((const uint8_t *)name, strlen(name), again) == 0 &&
		    strlen(again) >= sizeof(again))
			abort();
	}
	if (!login_badge_prepare(data, size, name) && strlen(name) != size)
		abort();
	if (!login_password_prepare(data, size, password) &&
	    (!*password || strlen(password) > LOGIN_PASSWORD_MAX))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cred_login out;
	bool contact = false;

	memset(&out, 0, sizeof(out));
	if (!login_packet_read(data, size, "radsec", 6, &out, &contact)) {
		if (out.name.len > sizeof(out.name.data) ||
		    out.password.len > sizeof(out.password.data) ||
		    out.says.len > sizeof(out.says.data) || (contact && out.password.len) ||
		    (!contact && (!out.name.len || !out.password.len)))
			abort();
		items_walk(out.says.data, out.says.len);
	}
	items_walk(data, size);
	texts_prepare(data, size);
	return 0;
}
