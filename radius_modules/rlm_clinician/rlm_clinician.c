/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rlm_clinician: FreeRADIUS's side of a clinician's login. In `authorize` it hands the login to
 * pumpgate-credd with the certificate of the TLS connection, and puts the answer into the reply; in
 * `post-auth` it lets an Accept leave only if credd said so for this very request. It knows no
 * account and judges nothing; whatever goes wrong is a reject.
 */
#include <freeradius/radiusd.h>
#include <freeradius/modules.h>
#undef PRINTF_LIKE /* base/err.h has its own */

#include <arpa/inet.h>
#include <pthread.h>

#include "base/ipc_client.h"
#include "base/secret.h"
#include "radius_modules/rlm_clinician/login_packet.h"
#include "sql/proto/cred_verbs.h"

/* As in rlm_pump: the shims there must add up to what the server was built with. */
_Static_assert((RADIUSD_MAGIC_NUMBER >> 20 & 0xffffff) >= 0x030207,
	       "FreeRADIUS 3.2.7 or newer is needed");
_Static_assert(sizeof(REQUEST) == 328, "this FreeRADIUS has another REQUEST");
_Static_assert(offsetof(REQUEST, packet) == 40, "this FreeRADIUS has another REQUEST");
_Static_assert(sizeof(RADIUS_PACKET) == 152, "this FreeRADIUS has another RADIUS_PACKET");
_Static_assert(sizeof(VALUE_PAIR) == 72, "this FreeRADIUS has another VALUE_PAIR");
_Static_assert(sizeof(module_t) == 144, "this FreeRADIUS has another module_t");

#define CRED_WAIT_MS 4800 /* the pump gives up after 5 s */
#define TRY_AGAIN_TEXT "The login service is busy. Try again."

struct clinician_instance {
	char const *socket;
	DICT_ATTR const *peer_serial; /* set by the virtual server, from the TLS connection */
	DICT_ATTR const *peer_issuer;
	pthread_key_t client; /* each thread's connection to credd */
	bool has_key;
};

static const CONF_PARSER clinician_config[] = {
	{"cred_socket",
	 FR_CONF_OFFSET(PW_TYPE_STRING | PW_TYPE_REQUIRED, struct clinician_instance, socket),
	 NULL},
	CONF_PARSER_TERMINATOR};

static const char accepted_tag; /* its address tells the request's data apart */

static void client_close(void *client)
{
	ipc_client_free(client);
}

static int mod_instantiate(CONF_SECTION *conf, void *instance)
{
	struct clinician_instance *inst = instance;

	inst->peer_serial = dict_attrbyname("Pumpgate-Peer-Serial");
	inst->peer_issuer = dict_attrbyname("Pumpgate-Peer-Issuer");
	if (!inst->peer_serial || !inst->peer_issuer || !dict_attrbyname("Pumpgate-Hears")) {
		cf_log_err_cs(conf, "the dictionary lacks Pumpgate's attributes");
		return -1;
	}
	if (pthread_key_create(&inst->client, client_close)) {
		cf_log_err_cs(conf, "no thread key left");
		return -1;
	}
	inst->has_key = true;
	return 0;
}

static int mod_detach(void *instance)
{
	struct clinician_instance *inst = instance;

	if (inst->has_key) {
		client_close(pthread_getspecific(inst->client));
		pthread_key_delete(inst->client);
	}
	inst->has_key = false;
	return 0;
}

static struct ipc_client *client_of_thread(struct clinician_instance *inst)
{
	struct ipc_client *c = pthread_getspecific(inst->client);

	if (c)
		return c;
	if (ipc_client_new(inst->socket, "login", &c))
		return NULL;
	if (pthread_setspecific(inst->client, c)) {
		ipc_client_free(c);
		return NULL;
	}
	return c;
}

/* False when it is missing, empty, too long or has a NUL. */
static bool text_of(REQUEST *request, DICT_ATTR const *da, char *out, size_t size)
{
	VALUE_PAIR *vp = fr_pair_find_by_da(request->config, da, TAG_ANY);

	if (!vp || vp->vp_length == 0 || vp->vp_length >= size ||
	    memchr(vp->vp_strvalue, 0, vp->vp_length))
		return false;
	memcpy(out, vp->vp_strvalue, vp->vp_length);
	out[vp->vp_length] = '\0';
	return true;
}

static bool octets_reply(REQUEST *request, unsigned type, const uint8_t *data, size_t len)
{
	while (len > 0) {
		size_t n = len < LOGIN_ATTR_BYTES ? len : LOGIN_ATTR_BYTES;
		VALUE_PAIR *vp = fr_pair_afrom_num(request->reply, type, LOGIN_VENDOR);

		if (!vp)
			return false;
		fr_pair_value_memcpy(vp, data, n);
		fr_pair_add(&request->reply->vps, vp);
		data += n;
		len -= n;
	}
	return true;
}

static bool number_reply(REQUEST *request, char const *attribute, uint32_t value)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", value);
	return pair_make_reply(attribute, text, T_OP_SET) != NULL;
}

static bool grant_reply(REQUEST *request, const struct cred_answer *a)
{
	return !*a->user || /* a contact */
	       (pair_make_reply("User-Name", a->user, T_OP_SET) &&
		octets_reply(request, LOGIN_ATTR_ROLE, (const uint8_t *)a->role, strlen(a->role)) &&
		number_reply(request, "Session-Timeout", a->session_s) &&
		number_reply(request, "Idle-Timeout", a->idle_s));
}

static rlm_rcode_t refuse(REQUEST *request, char const *text)
{
	pair_make_reply("Reply-Message", text, T_OP_SET);
	return RLM_MODULE_REJECT;
}

static rlm_rcode_t answer(REQUEST *request, const struct cred_answer *a)
{
	if (!octets_reply(request, LOGIN_ATTR_HEARS, a->hears.data, a->hears.len))
		return refuse(request, TRY_AGAIN_TEXT);
	if (!a->accept)
		return refuse(request, a->text);
	if (!grant_reply(request, a) ||
	    request_data_add(request, (void *)(uintptr_t)&accepted_tag, 0,
			     (void *)(uintptr_t)&accepted_tag, false) < 0)
		return refuse(request, TRY_AGAIN_TEXT);
	pair_make_config("Auth-Type", "Accept", T_OP_SET);
	return RLM_MODULE_OK;
}

static rlm_rcode_t ask(struct clinician_instance *inst, REQUEST *request, struct cred_login *q,
		       uint16_t verb)
{
	struct ipc_client *c = client_of_thread(inst);
	struct cred_answer a;
	int rc = c ? ipc_client_call(c, verb, &record_cred_login, q, 1, &record_cred_answer, &a, 1,
				     NULL, CRED_WAIT_MS)
		   : err_set(ERR_NOMEM, "no memory for a connection");

	if (rc) {
		radlog(L_ERR, "clinician.unanswered certificate=%s detail=\"%s\"", q->cert_serial,
		       err_text());
		return refuse(request, TRY_AGAIN_TEXT);
	}
	return answer(request, &a);
}

static rlm_rcode_t mod_authorize(void *instance, REQUEST *request)
{
	struct clinician_instance *inst = instance;
	fr_ipaddr_t const *ip = &request->packet->src_ipaddr;
	struct cred_login q = {0};
	bool contact = false;
	rlm_rcode_t rcode;

	if (!text_of(request, inst->peer_serial, q.cert_serial, sizeof(q.cert_serial)) ||
	    !text_of(request, inst->peer_issuer, q.issuer, sizeof(q.issuer)) ||
	    !inet_ntop(ip->af, &ip->ipaddr, q.source, sizeof(q.source))) {
		radlog(L_ERR, "clinician.refused reason=no-certificate");
		return refuse(request, "This pump may not log people in.");
	}
	if (login_packet_read(request->packet->data, request->packet->data_len, LOGIN_RADSEC_SECRET,
			      strlen(LOGIN_RADSEC_SECRET), &q, &contact)) {
		radlog(L_ERR, "clinician.refused reason=malformed certificate=%s detail=\"%s\"",
		       q.cert_serial, err_text());
		rcode = refuse(request, "The login was not understood.");
	} else {
		rcode = ask(inst, request, &q, contact ? CRED_CONTACT : CRED_LOGIN);
	}
	secret_wipe(&q, sizeof(q));
	return rcode;
}

/* An Accept that credd did not give, whatever the configuration says. */
static rlm_rcode_t mod_post_auth(void *instance, REQUEST *request)
{
	(void)instance;
	if (request_data_reference(request, (void *)(uintptr_t)&accepted_tag, 0))
		return RLM_MODULE_OK;
	radlog(L_ERR, "clinician.refused reason=no-answer-of-credd");
	return RLM_MODULE_REJECT;
}

extern module_t rlm_clinician;
module_t rlm_clinician = {
	.magic = RLM_MODULE_INIT,
	.name = "clinician",
	.type = RLM_TYPE_THREAD_SAFE,
	.inst_size = sizeof(struct clinician_instance),
	.config = clinician_config,
	.instantiate = mod_instantiate,
	.detach = mod_detach,
	.methods =
		{
			[MOD_AUTHORIZE] = mod_authorize,
			[MOD_POST_AUTH] = mod_post_auth,
		},
};
