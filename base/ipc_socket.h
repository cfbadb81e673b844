/* SPDX-License-Identifier: BSD-2-Clause */
/* The local socket below ipc_server: made so that nobody else can connect before its mode is right,
 * and written to without a turn through the loop where the kernel takes all at once. */
#ifndef BASE_IPC_SOCKET_H
#define BASE_IPC_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct bufferevent;

/* Replaces what lies at `path`; group (gid_t)-1 leaves the group. ERR_IO, ERR_LIMIT (path). The
 * caller closes. */
int ipc_socket_listen(const char *path, mode_t mode, gid_t group, int *fd_out) MUST_USE;

/* Loop thread; never blocks. */
void ipc_socket_send(struct bufferevent *bev, const uint8_t *data, size_t len);
/* The same with a descriptor, which stays the caller's. Nothing may be waiting in the output. */
void ipc_socket_send_fd(struct bufferevent *bev, const uint8_t *data, size_t len, int fd);

#endif
