/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One authentication at a time over one connected UDP socket: what a NAS does between supplicant
 * and RADIUS server (RFC 3579). Every answer is verified: response authenticator, and the
 * Message-Authenticator, which must be there. Never waits.
 */
#ifndef TESTS_BENCH_EAP_SLOT_H
#define TESTS_BENCH_EAP_SLOT_H

#include "radius_modules/packet/radius_packet.h"
#include "tests/bench/credential_set.h"
#include "tests/bench/eap_peer.h"
#include "tests/bench/radius_target.h"

struct eap_slot_options {
	struct radius_target target;
	const char *server_name; /* in the RADIUS server's certificate */
	bool resume;		 /* offer the session of the slot's last handshake */
	bool no_session_id;	 /* leave Acct-Session-Id out of the Access-Request */
	int64_t retry_us;	 /* silence before the same packet goes out again */
	unsigned tries;		 /* packets in all before the request counts as lost */
};

enum slot_state {
	SLOT_IDLE = 0,
	SLOT_WAITING,  /* for an answer */
	SLOT_ACCEPTED, /* the rest: the authentication has ended so */
	SLOT_REJECTED,
	SLOT_LOST,
	SLOT_BROKEN, /* err_text() at that moment is in `why` */
};

struct eap_slot {
	int fd;
	unsigned number;
	enum slot_state state;
	struct eap_peer peer;
	const struct credential *who;
	SSL_SESSION *session; /* of the last handshake; owned */
	struct radius_packet packet;
	uint8_t authenticator[RADIUS_AUTHENTICATOR_BYTES];
	uint8_t radius_id;
	uint32_t sequence;
	int64_t begun_us;
	int64_t sent_us;
	int64_t asked_us; /* when the packet that `packet` holds went out for the first time */
	unsigned tries;
	/* of the authentication that ended last */
	unsigned round_trips;
	unsigned retransmissions;
	bool resumed;
	char session_id[32]; /* its Acct-Session-Id */
	char class_text[RADIUS_ATTR_MAX + 1];
	char vlan[32];
	char why[200];
	int64_t took_us;
};

void eap_slot_open(struct eap_slot *s, unsigned number, const struct eap_slot_options *o);
void eap_slot_close(struct eap_slot *s);

/* Starts an authentication; the state says how it stands. */
void eap_slot_begin(struct eap_slot *s, const struct eap_slot_options *o,
		    const struct credential *who);
/* Something can be read. Datagrams that are not the answer waited for are dropped. */
void eap_slot_receive(struct eap_slot *s, const struct eap_slot_options *o);
/* Sends again what got no answer in time. */
void eap_slot_tick(struct eap_slot *s, const struct eap_slot_options *o, int64_t now_us);

#endif
