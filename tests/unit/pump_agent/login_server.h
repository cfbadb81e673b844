/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A RadSec server for the desk's unit tests, in a thread: takes one connection at a time and
 * answers each Access-Request as the test has set it to. The whole path with the real server is
 * tests/system/clinician_agent.sh.
 */
#ifndef TESTS_UNIT_PUMP_AGENT_LOGIN_SERVER_H
#define TESTS_UNIT_PUMP_AGENT_LOGIN_SERVER_H

#include <stdatomic.h>

#include "pump_agent/login/answer.h"
#include "pump_agent/login/radsec.h"

enum login_server_mode {
	SERVER_ANSWERS,
	SERVER_HANGS,	   /* takes the request and says nothing */
	SERVER_HANGS_UP,   /* answers, then closes the connection */
	SERVER_FORGES,	   /* with a wrong Message-Authenticator */
	SERVER_UNSIGNED,   /* without one */
	SERVER_TALKS_TRASH /* what is no RADIUS */
};

/* What an answer is made of; zero `terms` are good terms. */
struct login_script {
	enum login_server_mode mode;
	bool is_accept;
	struct login_terms terms;
	struct login_grant grant;     /* with a user: sent */
	struct login_refusal refusal; /* with a result: sent */
	struct login_tombstone stone; /* with a user: sent */
	struct login_code code;	      /* with an id: sent, after login_codes */
	bool has_codes;
	bool keep_password; /* sent with a grant */
};

struct login_server;

/* Signs as `name` under a CA of its own, or `foreign`: under one that *server_out does not trust.
 * Fills in *server_out for the client (owned here). Ends the test on any failure. */
struct login_server *login_server_start(const char *name, bool foreign,
					struct radsec_server *server_out);
void login_server_script(struct login_server *s, const struct login_script *script);
/* What came: number of requests, and the last one's name and password as the client meant them. */
unsigned login_server_requests(struct login_server *s);
void login_server_last(struct login_server *s, char name[128], char password[129],
		       struct login_state *state_out, unsigned *n_records_out);
void login_server_stop(struct login_server *s);

#endif
