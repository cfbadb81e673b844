/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that may hold secrets, copied whole. */
#ifndef ENROLL_PUMPCTL_FILE_COPY_H
#define ENROLL_PUMPCTL_FILE_COPY_H

#include "enroll/pumpctl/settings.h"

/* A new file of mode 0600, on the disk, given to `o` when root does it. No links are followed.
 * ERR_NOT_FOUND, ERR_IO (also when `to` exists), ERR_FULL. */
int file_copy(const char *from, const char *to, const struct owner *o) MUST_USE;

#endif
