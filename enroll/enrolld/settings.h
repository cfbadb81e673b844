/* SPDX-License-Identifier: BSD-2-Clause */
/* What enrolld takes from HOME/pumpgate.conf: where to listen, the EST labels, and renewals. */
#ifndef ENROLL_ENROLLD_SETTINGS_H
#define ENROLL_ENROLLD_SETTINGS_H

#include <stdint.h>

#include "enroll/est/est_label.h"
#include "sql/proto/registry_records.h"

struct enrolld_settings {
	char address[IP_SIZE];
	uint32_t port;
	uint32_t http_port; /* CRL and OCSP; 0: not served */
	struct est_labels labels;
	int64_t renewal_spread_ms; /* pumps that are asked to renew do so within it */
};

/* Blocks on the disk. ERR_NOT_FOUND, ERR_INVALID and the like name file, section and key. */
int enrolld_settings_read(const char *home, struct enrolld_settings *out) MUST_USE;

#endif
