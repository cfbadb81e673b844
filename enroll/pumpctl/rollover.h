/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of a roll-over of the server CA (docs/decisions/0152) or the pumps' (0190) as they
 * touch this machine: the signer's files, trust/server.pem or trust/device.pem, and the servers
 * that have to take them. Each is repeated until nothing is left to do, and may be killed anywhere.
 */
#ifndef ENROLL_PUMPCTL_ROLLOVER_H
#define ENROLL_PUMPCTL_ROLLOVER_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "enroll/pumpctl/settings.h"

#define ROLLOVER_CERTS_MAX 6
#define ROLLOVER_STATE_SIZE 16

/* Where the certificates stand in the state: the first two always, the third when a roll-over is
 * under way, the others when it replaces the root too (docs/decisions/0220). */
enum {
	ROLLOVER_ROOT,
	ROLLOVER_CA,
	ROLLOVER_OTHER_CA, /* the next, or the previous one */
	ROLLOVER_OTHER_ROOT,
	ROLLOVER_NEW_WITH_OLD, /* RFC 4210 4.4 */
	ROLLOVER_OLD_WITH_NEW
};

/* As the signer says. */
struct rollover_state {
	char name[ROLLOVER_STATE_SIZE]; /* idle, started, switched; of the pumps' CA also retired */
	bool of_root;			/* the root is replaced too */
	X509 *certs[ROLLOVER_CERTS_MAX];
	size_t n;
};
void rollover_state_done(struct rollover_state *st); /* safe on a zeroed struct */
#define AUTO_ROLLOVER __attribute__((cleanup(rollover_state_done))) struct rollover_state

/* What the signer is to do. */
struct rollover_order {
	const char *what; /* "server", "device" */
	const char *step; /* start, switch, finish, abort, status; of the pumps' CA also retire */
	const char *uri;  /* start: the next CA's key is in a token; or NULL */
	bool new_root;	  /* start: the servers' root too */
};
/* Has the signer do it. ERR_UNCHANGED: it was so already, *out is set all the same. ERR_BUSY (not
 * yet), ERR_CONFLICT with the signer's words. */
int rollover_step(const struct settings *s, const struct rollover_order *order,
		  struct rollover_state *out) MUST_USE;

/* SHA-256 of a certificate in hex. */
int rollover_sha256(X509 *cert, char out[65]) MUST_USE;
/* A CA's name as the registry and the signer have it. ERR_LIMIT. */
int rollover_issuer_name(X509 *ca, char *out, size_t size) MUST_USE;

/* trust/server.pem or trust/device.pem as the state has it. A switch of the pumps' CA leaves it as
 * it is, so that nobody has to start again. */
int rollover_trust_write(const struct settings *s, const char *what,
			 const struct rollover_state *st) MUST_USE;

/* What a server was given: told for people. */
typedef void (*rollover_told)(void *ctx, const char *server, const char *what, int64_t away_ms);

/* Who reads that trust file is started again unless that was after the file changed: enrolld, which
 * tells pumps which CAs there are, and those that believe pumps. *done_out: one was. */
int rollover_publish(const struct settings *s, const char *what, rollover_told told, void *ctx,
		     bool *done_out) MUST_USE;
/* Those of them that would have to be. ERR_DENIED when the calling user may not look. */
#define ROLLOVER_BELIEVERS 3
int rollover_behind(const struct settings *s, const char *what, const char *out[ROLLOVER_BELIEVERS],
		    size_t *n_out) MUST_USE;
/* Each server that has no certificate as this state wants it gets one, and takes it: of the CA in
 * use, and with the way to it from the old root as long as pumps may know that one alone. */
int rollover_servers(const struct settings *s, const struct rollover_state *st, rollover_told told,
		     void *ctx, bool *done_out) MUST_USE;
/* How many servers have none such. */
int rollover_servers_left(const struct settings *s, const struct rollover_state *st,
			  unsigned *n_out) MUST_USE;

#endif
