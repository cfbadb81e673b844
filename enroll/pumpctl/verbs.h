/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs of pumpctl, one table per file. */
#ifndef ENROLL_PUMPCTL_VERBS_H
#define ENROLL_PUMPCTL_VERBS_H

#include "enroll/pumpctl/args.h"

#define VERB_OPTIONS(o) .options = (o), .n_options = sizeof(o) / sizeof((o)[0])

extern const struct verb verb_init;
extern const struct verb verb_run;

#endif
