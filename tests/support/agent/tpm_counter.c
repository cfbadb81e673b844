/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests/system: says whether the TPM that TPM2OPENSSL_TCTI names holds an agent's counter
 * ("there") or none ("none"). Changes nothing in it. */
#include <stdio.h>
#include <stdlib.h>

#include "pump_agent/tpm_device.h"

int main(void)
{
	static const uint8_t nobodys[TPM_AUTH_BYTES];
	struct tpm_device *d = NULL;
	uint64_t value;
	int rc = tpm_device_open(getenv("TPM2OPENSSL_TCTI"), &d);

	rc = rc ? rc : tpm_device_counter_read(d, nobodys, &value);
	tpm_device_close(d);
	if (rc == ERR_NOT_FOUND || rc == ERR_DENIED) {
		puts(rc == ERR_DENIED ? "there" : "none");
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "tpm_counter: %s\n", rc ? err_text() : "its password is known");
	return EXIT_FAILURE;
}
