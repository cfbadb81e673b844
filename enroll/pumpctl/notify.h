/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor's end of sd_notify(3): a datagram socket on which a child says READY=1. The kernel
 * names the sender's process; what nobody of ours sent is not heard.
 */
#ifndef ENROLL_PUMPCTL_NOTIFY_H
#define ENROLL_PUMPCTL_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Makes the socket file `path` (an old one is replaced), mode 0666: the children have users of
 * their own. Non-blocking. ERR_IO, ERR_LIMIT. */
int notify_open(const char *path, int *fd_out) MUST_USE;
/* One message: who sent it and whether it says READY=1. ERR_NOT_FOUND when none is waiting. */
int notify_read(int fd, pid_t *pid_out, bool *ready_out) MUST_USE;
/* Whether a line of the message is READY=1. Pure. */
bool notify_is_ready(const char *text, size_t len);

#endif
