/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network block for wpa_supplicant, as the values of its SET_NETWORK commands. Pure, and the
 * only place that makes one: a block that would let the pump talk to anybody's RADIUS server can't
 * be built here.
 */
#ifndef PUMP_AGENT_NETBLOCK_H
#define PUMP_AGENT_NETBLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum net_driver { NET_WIRED = 0, NET_WIFI };

#define SSID_MAX 32 /* bytes, IEEE 802.11 */

struct netblock_in {
	enum net_driver driver;
	const char *ssid;	 /* Wi-Fi only */
	const char *identity;	 /* the pump's serial */
	const char *anchors;	 /* absolute path: server root and issuing CA, PEM */
	const char *server_name; /* what the RADIUS server's certificate must be called, exactly */
	const char *blob;	 /* name of the PKCS#12 blob */
	const char *passphrase;	 /* of the blob; hex digits */
	const char *key_path;  /* instead of a blob: absolute paths of a TPM's key (DER) and its */
	const char *cert_path; /* certificate; NULL: a blob */
	const char *id;	       /* tells this block again later */
};

struct netblock_field {
	const char *name;
	char value[512]; /* as SET_NETWORK wants it: texts in quotes or hex */
	bool is_secret;
};

#define NETBLOCK_FIELDS_MAX 16

struct netblock {
	size_t n;
	struct netblock_field fields[NETBLOCK_FIELDS_MAX];
};

/* ERR_INVALID, and nothing in *out, without an absolute anchors path or a full server name, or when
 * a value cannot be carried; the text says which. */
int netblock_build(const struct netblock_in *in, struct netblock *out) MUST_USE;
void netblock_done(struct netblock *b); /* wipes */

/* NULL when the block has no such field. */
const char *netblock_value(const struct netblock *b, const char *name);

#endif
