/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the reading of HTTP's dates. Never believes what does not end where it should. */
#include "pump_agent/http_fields.h"

#include <string.h>
#include <time.h>

int64_t http_date_parse(const char *text)
{
	static const char *const forms[] = {
		"%a, %d %b %Y %H:%M:%S GMT", /* as all send it */
		"%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
		"%a %b %e %H:%M:%S %Y",	     /* asctime */
	};

	if (!text || strlen(text) > 40)
		return 0;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm t = {0};
		const char *end = strptime(text, forms[i], &t);
		time_t at = end && !*end ? timegm(&t) : 0;

		if (at > 0)
			return at;
	}
	return 0;
}

int64_t http_retry_parse(const char *text, int64_t now_s)
{
	int64_t s = 0;
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (!text)
		return 0;
	if (digits && !text[digits]) {
		for (size_t i = 0; i < digits && s <= HTTP_RETRY_MAX_S; i++)
			s = s * 10 + (text[i] - '0');
	} else if ((s = http_date_parse(text))) {
		s -= now_s;
	}
	if (s < 0)
		return 0;
	return s > HTTP_RETRY_MAX_S ? HTTP_RETRY_MAX_S : s;
}
