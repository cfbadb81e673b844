/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a line of the issued list: no read past the end, and only whole entries come out. */
#include <string.h>

#include "ca/issued_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF store = {.max = 8192};
	uint8_t chain[ISSUED_CHAIN_BYTES] = {0};
	struct issued_entry e;
	char serial[sizeof(e.serial)];

	if (issued_line_check((const char *)data, size, 1, chain, serial) == 0 &&
	    strlen(serial) >= sizeof(serial))
		__builtin_trap();
	if (issued_line_parse((const char *)data, size, &store, &e) == 0 &&
	    (e.der != store.data || e.der_len != store.len ||
	     !memchr(e.device, '\0', sizeof(e.device))))
		__builtin_trap();
	return 0;
}
