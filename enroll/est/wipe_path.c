/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of the statement's place. */
#include "enroll/est/wipe_path.h"

#include <string.h>
#include <strings.h>

bool wipe_path_parse(const char *target, char out[WIPE_ORDER_SIZE])
{
	static const char scheme[] = "https://";
	static const char place[] = "/.well-known/pumpgate/decommission/";

	if (!strncasecmp(target, scheme, sizeof(scheme) - 1)) {
		target = strchr(target + sizeof(scheme) - 1, '/');
		if (!target)
			return false;
	}
	if (strncmp(target, place, sizeof(place) - 1) != 0 ||
	    !wipe_order_is_valid(target + sizeof(place) - 1))
		return false;
	memcpy(out, target + sizeof(place) - 1, WIPE_ORDER_SIZE);
	return true;
}
