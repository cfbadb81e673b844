/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MAC authentication as a wired switch does it: Access-Request with Service-Type Call-Check and
 * Message-Authenticator, Accounting Start and Stop for the session it opens. On libevent; asks for
 * one MAC at a time.
 */
#ifndef TESTSWITCH_SWITCH_MAB_H
#define TESTSWITCH_SWITCH_MAB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"

struct event_base;
struct switch_mab;

struct switch_mab_options {
	const char *auth_server; /* "10.10.0.1:1812" */
	const char *acct_server; /* "10.10.0.1:1813" */
	const struct secret *secret;
	const char *nas_ip; /* dotted */
	const char *nas_identifier;
	const char *port_name;
	uint32_t port_number;
};

enum switch_mab_answer { SWITCH_MAB_SILENT = 0, SWITCH_MAB_REJECT, SWITCH_MAB_ACCEPT };

/* vlan 0: the Accept named none. session_s 0: no Session-Timeout. */
typedef void (*switch_mab_done)(enum switch_mab_answer answer, const char *mac, uint32_t vlan,
				uint32_t session_s, void *ctx);

/* Pointers in `o` must stay valid. ERR_INVALID, ERR_IO, ERR_NOMEM. */
int switch_mab_new(struct event_base *base, const struct switch_mab_options *o,
		   switch_mab_done done, void *ctx, struct switch_mab **out) MUST_USE;
void switch_mab_free(struct switch_mab *m); /* NULL ok */

bool switch_mab_is_asking(const struct switch_mab *m);
/* Asks about "aa:bb:cc:dd:ee:ff"; `done` is called once. ERR_BUSY while another is asked. */
int switch_mab_ask(struct switch_mab *m, const char *mac) MUST_USE;
/* Is the open accounting session named so? "" matches all. */
bool switch_mab_is_session(const struct switch_mab *m, const char *session_id, const char *station);
/* Accounting for the MAC accepted last. Stop does nothing without a Start before. */
void switch_mab_start(struct switch_mab *m);
void switch_mab_stop(struct switch_mab *m, uint32_t terminate_cause);

#endif
