/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store behind FreeRADIUS's TLS session cache. Saved after an Accept only; the certificate is
 * taken out and its issuer and serial kept beside; what is loaded brings them back as the
 * attributes that the verdict reads. TLS 1.3 sessions are not kept: FreeRADIUS 3.2.7 shows no
 * certificate on their resumption, so a pump with TLS 1.3 makes a full handshake each time.
 */
#include "radius_modules/rlm_pump/rlm_pump.h"

#include "base/clock.h"
#include "radius_modules/rlm_pump/tls_session_strip.h"

static VALUE_PAIR *session_id(REQUEST *request)
{
	return fr_pair_find_by_num(request->packet->vps, PW_TLS_SESSION_ID, 0, TAG_ANY);
}

rlm_rcode_t pump_session_save(struct pump_shared *s, REQUEST *request)
{
	AUTO_BUF session = {.max = SESSION_DATA_MAX};
	VALUE_PAIR *id = session_id(request);
	VALUE_PAIR *data = fr_pair_find_by_num(request->state, PW_TLS_SESSION_DATA, 0, TAG_ANY);
	struct session_owner owner;
	uint32_t version;

	PUMP_TEXT(owner.issuer, request->reply->vps, PW_TLS_CLIENT_CERT_ISSUER);
	PUMP_TEXT(owner.cert_serial, request->reply->vps, PW_TLS_CLIENT_CERT_SERIAL);
	if (!id || !data || !*owner.issuer || !*owner.cert_serial)
		return RLM_MODULE_NOOP;
	if (tls_session_strip(data->vp_octets, data->vp_length, &session, &version)) {
		radlog_request(L_DBG, L_DBG_LVL_1, request, "session not kept: %s", err_text());
		return RLM_MODULE_NOOP;
	}
	if (version != TLS_VERSION_1_2)
		return RLM_MODULE_NOOP;
	if (session_cache_put(s->sessions, id->vp_octets, id->vp_length, session.data, session.len,
			      &owner, clock_mono_us())) {
		radlog_request(L_DBG, L_DBG_LVL_1, request, "session not kept: %s", err_text());
		return RLM_MODULE_NOOP;
	}
	return RLM_MODULE_OK;
}

static bool session_restore(struct pump_shared *s, REQUEST *request, const struct buf *session,
			    const struct session_owner *owner)
{
	VALUE_PAIR *data = fr_pair_afrom_num(request->state_ctx, PW_TLS_SESSION_DATA, 0);
	VALUE_PAIR *mark = fr_pair_afrom_da(request->reply, s->resumed);

	if (!data || !mark || !pump_reply(request, "TLS-Client-Cert-Issuer", owner->issuer) ||
	    !pump_reply(request, "TLS-Client-Cert-Serial", owner->cert_serial))
		return false;
	mark->vp_integer = 1;
	fr_pair_add(&request->reply->vps, mark);
	fr_pair_value_memcpy(data, session->data, session->len);
	fr_pair_add(&request->state, data);
	return true;
}

rlm_rcode_t pump_session_load(struct pump_shared *s, REQUEST *request)
{
	AUTO_BUF session = {.max = SESSION_DATA_MAX};
	VALUE_PAIR *id = session_id(request);
	struct session_owner owner;

	if (!id || session_cache_get(s->sessions, id->vp_octets, id->vp_length, clock_mono_us(),
				     &session, &owner))
		return RLM_MODULE_NOTFOUND;
	return session_restore(s, request, &session, &owner) ? RLM_MODULE_OK : RLM_MODULE_FAIL;
}

rlm_rcode_t pump_session_clear(struct pump_shared *s, REQUEST *request)
{
	VALUE_PAIR *id = session_id(request);

	if (id)
		session_cache_drop(s->sessions, id->vp_octets, id->vp_length);
	return RLM_MODULE_OK;
}

/* A resumption does not make a session live longer. */
rlm_rcode_t pump_session_refresh(UNUSED struct pump_shared *s, UNUSED REQUEST *request)
{
	return RLM_MODULE_NOOP;
}
