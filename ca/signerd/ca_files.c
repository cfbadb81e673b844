/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns where the CA's files are. */
#include <stdio.h>

#include "base/daemon.h"
#include "ca/keystore.h"
#include "ca/signerd/signerd.h"

int ca_path(const char *home, const char *what, const char *part, char out[PATH_MAX])
{
	char rel[64];

	snprintf(rel, sizeof(rel), "ca/%s-%s", what, part);
	return home_path(home, rel, out);
}

static int cert_load(const char *home, const char *what, const char *part, X509 **out)
{
	char path[PATH_MAX];
	int rc = ca_path(home, what, part, path);

	return rc ? rc : keystore_cert_read(path, out);
}

int issuer_certs_load(const char *home, const char *what, X509 **root, X509 **cert)
{
	int rc = cert_load(home, what, "root.pem", root);

	return rc ? rc : cert_load(home, what, "ca.pem", cert);
}

int issuer_load(const char *home, const char *what, const struct key_access *access,
		struct ca_issuer *out)
{
	AUTO_X509 root = NULL;
	AUTO_X509 cert = NULL;
	AUTO_PKEY key = NULL;
	char path[PATH_MAX];
	int rc;

	if ((rc = issuer_certs_load(home, what, &root, &cert)) ||
	    (rc = ca_path(home, what, "ca.key", path)) ||
	    (rc = keystore_key_read(path, access, &key)))
		return rc == ERR_NOT_FOUND
			       ? err_add(rc, "no %s CA here; do: pumpctl --home %s init", what,
					 home)
			       : rc;
	return ca_issuer_init(cert, key, root, out);
}

int ca_keys_load(const char *home, uint8_t (*spki_sha256_out)[32], size_t max, size_t *n_out)
{
	static const char *const certs[][2] = {
		{"device", "root.pem"},	     {"device", "ca.pem"},	{"server", "root.pem"},
		{"server", "ca.pem"},	     {"server", "next.pem"},	{"server", "old.pem"},
		{"device", "next.pem"},	     {"device", "old.pem"},	{"device", "retired.pem"},
		{"server", "next-root.pem"}, {"server", "old-root.pem"}};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]) && n < max; i++) {
		AUTO_X509 cert = NULL;
		int rc = cert_load(home, certs[i][0], certs[i][1], &cert);

		if (rc == ERR_NOT_FOUND)
			continue;
		if (!rc)
			rc = ossl_spki_sha256(X509_get_X509_PUBKEY(cert), spki_sha256_out[n]);
		if (rc)
			return rc;
		n++;
	}
	*n_out = n;
	return 0;
}
