/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verdict on one authentication: a pure function of facts. It knows no RADIUS, no clock and no
 * database; everything comes in as arguments, so that its whole truth table is tested.
 */
#ifndef POLICIES_VERDICT_H
#define POLICIES_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "policies/reason.h"
#include "policies/standing.h"

enum verdict_kind {
	VERDICT_REJECT = 0, /* zero is the safe value */
	VERDICT_ACCEPT,	    /* into the pump's own zone */
	VERDICT_ONBOARD,    /* into the onboarding zone */
	VERDICT_QUARANTINE, /* into the quarantine zone */
	VERDICT_PARK,	    /* into the parking zone */
};

struct verdict {
	enum verdict_kind kind;
	enum reason reason;
};

/* An EAP-TLS authentication whose TLS handshake succeeded. All strings non-NULL; "" means absent.
 */
struct verdict_cert_facts {
	bool answered;		 /* the registry answered in time; else nothing below counts */
	bool found;		 /* the registry knows issuer + serial */
	const char *cert_serial; /* as seen in this handshake or kept for this TLS session */
	enum cert_state cert;
	enum device_state device;
	int64_t not_before_ms;
	int64_t not_after_ms;
	const char *registry_name; /* the pump's serial in the registry */
	const char *san_uri;	   /* as seen; "" when not visible (resumed handshake) */
	const char *identity;	   /* what the peer claimed (EAP identity, User-Name) */
	uint32_t vlan;		   /* of the zone for a pump in this state; 0: none */
	bool resumed;		   /* then the SAN may be missing */
	/* policies/tls_profile.h; what verdict_return does not look at */
	uint32_t tls;	   /* of this connection; 0: not known */
	uint32_t tls_min;  /* of the pump's model; 0: none */
	uint32_t low_vlan; /* of the zone for what is below that; 0: none */
};
struct verdict verdict_cert(const struct verdict_cert_facts *f, int64_t now_ms);

/* What a certificate that is good in every way gets a pump in this state. */
enum verdict_kind verdict_for_state(enum device_state s);

/* MAC authentication. */
struct verdict_mac_facts {
	bool answered;
	bool found;
	bool wired; /* the NAS says that the port is a wired one */
	enum device_state device;
	int64_t window_until_ms;
	uint32_t onboarding_vlan;
};
struct verdict verdict_mac(const struct verdict_mac_facts *f, int64_t now_ms);

/* EAP-TLS with a maker's birth certificate: into the onboarding zone or nowhere. */
struct verdict_birth_facts {
	bool answered;
	const char *serial; /* of the certificate's subject; "" when there is not just one */
	bool found;	    /* the inventory has such a pump */
	bool vouched;	    /* and an enabled maker may vouch for its maker and model */
	enum device_state device;
	uint32_t onboarding_vlan;
};
struct verdict verdict_birth(const struct verdict_birth_facts *f);

/* EAP-TLS with a certificate of ours that is past its end: into the onboarding zone, where it may
 * renew, or nowhere. Facts as for verdict_cert, but that the identity is not looked at. */
struct verdict verdict_return(const struct verdict_cert_facts *f, int64_t late_max_ms,
			      uint32_t onboarding_vlan, int64_t now_ms);

/* "reject", "accept", "onboard", "quarantine", "park"; never NULL. */
const char *verdict_name(enum verdict_kind k);

#endif
