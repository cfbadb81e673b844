/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts that come from a NAS, or from TLS: Class builds back to itself, a MAC normalises to itself.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policies/tls_profile.h"
#include "radius_modules/rlm_pump/class_code.h"
#include "radius_modules/rlm_pump/mac_text.h"
#include "radius_modules/rlm_pump/tls_reason.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct class_code code;
	uint32_t version;
	char class[CLASS_SIZE], text[1024], mac[MAC_SIZE], again[MAC_SIZE];

	if (!class_parse(data, size, &code) &&
	    (class_build(&code, class) || strlen(class) != size || memcmp(class, data, size) != 0))
		abort();
	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!mac_normalise(text, mac) && (mac_normalise(mac, again) || strcmp(mac, again) != 0))
		abort();
	if (!*reason_name(tls_reason(text)))
		abort();
	version = tls_version_parse(text);
	if (version && tls_version_parse(tls_version_name(version)) != version)
		abort();
	return 0;
}
