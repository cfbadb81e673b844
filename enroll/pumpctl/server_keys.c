/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what makes a server's pair right, and its order at the signer. Never sees a CA key. */
#include "enroll/pumpctl/server_keys.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/daemon.h"
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
AUTO(X509_STORE, X509_STORE_free)
AUTO(X509_STORE_CTX, X509_STORE_CTX_free)
#define AUTO_PKEY __attribute__((cleanup(auto_EVP_PKEY))) EVP_PKEY *
#define AUTO_X509 __attribute__((cleanup(auto_X509))) X509 *
#define AUTO_REQ __attribute__((cleanup(auto_X509_REQ))) X509_REQ *
#define AUTO_STORE __attribute__((cleanup(auto_X509_STORE))) X509_STORE *
#define AUTO_STORE_CTX __attribute__((cleanup(auto_X509_STORE_CTX))) X509_STORE_CTX *
#define AUTO_BIO __attribute__((cleanup(auto_BIO))) BIO *

#define CHAIN_MAX 8

/* The server CA's certificates: trust/server.pem. */
struct chain {
	X509 *certs[CHAIN_MAX];
	size_t n;
};

static void chain_done(struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		X509_free(c->certs[i]);
}
#define AUTO_CHAIN __attribute__((cleanup(chain_done))) struct chain

static const struct {
	const char *folder;
	enum process process;
	const char *names_option; /* of pumpgate-signerd server-cert */
	size_t names_at;	  /* in struct settings */
} servers[] = {
	/* first: after a compromise its name comes before all others */
	{"radius", PROCESS_RADIUSD, "--radius", offsetof(struct settings, radius_name)},
	{"est", PROCESS_ENROLLD, "--est", offsetof(struct settings, est_names)},
	{"radsec", PROCESS_RADSECD, "--radsec", offsetof(struct settings, radsec_name)},
	/* one name, as RadSec's */
	{"clinicians", PROCESS_CLINICIANS, "--radsec", offsetof(struct settings, login_name)},
};
#define SERVERS_N (sizeof(servers) / sizeof(servers[0]))
_Static_assert(SERVERS_N <= SERVER_CERTS_MAX, "room for all");

const char *server_state_name(enum server_state state)
{
	static const char *const names[] = {"broken", "ended", "due", "not in use yet", "fine"};

	return names[state];
}

static int crypto_fail(const char *what)
{
	char text[160] = "no detail";
	unsigned long code = ERR_get_error();

	if (code)
		ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	return err_set(ERR_CRYPTO, "%s: %s", what, text);
}

/* ERR_NOT_FOUND when there is no such file. */
static int bio_read_file(const char *path, BIO **out)
{
	AUTO_BUF b = {.max = PEM_MAX};
	int rc = buf_read_file(&b, path);

	if (!rc) {
		*out = BIO_new(BIO_s_secmem());
		if (!*out || BIO_write(*out, b.data, (int)b.len) != (int)b.len)
			rc = crypto_fail(path);
	}
	if (b.data)
		OPENSSL_cleanse(b.data, b.len);
	return rc;
}

static int64_t time_of(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) * 1000 : 0;
}

/* ---- is a pair right? ---- */

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

static int chain_read(const struct settings *s, const char *name, struct chain *out)
{
	AUTO_BIO bio = NULL;
	char rel[64], path[PATH_MAX];
	X509 *cert;
	int rc;

	snprintf(rel, sizeof(rel), "trust/%s.pem", name);
	if ((rc = home_path(s->home, rel, path)) || (rc = bio_read_file(path, &bio)))
		return rc;
	while (out->n < CHAIN_MAX && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		out->certs[out->n++] = cert;
	ERR_clear_error();
	return out->n ? 0 : err_set(ERR_CRYPTO, "%s holds no certificate", path);
}

/* As a pump does it: up to the root, for a TLS server, now. */
static int chain_verify(const struct chain *chain, X509 *cert)
{
	AUTO_STORE store = X509_STORE_new();
	AUTO_STORE_CTX ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *between = sk_X509_new_null();
	bool ok = store && ctx && between;
	int rc = 0;

	for (size_t i = 0; ok && i < chain->n; i++) {
		X509 *ca = chain->certs[i];

		ok = X509_check_issued(ca, ca) == X509_V_OK ? X509_STORE_add_cert(store, ca) == 1
							    : sk_X509_push(between, ca) > 0;
	}
	if (!ok || X509_STORE_CTX_init(ctx, store, cert, between) != 1 ||
	    X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER) != 1)
		rc = crypto_fail("checking a certificate");
	else if (X509_verify_cert(ctx) != 1)
		rc = err_set(ERR_CRYPTO, "no pump would take it: %s",
			     X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	ERR_clear_error();
	sk_X509_free(between);
	return rc;
}

/* A pump with a slow clock must get through: as long as its CA is in force, so is the server. */
static int beginning_check(const struct chain *chain, X509 *cert)
{
	for (size_t i = 0; i < chain->n; i++)
		if (X509_check_issued(chain->certs[i], cert) == X509_V_OK &&
		    ASN1_TIME_compare(X509_get0_notBefore(cert),
				      X509_get0_notBefore(chain->certs[i])) == 0)
			return 0;
	return err_set(ERR_CRYPTO, "it does not begin when its CA does");
}

/* Everything but its end. */
static int pair_check(const struct chain *chain, X509 *cert, EVP_PKEY *key, const char *names)
{
	int rc = 0;

	if (X509_check_private_key(cert, key) != 1)
		rc = err_set(ERR_CRYPTO, "the key is not the certificate's");
	else if (!names_covered(cert, names))
		rc = err_set(ERR_CRYPTO, "it is not for %.120s", names);
	ERR_clear_error();
	if (rc || (rc = beginning_check(chain, cert)))
		return rc;
	return chain_verify(chain, cert);
}

static int pair_read(const struct settings *s, const char *folder, EVP_PKEY **key, X509 **cert)
{
	AUTO_BIO key_bio = NULL;
	AUTO_BIO cert_bio = NULL;
	char rel[64], path[PATH_MAX];
	int rc;

	snprintf(rel, sizeof(rel), "%s/cert.pem", folder);
	if ((rc = home_path(s->home, rel, path)) || (rc = bio_read_file(path, &cert_bio)))
		return rc;
	if (!(*cert = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL)))
		return crypto_fail(path);
	snprintf(rel, sizeof(rel), "%s/key.pem", folder);
	if ((rc = home_path(s->home, rel, path)) || (rc = bio_read_file(path, &key_bio)))
		return rc;
	*key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
	return *key ? 0 : crypto_fail(path);
}

static void cert_describe(X509 *cert, struct server_cert *out)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = bn ? BN_bn2hex(bn) : NULL;

	for (size_t i = 0; hex && hex[i] && i < sizeof(out->serial) - 1; i++)
		out->serial[i] = (char)(hex[i] >= 'A' && hex[i] <= 'F' ? hex[i] + 32 : hex[i]);
	OPENSSL_free(hex);
	BN_free(bn);
	out->ends_ms = time_of(X509_get0_notAfter(cert));
}

static void server_look(const struct settings *s, const struct chain *chain,
			struct server_cert *out)
{
	AUTO_PKEY key = NULL;
	AUTO_X509 cert = NULL;
	char folder[PATH_MAX];
	struct key_pair pair;
	int64_t left_ms, validity_ms;
	int rc = pair_read(s, out->folder, &key, &cert);

	if (cert)
		cert_describe(cert, out);
	if (rc || (rc = clock_duration_parse(s->server_validity, &validity_ms)) ||
	    (rc = server_keys_pair(s, out->process, folder, &pair))) {
		snprintf(out->why, sizeof(out->why), "%s", err_text());
		return;
	}
	left_ms = out->ends_ms - clock_wall_ms();
	out->urgent = left_ms < validity_ms / 4;
	if (left_ms <= 0)
		out->state = SERVER_ENDED;
	else if (pair_check(chain, cert, key, out->names))
		snprintf(out->why, sizeof(out->why), "%s", err_text());
	else if (left_ms < validity_ms / 3)
		out->state = SERVER_DUE;
	else
		out->state = key_pair_is_unsettled(&pair) ? SERVER_UNSETTLED : SERVER_FINE;
}

int server_keys_look(const struct settings *s, struct server_cert out[SERVER_CERTS_MAX],
		     size_t *n_out)
{
	AUTO_CHAIN chain = {.n = 0};
	int rc = chain_read(s, "server", &chain);

	if (rc)
		return rc;
	for (size_t i = 0; i < SERVERS_N; i++) {
		char path[PATH_MAX];

		out[i] = (struct server_cert){.folder = servers[i].folder,
					      .process = servers[i].process};
		snprintf(out[i].names, sizeof(out[i].names), "%s",
			 (const char *)s + servers[i].names_at);
		if ((rc = home_path(s->home, servers[i].folder, path)))
			return rc;
		if (access(path, R_OK | X_OK) && errno == EACCES)
			return err_errno(ERR_DENIED, "%s", path);
		server_look(s, &chain, &out[i]);
	}
	*n_out = SERVERS_N;
	return 0;
}

int server_keys_ca_ends(const struct settings *s, const char *name, int64_t *ms_out)
{
	AUTO_CHAIN chain = {.n = 0};
	int64_t first = INT64_MAX;
	int rc = chain_read(s, name, &chain);

	for (size_t i = 0; i < chain.n; i++) {
		int64_t end = time_of(X509_get0_notAfter(chain.certs[i]));

		first = end < first ? end : first;
	}
	if (!rc)
		*ms_out = first;
	return rc;
}

bool server_keys_ca_rolls_over(const struct settings *s, const char *name)
{
	AUTO_CHAIN chain = {.n = 0};

	return chain_read(s, name, &chain) == 0 && chain.n > 2;
}

int server_keys_pair(const struct settings *s, enum process process, char folder[PATH_MAX],
		     struct key_pair *out)
{
	for (size_t i = 0; i < SERVERS_N; i++) {
		int rc;

		if (servers[i].process != process)
			continue;
		if ((rc = home_path(s->home, servers[i].folder, folder)) ||
		    (rc = settings_owner(s, process, &out->owner)))
			return rc;
		out->folder = folder;
		return 0;
	}
	return err_set(ERR_NOT_FOUND, "%s has no certificate", process_name(process));
}

/* ---- a new one ---- */

static int csr_write(EVP_PKEY *key, const char *path)
{
	AUTO_REQ req = X509_REQ_new();
	AUTO_BIO bio = BIO_new(BIO_s_mem());

	if (!req || !bio || !X509_REQ_set_version(req, X509_REQ_VERSION_1) ||
	    !X509_REQ_set_pubkey(req, key) || !X509_REQ_sign(req, key, EVP_sha256()) ||
	    !PEM_write_bio_X509_REQ(bio, req))
		return crypto_fail("making a certificate request");
	{
		char *data;
		long len = BIO_get_mem_data(bio, &data);

		return buf_write_file(path, 0600, data, (size_t)len);
	}
}

static const char *names_option(const struct server_cert *c)
{
	for (size_t i = 0; i < SERVERS_N; i++)
		if (servers[i].process == c->process)
			return servers[i].names_option;
	return "";
}

static int signer_run(const struct settings *s, const struct server_cert *c, const struct owner *o,
		      const char *csr, const char *out)
{
	AUTO_BUF said = {.max = 4096};
	char path[PATH_MAX];
	struct spawn child = {.path = path,
			      .args = {"pumpgate-signerd", "--home", s->home, "server-cert",
				       "--csr", csr, names_option(c), c->names, "--out", out},
			      .owner = *o};
	int status;
	int rc = program_find("pumpgate-signerd", path);

	if (rc || (rc = spawn_run(&child, SIGNER_TIMEOUT_MS, &said, &status)))
		return rc;
	if (status != 0)
		return err_set(ERR_CRYPTO, "pumpgate-signerd gave no certificate for %s: %s",
			       c->folder, said.len ? buf_cstr(&said) : "no word");
	return 0;
}

/* What the signer wrote, checked, is in force from here on. */
static int cert_take(const struct settings *s, const struct server_cert *c, EVP_PKEY *key,
		     const char *from)
{
	AUTO_CHAIN chain = {.n = 0};
	AUTO_BIO bio = NULL;
	AUTO_BIO key_bio = BIO_new(BIO_s_secmem());
	AUTO_X509 cert = NULL;
	AUTO_BUF pem = {.max = PEM_MAX};
	char folder[PATH_MAX], *key_pem;
	struct key_pair pair;
	struct stat st;
	long key_len;
	int rc;

	if (lstat(from, &st) || !S_ISREG(st.st_mode))
		return err_set(ERR_CRYPTO, "pumpgate-signerd wrote no certificate for %s",
			       c->folder);
	if ((rc = bio_read_file(from, &bio)) || (rc = buf_read_file(&pem, from)) ||
	    (rc = chain_read(s, "server", &chain)) ||
	    (rc = server_keys_pair(s, c->process, folder, &pair)))
		return rc;
	if (!(cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		return crypto_fail(from);
	rc = pair_check(&chain, cert, key, c->names);
	if (rc)
		return err_add(rc, "pumpgate-signerd's certificate for %s", c->folder);
	if (!key_bio || !PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL))
		return crypto_fail("writing a key");
	key_len = BIO_get_mem_data(key_bio, &key_pem);
	return key_pair_put(&pair, key_pem, (size_t)key_len, pem.data, pem.len);
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

int server_keys_renew(const struct settings *s, const struct server_cert *c)
{
	AUTO_PKEY key = EVP_EC_gen("P-256");
	char folder[PATH_MAX], csr[PATH_MAX + 16], out[PATH_MAX + 16];
	struct owner o;
	int rc = settings_owner(s, PROCESS_SIGNERD, &o);

	if (!key)
		return crypto_fail("making a key");
	if (rc || (rc = exchange_make(s, &o, folder)))
		return rc;
	snprintf(csr, sizeof(csr), "%s/csr.pem", folder);
	snprintf(out, sizeof(out), "%s/cert.pem", folder);
	rc = csr_write(key, csr);
	if (!rc && geteuid() == 0 && lchown(csr, o.uid, o.gid))
		rc = err_errno(ERR_IO, "%s", csr);
	if (!rc)
		rc = signer_run(s, c, &o, csr, out);
	if (!rc)
		rc = cert_take(s, c, key, out);
	unlink(csr);
	unlink(out);
	rmdir(folder);
	return rc;
}

int server_keys_apply(const struct settings *s, bool *changed)
{
	struct server_cert certs[SERVER_CERTS_MAX];
	size_t n;
	int rc = 0;

	for (size_t i = 0; i < SERVERS_N; i++) {
		char folder[PATH_MAX];
		struct key_pair pair;

		if ((rc = server_keys_pair(s, servers[i].process, folder, &pair)) ||
		    (rc = key_pair_adopt(&pair)))
			return rc;
	}
	rc = server_keys_look(s, certs, &n);
	for (size_t i = 0; !rc && i < n; i++) {
		if (certs[i].state != SERVER_BROKEN && certs[i].state != SERVER_ENDED)
			continue;
		*changed = true;
		rc = server_keys_renew(s, &certs[i]);
	}
	return rc;
}
