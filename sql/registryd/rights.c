/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what admins who are no security officers may ask. A verb that is not here is not theirs. */
#include "sql/proto/registry_verbs.h"
#include "sql/registryd/service.h"

static bool viewer_may(uint16_t verb)
{
	switch (verb) {
	case REGISTRY_ZONE_LIST:
	case REGISTRY_NAS_LIST:
	case REGISTRY_NAS_SHOW:
	case REGISTRY_NAS_CERT_LIST:
	case REGISTRY_DEVICE_LIST:
	case REGISTRY_DEVICE_SHOW:
	case REGISTRY_DEVICE_LOOK:
	case REGISTRY_REPORT_SHOW:
	case REGISTRY_DECOMMISSION_SHOW:
	case REGISTRY_MODEL_LIST:
	case REGISTRY_MODEL_CHECK:
	case REGISTRY_ANCHOR_COUNT:
	case REGISTRY_ANCHOR_LACK:
	case REGISTRY_ISSUER_COUNT:
	case REGISTRY_ISSUER_LACK:
	case REGISTRY_REVOCATION:
	case REGISTRY_ORDER_LIST:
	case REGISTRY_PENDING_LIST:
	case REGISTRY_EVENT_LIST:
	case REGISTRY_CERT_LIST:
	case REGISTRY_CERT_SHOW:
	case REGISTRY_SESSION_LIST:
	case REGISTRY_STATUS:
	case REGISTRY_MAKER_LIST:
	case REGISTRY_APPROVAL_LIST:
	case REGISTRY_ALARM_LIST:
	case REGISTRY_ALARM_SHOW:
	case REGISTRY_GAP_LIST:
	case REGISTRY_RECALL_SHOW:
	case REGISTRY_RECALL_LIST:
	case REGISTRY_RECALL_NAS:
	case REGISTRY_ROTATION_SHOW:
	case REGISTRY_ROTATION_WAVES:
		return true;
	default:
		return false;
	}
}

static bool onboarder_may(uint16_t verb)
{
	return viewer_may(verb) || verb == REGISTRY_DEVICE_ADD || verb == REGISTRY_TOKEN_CREATE ||
	       verb == REGISTRY_DEVICE_MAC;
}

static bool auditor_may(uint16_t verb)
{
	return viewer_may(verb) || verb == REGISTRY_AUDIT_TAIL || verb == REGISTRY_AUDIT_VERIFY;
}

bool (*const registry_rights[ADMIN_KINDS])(uint16_t verb) = {
	[ADMIN_VIEWER] = viewer_may,
	[ADMIN_ONBOARDER] = onboarder_may,
	[ADMIN_AUDITOR] = auditor_may,
};
