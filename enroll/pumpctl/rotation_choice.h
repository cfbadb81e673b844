/* SPDX-License-Identifier: BSD-2-Clause */
/* From the words of `cert rotate` to a rotation. Pure. */
#ifndef ENROLL_PUMPCTL_ROTATION_CHOICE_H
#define ENROLL_PUMPCTL_ROTATION_CHOICE_H

#include "enroll/pumpctl/args.h"
#include "sql/proto/registry_records.h"

/* ERR_INVALID says which option is wrong and what it takes. */
int rotation_choice_take(const struct call *call, struct rotation_start *out) MUST_USE;
/* Did the caller choose pumps? A timer that does not goes on with what is there. */
bool rotation_choice_is_explicit(const struct call *call);
/* "06:00-09:30" as minutes of the day. ERR_INVALID. */
int quiet_hours_parse(const char *text, uint32_t *from_out, uint32_t *until_out) MUST_USE;

#endif
