/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's state folder. Two slots hold a key and a certificate each; state.json names the slot
 * in use and is the one commit point: every file is replaced atomically, so the agent may be killed
 * anywhere and goes on where it was.
 *
 *   state.json   settings and the active slot     anchors-*.pem  server root and issuing CA
 *   a/ b/        key.pem or key.tss2 (a TPM's),
 *                cert.pem, for           devices-*.pem  the pumps' own hierarchy
 *   run/         sockets to wpa_supplicant        status.json  for everybody to read
 *
 * The keys are readable by the agent alone; wpa_supplicant may run as another user and reads
 * the anchors. All calls block on the disk.
 */
#ifndef PUMP_AGENT_STORE_H
#define PUMP_AGENT_STORE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ca/request/wipe_statement.h"
#include "pump_agent/bundle.h"
#include "pump_agent/x509_auto.h"

enum slot { SLOT_A, SLOT_B };

static inline enum slot slot_other(enum slot s)
{
	return s == SLOT_A ? SLOT_B : SLOT_A;
}

struct store {
	char dir[PATH_MAX - 64];
	int lock_fd;
};

/* What state.json keeps. All zero: nothing was enrolled yet. */
struct store_state {
	struct pump_settings settings;
	bool enrolled; /* `active` holds a complete identity */
	bool revoked;  /* the server said so: try no more until a new bundle comes */
	enum slot active;
	uint64_t policy_number;	    /* of the newest server policy that was followed; 0: none */
	char bundle_hash[65];	    /* of the bundle that was used: it is not taken twice */
	char wipe[WIPE_ORDER_SIZE]; /* the order to wipe; "": none */
};

/* Makes the folder (0700) where it is missing and locks it against a second agent.
 * ERR_IO, ERR_BUSY when another agent holds it, ERR_DENIED when others can write to it. */
int store_open(const char *dir, struct store *out) MUST_USE;
void store_close(struct store *s);

/* The path of a file in the folder, for programs that take paths. ERR_LIMIT. */
int store_path(const struct store *s, const char *name, char out[PATH_MAX]) MUST_USE;

/* ERR_NOT_FOUND when there is none yet; ERR_CORRUPT, ERR_NEWER. */
int store_state_read(const struct store *s, struct store_state *out) MUST_USE;
int store_state_write(const struct store *s, const struct store_state *state) MUST_USE;
/* Nothing was ever enrolled, as far as the folder tells. */
int store_state_remove(const struct store *s) MUST_USE;

/* Two hierarchies for each pinned server root: enrolling with another one leaves what the identity
 * in use is checked by alone. */
enum anchors_of { ANCHORS_SERVER, ANCHORS_DEVICES };

int store_anchors_path(const struct store *s, const struct pump_settings *set, enum anchors_of what,
		       char out[PATH_MAX]) MUST_USE;
int store_anchors_read(const struct store *s, const struct pump_settings *set, enum anchors_of what,
		       STACK_OF(X509) * *out) MUST_USE;
int store_anchors_write(const struct store *s, const struct pump_settings *set,
			enum anchors_of what, const STACK_OF(X509) * certs) MUST_USE;

/* The same, but writes only what is another than before: then *changed_out is set. */
int store_anchors_update(const struct store *s, const struct pump_settings *set,
			 enum anchors_of what, const STACK_OF(X509) * certs,
			 bool *changed_out) MUST_USE;

/* ERR_NOT_FOUND, ERR_CRYPTO when the file is no key; ERR_UNAVAILABLE: it is in a TPM that is away.
 */
int store_key_read(const struct store *s, enum slot slot, EVP_PKEY **out) MUST_USE;
int store_key_write(const struct store *s, enum slot slot, const EVP_PKEY *key) MUST_USE;
int store_cert_read(const struct store *s, enum slot slot, X509 **out) MUST_USE;
int store_cert_write(const struct store *s, enum slot slot, X509 *cert) MUST_USE;

/* Of a TPM's key and of its certificate, for wpa_supplicant, which reads them itself. ERR_LIMIT. */
int store_key_path(const struct store *s, enum slot slot, char out[PATH_MAX]) MUST_USE;
int store_cert_path(const struct store *s, enum slot slot, char out[PATH_MAX]) MUST_USE;

/* Says for which bundle (or renewal) a slot is being filled. An empty slot has the purpose "". */
#define SLOT_PURPOSE_MAX 80
int store_slot_purpose(const struct store *s, enum slot slot, char out[SLOT_PURPOSE_MAX]) MUST_USE;
/* Empties the slot, then writes the purpose: what is found in it later was made for that. */
int store_slot_begin(const struct store *s, enum slot slot, const char *purpose) MUST_USE;
/* Overwrites a file's blocks, as far as the file system writes where it read (flash seldom does),
 * and takes it away. A file that is not there is no error. A link is taken away, not followed. */
int store_file_wipe(const char *path) MUST_USE;

/* Key and certificate are wiped from the folder. */
int store_slot_clear(const struct store *s, enum slot slot) MUST_USE;

#endif
