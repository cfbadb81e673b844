/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the rules of an inventory record. Never reads a file. */
#include "enroll/pumpctl/device_fields.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static const char *const column_names[COLUMN_COUNT] = {
	[COLUMN_SERIAL] = "serial", [COLUMN_MAKER] = "maker", [COLUMN_MODEL] = "model",
	[COLUMN_MAC] = "mac",	    [COLUMN_WARD] = "ward",   [COLUMN_ZONE] = "zone",
};

const char *device_column_name(enum device_column c)
{
	return column_names[c];
}

enum device_column device_column_parse(const char *name, size_t len)
{
	int c = 0;

	while (c < COLUMN_COUNT &&
	       (strlen(column_names[c]) != len || strncasecmp(column_names[c], name, len)))
		c++;
	return (enum device_column)c;
}

/* One UTF-8 sequence at s (RFC 3629); its length, 0 when it is none. */
static size_t utf8_len(const uint8_t *s, size_t left)
{
	size_t n = s[0] < 0x80			 ? 1
		   : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		   : (s[0] & 0xf0) == 0xe0	 ? 3
		   : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						 : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
		return 0; /* overlong, surrogate, beyond Unicode */
	return n;
}

static int text_check(const char *name, const char *value, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len((const uint8_t *)value + i, len - i);
		unsigned char c = (unsigned char)value[i];

		if (n == 0)
			return err_set(ERR_INVALID, "%s: not valid UTF-8", name);
		if (c < 0x20 || c == 0x7f || (n == 2 && c == 0xc2 && (uint8_t)value[i + 1] < 0xa0))
			return err_set(ERR_INVALID, "%s: holds a control character", name);
		i += n;
	}
	if (len && strchr("=+-@", value[0]))
		return err_set(ERR_INVALID, "%s: begins with '%c', as a spreadsheet formula does",
			       name, value[0]);
	return 0;
}

static int serial_check(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", value[i]) || !value[i])
			return err_set(ERR_INVALID,
				       "serial: only A-Z, 0-9 and '-' (at position %zu)", i + 1);
	return 0;
}

int device_serial_check(const char *serial)
{
	size_t len = strlen(serial);

	if (len == 0 || len >= DEVICE_SERIAL_SIZE)
		return err_set(ERR_INVALID, "a serial has 1 to %d characters",
			       DEVICE_SERIAL_SIZE - 1);
	return serial_check(serial, len);
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9'	    ? c - '0'
	       : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10
					    : -1;
}

/* aa:bb:cc:dd:ee:ff, aa-bb-..., aabb.ccdd.eeff, aabbccddeeff */
static int mac_set(char out[MAC_SIZE], const char *value, size_t len)
{
	uint8_t mac[6] = {0}, any = 0;
	size_t digits = 0;

	for (size_t i = 0; i < len; i++) {
		int v = hex_value(value[i]);

		if (v >= 0 && digits < 12) {
			mac[digits / 2] = (uint8_t)(mac[digits / 2] << 4 | v);
			digits++;
		} else if (v >= 0 || !strchr(":-.", value[i]) || digits % 2 || !digits) {
			return err_set(ERR_INVALID, "mac: write it as aa:bb:cc:dd:ee:ff");
		}
	}
	if (digits != 12)
		return err_set(ERR_INVALID, "mac: write it as aa:bb:cc:dd:ee:ff");
	for (size_t i = 0; i < 6; i++)
		any |= mac[i];
	if (!any || (mac[0] & 1))
		return err_set(ERR_INVALID, "mac: all zero or a group address is no device's");
	for (size_t i = 0; i < 6; i++) {
		static const char hex[] = "0123456789abcdef";

		out[i * 3] = hex[mac[i] >> 4];
		out[i * 3 + 1] = hex[mac[i] & 15];
		out[i * 3 + 2] = i < 5 ? ':' : '\0';
	}
	return 0;
}

static char *column_of(struct device *d, enum device_column c, size_t *size)
{
	switch (c) {
	case COLUMN_SERIAL:
		*size = sizeof(d->serial);
		return d->serial;
	case COLUMN_MAKER:
		*size = sizeof(d->maker);
		return d->maker;
	case COLUMN_MODEL:
		*size = sizeof(d->model);
		return d->model;
	case COLUMN_WARD:
		*size = sizeof(d->ward);
		return d->ward;
	case COLUMN_ZONE:
		*size = sizeof(d->zone);
		return d->zone;
	default:
		*size = sizeof(d->mac);
		return d->mac;
	}
}

int device_column_set(struct device *d, enum device_column c, const char *value, size_t len)
{
	const char *name = column_names[c];
	size_t size;
	char *to = column_of(d, c, &size);
	int rc;

	if (len == 0 && c != COLUMN_WARD)
		return err_set(ERR_INVALID, "%s: is empty", name);
	rc = text_check(name, value, len);
	if (rc)
		return rc;
	if (c == COLUMN_MAC)
		return mac_set(d->mac, value, len);
	if (len >= size)
		return err_set(ERR_INVALID, "%s: longer than %zu bytes", name, size - 1);
	if (c == COLUMN_SERIAL && (rc = serial_check(value, len)))
		return rc;
	memset(to, 0, size);
	memcpy(to, value, len);
	return 0;
}
