/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the bound on lines that strangers cause. */
#include "enroll/enrolld/noise.h"

#include "base/log.h"

bool noise_allow(struct noise *n, int64_t now_us)
{
	int64_t second = now_us / 1000000;

	if (second != n->second) {
		if (n->dropped)
			LOG(LOG_WARN, "enroll.lines_dropped", LOG_U("n", n->dropped));
		*n = (struct noise){.second = second};
	}
	if (n->lines < NOISE_LINES_PER_S) {
		n->lines++;
		return true;
	}
	n->dropped++;
	return false;
}
