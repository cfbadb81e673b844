/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the text form of Class. Pure. */
#include "radius_modules/rlm_pump/class_code.h"

#include <stdio.h>
#include <string.h>

static const char device_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
static const char serial_alphabet[] = "0123456789abcdef";

int class_build(const struct class_code *c, char out[CLASS_SIZE])
{
	size_t device = strspn(c->device, device_alphabet);
	size_t serial = strspn(c->cert_serial, serial_alphabet);

	if (device == 0 || c->device[device] || c->cert_serial[serial])
		return err_set(ERR_INVALID, "no name for a Class");
	snprintf(out, CLASS_SIZE, "pg1.%s.%s", c->device, c->cert_serial);
	return 0;
}

int class_parse(const uint8_t *data, size_t len, struct class_code *out)
{
	struct class_code got = {{0}, {0}};
	char text[CLASS_SIZE], again[CLASS_SIZE];
	char *dot;

	if (len >= sizeof(text) || len < 4 || memchr(data, 0, len))
		return err_set(ERR_INVALID, "not our Class");
	memcpy(text, data, len);
	text[len] = '\0';
	dot = strchr(text + 4, '.');
	if (!dot)
		return err_set(ERR_INVALID, "not our Class");
	*dot = '\0';
	if (str_copy(got.device, sizeof(got.device), text + 4) ||
	    str_copy(got.cert_serial, sizeof(got.cert_serial), dot + 1) || class_build(&got, again))
		return err_set(ERR_INVALID, "not our Class");
	if (strlen(again) != len || memcmp(again, data, len) != 0)
		return err_set(ERR_INVALID, "not our Class");
	*out = got;
	return 0;
}
