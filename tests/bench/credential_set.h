/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certificates that a load generator authenticates with: a folder of NAME.pem (leaf) and
 * NAME.key pairs, each loaded once into a client SSL_CTX. NAME is the pump's serial and EAP
 * identity; its trailing number makes its MAC address.
 */
#ifndef TESTS_BENCH_CREDENTIAL_SET_H
#define TESTS_BENCH_CREDENTIAL_SET_H

#include <stddef.h>

#include <openssl/ssl.h>

struct credential {
	char identity[64];
	char mac[18]; /* "02-00-00-00-00-01", as a NAS writes it */
	SSL_CTX *ctx;
};

struct credential_set {
	struct credential *all;
	size_t n;
};

/* "02SEP00SEP..." from the number at the end of `identity`. */
void credential_mac(const char *identity, char separator, char out[18]);
/* At most `max` pairs in the order of their names, the servers' CA from `ca_file`, one TLS version
 * (TLS1_2_VERSION, TLS1_3_VERSION). Ends the program on any failure. */
void credential_set_load(const char *folder, const char *ca_file, int tls_version, size_t max,
			 struct credential_set *out);
void credential_set_done(struct credential_set *s);

#endif
