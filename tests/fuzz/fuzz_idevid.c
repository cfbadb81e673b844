/* SPDX-License-Identifier: BSD-2-Clause */
/* What any client may show in TLS as a birth certificate, and the hardwareModuleName in it: read
 * within bounds, and never a name that no pump can have. */
#include <string.h>

#include "ca/request/idevid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void name_check(const struct idevid_name *name)
{
	if (!device_name_is_valid(name->serial) || strlen(name->hw_type) >= sizeof(name->hw_type))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct idevid_name name;
	AUTO_X509 cert = NULL;

	if (idevid_hardware_module_parse(data, size, &name) == 0)
		name_check(&name);
	if (ossl_cert_parse(data, size, &cert) == 0 && idevid_name_read(cert, &name) == 0)
		name_check(&name);
	return 0;
}
