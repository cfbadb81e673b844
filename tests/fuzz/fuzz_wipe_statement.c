/* SPDX-License-Identifier: BSD-2-Clause */
/* What anybody may send as the statement of a wiped pump: taken apart within bounds, and a text
 * that is believed is the one that would be written for what it says. */
#include <string.h>

#include "ca/request/wipe_statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wipe_envelope e;
	struct wipe_statement s;
	AUTO_BUF again = {.max = WIPE_TEXT_MAX};

	if (wipe_envelope_parse(data, size, &e) == 0 &&
	    (e.text + e.text_len != data + size || e.cert_len > WIPE_CERT_MAX ||
	     e.signature_len > WIPE_SIGNATURE_MAX))
		__builtin_trap();
	if (wipe_text_parse(data, size, &s) == 0 &&
	    (wipe_text_build(&s, &again) || again.len != size || memcmp(again.data, data, size)))
		__builtin_trap();
	return 0;
}
