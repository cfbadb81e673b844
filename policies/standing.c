/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the names of states. Pure. */
#include "policies/standing.h"

#include <stddef.h>
#include <string.h>

static const char *const device_names[] = {"unknown", "expected",    "enrolled", "revoked",
					   "held",    "quarantined", "parked"};
#define DEVICE_STATES (sizeof(device_names) / sizeof(device_names[0]))
static const char *const cert_names[] = {"unknown", "reserved", "valid", "superseded", "revoked"};

/* The index of `name`, 0 (unknown) when it is none of them. */
static size_t index_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 1; i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	return 0;
}

const char *device_state_name(enum device_state s)
{
	return device_names[(unsigned)s < DEVICE_STATES ? s : DEVICE_UNKNOWN];
}

enum device_state device_state_parse(const char *name)
{
	return (enum device_state)index_of(device_names, DEVICE_STATES, name);
}

bool device_state_is_enrolled(enum device_state s)
{
	return s == DEVICE_ENROLLED || s == DEVICE_QUARANTINED || s == DEVICE_PARKED;
}

const char *cert_state_name(enum cert_state s)
{
	return cert_names[(unsigned)s <= CERT_REVOKED ? s : CERT_UNKNOWN];
}

enum cert_state cert_state_parse(const char *name)
{
	return (enum cert_state)index_of(cert_names, CERT_REVOKED + 1, name);
}
