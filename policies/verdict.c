/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the verdict on one authentication. Pure: the facts and the time come in as arguments. Every
 * path that is not spelled out as an accept ends in a reject.
 */
#include "policies/verdict.h"

#include <string.h>

#define SAN_PREFIX "urn:pumpgate:pump:"

/* VLAN ids that a port can be put into (IEEE 802.1Q: 0 and 4095 are reserved). */
#define VLAN_MIN 1
#define VLAN_MAX 4094

static bool vlan_is_usable(uint32_t vlan)
{
	return vlan >= VLAN_MIN && vlan <= VLAN_MAX;
}

static struct verdict reject(enum reason r)
{
	return (struct verdict){.kind = VERDICT_REJECT, .reason = r};
}

/* The certificate's own name must be the registry's; only a resumed session may not show it. */
static bool san_agrees(const struct verdict_cert_facts *f)
{
	const size_t prefix = sizeof(SAN_PREFIX) - 1;

	if (!*f->san_uri)
		return f->resumed;
	return !strncmp(f->san_uri, SAN_PREFIX, prefix) &&
	       !strcmp(f->san_uri + prefix, f->registry_name);
}

/* REASON_NONE: in force at now_ms. What was taken back counts before what merely ran out. */
static enum reason standing_reason(const struct verdict_cert_facts *f, int64_t now_ms)
{
	switch (f->device) {
	case DEVICE_ENROLLED:
	case DEVICE_QUARANTINED:
	case DEVICE_PARKED:
		break;
	case DEVICE_REVOKED:
		return REASON_PUMP_REVOKED;
	case DEVICE_HELD:
		return REASON_RESTORED_GAP;
	case DEVICE_EXPECTED:
		return REASON_NOT_ENROLLED;
	case DEVICE_UNKNOWN:
	default:
		return REASON_UNKNOWN_PUMP;
	}
	switch (f->cert) {
	case CERT_VALID:
		break;
	case CERT_REVOKED:
		return REASON_CERTIFICATE_REVOKED;
	case CERT_SUPERSEDED:
		return REASON_CERTIFICATE_SUPERSEDED;
	case CERT_RESERVED:
		return REASON_CERTIFICATE_RESERVED;
	case CERT_UNKNOWN:
	default:
		return REASON_UNKNOWN_CERTIFICATE;
	}
	if (f->not_after_ms <= now_ms)
		return REASON_CERTIFICATE_EXPIRED;
	if (f->not_before_ms > now_ms)
		return REASON_CERTIFICATE_NOT_YET_VALID;
	return REASON_NONE;
}

enum verdict_kind verdict_for_state(enum device_state s)
{
	switch (s) {
	case DEVICE_ENROLLED:
		return VERDICT_ACCEPT;
	case DEVICE_QUARANTINED:
		return VERDICT_QUARANTINE;
	case DEVICE_PARKED:
		return VERDICT_PARK;
	case DEVICE_REVOKED:
	case DEVICE_EXPECTED:
	case DEVICE_UNKNOWN:
	default:
		return VERDICT_REJECT;
	}
}

/* It may be cared for there: a reject would be the harder thing for a pump that infuses. */
static struct verdict placed_low(const struct verdict_cert_facts *f)
{
	if (!vlan_is_usable(f->low_vlan))
		return reject(REASON_TLS_BELOW_MODEL);
	return (struct verdict){.kind = VERDICT_QUARANTINE, .reason = REASON_TLS_BELOW_MODEL};
}

/* Into the zone that the pump's state leads to, if there is one. */
static struct verdict placed(const struct verdict_cert_facts *f)
{
	static const struct {
		enum reason on, no_zone;
	} reasons[] = {
		[VERDICT_ACCEPT] = {REASON_IN_GOOD_STANDING, REASON_NO_ZONE},
		[VERDICT_QUARANTINE] = {REASON_QUARANTINED, REASON_NO_QUARANTINE_ZONE},
		[VERDICT_PARK] = {REASON_PARKED, REASON_NO_PARKING_ZONE},
	};
	enum verdict_kind kind = verdict_for_state(f->device);

	if (!vlan_is_usable(f->vlan))
		return reject(reasons[kind].no_zone);
	if (kind == VERDICT_ACCEPT && f->tls < f->tls_min)
		return placed_low(f);
	return (struct verdict){.kind = kind, .reason = reasons[kind].on};
}

struct verdict verdict_cert(const struct verdict_cert_facts *f, int64_t now_ms)
{
	enum reason standing;

	if (!f->answered)
		return reject(REASON_REGISTRY_AWAY);
	if (!*f->cert_serial)
		return reject(REASON_NO_SERIAL);
	if (!f->found || !*f->registry_name)
		return reject(REASON_UNKNOWN_CERTIFICATE);
	if (!san_agrees(f))
		return reject(REASON_NAME_MISMATCH);
	if (strcmp(f->identity, f->registry_name) != 0)
		return reject(REASON_IDENTITY_MISMATCH);
	standing = standing_reason(f, now_ms);
	if (standing != REASON_NONE)
		return reject(standing);
	return placed(f);
}

struct verdict verdict_mac(const struct verdict_mac_facts *f, int64_t now_ms)
{
	if (!f->answered)
		return reject(REASON_REGISTRY_AWAY);
	if (!f->wired)
		return reject(REASON_NOT_WIRED);
	if (!f->found)
		return reject(REASON_UNKNOWN_PUMP);
	switch (f->device) {
	case DEVICE_EXPECTED:
		break;
	case DEVICE_ENROLLED:
	case DEVICE_QUARANTINED:
	case DEVICE_PARKED:
		return reject(REASON_ALREADY_ENROLLED);
	case DEVICE_REVOKED:
		return reject(REASON_PUMP_REVOKED);
	case DEVICE_HELD:
		return reject(REASON_RESTORED_GAP);
	case DEVICE_UNKNOWN:
	default:
		return reject(REASON_UNKNOWN_PUMP);
	}
	if (f->window_until_ms <= now_ms)
		return reject(REASON_WINDOW_CLOSED);
	if (!vlan_is_usable(f->onboarding_vlan))
		return reject(REASON_NO_ONBOARDING_ZONE);
	return (struct verdict){.kind = VERDICT_ONBOARD, .reason = REASON_ENROLMENT_WINDOW};
}

struct verdict verdict_birth(const struct verdict_birth_facts *f)
{
	if (!*f->serial)
		return reject(REASON_NO_SERIAL);
	if (!f->answered)
		return reject(REASON_REGISTRY_AWAY);
	if (!f->found)
		return reject(REASON_UNKNOWN_PUMP);
	if (!f->vouched)
		return reject(REASON_MAKER_REFUSED);
	switch (f->device) {
	case DEVICE_EXPECTED:
		break;
	case DEVICE_ENROLLED:
	case DEVICE_QUARANTINED:
	case DEVICE_PARKED:
		return reject(REASON_IDEVID_USED);
	case DEVICE_REVOKED:
		return reject(REASON_PUMP_REVOKED);
	case DEVICE_HELD:
		return reject(REASON_RESTORED_GAP);
	case DEVICE_UNKNOWN:
	default:
		return reject(REASON_UNKNOWN_PUMP);
	}
	if (!vlan_is_usable(f->onboarding_vlan))
		return reject(REASON_NO_ONBOARDING_ZONE);
	return (struct verdict){.kind = VERDICT_ONBOARD, .reason = REASON_BORN_PUMP};
}

struct verdict verdict_return(const struct verdict_cert_facts *f, int64_t late_max_ms,
			      uint32_t onboarding_vlan, int64_t now_ms)
{
	enum reason standing;

	if (!f->answered)
		return reject(REASON_REGISTRY_AWAY);
	if (!*f->cert_serial)
		return reject(REASON_NO_SERIAL);
	if (!f->found || !*f->registry_name)
		return reject(REASON_UNKNOWN_CERTIFICATE);
	if (f->resumed || !san_agrees(f))
		return reject(REASON_NAME_MISMATCH);
	standing = standing_reason(f, now_ms);
	if (standing == REASON_NONE)
		return reject(REASON_NOT_EXPIRED);
	if (standing != REASON_CERTIFICATE_EXPIRED)
		return reject(standing);
	if (now_ms - f->not_after_ms >= late_max_ms)
		return reject(REASON_CERTIFICATE_EXPIRED);
	if (f->device == DEVICE_QUARANTINED)
		return reject(REASON_QUARANTINED);
	if (f->device == DEVICE_PARKED)
		return reject(REASON_PARKED);
	if (!vlan_is_usable(onboarding_vlan))
		return reject(REASON_NO_ONBOARDING_ZONE);
	return (struct verdict){.kind = VERDICT_ONBOARD, .reason = REASON_RETURNING};
}

const char *verdict_name(enum verdict_kind k)
{
	static const char *const names[] = {"reject", "accept", "onboard", "quarantine", "park"};

	return names[(unsigned)k <= VERDICT_PARK ? k : VERDICT_REJECT];
}
