/* SPDX-License-Identifier: BSD-2-Clause */
/* How roll-overs of CAs are shown: names, hashes, what was done to servers, who lags behind. */
#ifndef ENROLL_PUMPCTL_ROLLOVER_PRINT_H
#define ENROLL_PUMPCTL_ROLLOVER_PRINT_H

#include <openssl/x509.h>

#include "enroll/pumpctl/args.h"
#include "enroll/pumpctl/record_json.h"
#include "sql/proto/registry_records.h"

/* "in use    Pumpgate Server CA 1, SHA-256 ..." */
void rollover_ca_print(const char *what, X509 *cert);
/* {"name", "sha256"}; NULL: no memory. */
json_t *rollover_ca_json(X509 *cert);
/* A pump that holds things up, as a line. */
void rollover_lack_print(const struct anchor_lack *l);
/* What was done to a server: a line, and an object in `servers`. */
void rollover_told_print(const struct call *call, json_t *servers, const char *server,
			 const char *what, int64_t away_ms);

#endif
