/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of the server, in the order in which they start. */
#ifndef ENROLL_PUMPCTL_SERVICES_H
#define ENROLL_PUMPCTL_SERVICES_H

#include "enroll/pumpctl/settings.h"
#include "enroll/pumpctl/spawn.h"

#define SERVICES_N PROCESS_COUNT

struct service {
	enum process process;
	const char *program; /* NULL: FreeRADIUS, whose name differs between distributions */
};
extern const struct service services[SERVICES_N];

/* Where the program is. ERR_NOT_FOUND says what to do. */
int service_find(const struct service *v, char out[PATH_MAX]) MUST_USE;
/* Fills in path, arguments and user; `path` and `raddb` are PATH_MAX and must outlive `out`. */
int service_spawn(const struct service *v, const struct settings *s, char *path, char *raddb,
		  struct spawn *out) MUST_USE;

#endif
