/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict on an authentication, its attributes, and the event that every attempt leaves. The
 * verdict is kept with the outer request; admit and onboard, which run when an Access-Accept is
 * about to leave, refuse it unless the matching verdict is there: a hole in the configuration can't
 * admit.
 */
#include "radius_modules/rlm_pump/rlm_pump.h"

#include <inttypes.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/log.h"
#include "policies/tls_profile.h"
#include "radius_modules/rlm_pump/class_code.h"
#include "radius_modules/rlm_pump/mac_text.h"
#include "radius_modules/rlm_pump/subject_text.h"
#include "radius_modules/rlm_pump/tls_reason.h"

#define SESSION_DEFAULT_S 43200 /* when the zone sets none */
#define SESSION_MIN_S 60
#define INTERIM_S 600
#define PORT_TYPE_ETHERNET 15 /* RFC 2865 5.41 */
#define SERVICE_CALL_CHECK 10 /* RFC 2865 5.6 */
#define TUNNEL_TYPE_VLAN "13" /* RFC 3580 3.31 */
#define TUNNEL_MEDIUM_802 "6"
#define TERMINATION_RADIUS_REQUEST "1" /* RFC 2865 5.29: re-authenticate instead of ending */

struct attempt {
	uint64_t request_id;
	struct verdict verdict;
	const char *method;
	char device[DEVICE_SERIAL_SIZE];
	char issuer[ISSUER_SIZE];
	char cert_serial[CERT_SERIAL_SIZE];
	char zone[NAME_SIZE];
	char filter_id[LABEL_SIZE];
	char detail[TEXT_SIZE];
	uint32_t vlan;
	uint32_t session_s;
	struct tls_seen tls;
};

/* The attempt of this packet; made on first use, freed with the request. NULL without memory. */
static struct attempt *attempt_of(struct pump_shared *s, REQUEST *outer, bool make)
{
	struct attempt *a = request_data_reference(outer, s, 0);

	if (a || !make)
		return a;
	a = talloc_zero(outer, struct attempt);
	if (!a)
		return NULL;
	a->method = PUMP_METHOD_UNKNOWN;
	a->request_id = registry_link_request_begin(s->link);
	if (request_data_add(outer, s, 0, a, false) < 0)
		return NULL;
	return a;
}

/* ---- the event ---- */

static uint32_t took_us(REQUEST *request)
{
	struct timeval now, took;

	gettimeofday(&now, NULL);
	if (!timercmp(&now, &request->packet->timestamp, >))
		return 0;
	timersub(&now, &request->packet->timestamp, &took);
	return (uint32_t)took.tv_sec * 1000000U + (uint32_t)took.tv_usec;
}

static void event_build(REQUEST *request, const struct attempt *a, struct auth_event *e)
{
	VALUE_PAIR *vps = request->packet->vps;

	e->at = clock_wall_ms();
	snprintf(e->method, sizeof(e->method), "%s", a->method);
	snprintf(e->verdict, sizeof(e->verdict), "%s", verdict_name(a->verdict.kind));
	snprintf(e->reason, sizeof(e->reason), "%s", reason_name(a->verdict.reason));
	memcpy(e->device, a->device, sizeof(e->device));
	memcpy(e->issuer, a->issuer, sizeof(e->issuer));
	memcpy(e->cert_serial, a->cert_serial, sizeof(e->cert_serial));
	memcpy(e->zone, a->zone, sizeof(e->zone));
	memcpy(e->detail, a->detail, sizeof(e->detail));
	e->vlan = a->vlan;
	e->tls = a->tls.version;
	memcpy(e->tls_cipher, a->tls.cipher, sizeof(e->tls_cipher));
	PUMP_TEXT(e->identity, vps, PW_USER_NAME);
	PUMP_TEXT(e->calling_station, vps, PW_CALLING_STATION_ID);
	PUMP_TEXT(e->session_id, vps, PW_ACCT_SESSION_ID);
	if (mac_normalise(e->calling_station, e->mac))
		e->mac[0] = '\0';
	pump_nas_port(request, e->nas_port, sizeof(e->nas_port));
	pump_source_ip(request, e->nas_ip);
	if (str_copy(e->nas, sizeof(e->nas), pump_nas_name(request)))
		e->nas[0] = '\0';
	e->took_us = took_us(request);
}

static void event_log(const struct auth_event *e, uint64_t request_id)
{
	char identity[128], calling[96], detail[TEXT_SIZE * 2];

	log_escape(e->identity, strlen(e->identity), identity, sizeof(identity));
	log_escape(e->calling_station, strlen(e->calling_station), calling, sizeof(calling));
	log_escape(e->detail, strlen(e->detail), detail, sizeof(detail));
	radlog(L_AUTH,
	       "pump.auth verdict=%s reason=%s pump=%s identity=\"%s\" cert=%s method=%s nas=%s "
	       "station=\"%s\" zone=%s vlan=%u tls=%s us=%u request=%016" PRIx64 " detail=\"%s\"",
	       e->verdict, e->reason, e->device, identity, e->cert_serial, e->method, e->nas,
	       calling, e->zone, e->vlan, tls_version_name(e->tls), e->took_us, request_id, detail);
}

static void event_post(struct pump_shared *s, REQUEST *request, const struct attempt *a)
{
	struct auth_event e = {0};
	int rc;

	event_build(request, a, &e);
	event_log(&e, a->request_id);
	rc = registry_link_auth_event(s->link, &e);
	if (rc)
		radlog(L_WARN, "pump.event delivered=%s detail=\"%s\"",
		       rc == ERR_UNAVAILABLE ? "later" : "no", err_text());
}

/* ---- the reply ---- */

/* Never past the certificate's end: what is in force now must be asked again then. */
static uint32_t session_seconds(uint32_t zone_s, int64_t not_after_ms, int64_t now_ms)
{
	int64_t left_s = (not_after_ms - now_ms) / 1000;
	uint32_t s = zone_s ? zone_s : SESSION_DEFAULT_S;

	if (left_s < s)
		s = left_s > 0 ? (uint32_t)left_s : 0;
	return s > SESSION_MIN_S ? s : SESSION_MIN_S;
}

static bool reply_place(REQUEST *request, const struct attempt *a)
{
	struct class_code code = {{0}, {0}};
	char class[CLASS_SIZE];
	VALUE_PAIR *vp;

	memcpy(code.device, a->device, sizeof(code.device));
	memcpy(code.cert_serial, a->cert_serial, sizeof(code.cert_serial));
	if (class_build(&code, class))
		return false;
	vp = fr_pair_afrom_num(request->reply, PW_CLASS, 0);
	if (!vp)
		return false;
	fr_pair_value_memcpy(vp, (uint8_t const *)class, strlen(class));
	fr_pair_add(&request->reply->vps, vp);
	return pump_reply(request, "Tunnel-Type", TUNNEL_TYPE_VLAN) &&
	       pump_reply(request, "Tunnel-Medium-Type", TUNNEL_MEDIUM_802) &&
	       pump_reply_number(request, "Tunnel-Private-Group-Id", a->vlan) &&
	       (!*a->filter_id || pump_reply(request, "Filter-Id", a->filter_id)) &&
	       pump_reply_number(request, "Session-Timeout", a->session_s) &&
	       pump_reply(request, "Termination-Action", TERMINATION_RADIUS_REQUEST) &&
	       pump_reply_number(request, "Acct-Interim-Interval", INTERIM_S);
}

/* Answers by the verdict: only a positive one sets Auth-Type, without which FreeRADIUS rejects. */
static rlm_rcode_t verdict_answer(REQUEST *request, struct attempt *a)
{
	if (a->verdict.kind == VERDICT_REJECT)
		return RLM_MODULE_REJECT;
	if (!reply_place(request, a) || !pair_make_config("Auth-Type", "Accept", T_OP_SET)) {
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

/* ---- when the answer is about to leave ---- */

/* The MAC that the NAS names; "" for none. */
static void station_read(REQUEST *request, char mac[MAC_SIZE])
{
	char station[LABEL_SIZE];

	PUMP_TEXT(station, request->packet->vps, PW_CALLING_STATION_ID);
	if (mac_normalise(station, mac))
		mac[0] = '\0';
}

/* By which way an Accept may leave; each has its section of post-auth. */
enum way {
	WAY_PUMP, /* a pump's own certificate */
	WAY_BIRTH,
	WAY_RETURN, /* its own certificate, which has ended */
	WAY_MAC,
};

/* EAP-TLS may lead into the pump's own zone or one that it is held in; MAC authentication and a
 * birth certificate only into the onboarding zone. */
static bool verdict_fits(const struct attempt *a, enum way way)
{
	switch (way) {
	case WAY_PUMP:
		return (!strcmp(a->method, PUMP_METHOD_EAP) ||
			!strcmp(a->method, PUMP_METHOD_RESUMED)) &&
		       (a->verdict.kind == VERDICT_ACCEPT ||
			a->verdict.kind == VERDICT_QUARANTINE || a->verdict.kind == VERDICT_PARK);
	case WAY_BIRTH:
		return !strcmp(a->method, PUMP_METHOD_BIRTH) && a->verdict.kind == VERDICT_ONBOARD;
	case WAY_RETURN:
		return !strcmp(a->method, PUMP_METHOD_RETURN) && a->verdict.kind == VERDICT_ONBOARD;
	case WAY_MAC:
		return !strcmp(a->method, PUMP_METHOD_MAB) && a->verdict.kind == VERDICT_ONBOARD;
	default:
		return false;
	}
}

static bool accept_fits(REQUEST *request, const struct attempt *a, enum way way)
{
	bool eap = fr_pair_find_by_num(request->packet->vps, PW_EAP_MESSAGE, 0, TAG_ANY) != NULL;

	return verdict_fits(a, way) && eap == (way != WAY_MAC) &&
	       request->reply->code == PW_CODE_ACCESS_ACCEPT;
}

static rlm_rcode_t accept_stopped(void)
{
	radlog(L_ERR, "pump.auth an Accept without its verdict was stopped");
	return RLM_MODULE_REJECT;
}

static rlm_rcode_t accept_leaves(struct pump_shared *s, REQUEST *request, enum way way)
{
	struct attempt *a = attempt_of(s, request, false);
	char mac[MAC_SIZE];

	if (pump_is_silenced(request))
		return RLM_MODULE_NOOP;
	if (!a || !accept_fits(request, a, way))
		return accept_stopped();
	station_read(request, mac);
	reject_pace_accepted(s->pace, mac);
	event_post(s, request, a);
	return RLM_MODULE_OK;
}

rlm_rcode_t pump_admit(struct pump_shared *s, REQUEST *request)
{
	return accept_leaves(s, request, WAY_PUMP);
}

/* MAC authentication has two gates that know nothing but ONBOARD: where its virtual server ends,
 * and where the Accept leaves. Each writes the reply anew, so that only the verdict's place is in
 * it. */
static bool reply_only_place(REQUEST *request, const struct attempt *a)
{
	fr_pair_list_free(&request->reply->vps);
	return reply_place(request, a);
}

rlm_rcode_t pump_mab_gate(struct pump_shared *s, REQUEST *request)
{
	struct attempt *a = request->parent ? attempt_of(s, request->parent, false) : NULL;

	if (!a || !accept_fits(request, a, WAY_MAC) || !reply_only_place(request, a))
		return accept_stopped();
	return RLM_MODULE_OK;
}

rlm_rcode_t pump_onboard(struct pump_shared *s, REQUEST *request)
{
	struct attempt *a = attempt_of(s, request, false);

	if (a && verdict_fits(a, WAY_MAC) && !reply_only_place(request, a))
		return accept_stopped();
	return accept_leaves(s, request, WAY_MAC);
}

rlm_rcode_t pump_onboard_birth(struct pump_shared *s, REQUEST *request)
{
	return accept_leaves(s, request, WAY_BIRTH);
}

rlm_rcode_t pump_onboard_return(struct pump_shared *s, REQUEST *request)
{
	return accept_leaves(s, request, WAY_RETURN);
}

/* What the TLS library and the EAP module said, in their order. */
static void failure_text(REQUEST *request, char *out, size_t size)
{
	vp_cursor_t cursor;
	size_t at = 0;

	out[0] = '\0';
	(void)fr_cursor_init(&cursor, &request->packet->vps);
	for (VALUE_PAIR *vp;
	     (vp = fr_cursor_next_by_num(&cursor, PW_MODULE_FAILURE_MESSAGE, 0, TAG_ANY));) {
		int n = snprintf(out + at, size - at, "%s%s", at ? "; " : "", vp->vp_strvalue);

		if (n < 0 || (size_t)n >= size - at)
			return;
		at += (size_t)n;
	}
}

/* An attempt that never came to a verdict: the handshake failed, or EAP itself. */
static void attempt_from_failure(REQUEST *request, struct attempt *a)
{
	VALUE_PAIR *vps = request->packet->vps;
	char text[2048];

	failure_text(request, text, sizeof(text));
	a->verdict = (struct verdict){VERDICT_REJECT, tls_reason(text)};
	if (fr_pair_find_by_num(vps, PW_EAP_MESSAGE, 0, TAG_ANY) &&
	    a->verdict.reason != REASON_METHOD_NOT_ALLOWED)
		a->method = PUMP_METHOD_EAP;
	PUMP_TEXT(a->issuer, vps, PW_TLS_CLIENT_CERT_ISSUER);
	PUMP_TEXT(a->cert_serial, vps, PW_TLS_CLIENT_CERT_SERIAL);
	snprintf(a->detail, sizeof(a->detail), "%s", text);
}

/* Decision 96. A switch that asks about a MAC is answered at the usual time: it gives up sooner. */
static void reject_hold_back(struct pump_shared *s, REQUEST *request, struct attempt *a)
{
	size_t len = strlen(a->detail);
	char mac[MAC_SIZE];
	uint32_t times, wait_s;

	if (!fr_pair_find_by_num(request->packet->vps, PW_EAP_MESSAGE, 0, TAG_ANY))
		return;
	station_read(request, mac);
	wait_s = reject_pace_refused(s->pace, mac, clock_mono_us(), &times);
	if (wait_s <= 1 || !pump_reply_number(request, "FreeRADIUS-Response-Delay", wait_s))
		return;
	snprintf(a->detail + len, sizeof(a->detail) - len,
		 "%srefused %u times in a row: after %u s", len ? "; " : "", times, wait_s);
}

rlm_rcode_t pump_refuse(struct pump_shared *s, REQUEST *request)
{
	struct attempt *a = attempt_of(s, request, false);

	if (pump_is_silenced(request))
		return RLM_MODULE_NOOP;
	if (!a) {
		a = attempt_of(s, request, true);
		if (a)
			attempt_from_failure(request, a);
	}
	pump_reply_reduce_to_failure(request);
	if (!a)
		return RLM_MODULE_OK;
	a->verdict.kind = VERDICT_REJECT; /* whatever it was: a reject is what leaves */
	reject_hold_back(s, request, a);
	event_post(s, request, a);
	return RLM_MODULE_OK;
}
