/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What registryd said about each NAS within the last second, so that the four packets of one
 * authentication do not ask four times. Bounded: an address shares its slot with others and the
 * later one takes it. Thread-safe.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_NAS_STANDING_H
#define RADIUS_MODULES_RLM_PUMP_NAS_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define NAS_STANDING_US 1000000

struct nas_standing;

int nas_standing_new(struct nas_standing **out) MUST_USE; /* ERR_NOMEM */
void nas_standing_free(struct nas_standing *s);		  /* NULL ok */
/* True when the answer for `ip` is fresh; then *good_out is it. */
bool nas_standing_get(struct nas_standing *s, const char *ip, int64_t now_us, bool *good_out);
void nas_standing_put(struct nas_standing *s, const char *ip, int64_t now_us, bool good);

#endif
