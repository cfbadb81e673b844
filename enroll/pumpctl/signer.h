/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl's connection to pumpgate-signerd. */
#ifndef ENROLL_PUMPCTL_SIGNER_H
#define ENROLL_PUMPCTL_SIGNER_H

#include "base/ipc_client.h"
#include "enroll/pumpctl/args.h"

/* A client in the role admin for the call's home; does not connect yet. ERR_NOMEM, ERR_LIMIT. */
int signer_open(const struct call *call, struct ipc_client **out) MUST_USE;
/* Says what went wrong and what to do next; yields the exit status. */
int signer_failure(const struct call *call, int rc);

#endif
