/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may speak to this server: the secret of a NAS when it is first heard (called by the thread
 * that receives packets), and its standing on every packet. Anybody else gets silence.
 */
#include "radius_modules/rlm_pump/rlm_pump.h"

#include "base/clock.h"
#include "base/secret.h"

/* The secret as a C string, which is what FreeRADIUS keeps; false when it has a NUL inside. */
static bool secret_text(const struct nas_facts *f, char out[NAS_SECRET_MAX + 1])
{
	if (f->secret.len == 0 || f->secret.len > NAS_SECRET_MAX ||
	    memchr(f->secret.data, 0, f->secret.len))
		return false;
	memcpy(out, f->secret.data, f->secret.len);
	out[f->secret.len] = '\0';
	return true;
}

/* The request's control list becomes the dynamic client. */
static bool client_describe(REQUEST *request, const char *ip, const char *name, const char *secret)
{
	char const *address = request->packet->src_ipaddr.af == AF_INET6
				      ? "FreeRADIUS-Client-IPv6-Address"
				      : "FreeRADIUS-Client-IP-Address";
	VALUE_PAIR *vp = fr_pair_afrom_num(request, PW_FREERADIUS_CLIENT_SECRET, 0);

	if (!vp)
		return false;
	fr_pair_value_strcpy(vp, secret);
	fr_pair_add(&request->config, vp);
	return pair_make_config(address, ip, T_OP_SET) &&
	       pair_make_config("FreeRADIUS-Client-Shortname", name, T_OP_SET) &&
	       pair_make_config("FreeRADIUS-Client-Require-MA", "yes", T_OP_SET);
}

rlm_rcode_t pump_client(struct pump_shared *s, REQUEST *request)
{
	struct nas_query q = {0};
	struct nas_facts f = {0};
	char secret[NAS_SECRET_MAX + 1];
	rlm_rcode_t rcode = RLM_MODULE_NOTFOUND;

	pump_source_ip(request, q.ip);
	if (registry_link_nas_facts(s->link, &q, &f))
		radlog(L_WARN, "pump.client ip=%s reason=registry-away detail=\"%s\"", q.ip,
		       err_text());
	else if (f.found && f.enabled && secret_text(&f, secret) &&
		 client_describe(request, q.ip, f.name, secret))
		rcode = RLM_MODULE_OK;
	secret_wipe(secret, sizeof(secret));
	secret_wipe(&f, sizeof(f));
	return rcode;
}

/* A NAS whose secret has changed is not the one that this client stands for. */
static bool is_in_force(REQUEST *request, const struct nas_facts *f)
{
	return f->found && f->enabled && request->client && request->client->secret &&
	       secret_equal(f->secret.data, f->secret.len, request->client->secret,
			    strlen(request->client->secret));
}

/* True unless registryd says that this NAS is not (or no more) in force. Without an answer nothing
 * is refused here: the verdict will be. */
static bool nas_may_speak(struct pump_shared *s, REQUEST *request)
{
	struct nas_query q = {0};
	struct nas_facts f = {0};
	bool good = false;

	pump_source_ip(request, q.ip);
	if (nas_standing_get(s->nas, q.ip, clock_mono_us(), &good))
		return good;
	registry_link_request_begin(s->link);
	if (registry_link_nas_facts(s->link, &q, &f))
		return true;
	good = is_in_force(request, &f);
	secret_wipe(&f, sizeof(f));
	nas_standing_put(s->nas, q.ip, clock_mono_us(), good);
	if (!good)
		radlog(L_WARN, "pump.nas ip=%s nas=%s answer=silence reason=not-in-force", q.ip,
		       request->client ? request->client->shortname : "");
	return good;
}

rlm_rcode_t pump_nas(struct pump_shared *s, REQUEST *request)
{
	return nas_may_speak(s, request) ? RLM_MODULE_OK : pump_silence(request);
}

rlm_rcode_t pump_nas_preacct(struct pump_shared *s, REQUEST *request)
{
	return pump_nas(s, request);
}
