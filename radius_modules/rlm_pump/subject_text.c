/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading a subject in one line. Pure. The form has no escapes: a "/" inside another part can
 * look like a part of its own, so anything that could be two serials is none. */
#include "radius_modules/rlm_pump/subject_text.h"

#include <string.h>

bool subject_serial(const char *oneline, char out[DEVICE_SERIAL_SIZE])
{
	static const char part[] = "/serialNumber=";
	const char *at = strstr(oneline, part);
	size_t len;

	out[0] = '\0';
	if (!at || strstr(at + 1, part))
		return false;
	at += sizeof(part) - 1;
	len = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
	if (len == 0 || len >= DEVICE_SERIAL_SIZE || (at[len] != '\0' && at[len] != '/'))
		return false;
	memcpy(out, at, len);
	out[len] = '\0';
	return true;
}
