/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the frame header of local messages. Pure. */
#include "base/ipc_frame.h"

RECORD_DESCRIBE(ipc_hello, IPC_HELLO_FIELDS)
RECORD_DESCRIBE(ipc_failure, IPC_FAILURE_FIELDS)

void ipc_header_build(const struct ipc_header *h, uint8_t out[IPC_HEADER_BYTES])
{
	uint16_t status = (uint16_t)h->status;

	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(h->len >> (24 - 8 * i));
	out[4] = (uint8_t)(h->verb >> 8);
	out[5] = (uint8_t)h->verb;
	out[6] = (uint8_t)(status >> 8);
	out[7] = (uint8_t)status;
	for (int i = 0; i < 8; i++)
		out[8 + i] = (uint8_t)(h->request_id >> (56 - 8 * i));
}

int ipc_header_parse(const uint8_t in[IPC_HEADER_BYTES], struct ipc_header *out)
{
	struct cursor c = cursor_of(in, IPC_HEADER_BYTES);
	struct ipc_header h;
	uint16_t status;
	int rc;

	if ((rc = cursor_u32(&c, &h.len)) || (rc = cursor_u16(&c, &h.verb)) ||
	    (rc = cursor_u16(&c, &status)) || (rc = cursor_u64(&c, &h.request_id)))
		return rc;
	if (h.len > IPC_PAYLOAD_MAX)
		return err_set(ERR_LIMIT, "message of %u bytes, at most %d allowed", h.len,
			       IPC_PAYLOAD_MAX);
	h.status = (int16_t)status;
	*out = h;
	return 0;
}
