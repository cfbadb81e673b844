/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys and certificates of the hospital's own servers (EST, RADIUS). Keys are made here, a new
 * one with each certificate, which comes from pumpgate-signerd; that sees only a CSR.
 */
#ifndef ENROLL_PUMPCTL_SERVER_KEYS_H
#define ENROLL_PUMPCTL_SERVER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enroll/pumpctl/key_pair.h"
#include "enroll/pumpctl/settings.h"

enum server_state {
	SERVER_BROKEN = 0, /* no server can start with it, or no pump would take it */
	SERVER_ENDED,
	SERVER_DUE,	  /* less than a third of server_validity is left */
	SERVER_UNSETTLED, /* renewed, but the server has not started with it yet */
	SERVER_FINE,
};
/* "broken", "ended", "due", "not in use yet", "fine" */
const char *server_state_name(enum server_state state);

struct server_cert {
	const char *folder; /* "est", "radius": static */
	enum process process;
	char names[512]; /* as pumpgate.conf wants them */
	char serial[41]; /* hex; "" when there is no certificate to be read */
	int64_t ends_ms; /* 0 likewise */
	enum server_state state;
	bool urgent;   /* less than a quarter is left: the timer that renews does not do it */
	char why[200]; /* broken: in what way */
};

#define SERVER_CERTS_MAX 4

/* Looks at each server's pair; changes nothing. *n_out of them in `out`. What is wrong with one
 * stands in it. ERR_DENIED when the calling user may not read them. Blocks on disk. */
int server_keys_look(const struct settings *s, struct server_cert out[SERVER_CERTS_MAX],
		     size_t *n_out) MUST_USE;
/* When the first certificate of trust/NAME.pem ends. ERR_NOT_FOUND, ERR_IO, ERR_CRYPTO. */
int server_keys_ca_ends(const struct settings *s, const char *name, int64_t *ms_out) MUST_USE;
/* Whether an issuing CA is being replaced: trust/NAME.pem holds more than root and one issuing CA.
 * False when it can't be read. */
bool server_keys_ca_rolls_over(const struct settings *s, const char *name);
/* A new key and certificate for this server, looked at from all sides before they are put in force
 * (key, names, chain up to trust/server.pem, purpose, beginning as its CA's). The server does not
 * have them yet. ERR_CRYPTO and others; then nothing has changed. */
int server_keys_renew(const struct settings *s, const struct server_cert *c) MUST_USE;
/* Where the pair of a process is; `folder` must outlive *out. ERR_NOT_FOUND: it has none. */
int server_keys_pair(const struct settings *s, enum process process, char folder[PATH_MAX],
		     struct key_pair *out) MUST_USE;

/* Makes pairs where they are missing, past their end, or do not fit the configured names. The CA
 * must exist. *changed is set to true when anything was done. ERR_*. */
int server_keys_apply(const struct settings *s, bool *changed) MUST_USE;

#endif
