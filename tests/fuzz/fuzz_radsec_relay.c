/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes on a NAS's connection: cut into packets, taken apart and signed anew within bounds; and
 * nothing that a NAS sends can carry a hop of its own, or pass for radiusd's or dispatchd's. */
#include <string.h>

#include "radius_modules/radsec/relay.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void packet(const uint8_t *data, size_t size)
{
	char serials[RELAY_SERIALS_SIZE];
	struct relay_asked asked = {.code = RADIUS_ACCESS_REQUEST};
	struct radius_packet out;
	struct radius_view v, w;
	struct radius_attr a;
	struct hop_origin origin;
	size_t at = 0;
	unsigned hops = 0;

	if (radius_view_parse(data, size, &v))
		return;
	if (!relay_request(&v, "hop", &asked, &out)) {
		if (radius_view_parse(out.data, out.len, &w))
			__builtin_trap();
		while (radius_attr_next(&w, &at, &a))
			hops += a.type == HOP_ATTRIBUTE;
		if (hops != 1)
			__builtin_trap();
	}
	(void)!relay_answer(&v, &asked, &out);
	(void)!relay_status(&v, &out);
	if (!relay_disconnect(&v, TOKEN, 1, serials, &asked, &out))
		__builtin_trap(); /* nobody guesses the token */
	(void)!relay_disconnect_answer(&v, &asked, TOKEN, &out);
	if (radius_attr_find(&v, (enum radius_attr_type)HOP_ATTRIBUTE, &a))
		(void)!hop_parse((const char *)a.value, a.len, TOKEN, &origin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n;

	while (!relay_length(data, size < 4 ? size : 4, &n) && n && n <= size) {
		packet(data, n);
		data += n;
		size -= n;
	}
	return 0;
}
