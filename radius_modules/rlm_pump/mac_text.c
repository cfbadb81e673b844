/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the reading of MAC addresses. Pure. */
#include "radius_modules/rlm_pump/mac_text.h"

#include <ctype.h>
#include <string.h>

#define MAC_DIGITS 12

/* True when the separators stand after every `group` digits, and nowhere else. */
static bool grouped_by(const char *text, size_t group)
{
	size_t n = 0;
	char separator = '\0';

	for (const char *p = text; *p; p++) {
		if (isxdigit((unsigned char)*p)) {
			n++;
			continue;
		}
		if (!strchr(":-.", *p) || (separator && *p != separator) || n == 0 || n % group ||
		    n == MAC_DIGITS || !isxdigit((unsigned char)p[1]))
			return false;
		separator = *p;
	}
	return n == MAC_DIGITS &&
	       strlen(text) == MAC_DIGITS + (separator ? MAC_DIGITS / group - 1 : 0);
}

int mac_normalise(const char *text, char out[MAC_SIZE])
{
	size_t at = 0;

	out[0] = '\0';
	if (!grouped_by(text, 2) && !grouped_by(text, 4) && !grouped_by(text, 6))
		return err_set(ERR_INVALID, "not a MAC address");
	for (const char *p = text; *p; p++) {
		if (!isxdigit((unsigned char)*p))
			continue;
		if (at % 3 == 2)
			out[at++] = ':';
		out[at++] = (char)tolower((unsigned char)*p);
	}
	out[at] = '\0';
	return 0;
}
