/* SPDX-License-Identifier: BSD-2-Clause */
/* What the answer to `nas test` means for revocations, and what to do about it. Pure. */
#ifndef ENROLL_PUMPCTL_NAS_FINDING_H
#define ENROLL_PUMPCTL_NAS_FINDING_H

#include <stdbool.h>

#include "sql/proto/registry_records.h"

struct nas_finding {
	bool works; /* a Disconnect-Request will be understood, and its answer can be believed */
	bool again; /* nothing was found out: try again */
	const char *means; /* constants */
	const char *next;  /* "" when there is nothing to do */
};

struct nas_finding nas_finding_of(const struct nas_probe *p);

#endif
