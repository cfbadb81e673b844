/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of a roll-over of the server CA (docs/decisions/0152) as they touch this machine: the
 * signer's files, trust/server.pem, and the servers that have to take them. Each is repeated until
 * nothing is left to do, and may be killed anywhere.
 */
#ifndef ENROLL_PUMPCTL_ROLLOVER_H
#define ENROLL_PUMPCTL_ROLLOVER_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "enroll/pumpctl/settings.h"

#define ROLLOVER_CERTS_MAX 3
#define ROLLOVER_STATE_SIZE 16

/* As the signer says. certs: root, the issuing CA, and the next or the previous one. */
struct rollover_state {
	char name[ROLLOVER_STATE_SIZE]; /* idle, started, switched */
	X509 *certs[ROLLOVER_CERTS_MAX];
	size_t n;
};
void rollover_state_done(struct rollover_state *st); /* safe on a zeroed struct */
#define AUTO_ROLLOVER __attribute__((cleanup(rollover_state_done))) struct rollover_state

/* Has the signer do `step` (start, switch, finish, abort, status). ERR_UNCHANGED: it was so
 * already, *out is set all the same. ERR_CONFLICT with the signer's words. */
int rollover_step(const struct settings *s, const char *step, struct rollover_state *out) MUST_USE;

/* SHA-256 of a certificate in hex. */
int rollover_sha256(X509 *cert, char out[65]) MUST_USE;

/* trust/server.pem as the state has it. */
int rollover_trust_write(const struct settings *s, const struct rollover_state *st) MUST_USE;

/* What a server was given: told for people. */
typedef void (*rollover_told)(void *ctx, const char *server, const char *what, int64_t away_ms);

/* enrolld tells pumps which CAs there are: it is started again unless that was after the trust file
 * changed. *done_out: it was. */
int rollover_publish(const struct settings *s, rollover_told told, void *ctx,
		     bool *done_out) MUST_USE;
/* Each server that has no certificate of `ca` gets one, and takes it. */
int rollover_servers(const struct settings *s, X509 *ca, rollover_told told, void *ctx,
		     bool *done_out) MUST_USE;
/* How many servers have none of `ca`. */
int rollover_servers_left(const struct settings *s, X509 *ca, unsigned *n_out) MUST_USE;

#endif
