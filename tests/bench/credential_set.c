/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the client SSL_CTXs. The server is always verified. */
#include "tests/bench/credential_set.h"

#include <dirent.h>
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

static void tls_fail(const char *what)
{
	ERR_print_errors_fp(stderr);
	errx(1, "%s", what);
}

void credential_mac(const char *identity, char separator, char out[18])
{
	size_t digits = strlen(identity);
	unsigned long n;
	char s = separator;

	while (digits && identity[digits - 1] >= '0' && identity[digits - 1] <= '9')
		digits--;
	n = strtoul(identity + digits, NULL, 10);
	snprintf(out, 18, "02%c00%c%02lX%c%02lX%c%02lX%c%02lX", s, s, n >> 24 & 255, s,
		 n >> 16 & 255, s, n >> 8 & 255, s, n & 255);
}

static SSL_CTX *context_load(const char *folder, const char *name, X509_STORE *store, int version)
{
	char path[PATH_MAX];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		tls_fail("SSL_CTX_new");
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set1_cert_store(ctx, store);
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN); /* the leaf only, as a pump sends it */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	snprintf(path, sizeof(path), "%s/%s.pem", folder, name);
	if (SSL_CTX_use_certificate_file(ctx, path, SSL_FILETYPE_PEM) != 1)
		tls_fail(path);
	snprintf(path, sizeof(path), "%s/%s.key", folder, name);
	if (SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) != 1)
		tls_fail(path);
	return ctx;
}

static int is_certificate(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > 4 && len < 60 && !strcmp(e->d_name + len - 4, ".pem");
}

void credential_set_load(const char *folder, const char *ca_file, int tls_version, size_t max,
			 struct credential_set *out)
{
	X509_STORE *store = X509_STORE_new();
	struct dirent **names;
	int found = scandir(folder, &names, is_certificate, alphasort);

	if (!store || X509_STORE_load_file(store, ca_file) != 1)
		tls_fail(ca_file);
	if (found <= 0)
		errx(1, "%s: no NAME.pem in it", folder);
	*out = (struct credential_set){.all = calloc((size_t)found, sizeof(*out->all))};
	if (!out->all)
		err(1, "%s", folder);
	for (int i = 0; i < found; i++) {
		struct credential *c = &out->all[out->n];

		if (out->n < max) {
			snprintf(c->identity, sizeof(c->identity), "%.*s",
				 (int)strlen(names[i]->d_name) - 4, names[i]->d_name);
			credential_mac(c->identity, '-', c->mac);
			c->ctx = context_load(folder, c->identity, store, tls_version);
			out->n++;
		}
		free(names[i]);
	}
	free(names);
	X509_STORE_free(store);
}

void credential_set_done(struct credential_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		SSL_CTX_free(s->all[i].ctx);
	free(s->all);
	*s = (struct credential_set){0};
}
