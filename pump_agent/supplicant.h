/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the agent makes wpa_supplicant do. The interface is the agent's alone: network blocks of
 * others are removed, because one without server checks would let the pump talk to anybody.
 * Every call blocks as wpa_link.h says and fails as it does.
 */
#ifndef PUMP_AGENT_SUPPLICANT_H
#define PUMP_AGENT_SUPPLICANT_H

#include <stdbool.h>

#include "base/err.h"
#include "pump_agent/netblock.h"
#include "pump_agent/wpa_link.h"
#include "pump_agent/x509_auto.h"

/* A key and certificate under the name of a blob. */
struct identity {
	EVP_PKEY *key; /* not owned */
	X509 *cert;
	const char *blob;
	const STACK_OF(X509) * chain;	  /* sent with it; NULL: none, the server knows our CA */
	const char *key_path, *cert_path; /* of a key in a TPM; NULL: the blob carries both */
};

/* Is the one network there already ours, built from the same values? Then `*network_out` is its
 * number and nothing has to be written: a restart of the agent does not cut the pump off.
 * ERR_NOT_FOUND otherwise. In both, `in`'s blob, passphrase and id are filled in. */
int supplicant_adopt(struct wpa_link *l, struct netblock_in in, const struct identity *who,
		     int *network_out) MUST_USE;

/* Removes all networks, writes ours, connects. */
int supplicant_connect(struct wpa_link *l, struct netblock_in in, const struct identity *who,
		       int *network_out) MUST_USE;

/* Uses another identity from the next authentication on, which is asked for at once. The other
 * blob must have another name: wpa_supplicant keeps using what it has read under an old one. */
int supplicant_swap(struct wpa_link *l, int network, const struct identity *who) MUST_USE;
/* Back to a previous identity, with a new association. */
int supplicant_swap_back(struct wpa_link *l, int network, const struct identity *who) MUST_USE;
/* What the network trusts has changed in its file: wpa_supplicant forgets the session that it would
 * go on with, which holds the old. Running authentications and the port stay. */
int supplicant_trust_again(struct wpa_link *l, int network, const X509 *cert) MUST_USE;
/* The name that is said from the next authentication on. ERR_INVALID: it cannot be carried. */
int supplicant_rename(struct wpa_link *l, int network, const char *identity) MUST_USE;
/* Marks the network with the identity that it uses, for supplicant_adopt. */
int supplicant_mark(struct wpa_link *l, int network, const X509 *cert) MUST_USE;

/* Takes servers of another name from the next authentication on; the session goes on. `in` as for
 * supplicant_connect. */
int supplicant_expect(struct wpa_link *l, struct netblock_in in, const struct identity *who,
		      int network) MUST_USE;

/* No attempts until supplicant_resume. */
int supplicant_hold(struct wpa_link *l, int network) MUST_USE;
int supplicant_resume(struct wpa_link *l, int network, enum net_driver driver) MUST_USE;
/* Removes all networks. */
int supplicant_leave(struct wpa_link *l) MUST_USE;

/* Does an authentication run? To change the network would break it off. */
int supplicant_is_busy(struct wpa_link *l, bool *out) MUST_USE;

/* Is the port open by a finished EAP authentication? */
int supplicant_is_admitted(struct wpa_link *l, bool *out) MUST_USE;

#endif
