/* SPDX-License-Identifier: BSD-2-Clause */
/* The states of a pump and of a certificate, and their stable names. Pure. */
#ifndef POLICIES_STANDING_H
#define POLICIES_STANDING_H

#include <stdbool.h>

/* Zero is the safe value: an unreadable state is unknown, and unknown is refused. */
enum device_state {
	DEVICE_UNKNOWN = 0,
	DEVICE_EXPECTED, /* in the inventory, no certificate yet */
	DEVICE_ENROLLED, /* has been given a certificate */
	DEVICE_REVOKED,	 /* must not come back */
	DEVICE_HELD,	 /* the registry was restored and does not know whether it was revoked */
	/* enrolled, but let into another zone than its own */
	DEVICE_QUARANTINED,
	DEVICE_PARKED,
};

enum cert_state {
	CERT_UNKNOWN = 0,
	CERT_RESERVED,	 /* its serial is taken, no certificate was stored */
	CERT_VALID,	 /* in force */
	CERT_SUPERSEDED, /* a newer one of the same pump has been used */
	CERT_REVOKED,
};

/* "unknown", "expected", "enrolled", "revoked", "held", "quarantined", "parked"; never NULL. */
const char *device_state_name(enum device_state s);
/* DEVICE_UNKNOWN for any other text. */
enum device_state device_state_parse(const char *name);
/* It has been given a certificate and was not revoked: also one that is quarantined or parked. */
bool device_state_is_enrolled(enum device_state s);
/* "unknown", "reserved", "valid", "superseded", "revoked"; never NULL. */
const char *cert_state_name(enum cert_state s);
enum cert_state cert_state_parse(const char *name);

#endif
