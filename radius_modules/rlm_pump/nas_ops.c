/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may speak to this server: the secret of a NAS when it is first heard (called by the thread
 * that receives packets), and its standing on every packet. Anybody else gets silence. A NAS that
 * came over RadSec is known by its certificate, whose serial number radsecd brings.
 */
#include "radius_modules/rlm_pump/rlm_pump.h"

#include <freeradius/stats.h>

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/secret.h"

/* By what the NAS of this packet is known, with the request. */
struct speaker {
	char name[NAME_SIZE];
	char ip[IP_SIZE];
	char key[IP_SIZE]; /* in nas_known: its certificate's serial */
};
_Static_assert(sizeof(((struct hop_origin *)0)->ip) == IP_SIZE, "an address fits");

static const char speaker_tag; /* its address tells the request's data apart */

static struct speaker *speaker_of(REQUEST *request)
{
	return request_data_reference(request, (void *)(uintptr_t)&speaker_tag, 0);
}

char const *pump_nas_name(REQUEST *request)
{
	const struct speaker *sp = speaker_of(request);

	if (sp)
		return sp->name;
	return request->client && request->client->shortname ? request->client->shortname : "";
}

void pump_source_ip(REQUEST *request, char out[IP_SIZE])
{
	fr_ipaddr_t const *ip = &request->packet->src_ipaddr;
	const struct speaker *sp = speaker_of(request);

	if (sp)
		memcpy(out, sp->ip, IP_SIZE);
	else if (!inet_ntop(ip->af, &ip->ipaddr, out, IP_SIZE))
		out[0] = '\0';
}

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

static uint64_t wrong_signatures(void)
{
	return radius_auth_stats.total_bad_authenticators +
	       radius_acct_stats.total_bad_authenticators;
}

/* A packet that is not signed with its NAS's secret never reaches a module: FreeRADIUS drops it,
 * and counts it. */
static void wrong_secret_tell(struct pump_shared *s)
{
	struct nas_event e;
	uint32_t unknown;

	while (nas_known_wrong_secret(s->nas, wrong_signatures(), clock_mono_us(), &e, &unknown)) {
		e.at = clock_wall_ms();
		radlog(L_WARN,
		       "pump.nas ip=%s nas=%s answer=silence reason=wrong-secret packets=%u",
		       e.nas_ip, e.nas, e.count);
		if (registry_link_nas_event(s->link, &e))
			radlog(L_WARN, "pump.nas event=lost detail=\"%s\"", err_text());
	}
	if (unknown)
		radlog(L_WARN, "pump.nas ip=unknown answer=silence reason=wrong-secret packets=%u",
		       unknown);
}

/* Where registryd is away, what it said last: the NAS is then told Reject by the verdict. The
 * thread that receives packets does not wait to find out that it is still away. */
static int facts_ask(struct pump_shared *s, const struct nas_query *q, struct nas_facts *out)
{
	int64_t now_us = clock_mono_us();
	int rc;

	if (registry_link_is_paused(s->link) &&
	    nas_known_get(s->nas, q->ip, now_us, INT64_MAX, out))
		return 0;
	rc = registry_link_nas_facts(s->link, q, out);
	if (!rc)
		nas_known_put(s->nas, q->ip, now_us, out);
	else if (nas_known_get(s->nas, q->ip, now_us, INT64_MAX, out))
		rc = 0;
	return rc;
}

rlm_rcode_t pump_client(struct pump_shared *s, REQUEST *request)
{
	struct nas_query q = {0};
	struct nas_facts f = {0};
	char secret[NAS_SECRET_MAX + 1];
	rlm_rcode_t rcode = RLM_MODULE_NOTFOUND;

	pump_source_ip(request, q.ip);
	wrong_secret_tell(s);
	if (facts_ask(s, &q, &f)) {
		radlog(L_WARN, "pump.client ip=%s reason=registry-away detail=\"%s\"", q.ip,
		       err_text());
	} else if (f.found && f.enabled && secret_text(&f, secret) &&
		   client_describe(request, q.ip, f.name, secret)) {
		nas_known_client(s->nas, q.ip, clock_mono_us());
		rcode = RLM_MODULE_OK;
	}
	secret_wipe(secret, sizeof(secret));
	secret_wipe(&f, sizeof(f));
	return rcode;
}

/* True unless registryd says that this NAS is not (or no more) in force with this secret. Without
 * an answer nothing is refused here: the verdict will be. */
static bool nas_may_speak(struct pump_shared *s, REQUEST *request, const struct nas_query *q,
			  const char *key)
{
	const char *secret =
		request->client && request->client->secret ? request->client->secret : "";
	struct nas_facts f = {0};
	bool good = false;

	if (nas_known_standing(s->nas, key, clock_mono_us(), secret, &good))
		return good;
	registry_link_request_begin(s->link);
	if (registry_link_nas_facts(s->link, q, &f))
		return true;
	nas_known_put(s->nas, key, clock_mono_us(), &f);
	good = f.found && f.enabled &&
	       secret_equal(f.secret.data, f.secret.len, secret, strlen(secret));
	secret_wipe(&f, sizeof(f));
	if (!good)
		radlog(L_WARN,
		       "pump.nas ip=%s certificate=%s nas=%s answer=silence "
		       "reason=not-in-force",
		       q->ip, q->cert_serial, pump_nas_name(request));
	return good;
}

/* NAS-IP-Address or NAS-IPv6-Address as text; "" when there is none, or it is the packet's own
 * source. */
static void claimed_ip(REQUEST *request, const char *source, char out[IP_SIZE])
{
	VALUE_PAIR *v4 = fr_pair_find_by_num(request->packet->vps, PW_NAS_IP_ADDRESS, 0, TAG_ANY);
	VALUE_PAIR *v6 = fr_pair_find_by_num(request->packet->vps, PW_NAS_IPV6_ADDRESS, 0, TAG_ANY);

	out[0] = '\0';
	if (v4 && !inet_ntop(AF_INET, &v4->vp_ipaddr, out, IP_SIZE))
		out[0] = '\0';
	else if (!v4 && v6 && !inet_ntop(AF_INET6, &v6->vp_ipv6addr, out, IP_SIZE))
		out[0] = '\0';
	if (!strcmp(out, source))
		out[0] = '\0';
}

/* Source address or certificate alone say which NAS it is. What the packet says differently is
 * told.
 */
static void claim_look(struct pump_shared *s, REQUEST *request, const char *ip, const char *key)
{
	const char *name = pump_nas_name(request);
	struct nas_event e = {.kind = "claim", .count = 1};

	claimed_ip(request, ip, e.claimed_ip);
	PUMP_TEXT(e.claimed_id, request->packet->vps, PW_NAS_IDENTIFIER);
	if (!strcmp(e.claimed_id, name))
		e.claimed_id[0] = '\0';
	if (!nas_known_claim(s->nas, key, clock_mono_us(), e.claimed_ip, e.claimed_id))
		return;
	e.at = clock_wall_ms();
	memcpy(e.nas_ip, ip, sizeof(e.nas_ip));
	if (str_copy(e.nas, sizeof(e.nas), name) || registry_link_nas_event(s->link, &e))
		radlog(L_WARN, "pump.nas event=lost detail=\"%s\"", err_text());
}

rlm_rcode_t pump_nas(struct pump_shared *s, REQUEST *request)
{
	struct nas_query q = {0};

	pump_source_ip(request, q.ip);
	wrong_secret_tell(s);
	if (!nas_may_speak(s, request, &q, q.ip))
		return pump_silence(request);
	nas_known_heard(s->nas, q.ip);
	claim_look(s, request, q.ip, q.ip);
	return RLM_MODULE_OK;
}

rlm_rcode_t pump_nas_preacct(struct pump_shared *s, REQUEST *request)
{
	return pump_nas(s, request);
}

/* ---- over RadSec ---- */

/* What radsecd added, taken out of the request. False: it did not come from radsecd. */
static bool hop_take(struct pump_shared *s, REQUEST *request, struct hop_origin *out)
{
	VALUE_PAIR *vp = fr_pair_find_by_num(request->packet->vps, HOP_ATTRIBUTE, 0, TAG_ANY);
	bool good = vp && *s->hop_token &&
		    !hop_parse(vp->vp_strvalue, vp->vp_length, s->hop_token, out);

	fr_pair_delete_by_num(&request->packet->vps, HOP_ATTRIBUTE, 0, TAG_ANY);
	return good;
}

/* The NAS's name from here on, in force or not; NULL without memory. */
static struct speaker *speaker_make(REQUEST *request, const struct hop_origin *from)
{
	struct speaker *sp = talloc_zero(request, struct speaker);

	if (!sp)
		return NULL;
	memcpy(sp->ip, from->ip, sizeof(sp->ip));
	if (request_data_add(request, (void *)(uintptr_t)&speaker_tag, 0, sp, false) < 0)
		return NULL;
	return sp;
}

rlm_rcode_t pump_radsec(struct pump_shared *s, REQUEST *request)
{
	struct hop_origin from = {{0}, {0}};
	struct nas_query q = {0};
	struct nas_facts f = {0};
	struct speaker *sp;
	int64_t now_us = clock_mono_us();

	if (!hop_take(s, request, &from)) {
		radlog(L_ERR, "pump.nas answer=silence reason=not-radsecd detail=\"a packet on the "
			      "inner port without radsecd's token\"");
		return pump_silence(request);
	}
	sp = speaker_make(request, &from);
	if (!sp)
		return pump_silence(request);
	memcpy(q.ip, from.ip, sizeof(q.ip));
	memcpy(q.cert_serial, from.cert_serial, sizeof(q.cert_serial));
	/* a serial fits where an address does, and is never taken for one */
	if (str_copy(sp->key, sizeof(sp->key), from.cert_serial) ||
	    !nas_may_speak(s, request, &q, sp->key))
		return pump_silence(request);
	if (nas_known_get(s->nas, sp->key, now_us, INT64_MAX, &f))
		memcpy(sp->name, f.name, sizeof(sp->name));
	secret_wipe(&f, sizeof(f));
	claim_look(s, request, sp->ip, sp->key);
	return RLM_MODULE_OK;
}

rlm_rcode_t pump_radsec_preacct(struct pump_shared *s, REQUEST *request)
{
	return pump_radsec(s, request);
}
