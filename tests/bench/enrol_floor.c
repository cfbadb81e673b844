/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least CPU time that one EST enrolment can cost a server: TLS 1.3 with a client that proves
 * itself by a token, the request's signature checked, a certificate built and signed, one commit to
 * SQLite (WAL, synchronous=FULL), the answer written; all of it bare in one thread of one process.
 * No lint, no reservation, no list of its own, no audit, no other process. Prints one JSON object:
 * milliseconds per enrolment, on a connection of its own and on one that is open already.
 *
 *   enrol_floor KEY CERT FOLDER COUNT     key and certificate of the server; FOLDER for its
 * database
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sqlite3.h>

#define MESSAGE_MAX 8192

static struct {
	SSL_CTX *server, *client;
	X509 *issuer;
	EVP_PKEY *issuer_key;
	sqlite3 *db;
	sqlite3_stmt *insert;
	unsigned char *csr[16]; /* made before: what a pump sends */
	int csr_len[16];
	int64_t spent_ns;
} run;

static int64_t thread_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	ERR_print_errors_fp(stderr);
	errx(1, "%s", what);
}

static void extension_put(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, run.issuer ? run.issuer : cert, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(ext && X509_add_ext(cert, ext, -1), value);
	X509_EXTENSION_free(ext);
}

static void name_put(X509_NAME *name, const char *cn)
{
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1,
					0),
	     "name");
}

/* As it stands in the request: X509_set_pubkey would encode the key and decode it again. */
static bool spki_copy(X509 *cert, const X509_PUBKEY *from)
{
	ASN1_OBJECT *kind;
	const void *curve;
	const unsigned char *bits;
	X509_ALGOR *alg;
	int len, type;

	if (!X509_PUBKEY_get0_param(&kind, &bits, &len, &alg, from))
		return false;
	X509_ALGOR_get0(NULL, &type, &curve, alg);
	return type == V_ASN1_OBJECT &&
	       X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(cert), OBJ_dup(kind), type,
				      OBJ_dup(curve), OPENSSL_memdup(bits, (size_t)len), len);
}

static X509 *cert_new(X509_PUBKEY *spki, EVP_PKEY *key, const X509_NAME *subject)
{
	X509 *cert = X509_new();
	unsigned char serial[16];

	must(cert && RAND_bytes(serial, sizeof(serial)) == 1, "certificate");
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 1);
	ASN1_STRING_set(X509_get_serialNumber(cert), serial, sizeof(serial));
	X509_set_version(cert, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(cert), -300);
	X509_gmtime_adj(X509_getm_notAfter(cert), 365L * 86400);
	must(X509_set_subject_name(cert, subject) &&
		     X509_set_issuer_name(cert,
					  run.issuer ? X509_get_subject_name(run.issuer) : subject),
	     "names");
	must(spki ? spki_copy(cert, spki) : X509_set_pubkey(cert, key), "key");
	return cert;
}

static void issuer_make(void)
{
	X509_NAME *name = X509_NAME_new();
	X509 *cert;

	run.issuer_key = EVP_EC_gen("P-256");
	must(run.issuer_key != NULL, "issuer");
	name_put(name, "Floor CA");
	cert = cert_new(NULL, run.issuer_key, name);
	extension_put(cert, NID_basic_constraints, "critical,CA:TRUE");
	extension_put(cert, NID_subject_key_identifier, "hash");
	must(X509_sign(cert, run.issuer_key, EVP_sha256()) > 0, "issuer");
	run.issuer = cert;
	X509_NAME_free(name);
}

static void requests_make(void)
{
	for (size_t i = 0; i < sizeof(run.csr) / sizeof(run.csr[0]); i++) {
		EVP_PKEY *key = EVP_EC_gen("P-256");
		X509_REQ *req = X509_REQ_new();

		must(key && req, "request");
		name_put(X509_REQ_get_subject_name(req), "FLOOR-000001");
		must(X509_REQ_set_pubkey(req, key) && X509_REQ_sign(req, key, EVP_sha256()) > 0,
		     "request");
		run.csr_len[i] = i2d_X509_REQ(req, &run.csr[i]);
		X509_REQ_free(req);
		EVP_PKEY_free(key);
	}
}

static void database_open(const char *folder)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/floor.db", folder);
	must(sqlite3_open(path, &run.db) == SQLITE_OK &&
		     sqlite3_exec(run.db,
				  "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
				  "CREATE TABLE certificates (serial BLOB PRIMARY KEY, der BLOB)",
				  NULL, NULL, NULL) == SQLITE_OK &&
		     sqlite3_prepare_v2(run.db, "INSERT INTO certificates VALUES (?1, ?2)", -1,
					&run.insert, NULL) == SQLITE_OK,
	     "database");
}

static void contexts_make(const char *key, const char *cert)
{
	run.server = SSL_CTX_new(TLS_server_method());
	run.client = SSL_CTX_new(TLS_client_method());
	must(run.server && run.client &&
		     SSL_CTX_use_certificate_file(run.server, cert, SSL_FILETYPE_PEM) == 1 &&
		     SSL_CTX_use_PrivateKey_file(run.server, key, SSL_FILETYPE_PEM) == 1,
	     "server context");
	SSL_CTX_set_num_tickets(run.server, 0);
	SSL_CTX_set_options(run.server, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(run.server, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_min_proto_version(run.client, TLS1_3_VERSION);
}

struct pair {
	SSL *server, *client;
};

/* The server's half is what counts. */
static struct pair link_open(void)
{
	int64_t started = thread_cpu_ns();
	struct pair p = {.server = SSL_new(run.server)};
	BIO *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
	int c = 0, s = 0;

	SSL_set_bio(p.server, to_server, to_client);
	SSL_set_accept_state(p.server);
	run.spent_ns += thread_cpu_ns() - started;
	p.client = SSL_new(run.client);
	BIO_up_ref(to_server);
	BIO_up_ref(to_client);
	SSL_set_bio(p.client, to_client, to_server);
	SSL_set_connect_state(p.client);
	while (c != 1 || s != 1) {
		c = SSL_do_handshake(p.client);
		must(c == 1 || SSL_get_error(p.client, c) == SSL_ERROR_WANT_READ, "handshake");
		started = thread_cpu_ns();
		s = SSL_do_handshake(p.server);
		run.spent_ns += thread_cpu_ns() - started;
		must(s == 1 || SSL_get_error(p.server, s) == SSL_ERROR_WANT_READ, "handshake");
	}
	return p;
}

static void link_close(struct pair p)
{
	int64_t started;

	SSL_free(p.client);
	started = thread_cpu_ns();
	SSL_free(p.server);
	run.spent_ns += thread_cpu_ns() - started;
}

static void store(X509 *cert, const unsigned char *der, int len)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);

	sqlite3_bind_blob(run.insert, 1, ASN1_STRING_get0_data(serial), ASN1_STRING_length(serial),
			  SQLITE_TRANSIENT);
	sqlite3_bind_blob(run.insert, 2, der, len, SQLITE_TRANSIENT);
	must(sqlite3_step(run.insert) == SQLITE_DONE, "commit"); /* its own transaction */
	sqlite3_reset(run.insert);
}

/* RFC 7030 4.2.3: certs-only, base64. */
static int answer_make(X509 *cert, unsigned char *out)
{
	PKCS7 *p7 = PKCS7_new();
	unsigned char *der = NULL;
	int len;

	must(p7 && PKCS7_set_type(p7, NID_pkcs7_signed) && PKCS7_content_new(p7, NID_pkcs7_data) &&
		     PKCS7_add_certificate(p7, cert),
	     "answer");
	len = i2d_PKCS7(p7, &der);
	must(len > 0 && len * 2 < MESSAGE_MAX, "answer");
	len = EVP_EncodeBlock(out, der, len);
	OPENSSL_free(der);
	PKCS7_free(p7);
	return len;
}

static void serve(SSL *ssl)
{
	unsigned char text[MESSAGE_MAX], der[MESSAGE_MAX];
	const unsigned char *at = der;
	unsigned char *cert_der = NULL;
	X509_REQ *req;
	X509 *cert;
	int n = SSL_read(ssl, text, sizeof(text)), len;

	must(n > 0, "request");
	len = EVP_DecodeBlock(der, text, n);
	req = d2i_X509_REQ(NULL, &at, len);
	must(req && X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1, "request's signature");
	cert = cert_new(X509_REQ_get_X509_PUBKEY(req), NULL, X509_REQ_get_subject_name(req));
	extension_put(cert, NID_key_usage, "critical,digitalSignature");
	extension_put(cert, NID_ext_key_usage, "clientAuth");
	extension_put(cert, NID_subject_alt_name, "URI:urn:pumpgate:pump:FLOOR-000001");
	extension_put(cert, NID_authority_key_identifier, "keyid");
	must(X509_sign(cert, run.issuer_key, EVP_sha256()) > 0, "signature");
	len = i2d_X509(cert, &cert_der);
	store(cert, cert_der, len);
	n = answer_make(cert, text);
	must(SSL_write(ssl, text, n) == n, "answer");
	OPENSSL_free(cert_der);
	X509_free(cert);
	X509_REQ_free(req);
}

static void enrol(struct pair p, unsigned i)
{
	unsigned char text[MESSAGE_MAX];
	unsigned which = i % (sizeof(run.csr) / sizeof(run.csr[0]));
	int n = EVP_EncodeBlock(text, run.csr[which], run.csr_len[which]);
	int64_t started;

	must(SSL_write(p.client, text, n) == n, "client");
	started = thread_cpu_ns();
	serve(p.server);
	run.spent_ns += thread_cpu_ns() - started;
	must(SSL_read(p.client, text, sizeof(text)) > 0, "client");
}

static double measure(unsigned count, bool keep)
{
	struct pair p;

	for (unsigned i = 0; i < count + 10; i++) {
		if (i == 10) /* warm */
			run.spent_ns = 0;
		if (!keep || i == 0)
			p = link_open();
		enrol(p, i);
		if (!keep || i + 1 == count + 10)
			link_close(p);
	}
	return (double)run.spent_ns / 1e6 / count;
}

int main(int argc, char **argv)
{
	unsigned count = argc == 5 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
	double fresh;

	if (!count)
		errx(64, "usage: enrol_floor KEY CERT FOLDER COUNT");
	issuer_make();
	requests_make();
	database_open(argv[3]);
	contexts_make(argv[1], argv[2]);
	fresh = measure(count, false);
	printf("{\"cpu_ms\":%.4f,\"keep_ms\":%.4f}\n", fresh, measure(count, true));
	sqlite3_finalize(run.insert);
	sqlite3_close(run.db);
	return 0;
}
