/* SPDX-License-Identifier: BSD-2-Clause */
/* The bundle on a pump: any bytes. What is taken keeps its promises. */
#include <stdlib.h>
#include <string.h>

#include "pump_agent/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO_BUNDLE b = {0};

	if (bundle_parse(data, len, &b)) {
		if (b.token || *b.settings.pump)
			abort(); /* outputs are set on success only */
		return 0;
	}
	if (pump_serial_check(b.settings.pump) || est_url_check(b.settings.est) ||
	    server_name_check(b.settings.radius_name) || !secret_len(b.token) ||
	    memchr(secret_data(b.token), ':', secret_len(b.token)))
		abort();
	return 0;
}
