/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logins of clinicians, for the agent's loop: hands what the controller asks to a thread (desk.h
 * decides there) and the answer back. Nothing here blocks but login_free, for as long as the desk
 * needs to give up (tens of milliseconds, and the disk). All calls are the loop thread's.
 */
#ifndef PUMP_AGENT_LOGIN_LOGIN_H
#define PUMP_AGENT_LOGIN_LOGIN_H

#include "pump_agent/login/desk.h"

struct event_base;
struct login;

/* How things stand, as of the thread's last step. */
struct login_standing {
	bool is_configured;  /* this pump knows a server for logins */
	uint32_t ways;	     /* PUMPLINK_WAY_* */
	int64_t answered_ms; /* by the server, last; 0: never */
	uint32_t n_people;   /* who can log in without it */
	uint32_t n_codes;    /* unused break-glass codes */
	uint32_t n_records;  /* that it has not heard yet */
	bool is_clock_set_back;
	char noticed[64]; /* an old copy of the store, at the start of the agent; "" */
	char tpm[96];	  /* "good", what is wrong with it, or "": none is used */
};

struct login_calls {
	/* The answer to a login that is not void. */
	void (*answer)(void *ctx, uint32_t request, const struct pumplink_answer *answer);
	/* Who is logged in by this request may not be any longer. */
	void (*end)(void *ctx, uint32_t request);
	/* login_standing has changed. */
	void (*changed)(void *ctx);
	void *ctx;
};

/* `store` must outlive it. chip: NULL, no TPM; is login's from now on, also after an error. Calls
 * come from the loop. ERR_NOMEM, ERR_IO. */
int login_new(struct event_base *base, const struct store *store, struct chip *chip,
	      const struct login_calls *calls, struct login **out) MUST_USE;
void login_free(struct login *l); /* NULL ok */

/* Which pump this is, by what certificate, and its server: at the start and after each change.
 * Copied, or shared by reference. */
struct login_identity {
	const struct pump_settings *settings;
	EVP_PKEY *key;
	X509 *cert;
};
int login_identity_set(struct login *l, const struct login_identity *who) MUST_USE;
/* The network has come (or gone): speak to the server soon. */
void login_network(struct login *l, bool is_up);

/* Takes the place of one that is still pending. `rq` is copied. */
void login_begin(struct login *l, const struct pumplink_request *rq);
/* The session that an OK began has ended. */
void login_ended(struct login *l, uint32_t request, enum pumplink_end why);

struct login_standing login_standing(struct login *l);

#endif
