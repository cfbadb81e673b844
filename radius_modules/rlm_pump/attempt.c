/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is known of an authentication under way, and how its end is told. Decides nothing. */
#include "radius_modules/rlm_pump/attempt.h"

#include <inttypes.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/log.h"
#include "policies/tls_profile.h"
#include "radius_modules/rlm_pump/class_code.h"
#include "radius_modules/rlm_pump/mac_text.h"

#define INTERIM_S 600
#define TUNNEL_TYPE_VLAN "13" /* RFC 3580 3.31 */
#define TUNNEL_MEDIUM_802 "6"
#define TERMINATION_RADIUS_REQUEST "1" /* RFC 2865 5.29: re-authenticate instead of ending */

struct attempt *attempt_of(struct pump_shared *s, REQUEST *outer, bool make)
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

void attempt_post(struct pump_shared *s, REQUEST *request, const struct attempt *a)
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

bool attempt_reply_place(REQUEST *request, const struct attempt *a)
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
