/* SPDX-License-Identifier: BSD-2-Clause */
/* What any server may say in /csrattrs, to a pump that has yet to enrol: read within bounds, and no
 * key asked for that is weaker than the CA takes. */
#include "pump_agent/csrattrs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csr_wishes w;

	if (csrattrs_parse(data, size, &w) == 0 && (unsigned)w.key > KEY_RSA4096)
		__builtin_trap();
	if (csrattrs_decode(data, size, &w) == 0 && (unsigned)w.key > KEY_RSA4096)
		__builtin_trap();
	return 0;
}
