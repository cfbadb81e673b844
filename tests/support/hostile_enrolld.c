/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plays an enrolld that was taken over. Started as root, it becomes enrolld's user and tries, on
 * the sockets that enrolld reaches, to get a certificate for a key of its own or to change
 * anything.
 *
 *   hostile_enrolld UID HOME DIR      what it "saw" before lies in DIR: victim.der (a certificate
 * in force), victim.token (used), victim.csr (a renewal with proof), victim.key is not there;
 * server.der (the EST certificate) hostile_enrolld UID HOME token SERIAL FILE   with a token in
 * transit: what is left
 *
 * Prints one line per attempt. Status 0: nothing of it worked; 1: something did; 2: trouble.
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "ca/proto/signer_records.h"
#include "ca/request/related_cert_request.h"
#include "sql/client/registry_client.h"

#define WAIT_MS 5000
#define VICTIM "PG-1"	/* has a certificate */
#define EXPECTED "PG-2" /* has an open token that was not seen */

static const char *home, *dir;
static EVP_PKEY *own;
static unsigned tries, won;

static struct ipc_client *dial(const char *socket, const char *role)
{
	struct ipc_client *c;
	char path[PATH_MAX];

	if (home_path(home, socket, path) || ipc_client_new(path, role, &c))
		exit(2);
	return c;
}

static void told(const char *what, int rc)
{
	tries++;
	won += rc == 0;
	printf("%s: %s %s\n", rc ? "refused" : "GOT IT", what, rc ? err_text() : "");
}

static uint32_t seen(const char *name, uint8_t *data, size_t max)
{
	AUTO_BUF b = {.max = max};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (buf_read_file(&b, path) || !b.len) {
		fprintf(stderr, "%s: %s\n", path, err_text());
		exit(2);
	}
	memcpy(data, b.data, b.len);
	return (uint32_t)b.len;
}

static X509 *cert_seen(const char *name)
{
	uint8_t der[4096];
	X509 *cert;
	uint32_t len = seen(name, der, sizeof(der));

	if (ossl_cert_parse(der, len, &cert))
		exit(2);
	return cert;
}

/* A request for our own key; `san` may be NULL, `from`: attributes of a request that was seen. */
static uint32_t request(const char *cn, const char *san, X509_REQ *from, X509 *prior, uint8_t *out)
{
	X509_REQ *req = X509_REQ_new();
	uint8_t *at = NULL;
	int len;

	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
				   (const uint8_t *)cn, -1, -1, 0);
	X509_REQ_set_pubkey(req, own);
	if (san) {
		STACK_OF(X509_EXTENSION) *extensions = NULL;
		X509_EXTENSION *e =
			X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, (char *)san);

		X509v3_add_ext(&extensions, e, -1);
		X509_REQ_add_extensions(req, extensions);
		X509_EXTENSION_free(e);
		sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	}
	for (int i = 0; from && i < X509_REQ_get_attr_count(from); i++)
		X509_REQ_add1_attr(req, X509_REQ_get_attr(from, i));
	if (prior && related_cert_request_add(req, prior, own, clock_wall_ms()))
		exit(2);
	X509_REQ_sign(req, own, EVP_sha256());
	len = i2d_X509_REQ(req, &at);
	if (len <= 0 || len > CSR_DER_MAX)
		exit(2);
	memcpy(out, at, (size_t)len);
	OPENSSL_free(at);
	X509_REQ_free(req);
	return (uint32_t)len;
}

static int sign(uint16_t verb, const struct record_desc *desc, const void *rq)
{
	struct ipc_client *c = dial(SIGNER_SOCKET, "enroll");
	struct signed_cert cert;
	int rc =
		ipc_client_call(c, verb, desc, rq, 1, &record_signed_cert, &cert, 1, NULL, WAIT_MS);

	ipc_client_free(c);
	return rc;
}

static int enroll(const char *device, const char *cn, const char *san, const uint8_t *token,
		  uint32_t token_len)
{
	struct sign_enroll rq = {.source = "10.0.0.1"};

	snprintf(rq.device, sizeof(rq.device), "%s", device);
	memcpy(rq.token.data, token, token_len);
	rq.token.len = token_len;
	rq.csr.len = request(cn, san, NULL, NULL, rq.csr.data);
	return sign(SIGNER_ENROLL, &record_sign_enroll, &rq);
}

static int renew(X509 *prior, const char *cn, const char *san, X509_REQ *from, X509 *proof)
{
	struct sign_renew rq = {.source = "10.0.0.1"};
	AUTO_BUF der = {.max = sizeof(rq.prior.data)};

	if (ossl_cert_put(&der, prior))
		exit(2);
	memcpy(rq.prior.data, der.data, der.len);
	rq.prior.len = (uint32_t)der.len;
	rq.csr.len = request(cn, san, from, proof, rq.csr.data);
	return sign(SIGNER_RENEW, &record_sign_renew, &rq);
}

/* The victim's certificate again, with our key, as a CA of the same name would make it. */
static X509 *forgery(X509 *victim)
{
	X509 *double_ = X509_dup(victim);

	if (!double_ || !X509_set_pubkey(double_, own) || !X509_sign(double_, own, EVP_sha256()))
		exit(2);
	return double_;
}

static int birth(X509 *idevid, X509_REQ *from, X509 *proof)
{
	struct sign_idevid rq = {.source = "10.0.0.1"};
	AUTO_BUF der = {.max = sizeof(rq.idevid.data)};

	if (ossl_cert_put(&der, idevid))
		exit(2);
	memcpy(rq.idevid.data, der.data, der.len);
	rq.idevid.len = (uint32_t)der.len;
	rq.chain.len = seen("maker-ca.der", rq.chain.data, sizeof(rq.chain.data));
	rq.csr.len = request(EXPECTED, NULL, from, proof, rq.csr.data);
	return sign(SIGNER_IDEVID, &record_sign_idevid, &rq);
}

/* An expected pump's birth certificate, and its request, which enrolld saw but did not pass on. */
static void by_birth_certificate(void)
{
	uint8_t der[CSR_DER_MAX];
	uint32_t len = seen("birth.csr", der, sizeof(der));
	const uint8_t *at = der;
	X509_REQ *captured = d2i_X509_REQ(NULL, &at, (long)len);
	AUTO_X509 idevid = cert_seen("birth.der");
	AUTO_X509 forged = forgery(idevid);

	if (!captured)
		exit(2);
	told("a birth certificate, no proof", birth(idevid, NULL, NULL));
	told("a birth certificate, proof by our own key", birth(idevid, NULL, idevid));
	told("the birth key's proof that was seen, moved to our key",
	     birth(idevid, captured, NULL));
	told("a forged birth certificate, with proof", birth(forged, NULL, forged));
	X509_REQ_free(captured);
}

static void at_the_signer(void)
{
	static const char *const servers[] = {"DNS:radius-1.pumpgate.internal",
					      "DNS:localhost,IP:127.0.0.1"};
	uint8_t token[128], guess[128], der[CSR_DER_MAX];
	uint32_t len = seen("victim.token", token, sizeof(token));
	uint32_t csr_len = seen("victim.csr", der, sizeof(der));
	const uint8_t *at = der;
	X509_REQ *captured = d2i_X509_REQ(NULL, &at, (long)csr_len);
	AUTO_X509 victim = cert_seen("victim.der");
	AUTO_X509 server = cert_seen("server.der");
	AUTO_X509 forged = forgery(victim);

	if (!captured)
		exit(2);
	told("the victim's used token with a key of ours",
	     enroll(VICTIM, VICTIM, NULL, token, len));
	told("its token for another pump", enroll(EXPECTED, EXPECTED, NULL, token, len));
	told("its token for a pump that is in no inventory",
	     enroll("PG-9", "PG-9", NULL, token, len));
	told("no token", enroll(EXPECTED, EXPECTED, NULL, token, 0));
	for (unsigned i = 0; i < 32; i++) {
		memcpy(guess, token, len);
		guess[i % len] = "0123456789abcdefghjkmnpqrstvwxyz"[i];
		guess[(i + 7) % len] ^= 1;
		told("a guessed token", enroll(EXPECTED, EXPECTED, NULL, guess, len));
	}
	for (unsigned i = 0; i < 2; i++) {
		told("a server's names by a pump's token",
		     enroll(VICTIM, "radius-1.pumpgate.internal", servers[i], token, len));
		told("a server's names by a pump's certificate",
		     renew(victim, "radius-1.pumpgate.internal", servers[i], NULL, NULL));
		told("a server's names by a server's certificate",
		     renew(server, "radius-1.pumpgate.internal", servers[i], NULL, NULL));
	}
	told("another pump's name by the victim's certificate",
	     renew(victim, EXPECTED, "URI:urn:pumpgate:pump:" EXPECTED, NULL, NULL));
	told("the victim's certificate, no proof", renew(victim, VICTIM, NULL, NULL, NULL));
	told("the victim's certificate, no proof, again", renew(victim, VICTIM, NULL, NULL, NULL));
	told("the victim's certificate, proof by our own key",
	     renew(victim, VICTIM, NULL, NULL, victim));
	told("the proof of a request that was seen, moved to our key",
	     renew(victim, VICTIM, NULL, captured, NULL));
	told("a forged certificate of the victim", renew(forged, VICTIM, NULL, NULL, NULL));
	told("a forged certificate of the victim, with proof",
	     renew(forged, VICTIM, NULL, NULL, forged));
	X509_REQ_free(captured);
	by_birth_certificate();
}

/* What only signerd or an admin may ask, in records that are right in form. */
static void at_the_registry(void)
{
	static const char *const roles[] = {"enroll", "signer", "admin"};
	struct issue_begin begin = {.method = "renewal", .device = VICTIM, .cert_serial = "0102"};
	struct issue_store save = {.cert_serial = "0102", .not_before = 1, .not_after = 2};
	struct token_create token = {.device = EXPECTED, .ttl_ms = 3600000};
	struct approval_decision approve = {
		.device = VICTIM, .key = "0000000000000000", .approve = true};
	struct revoke revoke = {.device = VICTIM, .reason = "hostile"};
	struct device device = {.serial = "PG-9", .maker = "M", .model = "M", .zone = "pumps"};
	struct zone zone = {.name = "evil", .vlan = 666};
	struct issuer issuer = {.issuer = "/CN=Evil", .der = {.len = 1}};
	struct list_query list = {.limit = 10};
	const struct {
		uint16_t verb;
		const char *what;
		const struct record_desc *desc;
		const void *rq;
	} asks[] = {
		{REGISTRY_ISSUER_SET, "to add an issuer", &record_issuer, &issuer},
		{REGISTRY_ISSUE_BEGIN, "to begin an issuance", &record_issue_begin, &begin},
		{REGISTRY_ISSUE_STORE, "to store a certificate", &record_issue_store, &save},
		{REGISTRY_TOKEN_CREATE, "a token", &record_token_create, &token},
		{REGISTRY_APPROVAL_DECIDE, "to approve", &record_approval_decision, &approve},
		{REGISTRY_APPROVAL_LIST, "who waits", &record_list_query, &list},
		{REGISTRY_REVOKE, "to revoke", &record_revoke, &revoke},
		{REGISTRY_DEVICE_ADD, "to add a pump", &record_device, &device},
		{REGISTRY_DEVICE_LIST, "the inventory", &record_list_query, &list},
		{REGISTRY_ZONE_ADD, "to add a zone", &record_zone, &zone},
		{REGISTRY_AUDIT_TAIL, "the audit", &record_list_query, &list},
	};
	char what[96];

	for (size_t r = 0; r < sizeof(roles) / sizeof(roles[0]); r++)
		for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
			struct ipc_client *c = dial(REGISTRY_SOCKET, roles[r]);

			snprintf(what, sizeof(what), "as %s: %s", roles[r], asks[i].what);
			told(what, ipc_client_call(c, asks[i].verb, asks[i].desc, asks[i].rq, 1,
						   NULL, NULL, 0, NULL, WAIT_MS));
			ipc_client_free(c);
		}
}

/* Every number, in every role: an empty message, to which no verb of ours gives anything. */
static void by_number(const char *socket, const char *role)
{
	char what[96];

	for (unsigned verb = 0; verb < 256; verb++) {
		struct ipc_client *c = dial(socket, role);

		snprintf(what, sizeof(what), "%s as %s: verb %u", socket, role, verb);
		told(what, ipc_client_call(c, (uint16_t)verb, NULL, NULL, 0, NULL, NULL, 0, NULL,
					   WAIT_MS));
		ipc_client_free(c);
	}
}

static void user_become(unsigned long uid)
{
	if (!uid || setgroups(0, NULL) || setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid)) {
		fprintf(stderr, "usage (as root): hostile_enrolld UID HOME DIR\n");
		exit(2);
	}
}

int main(int argc, char *argv[])
{
	if (argc < 4)
		return 2;
	user_become(strtoul(argv[1], NULL, 10));
	home = argv[2];
	own = EVP_EC_gen("P-256");
	if (!own)
		return 2;
	if (argc == 6) {
		uint8_t token[128];
		uint32_t len;

		dir = argv[5];
		len = seen("transit.token", token, sizeof(token));
		told("a token in transit", enroll(argv[4], argv[4], NULL, token, len));
	} else {
		dir = argv[3];
		at_the_signer();
		at_the_registry();
		by_number(SIGNER_SOCKET, "enroll");
		by_number(SIGNER_SOCKET, "admin");
		by_number(REGISTRY_SOCKET, "enroll");
		by_number(REGISTRY_SOCKET, "signer");
	}
	EVP_PKEY_free(own);
	printf("%u attempts, %u worked\n", tries, won);
	return won ? 1 : 0;
}
