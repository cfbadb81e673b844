/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A blocking client of a local service: connects on first use, says which role it is, sends one
 * request at a time, and reconnects by itself after the service went away. Not thread-safe: one
 * client per thread.
 */
#ifndef BASE_IPC_CLIENT_H
#define BASE_IPC_CLIENT_H

#include "base/ipc_frame.h"

struct ipc_client;

/* Does not connect. `path` and `role` are copied. ERR_NOMEM, ERR_LIMIT. */
int ipc_client_new(const char *path, const char *role, struct ipc_client **out) MUST_USE;
void ipc_client_free(struct ipc_client *c); /* NULL ok */

/* The request id of the following calls; 0 (the start value): one per call, counted
 * from a random start. */
void ipc_client_request_id_set(struct ipc_client *c, uint64_t id);

/* One request of n_req records, one reply of up to max_rep records of rep_desc into `rep_out`.
 * Blocks at most timeout_ms in all. rep_desc may be NULL (no records wanted), n_out too (then
 * exactly one record is required when rep_desc is given).
 *   ERR_UNAVAILABLE  nobody listens, or the connection broke before the request was sent whole
 *   ERR_TIMEOUT      no answer in time, or it broke after sending: the outcome is unknown; a
 *                    mutation may be repeated, since all are idempotent
 *   ERR_INVALID      the answer was malformed
 *   else             the service's own status, its text in err_text() */
int ipc_client_call(struct ipc_client *c, uint16_t verb, const struct record_desc *req_desc,
		    const void *req, size_t n_req, const struct record_desc *rep_desc,
		    void *rep_out, size_t max_rep, size_t *n_out, int timeout_ms) MUST_USE;

/* A request whose reply is empty and hands over a file descriptor: the caller's to close.
 * ERR_INVALID: it came without; else as ipc_client_call. */
int ipc_client_call_fd(struct ipc_client *c, uint16_t verb, const struct record_desc *req_desc,
		       const void *req, size_t n_req, int *fd_out, int timeout_ms) MUST_USE;

/* Sends a message that has no reply. Never waits: ERR_BUSY when the socket is full and the message
 * was dropped, ERR_UNAVAILABLE when nobody listens. */
int ipc_client_post(struct ipc_client *c, uint16_t verb, const struct record_desc *desc,
		    const void *record) MUST_USE;

static inline void ipc_client_auto_free(struct ipc_client **c)
{
	ipc_client_free(*c);
}
#define AUTO_IPC_CLIENT __attribute__((cleanup(ipc_client_auto_free))) struct ipc_client *

#endif
