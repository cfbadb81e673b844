/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The issuing CA of a hierarchy and its successor (docs/decisions/0152, 0190), and a root and its
 * successor (docs/decisions/0220), as files of HOME/ca (rollover_files.h). Which of them are there
 * is the whole state, so each step can be killed anywhere and is repeated.
 */
#ifndef CA_SIGNERD_ROLLOVER_H
#define CA_SIGNERD_ROLLOVER_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "base/err.h"

/* Ends a switch that was killed between its two files. To be called before the key is used.
 * ERR_IO. */
int rollover_settle(const char *home, const char *what) MUST_USE;

/* "New with old" (RFC 4210 4.4), as long as a pump may know the old root alone although servers
 * have certificates below the new one. The caller frees. ERR_NOT_FOUND: no such time. */
int rollover_cross_read(const char *home, const char *what, X509 **out) MUST_USE;

/* How to start. */
struct rollover_start {
	const char *uri; /* a key in a token for the next CA, or NULL */
	bool new_root;	 /* the root is replaced too; of the servers' */
};

/* "start", "switch", "retire", "finish", "abort" or "status" of `what`, "server" or "device". Each
 * ends by printing the state (idle, started, switched or retired) and the certificates in PEM:
 * root, issuing CA, and the next or the previous one. Only the pumps' CA is retired: from then on
 * it signs nothing but what tells of revocations, and `finish` is EXIT_TRY_AGAIN until the last of
 * its certificates has ended. When the root is replaced too the state has the word "root" behind
 * it, and the other root, new with old and old with new follow. EXIT_NOTHING: it was so already. */
int command_rollover(const char *home, const char *step, const char *what,
		     const struct rollover_start *how);

/* With a root on another machine: the request (PKCS#10) for the next CA, whose key is made when
 * there is none, and its certificate, which is believed after it was held against the profile.
 * Codes of ca/offline.h; ERR_UNCHANGED, ERR_EXISTS, ERR_CONFLICT (another roll-over is under way),
 * ERR_NOT_FOUND. */
int rollover_request(const char *home, const char *what, const char *uri, X509_REQ **out) MUST_USE;
/* certs: the next CA, its root; if that is another root than ours (of the servers) also new with
 * old and old with new: then the root is replaced too. */
int rollover_import(const char *home, const char *what, X509 *const *certs, size_t n) MUST_USE;

#endif
