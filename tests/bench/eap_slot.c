/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the NAS's half of an authentication. */
#include "tests/bench/eap_slot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/secret.h"

#define NAS_PORT_TYPE_ETHERNET 15
#define SERVICE_TYPE_FRAMED 2
#define FRAMED_MTU 1400

void eap_slot_open(struct eap_slot *s, unsigned number, const struct eap_slot_options *o)
{
	*s = (struct eap_slot){.number = number, .fd = radius_target_socket(&o->target)};
}

void eap_slot_close(struct eap_slot *s)
{
	eap_peer_done(&s->peer);
	SSL_SESSION_free(s->session);
	close(s->fd);
}

static void finish(struct eap_slot *s, const struct eap_slot_options *o, enum slot_state how)
{
	s->took_us = clock_mono_us() - s->begun_us;
	s->resumed = s->peer.ssl && SSL_session_reused(s->peer.ssl);
	s->state = how;
	if (how == SLOT_BROKEN)
		snprintf(s->why, sizeof(s->why), "%s", err_text());
	if (o->resume && how == SLOT_ACCEPTED) {
		SSL_SESSION_free(s->session);
		s->session = SSL_get1_session(s->peer.ssl);
	}
	if (how == SLOT_ACCEPTED) /* else the free throws the session out of use */
		SSL_set_shutdown(s->peer.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	eap_peer_done(&s->peer);
}

static void transmit(struct eap_slot *s, const struct eap_slot_options *o)
{
	s->sent_us = clock_mono_us();
	if (!s->tries)
		s->asked_us = s->sent_us;
	s->tries++;
	if (send(s->fd, s->packet.data, s->packet.len, 0) < 0 && errno != ECONNREFUSED &&
	    errno != ENOBUFS && errno != EAGAIN) {
		err_text_set_errno("send");
		finish(s, o, SLOT_BROKEN);
	}
}

/* Access-Request with this EAP packet and the State of the last challenge. */
static int request_build(struct eap_slot *s, const struct eap_slot_options *o, const uint8_t *eap,
			 size_t eap_len, const struct radius_attr *state)
{
	struct radius_packet *p = &s->packet;
	uint32_t nas = o->target.source_ip ? ntohl(o->target.source_ip) : 0x7f000001;
	char port[32];
	int rc;

	snprintf(port, sizeof(port), "port-%u", s->number);
	radius_begin(p, RADIUS_ACCESS_REQUEST, ++s->radius_id);
	if ((rc = radius_put_str(p, RADIUS_USER_NAME, s->peer.identity)) ||
	    (rc = radius_put_u32(p, RADIUS_NAS_IP_ADDRESS, nas)) ||
	    (rc = radius_put_str(p, RADIUS_CALLED_STATION_ID, "02-FF-00-00-00-01")) ||
	    (rc = radius_put_str(p, RADIUS_CALLING_STATION_ID, s->who->mac)) ||
	    (rc = radius_put_str(p, RADIUS_NAS_PORT_ID, port)) ||
	    (rc = radius_put_u32(p, RADIUS_NAS_PORT_TYPE, NAS_PORT_TYPE_ETHERNET)) ||
	    (rc = radius_put_u32(p, RADIUS_SERVICE_TYPE, SERVICE_TYPE_FRAMED)) ||
	    (rc = radius_put_u32(p, RADIUS_FRAMED_MTU, FRAMED_MTU)) ||
	    (!o->no_session_id &&
	     (rc = radius_put_str(p, RADIUS_ACCT_SESSION_ID, s->session_id))) ||
	    (rc = radius_put_eap(p, eap, eap_len)) ||
	    (state && (rc = radius_put(p, RADIUS_STATE, state->value, state->len))))
		return rc;
	secret_fill_random(s->authenticator, sizeof(s->authenticator));
	return radius_sign_access_request(p, s->authenticator, o->target.secret,
					  o->target.secret_len);
}

void eap_slot_begin(struct eap_slot *s, const struct eap_slot_options *o,
		    const struct credential *who)
{
	uint8_t eap[EAP_PACKET_MAX];
	size_t len;

	s->who = who;
	s->begun_us = clock_mono_us();
	s->sequence++;
	snprintf(s->session_id, sizeof(s->session_id), "%08X-%08X", s->number, s->sequence);
	s->round_trips = s->retransmissions = s->tries = 0;
	s->vlan[0] = s->why[0] = s->class_text[0] = '\0';
	s->state = SLOT_WAITING;
	if (eap_peer_start(&s->peer, who->ctx, who->identity, o->server_name,
			   o->resume ? s->session : NULL)) {
		finish(s, o, SLOT_BROKEN);
		return;
	}
	eap_peer_identity(&s->peer, 1, eap, &len);
	if (request_build(s, o, eap, len, NULL))
		finish(s, o, SLOT_BROKEN);
	else
		transmit(s, o);
}

/* The EAP packet that the answer's EAP-Message attributes make up. */
static int eap_collect(const struct radius_view *v, uint8_t out[RADIUS_PACKET_MAX], size_t *len_out)
{
	struct radius_attr a;
	size_t at = 0;

	*len_out = 0;
	while (radius_attr_next(v, &at, &a)) {
		if (a.type != RADIUS_EAP_MESSAGE)
			continue;
		memcpy(out + *len_out, a.value, a.len);
		*len_out += a.len;
	}
	return *len_out ? 0 : err_set(ERR_INVALID, "a challenge without EAP-Message");
}

static void challenge_take(struct eap_slot *s, const struct eap_slot_options *o,
			   const struct radius_view *v)
{
	uint8_t request[RADIUS_PACKET_MAX], response[EAP_PACKET_MAX];
	struct radius_attr state;
	size_t len;
	bool has_state = radius_attr_find(v, RADIUS_STATE, &state);

	if (eap_collect(v, request, &len) ||
	    eap_peer_answer(&s->peer, request, len, response, &len) ||
	    request_build(s, o, response, len, has_state ? &state : NULL)) {
		finish(s, o, SLOT_BROKEN);
		return;
	}
	s->tries = 0;
	transmit(s, o);
}

void eap_slot_receive(struct eap_slot *s, const struct eap_slot_options *o)
{
	uint8_t raw[RADIUS_PACKET_MAX];
	struct radius_view v;
	ssize_t n = recv(s->fd, raw, sizeof(raw), 0);

	if (n < 0 || s->state != SLOT_WAITING || radius_view_parse(raw, (size_t)n, &v) ||
	    v.id != s->radius_id)
		return; /* nothing, or an answer to a packet sent twice */
	if (radius_verify_reply(&v, s->authenticator, o->target.secret, o->target.secret_len,
				true)) {
		finish(s, o, SLOT_BROKEN);
		return;
	}
	s->round_trips++;
	s->retransmissions += s->tries - 1;
	switch (v.code) {
	case RADIUS_ACCESS_CHALLENGE:
		challenge_take(s, o, &v);
		break;
	case RADIUS_ACCESS_ACCEPT:
		radius_attr_tagged_str(&v, RADIUS_TUNNEL_PRIVATE_GROUP_ID, s->vlan,
				       sizeof(s->vlan));
		radius_attr_str(&v, RADIUS_CLASS, s->class_text, sizeof(s->class_text));
		if (s->peer.tls_done) {
			finish(s, o, SLOT_ACCEPTED);
		} else {
			err_text_set("accepted before the TLS handshake was over");
			finish(s, o, SLOT_BROKEN);
		}
		break;
	case RADIUS_ACCESS_REJECT:
		finish(s, o, SLOT_REJECTED);
		break;
	default:
		err_text_set("an answer of code %u", v.code);
		finish(s, o, SLOT_BROKEN);
	}
}

void eap_slot_tick(struct eap_slot *s, const struct eap_slot_options *o, int64_t now_us)
{
	if (s->state != SLOT_WAITING || now_us - s->sent_us < o->retry_us)
		return;
	if (s->tries >= o->tries)
		finish(s, o, SLOT_LOST);
	else
		transmit(s, o);
}
