/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the two trust stores a client's certificate chain ended in: the device CA's, or the
 * makers' (docs/decisions/0126). Nothing else is let through. */
#ifndef ENROLL_ENROLLD_PEER_VERIFY_H
#define ENROLL_ENROLLD_PEER_VERIFY_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "base/err.h"
#include "enroll/enrolld/makers.h"

/* Client certificates of `ctx` are verified against its own store first, then against the makers'.
 * `makers` must outlive the context. ERR_CRYPTO. */
int peer_verify_install(SSL_CTX *ctx, struct makers *makers) MUST_USE;

/* After a finished handshake: the certificate is ours, and past its end (docs/decisions/0147). It
 * proves its key; what that is worth, signerd and the registry say. */
bool peer_is_late(const SSL *ssl);

/* After a finished handshake: the chain ended at a maker's anchor. */
bool peer_is_makers(const SSL *ssl);

#endif
