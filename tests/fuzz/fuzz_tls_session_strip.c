/* SPDX-License-Identifier: BSD-2-Clause */
/* What is stripped once has nothing more to strip, and never grows. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "radius_modules/rlm_pump/tls_session_strip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF once = {.max = 65536};
	AUTO_BUF twice = {.max = 65536};
	uint32_t version, version2;

	if (tls_session_strip(data, size, &once, &version))
		return 0;
	if (once.len > size || tls_session_strip(once.data, once.len, &twice, &version2) ||
	    version != version2 || twice.len != once.len ||
	    memcmp(once.data, twice.data, once.len) != 0)
		abort();
	return 0;
}
