/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the names of kinds of admins. */
#include "policies/admin_kinds.h"

const char *admin_kind_name(enum admin_kind kind)
{
	static const char *const names[ADMIN_KINDS] = {"viewer", "onboarder", "auditor"};

	return names[kind];
}

const char *admin_kind_key(enum admin_kind kind)
{
	static const char *const keys[ADMIN_KINDS] = {"viewers", "onboarders", "auditors"};

	return keys[kind];
}
