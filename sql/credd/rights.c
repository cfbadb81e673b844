/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what admins who are no security officers may ask. A verb that is not here is not theirs. */
#include "sql/credd/credd.h"
#include "sql/proto/cred_verbs.h"

static bool viewer_may(uint16_t verb)
{
	switch (verb) {
	case CRED_STATUS:
	case CRED_ROLE_LIST:
	case CRED_USER_LIST:
	case CRED_USER_SHOW:
	case CRED_USER_ROLES:
	case CRED_DIRECTORY_HEALTH:
	case CRED_GLASS_COUNT:
		return true;
	default:
		return false;
	}
}

/* Who was where and when is for the auditor; badges and codes are for officers. */
static bool auditor_may(uint16_t verb)
{
	return viewer_may(verb) || verb == CRED_LOGIN_LIST || verb == CRED_AUDIT_TAIL ||
	       verb == CRED_AUDIT_VERIFY || verb == CRED_GLASS_LIST;
}

bool (*const cred_rights[ADMIN_KINDS])(uint16_t verb) = {
	[ADMIN_VIEWER] = viewer_may,
	[ADMIN_ONBOARDER] = viewer_may,
	[ADMIN_AUDITOR] = auditor_may,
};
