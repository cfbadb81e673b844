/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What runs when an answer is about to leave. An Access-Accept is refused unless the verdict that
 * stands with the request fits the way by which it came: a hole in the configuration can't admit.
 */
#include "radius_modules/rlm_pump/attempt.h"

#include "base/clock.h"
#include "radius_modules/rlm_pump/mac_text.h"
#include "radius_modules/rlm_pump/tls_reason.h"

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
	attempt_post(s, request, a);
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
	return attempt_reply_place(request, a);
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
	attempt_post(s, request, a);
	return RLM_MODULE_OK;
}
