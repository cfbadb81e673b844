/* SPDX-License-Identifier: BSD-2-Clause */
/* Local messages: any bytes as frame header and record. What is taken must survive being written
 * and read again. */
#include <stdlib.h>
#include <string.h>

#include "base/ipc_frame.h"
#include "base/ipc_record.h"

#define EVERY_FIELDS(X, S)   \
	X(S, BOOL, on, 1)    \
	X(S, U32, small, 1)  \
	X(S, U64, wide, 1)   \
	X(S, TIME, at, 1)    \
	X(S, STR, name, 16)  \
	X(S, BLOB, key, 32)  \
	X(S, HIDE, token, 8) \
	X(S, STR, last, 2)
RECORD_DECLARE(every, EVERY_FIELDS)
RECORD_DESCRIBE(every, EVERY_FIELDS)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void round_trip(struct cursor *c)
{
	AUTO_BUF again = {.max = 4096};
	struct every first, second;
	struct cursor back;

	if (record_get(c, &record_every, &first))
		return;
	if (record_put(&again, &record_every, &first))
		abort();
	back = cursor_of(again.data, again.len);
	if (record_get(&back, &record_every, &second) || back.left ||
	    memcmp(&first, &second, sizeof(first)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cursor c = cursor_of(data, len);
	struct ipc_header h;
	uint8_t raw[IPC_HEADER_BYTES];

	if (len >= IPC_HEADER_BYTES && !ipc_header_parse(data, &h)) {
		ipc_header_build(&h, raw);
		if (h.len > IPC_PAYLOAD_MAX || memcmp(raw, data, sizeof(raw)))
			abort();
	}
	while (c.left) {
		size_t before = c.left;

		round_trip(&c);
		if (c.left == before)
			break;
	}
	return 0;
}
