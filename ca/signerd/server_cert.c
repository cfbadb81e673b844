/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns certificates for the hospital's own servers (RADIUS, EST) and the policy that tells pumps
 * their names: a person or pumpctl asks on the command line, as the signer's user. Never reachable
 * through the socket.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "ca/csr.h"
#include "ca/issued_log.h"
#include "ca/keystore.h"
#include "ca/proto/signer_records.h"
#include "ca/server_policy.h"
#include "ca/signerd/rollover.h"
#include "ca/signerd/signerd.h"

#define CSR_FILE_MAX 16384
#define NAMES_SIZE 1024
#define POLICY_MAX 8192

static int csr_read(const char *path, struct ca_csr *out)
{
	AUTO_BUF file = {.max = CSR_FILE_MAX};
	AUTO_BIO bio = NULL;
	unsigned char *der = NULL;
	long der_len;
	int rc = buf_read_file(&file, path);

	if (rc)
		return rc;
	bio = BIO_new_mem_buf(file.data, (int)file.len);
	if (!bio)
		return err_ossl(ERR_NOMEM, "%s", path);
	if (PEM_bytes_read_bio(&der, &der_len, NULL, PEM_STRING_X509_REQ, bio, NULL, NULL) == 1) {
		rc = ca_csr_parse(der, (size_t)der_len, out);
		OPENSSL_free(der);
	} else {
		ERR_clear_error();
		rc = ca_csr_parse(file.data, file.len, out);
	}
	return rc ? err_add(rc, "%s", path) : 0;
}

/* "a, b" to {"a", "b", NULL}; `copy` holds the words. */
static int names_split(const char *names, char copy[NAMES_SIZE], const char *out[CA_NAMES_MAX + 1])
{
	char *save = NULL;
	size_t n = 0;

	if (str_copy(copy, NAMES_SIZE, names))
		return err_set(ERR_LIMIT, "names longer than %d characters", NAMES_SIZE - 1);
	for (char *name = strtok_r(copy, ", ", &save); name; name = strtok_r(NULL, ", ", &save)) {
		if (n == CA_NAMES_MAX)
			return err_set(ERR_LIMIT, "more than %d names", CA_NAMES_MAX);
		out[n++] = name;
	}
	out[n] = NULL;
	return n ? 0 : err_set(ERR_INVALID, "no name");
}

/* The signer's list of server certificates is a file of its own: this may run beside the service.
 */
static int record(const char *home, X509 *cert, const char *name, int64_t not_after_ms)
{
	struct issued_entry e = {.at_ms = clock_wall_ms(), .not_after_ms = not_after_ms};
	AUTO_BUF der = {.max = 4096};
	struct issued_log *log;
	char path[PATH_MAX];
	size_t torn;
	int rc;

	snprintf(e.device, sizeof(e.device), "%s", name);
	if ((rc = ossl_spki_sha256(X509_get_X509_PUBKEY(cert), e.spki_sha256)) ||
	    (rc = ossl_serial_hex(cert, e.serial, sizeof(e.serial))) ||
	    (rc = ossl_cert_put(&der, cert)) ||
	    (rc = ca_path(home, "server", "issued.log", path)) ||
	    (rc = issued_log_open(path, &log, &torn)))
		return rc;
	e.der = der.data;
	e.der_len = der.len;
	rc = issued_log_append(log, &e);
	issued_log_close(log);
	return rc;
}

/* The certificate; while the root is being replaced with what leads to it from the old root (the
 * issuing CA, new with old), for pumps that slept through the change and know that one alone. */
static int chain_write(const char *home, const struct ca_issuer *issuer, X509 *cert,
		       const char *path)
{
	AUTO_X509 new_with_old = NULL;
	int rc = rollover_cross_read(home, "server", &new_with_old);

	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	return keystore_certs_write(path, 0644, (X509 *[]){cert, issuer->cert, new_with_old},
				    rc ? 1 : 3);
}

static int issue_and_write(const char *home, const struct ca_issuer *issuer,
			   const struct signer_settings *s, const struct server_cert_options *o)
{
	struct ca_terms t = {.kind = CA_KIND_SERVER_LEAF, .not_before_ms = issuer->not_before_ms};
	AUTO_CSR csr = {0};
	AUTO_X509 cert = NULL;
	char copy[NAMES_SIZE];
	int rc;

	if ((rc = names_split(o->names, copy, t.names)) || (rc = csr_read(o->csr, &csr)) ||
	    (rc = ca_issuer_not_after(issuer, clock_wall_ms(), s->server_validity_ms,
				      &t.not_after_ms)))
		return rc;
	t.common_name = t.names[0];
	ca_serial_random(t.serial);
	if ((rc = ca_issue(issuer, &t, X509_REQ_get_X509_PUBKEY(csr.req), &cert)) ||
	    (rc = record(home, cert, t.names[0], t.not_after_ms)))
		return rc;
	return chain_write(home, issuer, cert, o->out);
}

int command_server_cert(const char *home, const struct server_cert_options *o)
{
	struct ca_issuer issuer = {0};
	struct signer_settings s;
	int rc = signer_settings_read(home, &s);

	if (!rc)
		rc = rollover_settle(home, "server");
	if (!rc)
		rc = issuer_load(home, "server", &s.keys, &issuer);
	if (!rc)
		rc = issue_and_write(home, &issuer, &s, o);
	ca_issuer_done(&issuer);
	if (rc)
		fprintf(stderr, "pumpgate-signerd server-cert: %s\n", err_text());
	return rc == ERR_BUSY ? EXIT_TRY_AGAIN : rc ? EXIT_FAILED : EXIT_DONE;
}

static int policy_print(const char *home, const struct ca_issuer *issuer,
			const struct server_policy_options *o)
{
	const struct server_policy_terms p = {.number = o->number,
					      .radius_name = o->radius_name,
					      .login_server = o->login_server,
					      .login_name = o->login_name};
	AUTO_BUF der = {.max = POLICY_MAX};
	AUTO_X509 new_with_old = NULL;
	AUTO_X509 cert = NULL;
	int rc = rollover_cross_read(home, "server", &new_with_old);

	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	rc = server_policy_sign(issuer, &p, new_with_old, clock_wall_ms(), &der, &cert);
	if (rc || (rc = record(home, cert, "server-policy", issuer->not_after_ms)))
		return rc;
	if (!PEM_write(stdout, PEM_STRING_CMS, "", der.data, (long)der.len))
		return err_ossl(ERR_IO, "writing a policy");
	return 0;
}

int command_server_policy(const char *home, const struct server_policy_options *o)
{
	struct ca_issuer issuer = {0};
	struct signer_settings s;
	int rc = signer_settings_read(home, &s);

	if (!rc)
		rc = rollover_settle(home, "server");
	if (!rc)
		rc = issuer_load(home, "server", &s.keys, &issuer);
	if (!rc)
		rc = policy_print(home, &issuer, o);
	ca_issuer_done(&issuer);
	if (rc)
		fprintf(stderr, "pumpgate-signerd server-policy: %s\n", err_text());
	return rc == ERR_BUSY ? EXIT_TRY_AGAIN : rc ? EXIT_FAILED : EXIT_DONE;
}
