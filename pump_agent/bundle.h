/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bundle of `pumpctl pump bundle`: what a pump needs before it trusts anybody. Pure.
 * The format is in docs/ARCHITECTURE.md, "The bundle".
 */
#ifndef PUMP_AGENT_BUNDLE_H
#define PUMP_AGENT_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "pump_agent/x509_auto.h"

#define BUNDLE_MAX 16384 /* bytes of the whole file */
#define BUNDLE_ANCHORS_MAX 6
#define PUMP_SERIAL_MAX 63
#define EST_URL_MAX 256
#define SERVER_NAME_MAX 254
#define ANCHOR_HASH_BYTES 32
#define BUNDLE_PATH_MAX 256
#define LOGIN_ADDRESS_MAX 64

/* The part of a bundle that the pump keeps. Nothing in it is secret. */
struct pump_settings {
	char pump[PUMP_SERIAL_MAX + 1];
	char est[EST_URL_MAX];			/* https://HOST[:PORT]/PATH, no "/" at the end */
	char radius_name[SERVER_NAME_MAX];	/* DNS name in the RADIUS server's certificate */
	uint8_t anchor_hash[ANCHOR_HASH_BYTES]; /* SHA-256 of the server root's DER */
	/* The clinicians' server (RadSec), ADDRESS:PORT in numbers, and the name in its
	 * certificate.
	 * "": logins at the server are not to be had. */
	char login_address[LOGIN_ADDRESS_MAX];
	char login_name[SERVER_NAME_MAX];
};

struct bundle {
	struct pump_settings settings;
	struct secret *token; /* owned; gone from disk once it was used; NULL with a birth cert. */
	/* Files of the pump, full paths, PEM; "" with a token. The certificate's may hold its
	 * chain. */
	char idevid_certificate[BUNDLE_PATH_MAX];
	char idevid_key[BUNDLE_PATH_MAX];
	/* Version 2: the server's root, which has the hash, first, then what it issued; owned.
	 * NULL: they are asked of the server, which then must be within reach. */
	STACK_OF(X509) * anchors;
};

/* Either a token, or both files of a birth certificate. `json` need not end in NUL. Unknown fields
 * are ignored, an unknown version is refused. ERR_INVALID names the field; ERR_NEWER; ERR_LIMIT
 * above BUNDLE_MAX; ERR_NOMEM. */
int bundle_parse(const void *json, size_t len, struct bundle *out) MUST_USE;
void bundle_done(struct bundle *b); /* wipes; safe on a zeroed struct */
#define AUTO_BUNDLE __attribute__((cleanup(bundle_done))) struct bundle

/* Each checks one value where it enters, whatever file it came from. ERR_INVALID. */
int pump_serial_check(const char *serial) MUST_USE;
int est_url_check(const char *url) MUST_USE;
int server_name_check(const char *name) MUST_USE;
/* Both "", or both good. */
int login_server_check(const char *address, const char *name) MUST_USE;

#endif
