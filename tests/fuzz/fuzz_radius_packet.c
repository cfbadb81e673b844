/* SPDX-License-Identifier: BSD-2-Clause */
/* Any datagram at all: parsing, walking and verifying it must stay within its bytes. */
#include "radius_modules/packet/radius_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zeros[RADIUS_AUTHENTICATOR_BYTES];
	struct radius_view v;
	uint32_t number;
	char text[64];

	if (radius_view_parse(data, size, &v))
		return 0;
	for (int type = 0; type < 256; type++) {
		radius_attr_u32(&v, (enum radius_attr_type)type, &number);
		radius_attr_str(&v, (enum radius_attr_type)type, text, sizeof(text));
		radius_attr_tagged_str(&v, (enum radius_attr_type)type, text, sizeof(text));
	}
	if (!radius_verify_reply(&v, zeros, "s", 1, true) &&
	    radius_verify_request(&v, "s", 1, false))
		__builtin_trap(); /* over an authenticator of zeros both are the same question */
	return 0;
}
