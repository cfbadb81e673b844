/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ready-to-paste configuration of a NAS, one text per vendor: RADIUS servers, dynamic VLAN, MAC
 * authentication on wired ports, accounting, dynamic authorization. Pure, and it never holds a
 * secret: a word stands in its place.
 */
#ifndef ENROLL_PUMPCTL_NAS_CONFIG_H
#define ENROLL_PUMPCTL_NAS_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define NAS_CONFIG_SECRET "PUT-THE-SECRET-HERE"

struct nas_config {
	const char *name;
	const char *ip;	    /* of the NAS */
	const char *server; /* where it reaches RADIUS, and Disconnect-Requests come from */
	uint32_t auth_port;
	uint32_t acct_port;
	uint32_t das_port; /* 0: none */
	bool radsec;	   /* by certificate; then these two count, and no other port */
	uint32_t radsec_port;
	const char *radsec_name; /* in our certificate */
};

/* Vendors: hostapd, cisco-ios-xe, aruba, juniper; for RadSec radsecproxy and not hostapd.
 * ERR_INVALID for another; ERR_NOMEM, ERR_LIMIT. */
int nas_config_build(const char *vendor, const struct nas_config *in, struct buf *out) MUST_USE;

#endif
