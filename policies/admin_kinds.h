/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The people who run Pumpgate, besides its security officers ([users] admins, who may do
 * everything): what they are called, and which key of [users] names them. What each may ask stands
 * in every service beside its verb table. Pure.
 */
#ifndef POLICIES_ADMIN_KINDS_H
#define POLICIES_ADMIN_KINDS_H

enum admin_kind {
	ADMIN_VIEWER,	 /* looks at pumps, NAS, sessions, alarms; changes nothing */
	ADMIN_ONBOARDER, /* and adds pumps and makes their tokens and bundles */
	ADMIN_AUDITOR,	 /* a viewer who reads, verifies and exports the audit */
	ADMIN_KINDS
};

/* "viewer", "onboarder", "auditor"; never NULL. */
const char *admin_kind_name(enum admin_kind kind);
/* "viewers", ...: the key in [users]. */
const char *admin_kind_key(enum admin_kind kind);

#endif
