/* SPDX-License-Identifier: BSD-2-Clause */
/* A bound on log lines that anybody who reaches the port can cause without any credential. */
#ifndef ENROLL_ENROLLD_NOISE_H
#define ENROLL_ENROLLD_NOISE_H

#include <stdbool.h>
#include <stdint.h>

#define NOISE_LINES_PER_S 20

struct noise {
	int64_t second; /* the one being counted */
	unsigned lines;
	uint64_t dropped;
};

/* May one more line be written? When lines were dropped, the first one of a later second is
 * preceded by a line with their number. Loop thread only. */
bool noise_allow(struct noise *n, int64_t now_us);

#endif
