/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns reading the CAs of pumps: device-ca.*, and device-old.* or device-retired.pem with
 * device-old.key. Never changes one: roll-overs do (ca/signerd/rollover.c).
 */
#include "ca/signerd/issuer_files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/daemon.h"
#include "ca/ca_number.h"
#include "ca/issued_log.h"

static const char *const names[ISSUER_FILES] = {"ca.pem", "next.pem", "old.pem", "retired.pem"};

static void stamp_take(const struct issuer_files *f, size_t i, struct file_stamp *out)
{
	char path[PATH_MAX];
	struct stat st;

	memset(out, 0, sizeof(*out));
	if (ca_path(f->home, "device", names[i], path) || stat(path, &st))
		return;
	*out = (struct file_stamp){st.st_dev, st.st_ino, st.st_ctim};
}

static bool stamps_differ(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->dev != b->dev || a->ino != b->ino || a->changed.tv_sec != b->changed.tv_sec ||
	       a->changed.tv_nsec != b->changed.tv_nsec;
}

void issuer_files_init(struct issuer_files *f, const char *home, const struct key_access *access)
{
	*f = (struct issuer_files){.home = home, .access = access};
}

bool issuer_files_changed(struct issuer_files *f)
{
	struct file_stamp now;

	for (size_t i = 0; i < ISSUER_FILES; i++) {
		stamp_take(f, i, &now);
		if (stamps_differ(&now, &f->stamps[i]))
			return true;
	}
	return false;
}

/* ---- until when the old one has certificates ---- */

struct until {
	const unsigned char *name; /* the CA's, in DER */
	size_t name_len;
	int64_t until_ms;
};

/* A name in DER that stands in a certificate's DER: where it could be another thing than the
 * issuer's, the CA would live too long, never too short. */
static int until_look(const struct issued_entry *e, void *ctx)
{
	struct until *u = ctx;

	if (e->not_after_ms > u->until_ms && memmem(e->der, e->der_len, u->name, u->name_len))
		u->until_ms = e->not_after_ms;
	return 0;
}

int issued_until(const char *home, X509 *ca, int64_t *until_ms_out)
{
	struct until u = {.until_ms = 0};
	char path[PATH_MAX];
	unsigned char *name = NULL;
	int len = i2d_X509_NAME(X509_get_subject_name(ca), &name);
	int rc = len > 0 ? home_path(home, "ca/issued.log", path)
			 : err_ossl(ERR_CRYPTO, "name of a CA");

	u.name = name;
	u.name_len = len > 0 ? (size_t)len : 0;
	if (!rc)
		rc = issued_log_scan(path, until_look, &u);
	OPENSSL_free(name);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	*until_ms_out = u.until_ms;
	return 0;
}

/* ---- the set ---- */

/* The key of `cert`. One that is open stays open: a token is not asked twice for the same one, and
 * a passphrase costs half a second. */
static int key_have(const struct issuer_files *f, const struct issuer_set *before, X509 *cert,
		    const char *part, EVP_PKEY **out)
{
	char path[PATH_MAX];
	int rc;

	for (int i = 0; before && i < 2; i++) {
		const struct ca_issuer *open = i ? &before->old : &before->current;

		if (!open->cert || X509_cmp(open->cert, cert) != 0)
			continue;
		if (!EVP_PKEY_up_ref(open->key))
			return err_ossl(ERR_CRYPTO, "key of a CA");
		*out = open->key;
		return 0;
	}
	rc = ca_path(f->home, "device", part, path);
	return rc ? rc : keystore_key_read(path, f->access, out);
}

static int current_load(const struct issuer_files *f, const struct issuer_set *before,
			struct issuer_set *out)
{
	AUTO_X509 root = NULL;
	AUTO_X509 cert = NULL;
	AUTO_PKEY key = NULL;
	int rc;

	if ((rc = issuer_certs_load(f->home, "device", &root, &cert)) ||
	    (rc = key_have(f, before, cert, "ca.key", &key)))
		return rc == ERR_NOT_FOUND
			       ? err_add(rc, "no device CA here; do: pumpctl --home %s init",
					 f->home)
			       : rc;
	rc = ca_issuer_init(cert, key, root, &out->current);
	out->current_ca = ca_number_of(X509_get_subject_name(cert));
	return rc;
}

/* The one before, of `part` ("old.pem", "retired.pem"). ERR_NOT_FOUND: there is none, or its key is
 * gone already. */
static int old_load(const struct issuer_files *f, const struct issuer_set *before, const char *part,
		    struct issuer_set *out)
{
	char path[PATH_MAX];
	AUTO_X509 cert = NULL;
	AUTO_PKEY key = NULL;
	int rc;

	if ((rc = ca_path(f->home, "device", part, path)) || (rc = keystore_cert_read(path, &cert)))
		return rc;
	if (!X509_cmp(cert, out->current.cert)) /* a switch that has only begun */
		return err_set(ERR_NOT_FOUND, "%s is the CA in use", path);
	if ((rc = ca_path(f->home, "device", "old.key", path)) || access(path, F_OK) != 0)
		return rc ? rc : err_set(ERR_NOT_FOUND, "%s is gone", path);
	if ((rc = key_have(f, before, cert, "old.key", &key)) ||
	    (rc = ca_issuer_init(cert, key, out->current.root, &out->old)) ||
	    (rc = issued_until(f->home, cert, &out->old_until_ms)))
		return rc;
	out->old.status_only = true;
	out->old_ca = ca_number_of(X509_get_subject_name(cert));
	return 0;
}

int issuer_files_load(struct issuer_files *f, const struct issuer_set *before,
		      struct issuer_set *out)
{
	struct file_stamp stamps[ISSUER_FILES];
	int rc;

	for (size_t i = 0; i < ISSUER_FILES; i++) /* before: what changes meanwhile is seen again */
		stamp_take(f, i, &stamps[i]);
	rc = current_load(f, before, out);
	if (rc)
		return rc;
	rc = old_load(f, before, "old.pem", out);
	if (rc == ERR_NOT_FOUND) {
		rc = old_load(f, before, "retired.pem", out);
		out->old_is_retired = !rc;
	}
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	if (issuer_set_has_old(out) && out->old_ca == out->current_ca)
		return err_set(ERR_CRYPTO, "two CAs with one number: %s and %s", out->current.name,
			       out->old.name);
	rc = ca_keys_load(f->home, out->ca_spki_sha256, SIGNER_CA_KEYS_MAX, &out->n_ca_keys);
	if (!rc)
		memcpy(f->stamps, stamps, sizeof(stamps));
	return rc;
}
