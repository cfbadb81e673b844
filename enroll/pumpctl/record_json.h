/* SPDX-License-Identifier: BSD-2-Clause */
/* Any record as a JSON object, by its description alone: times as RFC 3339 text or null, blobs as
 * hex, secrets never. Pure. */
#ifndef ENROLL_PUMPCTL_RECORD_JSON_H
#define ENROLL_PUMPCTL_RECORD_JSON_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base/ipc_record.h"

/* The caller's object; NULL without memory. */
json_t *record_to_json(const struct record_desc *d, const void *record);
/* Text that came from outside: bytes that are no UTF-8 are escaped. NULL without memory. */
json_t *text_to_json(const char *text);
/* RFC 3339 text, null for 0. */
json_t *time_to_json(int64_t wall_ms);
/* Prints and releases `j` (NULL: no memory). ERR_NOMEM, ERR_IO. */
int json_show(json_t *j) MUST_USE;

static inline void json_auto_free(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(json_auto_free))) json_t *

#endif
