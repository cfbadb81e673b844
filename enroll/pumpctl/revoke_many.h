/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl pump revoke --model | --ward | --zone | --file: a recall. */
#ifndef ENROLL_PUMPCTL_REVOKE_MANY_H
#define ENROLL_PUMPCTL_REVOKE_MANY_H

#include "enroll/pumpctl/args.h"

/* Shows what would be revoked, or requests the recall and follows it. Yields the exit status. */
int revoke_many_run(const struct call *call);

#endif
