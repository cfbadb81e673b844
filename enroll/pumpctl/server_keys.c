/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the servers' keys on their way to disk. Never sees a CA key. */
#include "enroll/pumpctl/server_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/daemon.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/spawn.h"

#define PEM_MAX 16384
#define SIGNER_TIMEOUT_MS 60000

#define AUTO(type, free_fn)                      \
	static inline void auto_##type(type **p) \
	{                                        \
		free_fn(*p);                     \
	}
AUTO(EVP_PKEY, EVP_PKEY_free)
AUTO(X509, X509_free)
AUTO(X509_REQ, X509_REQ_free)
AUTO(BIO, BIO_free_all)
#define AUTO_PKEY __attribute__((cleanup(auto_EVP_PKEY))) EVP_PKEY *
#define AUTO_X509 __attribute__((cleanup(auto_X509))) X509 *
#define AUTO_REQ __attribute__((cleanup(auto_X509_REQ))) X509_REQ *
#define AUTO_BIO __attribute__((cleanup(auto_BIO))) BIO *

struct server {
	const char *folder;
	enum process process;
	const char *names_option; /* of pumpgate-signerd server-cert */
	const char *names;
};

static int crypto_fail(const char *what)
{
	char text[160] = "no detail";
	unsigned long code = ERR_get_error();

	if (code)
		ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	return err_set(ERR_CRYPTO, "%s: %s", what, text);
}

/* Writes a BIO's content; it may be a private key, so its memory is wiped by OpenSSL's secure free.
 */
static int bio_write_file(BIO *bio, const char *path, unsigned mode)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	int rc = buf_write_file(path, mode, data, (size_t)len);

	OPENSSL_cleanse(data, (size_t)len);
	return rc;
}

static int key_make(const char *path, EVP_PKEY **out)
{
	AUTO_PKEY key = EVP_EC_gen("P-256");
	AUTO_BIO bio = BIO_new(BIO_s_mem());
	int rc;

	if (!key || !bio || !PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		return crypto_fail("making a key");
	rc = bio_write_file(bio, path, 0600);
	if (rc)
		return rc;
	*out = key;
	key = NULL;
	return 0;
}

/* ERR_NOT_FOUND when there is no such file. */
static int bio_read_file(const char *path, BIO **out)
{
	AUTO_BUF b = {.max = PEM_MAX};
	int rc = buf_read_file(&b, path);

	if (rc)
		return rc;
	*out = BIO_new(BIO_s_mem());
	if (!*out || BIO_write(*out, b.data, (int)b.len) != (int)b.len)
		return crypto_fail(path);
	return 0;
}

static int key_have(const struct settings *s, const struct server *v, const char *rel,
		    EVP_PKEY **out, bool *changed)
{
	AUTO_BIO bio = NULL;
	char path[PATH_MAX];
	int rc = home_path(s->home, rel, path);

	if (rc)
		return rc;
	rc = bio_read_file(path, &bio);
	if (rc == ERR_NOT_FOUND) {
		rc = key_make(path, out);
		*changed = true;
	} else if (!rc) {
		*out = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		if (!*out)
			rc = crypto_fail(path);
	}
	return rc ? rc : layout_give_file(s, rel, v->process);
}

static bool names_covered(X509 *cert, const char *names)
{
	char copy[512], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", names);
	for (char *t = strtok_r(copy, ", ", &save); t; t = strtok_r(NULL, ", ", &save))
		if (X509_check_ip_asc(cert, t, 0) != 1 &&
		    X509_check_host(cert, t, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) != 1 &&
		    X509_check_host(cert, t, 0, 0, NULL) != 1)
			return false;
	return true;
}

static bool cert_is_right(const char *path, EVP_PKEY *key, const char *names)
{
	AUTO_BIO bio = NULL;
	AUTO_X509 cert = NULL;
	bool right;

	if (bio_read_file(path, &bio))
		return false;
	cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	right = cert && X509_check_private_key(cert, key) == 1 &&
		X509_cmp_current_time(X509_get0_notAfter(cert)) > 0 && names_covered(cert, names);
	ERR_clear_error();
	return right;
}

static int csr_write(EVP_PKEY *key, const char *path)
{
	AUTO_REQ req = X509_REQ_new();
	AUTO_BIO bio = BIO_new(BIO_s_mem());

	if (!req || !bio || !X509_REQ_set_version(req, X509_REQ_VERSION_1) ||
	    !X509_REQ_set_pubkey(req, key) || !X509_REQ_sign(req, key, EVP_sha256()) ||
	    !PEM_write_bio_X509_REQ(bio, req))
		return crypto_fail("making a certificate request");
	return bio_write_file(bio, path, 0600);
}

static int signer_run(const struct settings *s, const struct server *v, const struct owner *o,
		      const char *csr, const char *out)
{
	AUTO_BUF said = {.max = 4096};
	char path[PATH_MAX];
	struct spawn child = {.path = path,
			      .args = {"pumpgate-signerd", "--home", s->home, "server-cert",
				       "--csr", csr, v->names_option, v->names, "--out", out},
			      .owner = *o};
	int status;
	int rc = program_find("pumpgate-signerd", path);

	if (rc || (rc = spawn_run(&child, SIGNER_TIMEOUT_MS, &said, &status)))
		return rc;
	if (status != 0)
		return err_set(ERR_CRYPTO, "pumpgate-signerd gave no certificate for %s: %s",
			       v->folder, said.len ? buf_cstr(&said) : "no word");
	return 0;
}

/* What the signer wrote, checked, becomes HOME/FOLDER/cert.pem. */
static int cert_take(const struct settings *s, const struct server *v, EVP_PKEY *key,
		     const char *from)
{
	AUTO_BUF b = {.max = PEM_MAX};
	char rel[64], to[PATH_MAX];
	struct stat st;
	int rc;

	if (lstat(from, &st) || !S_ISREG(st.st_mode))
		return err_set(ERR_CRYPTO, "pumpgate-signerd wrote no certificate for %s",
			       v->folder);
	if (!cert_is_right(from, key, v->names))
		return err_set(ERR_CRYPTO,
			       "pumpgate-signerd's certificate for %s does not fit key or names",
			       v->folder);
	snprintf(rel, sizeof(rel), "%s/cert.pem", v->folder);
	rc = buf_read_file(&b, from);
	if (rc || (rc = home_path(s->home, rel, to)) ||
	    (rc = buf_write_file(to, 0644, b.data, b.len)))
		return rc;
	return layout_give_file(s, rel, v->process);
}

/* An exchange folder that only we and the signer's user can enter. */
static int exchange_make(const struct settings *s, const struct owner *o, char folder[PATH_MAX])
{
	int rc = home_path(s->home, "run/init-XXXXXX", folder);

	if (rc)
		return rc;
	if (!mkdtemp(folder))
		return err_errno(ERR_IO, "%s", folder);
	if (geteuid() == 0 && chown(folder, o->uid, o->gid))
		return err_errno(ERR_IO, "%s", folder);
	return 0;
}

static int cert_order(const struct settings *s, const struct server *v, EVP_PKEY *key)
{
	char folder[PATH_MAX], csr[PATH_MAX + 16], out[PATH_MAX + 16];
	struct owner o;
	int rc = settings_owner(s, PROCESS_SIGNERD, &o);

	if (rc || (rc = exchange_make(s, &o, folder)))
		return rc;
	snprintf(csr, sizeof(csr), "%s/csr.pem", folder);
	snprintf(out, sizeof(out), "%s/cert.pem", folder);
	rc = csr_write(key, csr);
	if (!rc && geteuid() == 0 && lchown(csr, o.uid, o.gid))
		rc = err_errno(ERR_IO, "%s", csr);
	if (!rc)
		rc = signer_run(s, v, &o, csr, out);
	if (!rc)
		rc = cert_take(s, v, key, out);
	unlink(csr);
	unlink(out);
	rmdir(folder);
	return rc;
}

static int server_apply(const struct settings *s, const struct server *v, bool *changed)
{
	AUTO_PKEY key = NULL;
	char key_rel[64], cert_rel[64], cert[PATH_MAX];
	int rc;

	snprintf(key_rel, sizeof(key_rel), "%s/key.pem", v->folder);
	snprintf(cert_rel, sizeof(cert_rel), "%s/cert.pem", v->folder);
	rc = key_have(s, v, key_rel, &key, changed);
	if (rc || (rc = home_path(s->home, cert_rel, cert)))
		return rc;
	if (cert_is_right(cert, key, v->names))
		return layout_give_file(s, cert_rel, v->process);
	*changed = true;
	return cert_order(s, v, key);
}

int server_keys_apply(const struct settings *s, bool *changed)
{
	const struct server servers[] = {
		{"est", PROCESS_ENROLLD, "--est", s->est_names},
		{"radius", PROCESS_RADIUSD, "--radius", s->radius_name},
	};

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		int rc = server_apply(s, &servers[i], changed);

		if (rc)
			return rc;
	}
	return 0;
}
