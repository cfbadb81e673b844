/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame around a message on a local stream socket, 16 bytes, big-endian:
 *
 *   u32 payload length | u16 verb | i16 status | u64 request id
 *
 * A request has status 0. A reply repeats verb and request id; status 0 carries the verb's reply
 * records, a negative status (enum err) carries one ipc_failure record. The request id names the
 * outer event (one EST request, one RADIUS packet) in the log of every process it passes through.
 * The first message on a connection is IPC_HELLO with the role that the peer claims.
 */
#ifndef BASE_IPC_FRAME_H
#define BASE_IPC_FRAME_H

#include "base/ipc_record.h"

#define IPC_HEADER_BYTES 16
#define IPC_PAYLOAD_MAX (1024 * 1024)
#define IPC_HELLO 0 /* verb */
#define IPC_ROLE_MAX 17

struct ipc_header {
	uint32_t len;
	uint16_t verb;
	int16_t status;
	uint64_t request_id;
};

#define IPC_HELLO_FIELDS(X, S) X(S, STR, role, IPC_ROLE_MAX)
RECORD_DECLARE(ipc_hello, IPC_HELLO_FIELDS)

#define IPC_FAILURE_FIELDS(X, S) X(S, STR, text, 512)
RECORD_DECLARE(ipc_failure, IPC_FAILURE_FIELDS)

void ipc_header_build(const struct ipc_header *h, uint8_t out[IPC_HEADER_BYTES]);
/* ERR_LIMIT when the payload is announced longer than IPC_PAYLOAD_MAX. */
int ipc_header_parse(const uint8_t in[IPC_HEADER_BYTES], struct ipc_header *out) MUST_USE;

#endif
