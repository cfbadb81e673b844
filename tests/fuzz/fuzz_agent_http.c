/* SPDX-License-Identifier: BSD-2-Clause */
/* What any server may say in the fields of an answer, and any bundle for an address: dates and
 * waits stay within bounds, and an address has its parts or is refused. */
#include <string.h>

#include "pump_agent/est_url.h"
#include "pump_agent/http_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[512];
	struct est_url u;
	int64_t s;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (http_date_parse(text) < 0)
		__builtin_trap();
	s = http_retry_parse(text, 784111777);
	if (s < 0 || s > HTTP_RETRY_MAX_S)
		__builtin_trap();
	if (est_url_parse(text, &u) == 0 &&
	    (!u.host[0] || !u.port || u.path[0] != '/' || strpbrk(u.host, "/[]")))
		__builtin_trap();
	return 0;
}
