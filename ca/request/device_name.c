/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of a pump's names. Never looks one up. */
#include "ca/request/device_name.h"

#include <stdio.h>
#include <string.h>

bool device_name_is_valid(const char *serial)
{
	size_t len = strlen(serial);

	return len > 0 && len <= DEVICE_NAME_MAX &&
	       strspn(serial, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == len;
}

int device_urn_build(const char *serial, char out[DEVICE_URN_SIZE])
{
	if (!device_name_is_valid(serial))
		return err_set(ERR_INVALID, "a pump's serial is 1 to %d characters of [A-Z0-9-]",
			       DEVICE_NAME_MAX);
	snprintf(out, DEVICE_URN_SIZE, "%s%s", DEVICE_URN_PREFIX, serial);
	return 0;
}
