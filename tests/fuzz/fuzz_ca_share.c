/* SPDX-License-Identifier: BSD-2-Clause */
/* Shares of a CA backup as people type them: what is taken says the same when written again. */
#include <stdlib.h>
#include <string.h>

#include "ca/sealed/share.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct share s = {0}, again = {0};
	AUTO_BUF line = {.max = 1024};

	if (share_parse((const char *)data, len, &s))
		return 0;
	if (!s.number || s.number > SHARE_PEOPLE_MAX || share_put(&line, &s) ||
	    share_parse((const char *)line.data, line.len, &again) || memcmp(&s, &again, sizeof(s)))
		abort();
	return 0;
}
