/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of pumpgate-signerd that work on the CA's own files, run as the signer's user. */
#ifndef ENROLL_PUMPCTL_SIGNER_COMMAND_H
#define ENROLL_PUMPCTL_SIGNER_COMMAND_H

#include "base/buf.h"

/* "pumpgate-signerd --home HOME ARGS...", its output in `said`; at most 9 words, NULL-ended. Blocks
 * up to two minutes. ERR_NOT_FOUND, ERR_TIMEOUT, ERR_IO, and those of the settings. */
int signer_command(const char *home, const char *const *args, struct buf *said,
		   int *status_out) MUST_USE;

#endif
