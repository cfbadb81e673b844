/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a refusal is held back from a pump that was refused again and again (decision 96). Goes
 * by the station that is claimed, which proves nothing: so it only ever delays an answer that is a
 * reject anyway. Safe to be called from several threads.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_REJECT_PACE_H
#define RADIUS_MODULES_RLM_PUMP_REJECT_PACE_H

#include <stdint.h>

#include "base/err.h"
#include "sql/proto/registry_records.h"

/* A NAS asks again after three to five seconds: the answer must have left by then. */
#define REJECT_PACE_MAX_S 3

struct reject_pace;

int reject_pace_new(struct reject_pace **out) MUST_USE; /* ERR_NOMEM */
void reject_pace_free(struct reject_pace *p);		/* NULL ok */

/* One more refusal of this MAC ("aa:bb:cc:dd:ee:ff"; "" counts for nobody). *times_out: refusals in
 * a row, each within ten minutes of the one before. The delay in whole seconds, 1 at least. */
uint32_t reject_pace_refused(struct reject_pace *p, const char *mac, int64_t now_us,
			     uint32_t *times_out);
/* It was let on. */
void reject_pace_accepted(struct reject_pace *p, const char *mac);

#endif
