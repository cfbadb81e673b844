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
#include "ca/signerd/root_rollover.h"
#include "ca/signerd/signerd.h"

#define FILE_MAX 16384
#define ANSWER_CERTS_MAX 4

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

static void certs_auto_free(STACK_OF(X509) * *certs)
{
	sk_X509_pop_free(*certs, X509_free);
}
#define AUTO_CERTS __attribute__((cleanup(certs_auto_free))) STACK_OF(X509) *

/* Two certificates, the issuing CA and its root, or four: with what two roots say of each other. */
static int certs_read(const char *path, STACK_OF(X509) * *out)
{
	AUTO_BUF pem = {.max = FILE_MAX};
	AUTO_BIO bio = NULL;
	X509 *cert;
	int rc = buf_read_file(&pem, path);

	if (rc)
		return rc;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	*out = sk_X509_new_null();
	while (bio && *out && sk_X509_num(*out) <= ANSWER_CERTS_MAX &&
	       (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (!sk_X509_push(*out, cert)) {
			X509_free(cert);
			return err_set(ERR_NOMEM, "no memory for certificates");
		}
	ERR_clear_error();
	if (sk_X509_num(*out) != 2 && sk_X509_num(*out) != ANSWER_CERTS_MAX)
		return err_set(ERR_INVALID,
			       "%s must hold two certificates in PEM: the issuing CA's and its "
			       "root's; or the four of a new root, as sign --new-root writes them",
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

/* The first issuing CA of a hierarchy, with its root. */
static int import_first(const char *home, const char *what, const struct key_access *a,
			enum ca_kind kind, const STACK_OF(X509) * certs)
{
	X509 *ca = sk_X509_value(certs, 0), *root = sk_X509_value(certs, 1);
	AUTO_PKEY key = NULL;
	char path[PATH_MAX];
	int rc;

	if (sk_X509_num(certs) != 2)
		return err_set(ERR_INVALID,
			       "there is no %s root here yet that another could follow", what);
	if ((rc = ca_path(home, what, "ca.key", path)) || (rc = keystore_key_read(path, a, &key)))
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

static int import_next(const char *home, const char *what, const STACK_OF(X509) * certs)
{
	X509 *at[ANSWER_CERTS_MAX];
	int n = sk_X509_num(certs);

	for (int i = 0; i < n; i++)
		at[i] = sk_X509_value(certs, i);
	return rollover_import(home, what, at, (size_t)n);
}

static int import(const char *home, const char *what, const char *file)
{
	struct signer_settings s;
	AUTO_CERTS certs = NULL;
	enum ca_kind kind;
	int rc = kind_parse(what, &kind);

	if (rc || (rc = signer_settings_read(home, &s)) || (rc = certs_read(file, &certs)))
		return rc;
	if (!have(home, what, "ca.pem"))
		return import_first(home, what, &s.keys, kind, certs);
	if (have(home, what, "next.key"))
		return import_next(home, what, certs);
	return import_same(home, what, sk_X509_value(certs, 0));
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

/* What is printed for a request: the issuing CA and its root; with a new root also what the two
 * roots say of each other. */
struct answer {
	X509 *ca, *root, *new_with_old, *old_with_new; /* owned */
};

static void answer_done(struct answer *a)
{
	X509_free(a->ca);
	X509_free(a->root);
	X509_free(a->new_with_old);
	X509_free(a->old_with_new);
}
#define AUTO_ANSWER __attribute__((cleanup(answer_done))) struct answer

static int root_read(const struct rollover *r, const struct key_access *a, X509 **cert,
		     EVP_PKEY **key)
{
	int rc = keystore_cert_read(r->root_cert, cert);

	return rc ? rc : keystore_key_read(r->root_key, a, key);
}

/* Below the next root, which is made unless it is there. */
static int sign_below_next(const struct rollover *r, const struct signer_settings *s,
			   enum ca_kind kind, X509_REQ *req, struct answer *out)
{
	AUTO_X509 present = NULL;
	AUTO_PKEY present_key = NULL;
	AUTO_PKEY key = NULL;
	int rc = root_read(r, &s->keys, &present, &present_key);

	rc = rc ? rc : root_next_make(r, kind, present, present_key, &s->keys, &out->root, &key);
	rc = rc ? rc : keystore_cert_read(r->new_with_old, &out->new_with_old);
	rc = rc ? rc : keystore_cert_read(r->old_with_new, &out->old_with_new);
	rc = rc ? rc : ca_request_sign(req, out->root, key, clock_wall_ms(), &out->ca);
	return rc ? rc : fingerprint_print("the new root", X509_get_X509_PUBKEY(out->root));
}

static int sign_below_present(const struct rollover *r, const struct signer_settings *s,
			      X509_REQ *req, struct answer *out)
{
	AUTO_PKEY key = NULL;
	int rc = root_read(r, &s->keys, &out->root, &key);

	return rc ? rc : ca_request_sign(req, out->root, key, clock_wall_ms(), &out->ca);
}

static int answer_print(const struct answer *a)
{
	X509 *const certs[] = {a->ca, a->root, a->new_with_old, a->old_with_new};

	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		if (certs[i] && !PEM_write_X509(stdout, certs[i]))
			return err_ossl(ERR_IO, "writing the certificates");
	return 0;
}

static int sign(const char *home, const char *what, const char *file, bool new_root)
{
	AUTO_ANSWER answer = {NULL};
	AUTO_X509_REQ req = NULL;
	struct signer_settings s;
	struct rollover r;
	enum ca_kind kind;
	int rc = kind_parse(what, &kind);

	if (rc || (rc = signer_settings_read(home, &s)) || (rc = rollover_files(home, what, &r)) ||
	    (rc = request_read(file, &req)))
		return rc;
	rc = new_root ? sign_below_next(&r, &s, kind, req, &answer)
		      : sign_below_present(&r, &s, req, &answer);
	if (rc)
		return rc == ERR_NOT_FOUND
			       ? err_add(rc,
					 "no root here; do: pumpgate-signerd --home DIR root %s",
					 what)
			       : rc;
	rc = fingerprint_print("the request", X509_REQ_get_X509_PUBKEY(req));
	return rc ? rc : answer_print(&answer);
}

/* The servers have left the present root: the next one is the root from here on. */
static int retire(const char *home, const char *what)
{
	struct rollover r;
	enum ca_kind kind;
	int rc = kind_parse(what, &kind);

	rc = rc ? rc : rollover_files(home, what, &r);
	if (rc)
		return rc;
	if (file_is_there(r.cert))
		return err_set(ERR_CONFLICT, "this is not the offline machine: here it is pumpctl "
					     "ca rollover finish");
	if (!file_is_there(r.next_root_cert))
		return err_set(ERR_UNCHANGED, "no new %s root was made here", what);
	if (file_is_there(r.next_root_key) &&
	    ((rc = key_destroy(r.root_key)) || (rc = file_move(r.next_root_key, r.root_key))))
		return rc;
	if ((rc = file_move(r.next_root_cert, r.root_cert)) || (rc = cert_remove(r.new_with_old)) ||
	    (rc = cert_remove(r.old_with_new)))
		return rc;
	return rollover_files_sync(&r);
}

int command_offline(const char *home, enum offline_step step, const char *what, const char *arg,
		    bool next)
{
	static const char *const names[] = {"request", "import", "root", "sign", "sign", "retire"};
	int rc = step == OFFLINE_REQUEST  ? request(home, what, arg, next)
		 : step == OFFLINE_IMPORT ? import(home, what, arg)
		 : step == OFFLINE_ROOT	  ? root(home, what, arg)
		 : step == OFFLINE_RETIRE ? retire(home, what)
					  : sign(home, what, arg, step == OFFLINE_SIGN_NEW_ROOT);

	if (!rc && (fflush(stdout) || ferror(stdout)))
		rc = err_errno(ERR_IO, "standard output");
	if (rc)
		fprintf(stderr, "pumpgate-signerd %s: %s\n", names[step], err_text());
	return rc == ERR_UNCHANGED ? EXIT_NOTHING : rc ? EXIT_FAILED : EXIT_DONE;
}
