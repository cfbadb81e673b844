/* SPDX-License-Identifier: BSD-2-Clause */
/* An HTTPS server in a thread, for the agent's unit tests: says just what the test gave it, to one
 * connection at a time. */
#ifndef TESTS_UNIT_PUMP_AGENT_HTTPS_SERVER_H
#define TESTS_UNIT_PUMP_AGENT_HTTPS_SERVER_H

#include "pump_agent/https.h"

#define HTTPS_ANSWERS_MAX 4

struct https_script {
	const char *san;    /* of its certificate; NULL: "IP:127.0.0.1" */
	bool is_foreign;    /* the client trusts another CA of that name */
	bool is_expired;    /* its certificate */
	bool is_mute;	    /* takes connections and says nothing */
	int tls_max;	    /* 0: newest */
	bool closes;	    /* after each answer, without a word about it */
	unsigned closes_at; /* closes before this request's answer, from 1; 0: never */
	struct {
		const char *text;     /* NULL: no answer */
		size_t tail;	      /* so many 'A' after it */
		const char *end;      /* and this; NULL: nothing */
	} answers[HTTPS_ANSWERS_MAX]; /* to each request; the last for all further ones */
};

struct https_seen {
	unsigned connections, requests;
	bool client_cert;    /* in the last one */
	uint8_t binding[64]; /* of the last connection, as the server has it */
	size_t binding_len;
	char last[4096]; /* request with its body */
};

struct https_mock;

/* Fills in *client for the tests' server (all owned here). Ends the test on any failure. */
struct https_mock *https_mock_start(const struct https_script *script, struct https_server *client);
struct https_seen https_mock_seen(struct https_mock *m);
void https_mock_stop(struct https_mock *m); /* NULL ok */

#endif
