/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the commands around an offline root. On the server: a request for the issuing CA goes out,
 * its certificate comes in. On the offline machine, with a folder of its own as home: the root is
 * made, the request signed. Nothing here is reachable through the socket.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "ca/keystore.h"
#include "ca/offline.h"
#include "ca/pkcs11.h"
#include "ca/signerd/rollover.h"
#include "ca/signerd/signerd.h"

#define FILE_MAX 16384

static int kind_parse(const char *what, enum ca_kind *out)
{
	*out = !strcmp(what, "device")	 ? CA_KIND_DEVICE_ROOT
	       : !strcmp(what, "server") ? CA_KIND_SERVER_ROOT
					 : CA_KIND_NONE;
	return *out ? 0 : err_set(ERR_INVALID, "the CA is \"device\" or \"server\"");
}

static bool have(const char *home, const char *what, const char *part)
{
	char path[PATH_MAX];

	return ca_path(home, what, part, path) == 0 && access(path, F_OK) == 0;
}

static int fingerprint_print(const char *what, X509_PUBKEY *spki)
{
	uint8_t sha[32];
	char hex[65];
	int rc = ossl_spki_sha256(spki, sha);

	if (rc)
		return rc;
	hex_encode(sha, sizeof(sha), hex, sizeof(hex));
	fprintf(stderr, "key of %s: SHA-256 %s\n", what, hex);
	return 0;
}

/* ---- on the server ---- */

/* The issuing CA's key: the one that waits, or a fresh one; with `uri` the token's. */
static int request_key(const char *home, const char *what, const char *uri,
		       const struct key_access *a, EVP_PKEY **out)
{
	AUTO_PKEY key = NULL;
	char path[PATH_MAX];
	int rc = ca_path(home, what, "ca.key", path);

	if (!rc && uri)
		rc = pkcs11_key_load(uri, a, &key);
	if (rc)
		return rc;
	if (uri) { /* a key that never had a certificate may be replaced */
		AUTO_BUF line = {.max = PKCS11_URI_MAX + 2};

		rc = buf_printf(&line, "%s\n", uri);
		if (!rc)
			rc = buf_write_file(path, 0600, line.data, line.len);
	} else if (have(home, what, "ca.key")) {
		rc = keystore_key_read(path, a, &key);
	} else {
		key = EVP_EC_gen("P-256");
		rc = key ? keystore_key_write(path, key) : err_ossl(ERR_CRYPTO, "making a key");
	}
	if (!rc)
		*out = OSSL_TAKE(key);
	return rc;
}

static int request_new(const char *home, const char *what, const char *uri, X509_REQ **out)
{
	struct signer_settings s;
	struct ca_terms t;
	AUTO_PKEY key = NULL;
	enum ca_kind kind;
	int rc = kind_parse(what, &kind);

	if (rc || (rc = signer_settings_read(home, &s)))
		return rc;
	if (have(home, what, "ca.pem") || have(home, what, "root.key"))
		return err_set(ERR_EXISTS,
			       "the %s CA is there already; of the one that follows it: "
			       "--next",
			       what);
	if ((rc = ca_folder_have(home)) || (rc = request_key(home, what, uri, &s.keys, &key)))
		return rc;
	t = ca_terms_of_ca(ca_kind_below(kind), s.organization, 0);
	return ca_request_make(&t, key, out);
}

static int request(const char *home, const char *what, const char *uri, bool next)
{
	AUTO_X509_REQ req = NULL;
	int rc =
		next ? rollover_request(home, what, uri, &req) : request_new(home, what, uri, &req);

	if (rc == ERR_UNCHANGED)
		return err_set(ERR_EXISTS, "the next %s CA is there already", what);
	if (rc || (rc = fingerprint_print("the request", X509_REQ_get_X509_PUBKEY(req))))
		return rc;
	return PEM_write_X509_REQ(stdout, req) ? 0 : err_ossl(ERR_IO, "writing the request");
}

/* Exactly two certificates: the issuing CA and its root. */
static int pair_read(const char *path, X509 **ca, X509 **root)
{
	AUTO_BUF pem = {.max = FILE_MAX};
	AUTO_X509 more = NULL;
	AUTO_BIO bio = NULL;
	int rc = buf_read_file(&pem, path);

	if (rc)
		return rc;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	*ca = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	*root = *ca ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	more = *root ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	ERR_clear_error();
	if (!*root || more)
		return err_set(ERR_INVALID,
			       "%s must hold two certificates in PEM: the issuing CA's "
			       "and its root's",
			       path);
	return 0;
}

static int import_same(const char *home, const char *what, X509 *ca)
{
	AUTO_X509 there = NULL;
	char path[PATH_MAX];
	int rc = ca_path(home, what, "ca.pem", path);

	if (!rc)
		rc = keystore_cert_read(path, &there);
	if (rc)
		return rc;
	return X509_cmp(there, ca)
		       ? err_set(ERR_EXISTS, "the %s CA is there already, another one", what)
		       : err_set(ERR_UNCHANGED, "that %s CA is there already", what);
}

static int import(const char *home, const char *what, const char *file)
{
	AUTO_X509 root = NULL;
	AUTO_X509 ca = NULL;
	AUTO_PKEY key = NULL;
	struct signer_settings s;
	char path[PATH_MAX];
	enum ca_kind kind;
	int rc = kind_parse(what, &kind);

	if (rc || (rc = signer_settings_read(home, &s)) || (rc = pair_read(file, &ca, &root)))
		return rc;
	if (have(home, what, "ca.pem") && have(home, what, "next.key"))
		return rollover_import(home, what, root, ca);
	if (have(home, what, "ca.pem"))
		return import_same(home, what, ca);
	if ((rc = ca_path(home, what, "ca.key", path)) ||
	    (rc = keystore_key_read(path, &s.keys, &key)))
		return rc == ERR_NOT_FOUND
			       ? err_add(rc, "no request was made here for a %s CA", what)
			       : rc;
	if ((rc = ca_import_check(kind, root, ca, key, clock_wall_ms())) ||
	    (rc = ca_path(home, what, "root.pem", path)) ||
	    (rc = keystore_certs_write(path, 0644, &root, 1)) ||
	    (rc = ca_path(home, what, "ca.pem", path)) || /* this one completes it */
	    (rc = keystore_certs_write(path, 0644, &ca, 1)))
		return rc;
	return fingerprint_print("the root", X509_get_X509_PUBKEY(root));
}

/* ---- on the offline machine ---- */

static int root(const char *home, const char *what, const char *organization)
{
	struct signer_settings s;
	AUTO_X509 cert = NULL;
	AUTO_PKEY key = EVP_EC_gen("P-256");
	char path[PATH_MAX], key_path[PATH_MAX];
	enum ca_kind kind;
	int rc = kind_parse(what, &kind);

	if (!key)
		return err_ossl(ERR_CRYPTO, "making a key");
	if (rc || (rc = signer_settings_read(home, &s)))
		return rc;
	if (have(home, what, "root.pem"))
		return err_set(ERR_UNCHANGED, "the %s root is there already", what);
	if ((rc = ca_folder_have(home)) ||
	    (rc = ca_root_make(kind, organization ? organization : s.organization, key,
			       clock_wall_ms(), &cert)) ||
	    (rc = ca_path(home, what, "root.key", key_path)) ||
	    (rc = ca_path(home, what, "root.pem", path)) ||
	    (rc = keystore_key_write(key_path, key)) ||
	    (rc = keystore_certs_write(path, 0644, &cert, 1)))
		return rc;
	return fingerprint_print("the root", X509_get_X509_PUBKEY(cert));
}

static int request_read(const char *path, X509_REQ **out)
{
	AUTO_BUF pem = {.max = FILE_MAX};
	AUTO_BIO bio = NULL;
	int rc = buf_read_file(&pem, path);

	if (rc)
		return rc;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	*out = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
	return *out ? 0 : err_ossl(ERR_INVALID, "%s: no certificate request in PEM", path);
}

static int sign_with(const char *home, const char *what, const struct key_access *a, X509_REQ *req)
{
	AUTO_X509 root_cert = NULL;
	AUTO_X509 ca = NULL;
	AUTO_PKEY key = NULL;
	char path[PATH_MAX];
	int rc;

	if ((rc = ca_path(home, what, "root.pem", path)) ||
	    (rc = keystore_cert_read(path, &root_cert)) ||
	    (rc = ca_path(home, what, "root.key", path)) ||
	    (rc = keystore_key_read(path, a, &key)) ||
	    (rc = ca_request_sign(req, root_cert, key, clock_wall_ms(), &ca)) ||
	    (rc = fingerprint_print("the request", X509_REQ_get_X509_PUBKEY(req))))
		return rc;
	if (!PEM_write_X509(stdout, ca) || !PEM_write_X509(stdout, root_cert))
		return err_ossl(ERR_IO, "writing the certificates");
	return 0;
}

static int sign(const char *home, const char *what, const char *file)
{
	AUTO_X509_REQ req = NULL;
	struct signer_settings s;
	enum ca_kind kind;
	int rc = kind_parse(what, &kind);

	if (rc || (rc = signer_settings_read(home, &s)) || (rc = request_read(file, &req)))
		return rc;
	rc = sign_with(home, what, &s.keys, req);
	return rc == ERR_NOT_FOUND
		       ? err_add(rc, "no root here; do: pumpgate-signerd --home DIR root %s", what)
		       : rc;
}

int command_offline(const char *home, enum offline_step step, const char *what, const char *arg,
		    bool next)
{
	static const char *const names[] = {"request", "import", "root", "sign"};
	int rc = step == OFFLINE_REQUEST  ? request(home, what, arg, next)
		 : step == OFFLINE_IMPORT ? import(home, what, arg)
		 : step == OFFLINE_ROOT	  ? root(home, what, arg)
					  : sign(home, what, arg);

	if (!rc && (fflush(stdout) || ferror(stdout)))
		rc = err_errno(ERR_IO, "standard output");
	if (rc)
		fprintf(stderr, "pumpgate-signerd %s: %s\n", names[step], err_text());
	return rc == ERR_UNCHANGED ? EXIT_NOTHING : rc ? EXIT_FAILED : EXIT_DONE;
}
