/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking on while registryd carries a recall out, and the report at the end. */
#ifndef ENROLL_PUMPCTL_RECALL_FOLLOW_H
#define ENROLL_PUMPCTL_RECALL_FOLLOW_H

#include "enroll/pumpctl/args.h"
#include "sql/client/registry_client.h"

/* How long recall_follow() waits for the NAS once every pump is revoked: --wait, 10 s without it,
 * -1 with --no-wait (do not follow at all). ERR_INVALID. */
int recall_wait_take(const struct call *call, int64_t *wait_ms_out) MUST_USE;
/* Waits until the recall is done or stopped, with a progress bar on a terminal; a registryd that
 * restarts meanwhile costs a pause. Then prints the report. Yields the exit status. */
int recall_follow(const struct call *call, struct ipc_client *c, uint64_t id, int64_t wait_ms);
/* The report as it is now. Yields the exit status: 0 whatever it says with `only_show`. */
int recall_report_show(const struct call *call, struct ipc_client *c, uint64_t id, bool only_show);

#endif
