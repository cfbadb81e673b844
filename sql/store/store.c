/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns opening the registry and the checks of names that its tables share. */
#include "sql/store/store_db.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sql/store/migrate.h"

int store_upgrade(const char *path, unsigned *from_out, unsigned *to_out)
{
	AUTO_DB db = NULL;
	int rc = db_open(path, DB_CREATE, DB_SYNC_FULL, &db);

	if (!rc)
		rc = schema_upgrade(db, &schema_registry, from_out);
	if (!rc)
		*to_out = schema_registry.version;
	return rc;
}

int store_open(const char *path, enum store_access access, struct store **out)
{
	static const enum db_mode modes[] = {
		[STORE_READ] = DB_READ, [STORE_LOOKUP] = DB_LOOKUP, [STORE_WRITE] = DB_WRITE};
	AUTO_STORE st = calloc(1, sizeof(*st));
	int rc;

	if (!st)
		return err_set(ERR_NOMEM, "no memory for a store");
	rc = db_open(path, modes[access], DB_SYNC_FULL, &st->db);
	if (!rc)
		rc = schema_check(st->db, &schema_registry);
	if (rc)
		return rc;
	*out = st;
	st = NULL;
	return 0;
}

void store_close(struct store *st)
{
	if (!st)
		return;
	db_close(st->db);
	free(st);
}

int store_group_begin(struct store *st)
{
	return db_group_begin(st->db);
}

bool store_group_is_whole(const struct store *st)
{
	return db_group_is_whole(st->db);
}

int store_group_commit(struct store *st)
{
	return db_group_commit(st->db);
}

int store_look_begin(struct store *st)
{
	return db_run(st->db, "BEGIN");
}

void store_look_end(struct store *st)
{
	db_rollback(st->db);
}

int list_limit(const struct list_query *q, size_t max, size_t *out)
{
	if (q->limit > STORE_LIST_MAX)
		return err_set(ERR_LIMIT, "at most %d rows at once", STORE_LIST_MAX);
	*out = q->limit ? q->limit : STORE_LIST_MAX;
	if (*out > max)
		*out = max;
	return 0;
}

int name_check(const char *what, const char *name)
{
	if (!*name || *name == '-')
		return err_set(ERR_INVALID, "a %s needs a name that does not begin with '-'", what);
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return err_set(ERR_INVALID,
				       "%s name '%s': only letters, digits, '-', '_' and '.'", what,
				       name);
	return 0;
}

int device_serial_check(const char *serial)
{
	if (!*serial)
		return err_set(ERR_INVALID, "a pump needs a serial");
	for (const char *p = serial; *p; p++)
		if (!(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9') && *p != '-')
			return err_set(ERR_INVALID,
				       "serial '%s': only A-Z, 0-9 and '-', at most %d characters",
				       serial, DEVICE_SERIAL_SIZE - 1);
	return 0;
}

int label_check(const char *what, const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(ERR_INVALID, "%s: control characters are not allowed", what);
	return 0;
}

int mac_normalise(const char *in, char out[MAC_SIZE])
{
	uint8_t bytes[6];
	char digits[13];
	size_t n = 0, len;

	for (const char *p = in; *p; p++) {
		if (strchr(":-.", *p) && n % 2 == 0)
			continue;
		if (!isxdigit((unsigned char)*p) || n == 12)
			return err_set(ERR_INVALID, "MAC address '%s': want AA:BB:CC:DD:EE:FF", in);
		digits[n++] = *p;
	}
	digits[n] = 0;
	if (n != 12 || hex_decode(digits, sizeof(bytes), bytes, &len))
		return err_set(ERR_INVALID, "MAC address '%s': want AA:BB:CC:DD:EE:FF", in);
	if (bytes[0] & 1 || !memcmp(bytes, "\0\0\0\0\0\0", 6))
		return err_set(ERR_INVALID, "MAC address '%s' is not that of one device", in);
	for (size_t i = 0; i < 6; i++)
		hex_encode(bytes + i, 1, out + 3 * i, 3);
	for (size_t i = 2; i < MAC_SIZE - 1; i += 3)
		out[i] = ':';
	return 0;
}
