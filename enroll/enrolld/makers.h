/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The makers' anchors as the registry has them, kept fresh by a thread: a trust store of their own,
 * never merged with the device CA's. It only says who is let through TLS with a birth certificate;
 * whether that is good for anything is signerd's to verify.
 */
#ifndef ENROLL_ENROLLD_MAKERS_H
#define ENROLL_ENROLLD_MAKERS_H

#include <openssl/ssl.h>

#include "base/err.h"

struct makers;

#define MAKERS_EVERY_MS 2000 /* a change is in force after that at the latest */

/* `socket` is the registry's, asked as role "enroll". ERR_NOMEM, ERR_IO, ERR_LIMIT. */
int makers_new(const char *socket, struct makers **out) MUST_USE;
void makers_free(struct makers *m); /* NULL ok; waits for its thread */

/* The store as it is now, for the caller to X509_STORE_free; NULL while no maker is enabled. Any
 * thread; never blocks for long. */
X509_STORE *makers_store(struct makers *m);

/* Tells a client, before its handshake, which CAs its certificate may come from: what the context
 * says, and the makers'. ERR_NOMEM. */
int makers_announce(struct makers *m, SSL *ssl) MUST_USE;

#endif
