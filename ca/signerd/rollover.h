/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The issuing CA of a hierarchy and its successor below the same root (docs/decisions/0152, 0190),
 * as files of HOME/ca: WHAT-next.{key,pem} until the switch, WHAT-old.{key,pem} from then on, and
 * of the pumps' CA at last WHAT-retired.pem with WHAT-old.key. Which of them are there is the whole
 * state, so each step can be killed anywhere and is repeated.
 */
#ifndef CA_SIGNERD_ROLLOVER_H
#define CA_SIGNERD_ROLLOVER_H

#include <openssl/x509.h>

#include "base/err.h"

/* Ends a switch that was killed between its two files. To be called before the key is used.
 * ERR_IO. */
int rollover_settle(const char *home, const char *what) MUST_USE;

/* "start", "switch", "retire", "finish", "abort" or "status" of `what`, "server" or "device". Each
 * ends by printing the state (idle, started, switched or retired) and the certificates in PEM:
 * root, issuing CA, and the next or the previous one. Only the pumps' CA is retired: from then on
 * it signs nothing but what tells of revocations, and `finish` is EXIT_TRY_AGAIN until the last of
 * its certificates has ended. uri: a key in a token for the next CA (start), or NULL. EXIT_NOTHING:
 * it was so already. */
int command_rollover(const char *home, const char *step, const char *what, const char *uri);

/* With a root on another machine: the request (PKCS#10) for the next CA, whose key is made when
 * there is none, and its certificate, which is believed after it was held against the profile.
 * Codes of ca/offline.h; ERR_UNCHANGED, ERR_EXISTS, ERR_CONFLICT (another roll-over is under way),
 * ERR_NOT_FOUND. */
int rollover_request(const char *home, const char *what, const char *uri, X509_REQ **out) MUST_USE;
int rollover_import(const char *home, const char *what, X509 *root, X509 *ca) MUST_USE;

#endif
