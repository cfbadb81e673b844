/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an EST label asks for (RFC 7030 3.2.2: "an arbitrary path segment" that stands for one of
 * several sets of terms): the kind of key, and whether the request must be bound to its TLS
 * connection. Pure.
 */
#ifndef ENROLL_EST_EST_LABEL_H
#define ENROLL_EST_EST_LABEL_H

#include <stdbool.h>
#include <stddef.h>

#include "enroll/est/est_path.h"

#define EST_LABELS_MAX 16

enum est_key {
	EST_KEY_ANY = 0, /* P-256 is recommended, what the CA takes is taken */
	EST_KEY_EC_P256,
	EST_KEY_EC_P384,
	EST_KEY_RSA_2048,
	EST_KEY_RSA_3072,
	EST_KEY_RSA_4096,
};

struct est_profile {
	char label[EST_LABEL_SIZE]; /* "" in the profile of requests without one */
	enum est_key key;
	bool is_bound; /* RFC 7030 3.5 */
};

struct est_labels {
	struct est_profile profiles[EST_LABELS_MAX];
	size_t n;
};

/* "ec-p384", as the signer names key types; "" for EST_KEY_ANY. */
const char *est_key_name(enum est_key key);

/* A label's terms from the settings: its name (no operation's, RFC 7030 3.2.2), a key's name or
 * "any", "yes" or "no". ERR_INVALID, ERR_EXISTS, ERR_LIMIT. */
int est_labels_add(struct est_labels *labels, const char *label, const char *key,
		   const char *channel_binding) MUST_USE;

/* The profile of a path's label; for "" that of requests without one. NULL: no such label. */
const struct est_profile *est_labels_find(const struct est_labels *labels, const char *label);

#endif
