/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attribute that pumpgate-radsecd adds on this machine: on its way to radiusd it says by which
 * certificate the NAS is known, and by a token that radsecd says so; on the way from dispatchd it
 * says for which certificates a Disconnect-Request is. Never on any other machine's wire. Pure.
 */
#ifndef RADIUS_MODULES_RADSEC_HOP_H
#define RADIUS_MODULES_RADSEC_HOP_H

#include "base/err.h"
#include "sql/proto/registry_records.h"

#define HOP_ATTRIBUTE 240 /* RFC 3575 2.1: 224 to 240 are for one implementation's own use */
#define HOP_TOKEN_CHARS 32
/* radsec_inner_port and the two after it, on 127.0.0.1: radiusd's for authentication and
 * accounting, radsecd's for dispatchd. */
#define HOP_ACCT_OFFSET 1
#define HOP_DISPATCH_OFFSET 2
/* Where the token of each hop stands, below HOME: each end has its own copy (mode 0600). */
#define HOP_TOKEN_RADIUS "radius/radsec.token"	   /* radiusd's */
#define HOP_TOKEN_DISPATCH "dispatch/radsec.token" /* dispatchd's */
#define HOP_TOKEN_OF_RADIUS "radsec/radius.token"  /* radsecd's copies */
#define HOP_TOKEN_OF_DISPATCH "radsec/dispatch.token"

/* RFC 6614 2.3: what MD5 is computed with inside TLS. */
#define RADSEC_SECRET "radsec"
#define RADSEC_SECRET_LEN 6

struct hop_origin {
	char cert_serial[CERT_SERIAL_SIZE];
	char ip[IP_SIZE];
};
#define HOP_SIZE (HOP_TOKEN_CHARS + 1 + CERT_SERIAL_SIZE + IP_SIZE)

/* "TOKEN SERIAL IP" into out[HOP_SIZE]; `token` has HOP_TOKEN_CHARS characters. */
void hop_build(const char *token, const struct hop_origin *from, char out[HOP_SIZE]);
/* ERR_DENIED: not with this token (compared in constant time); ERR_INVALID. */
int hop_parse(const char *text, size_t len, const char *token, struct hop_origin *out) MUST_USE;

/* A token from its file: hex characters, then a line end. As secret_read_file, and ERR_INVALID. */
int hop_token_read(const char *path, char out[HOP_TOKEN_CHARS + 1]) MUST_USE;

#endif
