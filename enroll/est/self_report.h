/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a pump says of itself: POST /.well-known/pumpgate/status with its certificate as TLS client
 * certificate; and what it is told (docs/decisions/0150). Pure.
 */
#ifndef ENROLL_EST_SELF_REPORT_H
#define ENROLL_EST_SELF_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "sql/proto/registry_records.h"

#define SELF_REPORT_MAX 4096 /* bytes of a report */
#define SELF_REPORT_ANSWER_MAX 2048
#define SELF_REPORT_AGAIN_S 3600 /* pumps come back so often, besides at each change */

/* In origin-form or absolute-form, without a query. */
bool self_report_is_target(const char *target);

/* JSON, version 1:
 *   {"version": 1, "software": "1.4.0", "key_protection": "software"|"tpm",
 *    "infusing": "unknown"|"idle"|"infusing", "clock_behind_ms": -20|null,
 *    "slots": [{"serial": "<hex>", "not_after": <s since 1970>, "in_use": true}],
 *    "server_anchors": ["<SHA-256 in hex>"], "device_anchors": [...],
 *    "ports": ["tcp/22"], "ports_more": 0}
 * Members that are not listed are passed over. Fills in what the pump says; whose word it is, is
 * the caller's to add. ERR_INVALID says what is wrong; ERR_LIMIT above SELF_REPORT_MAX. */
int self_report_parse(const void *json, size_t len, struct pump_report *out) MUST_USE;

/* {"version": 1, "state": "enrolled", "certificate": "valid", "reason": ""}. For a pump or
 * certificate that is revoked: nothing but state and reason. A pump that is to wipe itself is told
 * "decommission": "ORDER" besides. ERR_LIMIT, ERR_NOMEM. */
int self_report_answer_build(const struct report_answer *a, struct buf *out) MUST_USE;

#endif
