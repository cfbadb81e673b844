/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict on an authentication. It is kept with the outer request, where answer_ops.c holds the
 * answer against it.
 */
#include "radius_modules/rlm_pump/attempt.h"

#include "base/clock.h"
#include "policies/tls_profile.h"
#include "radius_modules/rlm_pump/mac_text.h"
#include "radius_modules/rlm_pump/subject_text.h"

#define SESSION_DEFAULT_S 43200 /* when the zone sets none */
#define SESSION_MIN_S 60
#define PORT_TYPE_ETHERNET 15 /* RFC 2865 5.41 */
#define SERVICE_CALL_CHECK 10 /* RFC 2865 5.6 */

/* Never past the certificate's end: what is in force now must be asked again then. */
static uint32_t session_seconds(uint32_t zone_s, int64_t not_after_ms, int64_t now_ms)
{
	int64_t left_s = (not_after_ms - now_ms) / 1000;
	uint32_t s = zone_s ? zone_s : SESSION_DEFAULT_S;

	if (left_s < s)
		s = left_s > 0 ? (uint32_t)left_s : 0;
	return s > SESSION_MIN_S ? s : SESSION_MIN_S;
}

/* Answers by the verdict: only a positive one sets Auth-Type, without which FreeRADIUS rejects. */
static rlm_rcode_t verdict_answer(REQUEST *request, struct attempt *a)
{
	if (a->verdict.kind == VERDICT_REJECT)
		return RLM_MODULE_REJECT;
	if (!attempt_reply_place(request, a) ||
	    !pair_make_config("Auth-Type", "Accept", T_OP_SET)) {
		a->verdict = (struct verdict){VERDICT_REJECT, REASON_NONE};
		snprintf(a->detail, sizeof(a->detail), "the reply could not be built");
		return RLM_MODULE_REJECT;
	}
	return RLM_MODULE_OK;
}

/* ---- EAP-TLS: called in check-eap-tls, after the handshake, before the Accept ---- */

static void device_from_san(const char *san_uri, char device[DEVICE_SERIAL_SIZE])
{
	static const char prefix[] = "urn:pumpgate:pump:";

	if (strncmp(san_uri, prefix, sizeof(prefix) - 1) != 0 ||
	    str_copy(device, DEVICE_SERIAL_SIZE, san_uri + sizeof(prefix) - 1))
		device[0] = '\0';
}

static void sessions_forget(struct pump_shared *s, const struct cert_name *q)
{
	struct session_owner owner = {0};

	memcpy(owner.issuer, q->issuer, sizeof(owner.issuer));
	memcpy(owner.cert_serial, q->cert_serial, sizeof(owner.cert_serial));
	session_cache_drop_owner(s->sessions, &owner);
}

/* What a certificate of ours shows, and the registry says of it; `v` points into the others. */
struct cert_seen {
	struct cert_name q;
	struct pump_facts f;
	struct zone_facts low; /* where a pump goes that is below its model's floor */
	char san_uri[128], identity[USER_NAME_SIZE];
	struct verdict_cert_facts v;
};

static void cert_see(struct pump_shared *s, REQUEST *request, struct attempt *a,
		     struct cert_seen *c)
{
	VALUE_PAIR *vps = request->packet->vps;

	PUMP_TEXT(c->q.issuer, vps, PW_TLS_CLIENT_CERT_ISSUER);
	PUMP_TEXT(c->q.cert_serial, vps, PW_TLS_CLIENT_CERT_SERIAL);
	PUMP_TEXT(c->san_uri, vps, PW_TLS_CLIENT_CERT_SUBJECT_ALT_NAME_URI);
	PUMP_TEXT(c->identity, vps, PW_USER_NAME);
	if (!*c->q.issuer || !*c->q.cert_serial)
		c->v.answered = true; /* nothing to ask for: the verdict says no-serial */
	else if (registry_link_pump_facts(s->link, &c->q, &c->f))
		snprintf(a->detail, sizeof(a->detail), "%s", err_text());
	else
		c->v.answered = true;
	c->v.found = c->f.found;
	c->v.cert_serial = *c->q.issuer ? c->q.cert_serial : "";
	c->v.cert = cert_state_parse(c->f.cert_state);
	c->v.device = device_state_parse(c->f.device_state);
	c->v.not_before_ms = c->f.not_before;
	c->v.not_after_ms = c->f.not_after;
	c->v.registry_name = c->f.device;
	c->v.san_uri = c->san_uri;
	c->v.identity = c->identity;
	c->v.vlan = c->f.vlan;
	pump_tls_seen(request, &a->tls);
	c->v.tls = a->tls.version;
	c->v.tls_min = c->f.tls_min;
	c->v.resumed = fr_pair_find_by_da(request->parent->reply->vps, s->resumed, TAG_ANY) != NULL;
	if (!c->v.answered) /* for people; the chain to our CA holds, whatever the registry says */
		device_from_san(c->san_uri, c->f.device);
	memcpy(a->issuer, c->q.issuer, sizeof(a->issuer));
	memcpy(a->cert_serial, c->q.cert_serial, sizeof(a->cert_serial));
	memcpy(a->device, c->f.device, sizeof(a->device));
}

/* The map of standings tells the floor; the zone is asked for where it is needed alone. */
static void low_zone_see(struct pump_shared *s, struct attempt *a, struct cert_seen *c)
{
	static const struct zone_query q = {.purpose = "quarantine"};

	if (!c->v.answered || c->v.device != DEVICE_ENROLLED ||
	    !tls_is_below(c->v.tls, c->v.tls_min))
		return;
	if (registry_link_zone_facts(s->link, &q, &c->low)) {
		c->v.answered = false;
		snprintf(a->detail, sizeof(a->detail), "%s", err_text());
		return;
	}
	c->v.low_vlan = c->low.vlan;
	snprintf(a->detail, sizeof(a->detail), "TLS %s, its model must have %s",
		 c->v.tls ? tls_version_name(c->v.tls) : "unknown", tls_version_name(c->v.tls_min));
}

static void low_place(struct attempt *a, const struct cert_seen *c, int64_t now_ms)
{
	memcpy(a->zone, c->low.zone, sizeof(a->zone));
	memcpy(a->filter_id, c->low.filter_id, sizeof(a->filter_id));
	a->vlan = c->low.vlan;
	a->session_s = session_seconds(c->low.session_s, c->f.not_after, now_ms);
}

static void cert_verdict(struct pump_shared *s, REQUEST *request, struct attempt *a)
{
	struct cert_seen c = {0};
	const struct pump_facts *f = &c.f;
	int64_t now_ms = clock_wall_ms();

	cert_see(s, request, a, &c);
	low_zone_see(s, a, &c);
	a->verdict = verdict_cert(&c.v, now_ms);
	a->method = c.v.resumed ? PUMP_METHOD_RESUMED : PUMP_METHOD_EAP;
	if (a->verdict.kind == VERDICT_REJECT) {
		if (c.v.answered) /* no key of a refused certificate stays in memory */
			sessions_forget(s, &c.q);
		return;
	}
	if (a->verdict.reason == REASON_TLS_BELOW_MODEL) {
		low_place(a, &c, now_ms);
		return;
	}
	memcpy(a->zone, f->zone, sizeof(a->zone));
	memcpy(a->filter_id, f->filter_id, sizeof(a->filter_id));
	a->vlan = f->vlan;
	a->session_s = session_seconds(f->session_s, f->not_after, now_ms);
}

rlm_rcode_t pump_verdict(struct pump_shared *s, REQUEST *request)
{
	struct attempt *a;

	if (!request->parent) /* not inside EAP: no handshake stands behind this call */
		return RLM_MODULE_REJECT;
	a = attempt_of(s, request->parent, true);
	if (!a)
		return RLM_MODULE_REJECT;
	cert_verdict(s, request, a);
	return verdict_answer(request, a);
}

/* ---- EAP-TLS with a maker's birth certificate: called in check-eap-birth, whose EAP instance
 * trusts makers and nobody else; into the onboarding zone or nowhere ---- */

static void birth_verdict(struct pump_shared *s, REQUEST *request, struct attempt *a)
{
	VALUE_PAIR *vps = request->packet->vps;
	struct birth_query q = {0};
	struct birth_facts f = {0};
	struct verdict_birth_facts v = {0};
	char subject[USER_NAME_SIZE];

	pump_tls_seen(request, &a->tls);
	PUMP_TEXT(subject, vps, PW_TLS_CLIENT_CERT_SUBJECT);
	PUMP_TEXT(a->issuer, vps, PW_TLS_CLIENT_CERT_ISSUER);
	snprintf(a->detail, sizeof(a->detail), "birth certificate %.200s", subject);
	if (subject_serial(subject, q.device)) { /* else the verdict says no-serial */
		v.answered = !registry_link_birth_facts(s->link, &q, &f);
		if (!v.answered)
			snprintf(a->detail, sizeof(a->detail), "%s", err_text());
	}
	v.serial = q.device;
	v.found = f.found;
	v.vouched = f.vouched;
	v.device = device_state_parse(f.device_state);
	v.onboarding_vlan = f.vlan;
	a->verdict = verdict_birth(&v);
	if (f.found)
		memcpy(a->device, q.device, sizeof(a->device));
	if (a->verdict.kind != VERDICT_ONBOARD)
		return;
	memcpy(a->zone, f.zone, sizeof(a->zone));
	memcpy(a->filter_id, f.filter_id, sizeof(a->filter_id));
	a->vlan = f.vlan;
	a->session_s = f.session_s ? f.session_s : SESSION_DEFAULT_S;
}

rlm_rcode_t pump_birth(struct pump_shared *s, REQUEST *request)
{
	struct attempt *a;

	if (!request->parent) /* not inside EAP */
		return RLM_MODULE_REJECT;
	a = attempt_of(s, request->parent, true);
	if (!a)
		return RLM_MODULE_REJECT;
	a->method = PUMP_METHOD_BIRTH;
	birth_verdict(s, request, a);
	return verdict_answer(request, a);
}

/* ---- EAP-TLS with a certificate past its end: called in check-eap-return ---- */

static void return_verdict(struct pump_shared *s, REQUEST *request, struct attempt *a)
{
	struct cert_seen c = {0};
	struct birth_query q = {0};
	struct birth_facts zone = {0}; /* the onboarding zone alone is looked at */

	cert_see(s, request, a, &c);
	memcpy(q.device, c.f.device, sizeof(q.device));
	if (c.v.answered && c.f.found && registry_link_birth_facts(s->link, &q, &zone)) {
		c.v.answered = false;
		snprintf(a->detail, sizeof(a->detail), "%s", err_text());
	}
	a->verdict = verdict_return(&c.v, s->late_max_ms, zone.vlan, clock_wall_ms());
	if (a->verdict.kind != VERDICT_ONBOARD)
		return;
	memcpy(a->zone, zone.zone, sizeof(a->zone));
	memcpy(a->filter_id, zone.filter_id, sizeof(a->filter_id));
	a->vlan = zone.vlan;
	a->session_s = zone.session_s ? zone.session_s : SESSION_DEFAULT_S;
}

rlm_rcode_t pump_return(struct pump_shared *s, REQUEST *request)
{
	struct attempt *a;

	if (!request->parent) /* not inside EAP */
		return RLM_MODULE_REJECT;
	a = attempt_of(s, request->parent, true);
	if (!a)
		return RLM_MODULE_REJECT;
	a->method = PUMP_METHOD_RETURN;
	return_verdict(s, request, a);
	return verdict_answer(request, a);
}

/* ---- MAC authentication (Service-Type Call-Check, no EAP) ---- */

/* The pump's MAC; "" unless User-Name and Calling-Station-Id name the same. */
static void mac_read(REQUEST *request, char mac[MAC_SIZE])
{
	char station[LABEL_SIZE], name[USER_NAME_SIZE], name_mac[MAC_SIZE];

	PUMP_TEXT(station, request->packet->vps, PW_CALLING_STATION_ID);
	PUMP_TEXT(name, request->packet->vps, PW_USER_NAME);
	if (mac_normalise(station, mac) || mac_normalise(name, name_mac) || strcmp(mac, name_mac))
		mac[0] = '\0';
}

static void mac_verdict(struct pump_shared *s, REQUEST *request, struct attempt *a)
{
	struct mac_query q = {0};
	struct mac_facts f = {0};
	struct verdict_mac_facts v = {0};

	mac_read(request, q.mac);
	v.wired = pump_number(request->packet->vps, PW_NAS_PORT_TYPE, 0) == PORT_TYPE_ETHERNET;
	if (!*q.mac)
		snprintf(a->detail, sizeof(a->detail),
			 "User-Name and Calling-Station-Id are not one MAC address");
	if (!*q.mac || !v.wired) /* decided without the registry */
		v.answered = true;
	else if (registry_link_mac_facts(s->link, &q, &f))
		snprintf(a->detail, sizeof(a->detail), "%s", err_text());
	else
		v.answered = true;
	v.found = f.found;
	v.device = device_state_parse(f.device_state);
	v.window_until_ms = f.window_until;
	v.onboarding_vlan = f.vlan;
	a->verdict = verdict_mac(&v, clock_wall_ms());
	memcpy(a->device, f.device, sizeof(a->device));
	if (a->verdict.kind != VERDICT_ONBOARD)
		return;
	memcpy(a->zone, f.zone, sizeof(a->zone));
	memcpy(a->filter_id, f.filter_id, sizeof(a->filter_id));
	a->vlan = f.vlan;
	/* back in the pump's own zone as soon as it may have its certificate */
	a->session_s = session_seconds(f.session_s, f.window_until, clock_wall_ms());
}

/* Called in the virtual server `mab`, which FreeRADIUS runs as a request of its own. */
rlm_rcode_t pump_mab(struct pump_shared *s, REQUEST *request)
{
	struct attempt *a;

	if (!request->parent) /* not in that virtual server: its gate would be missing */
		return RLM_MODULE_REJECT;
	a = attempt_of(s, request->parent, true);
	if (!a)
		return RLM_MODULE_REJECT;
	if (pump_number(request->packet->vps, PW_SERVICE_TYPE, 0) != SERVICE_CALL_CHECK) {
		a->verdict = (struct verdict){VERDICT_REJECT, REASON_METHOD_NOT_ALLOWED};
		return RLM_MODULE_REJECT;
	}
	a->method = PUMP_METHOD_MAB;
	mac_verdict(s, request, a);
	return verdict_answer(request, a);
}
