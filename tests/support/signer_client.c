/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests: one call to pumpgate-signerd, or one that prepares the registry for it. Prints what it
 * got; a refusal is "CODE: TEXT" on standard error and status 1.
 *
 *   signer_client HOME zone NAME VLAN | pump SERIAL ZONE MAC | token SERIAL | revoke SERIAL
 *   signer_client HOME enroll SERIAL TOKEN-FILE CSR.der OUT.der [REPEAT]
 *   signer_client HOME renew PRIOR.der CSR.der OUT.der
 *   signer_client HOME idevid IDEVID.der CHAIN.der CSR.der OUT.der
 *   signer_client HOME proof PRIOR.der OLD-KEY.pem NEW-KEY.pem OUT.der   a CSR with the proof in it
 *   signer_client HOME status | as-admin-enroll | empty
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "ca/proto/signer_records.h"
#include "ca/request/related_cert_request.h"
#include "sql/client/registry_client.h"

#define WAIT_MS 10000

static const char *home;

static int fail(int rc)
{
	fprintf(stderr, "%s: %s\n", err_name(rc), err_text());
	return 1;
}

static struct ipc_client *client(const char *socket, const char *role)
{
	struct ipc_client *c;
	char path[PATH_MAX];

	if (home_path(home, socket, path) || ipc_client_new(path, role, &c))
		exit(fail(ERR_NOMEM));
	return c;
}

static void file_read(const char *path, uint8_t *data, size_t max, uint32_t *len)
{
	AUTO_BUF b = {.max = max};
	int rc = buf_read_file(&b, path);

	if (rc)
		exit(fail(rc));
	if (b.len)
		memcpy(data, b.data, b.len);
	*len = (uint32_t)b.len;
}

static int registry(int argc, char **argv)
{
	struct ipc_client *c = client(REGISTRY_SOCKET, "admin");
	int rc = ERR_INVALID;

	if (!strcmp(argv[0], "zone") && argc == 3) {
		struct zone z = {.vlan = (uint32_t)atoi(argv[2])};

		snprintf(z.name, sizeof(z.name), "%s", argv[1]);
		rc = registry_zone_add(c, &z, WAIT_MS);
	} else if (!strcmp(argv[0], "pump") && argc == 4) {
		struct device d = {.maker = "Maker", .model = "M1"};
		struct add_outcome o;

		snprintf(d.serial, sizeof(d.serial), "%s", argv[1]);
		snprintf(d.zone, sizeof(d.zone), "%s", argv[2]);
		snprintf(d.mac, sizeof(d.mac), "%s", argv[3]);
		rc = registry_device_add(c, &d, 1, &o, WAIT_MS);
		if (!rc && o.code)
			rc = err_set(-(int)o.code, "%s", o.text);
	} else if (!strcmp(argv[0], "token") && argc == 2) {
		struct token_create t = {.ttl_ms = 3600000};
		struct token got;

		snprintf(t.device, sizeof(t.device), "%s", argv[1]);
		rc = registry_token_create(c, &t, &got, WAIT_MS);
		if (!rc)
			printf("%.*s", (int)got.token.len, (char *)got.token.data);
	} else if (!strcmp(argv[0], "revoke") && argc == 2) {
		struct revoke r = {.reason = "test"};
		struct revocation got;

		snprintf(r.device, sizeof(r.device), "%s", argv[1]);
		rc = registry_revoke(c, &r, &got, WAIT_MS);
	}
	ipc_client_free(c);
	return rc && rc != ERR_UNCHANGED ? fail(rc) : 0;
}

static int cert_take(int rc, const struct signed_cert *cert, const char *path)
{
	if (!rc)
		rc = buf_write_file(path, 0644, cert->der.data, cert->der.len);
	if (rc)
		return fail(rc);
	printf("%s %s\n", cert->device, cert->cert_serial);
	return 0;
}

static int enroll(int argc, char **argv, const char *role)
{
	struct ipc_client *c = client(SIGNER_SOCKET, role);
	struct sign_enroll rq = {.source = "192.0.2.1"};
	struct signed_cert cert;
	int repeat = argc > 5 ? atoi(argv[5]) : 1;
	int64_t started_us;
	int rc = 0;

	snprintf(rq.device, sizeof(rq.device), "%s", argv[1]);
	file_read(argv[2], rq.token.data, sizeof(rq.token.data), &rq.token.len);
	file_read(argv[3], rq.csr.data, sizeof(rq.csr.data), &rq.csr.len);
	started_us = clock_mono_us();
	for (int i = 0; !rc && i < repeat; i++)
		rc = ipc_client_call(c, SIGNER_ENROLL, &record_sign_enroll, &rq, 1,
				     &record_signed_cert, &cert, 1, NULL, WAIT_MS);
	if (repeat > 1)
		printf("us_per_call=%lld\n", (long long)(clock_mono_us() - started_us) / repeat);
	ipc_client_free(c);
	return cert_take(rc, &cert, argv[4]);
}

static int renew(char **argv)
{
	struct ipc_client *c = client(SIGNER_SOCKET, "enroll");
	struct sign_renew rq = {.source = "192.0.2.1"};
	struct signed_cert cert;
	int rc;

	file_read(argv[1], rq.prior.data, sizeof(rq.prior.data), &rq.prior.len);
	file_read(argv[2], rq.csr.data, sizeof(rq.csr.data), &rq.csr.len);
	rc = ipc_client_call(c, SIGNER_RENEW, &record_sign_renew, &rq, 1, &record_signed_cert,
			     &cert, 1, NULL, WAIT_MS);
	ipc_client_free(c);
	return cert_take(rc, &cert, argv[3]);
}

static int idevid(char **argv)
{
	struct ipc_client *c = client(SIGNER_SOCKET, "enroll");
	struct sign_idevid rq = {.source = "192.0.2.1"};
	struct signed_cert cert;
	int rc;

	file_read(argv[1], rq.idevid.data, sizeof(rq.idevid.data), &rq.idevid.len);
	file_read(argv[2], rq.chain.data, sizeof(rq.chain.data), &rq.chain.len);
	file_read(argv[3], rq.csr.data, sizeof(rq.csr.data), &rq.csr.len);
	rc = ipc_client_call(c, SIGNER_IDEVID, &record_sign_idevid, &rq, 1, &record_signed_cert,
			     &cert, 1, NULL, WAIT_MS);
	ipc_client_free(c);
	return cert_take(rc, &cert, argv[4]);
}

static EVP_PKEY *key_read(const char *path)
{
	AUTO_BIO bio = BIO_new_file(path, "r");
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

	if (!key)
		exit(fail(err_ossl(ERR_CRYPTO, "%s", path)));
	return key;
}

static int proof(char **argv)
{
	AUTO_PKEY old_key = key_read(argv[2]);
	AUTO_PKEY new_key = key_read(argv[3]);
	AUTO_X509_REQ req = X509_REQ_new();
	AUTO_X509 prior = NULL;
	AUTO_BIO out = BIO_new_file(argv[4], "wb");
	uint8_t der[4096];
	uint32_t len;
	int rc;

	file_read(argv[1], der, sizeof(der), &len);
	rc = ossl_cert_parse(der, len, &prior);
	if (rc || !req || !out || !X509_REQ_set_pubkey(req, new_key) ||
	    (rc = related_cert_request_add(req, prior, old_key, clock_wall_ms())) ||
	    !X509_REQ_sign(req, new_key, EVP_sha256()) || !i2d_X509_REQ_bio(out, req))
		return fail(rc ? rc : ERR_CRYPTO);
	return 0;
}

static int status(void)
{
	struct ipc_client *c = client(SIGNER_SOCKET, "admin");
	struct signer_query q = {0};
	struct signer_status s;
	int rc = ipc_client_call(c, SIGNER_STATUS, &record_signer_query, &q, 1,
				 &record_signer_status, &s, 1, NULL, WAIT_MS);

	ipc_client_free(c);
	if (rc)
		return fail(rc);
	printf("issued=%llu issuer=%s\n", (unsigned long long)s.issued, s.issuer);
	return 0;
}

/* A message without a record. */
static int empty(void)
{
	struct ipc_client *c = client(SIGNER_SOCKET, "enroll");
	struct signed_cert cert;
	int rc = ipc_client_call(c, SIGNER_ENROLL, NULL, NULL, 0, &record_signed_cert, &cert, 1,
				 NULL, WAIT_MS);

	ipc_client_free(c);
	return rc ? fail(rc) : 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 64;
	home = argv[1];
	argc -= 2;
	argv += 2;
	if (!strcmp(argv[0], "enroll") && argc >= 5)
		return enroll(argc, argv, "enroll");
	if (!strcmp(argv[0], "as-admin-enroll") && argc >= 5)
		return enroll(argc, argv, "admin");
	if (!strcmp(argv[0], "renew") && argc == 4)
		return renew(argv);
	if (!strcmp(argv[0], "idevid") && argc == 5)
		return idevid(argv);
	if (!strcmp(argv[0], "proof") && argc == 5)
		return proof(argv);
	if (!strcmp(argv[0], "status"))
		return status();
	if (!strcmp(argv[0], "empty"))
		return empty();
	return registry(argc, argv);
}
