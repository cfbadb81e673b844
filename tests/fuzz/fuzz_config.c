/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings files: any bytes as pumpgate.conf. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO_CONFIG c = NULL;
	char path[32];
	uint32_t port;
	int64_t ms;
	int fd = memfd_create("conf", MFD_CLOEXEC);

	if (fd < 0 || (len && write(fd, data, len) != (ssize_t)len))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_read(path, &c) == 0) {
		if (!config_u32(c, "listen", "est_port", 8443, 1, 65535, &port) &&
		    (port < 1 || port > 65535))
			abort();
		if (!config_duration(c, "ca", "device_validity", "365d", &ms) && ms < 0)
			abort();
		if (!config_check_unused(c, "listen") &&
		    config_str(c, "listen", "no_such_setting", NULL))
			abort();
	} else if (c) {
		abort();
	}
	close(fd);
	return 0;
}
