/* SPDX-License-Identifier: BSD-2-Clause */
/* Which wave of a rotation each pump belongs to. Pure. */
#ifndef SQL_STORE_ROTATION_PLAN_H
#define SQL_STORE_ROTATION_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/proto/registry_records.h"

struct rotation_member {
	int64_t certificate;
	char ward[LABEL_SIZE];
	char model[LABEL_SIZE];
	uint32_t wave; /* out */
};

/*
 * Wave 0 are the canaries: the first pump of each ward and model, `canaries` at most. The others
 * follow ward by ward, model by model, at most `wave_max` (not 0) in one wave and never of two
 * wards or models. `all` is sorted by ward and model. How many waves there are, wave 0 among them
 * when it has pumps or others do.
 */
uint32_t rotation_plan(struct rotation_member *all, size_t n, uint32_t canaries, uint32_t wave_max);

/* Minutes of the day: is `minute` from `from` until before `until`, maybe over midnight? Equal ones
 * mean never. */
bool rotation_is_quiet(uint32_t from, uint32_t until, uint32_t minute);

/*
 * Too much has failed to go on: any canary, or more than `percent` of those that were asked.
 * `failed` counts what nobody has forgiven.
 */
bool rotation_must_halt(uint32_t wave, uint64_t failed, uint64_t asked, uint32_t percent);

#endif
