/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns backup and restore of the CA's own files: keys in the form that they have, certificates, and
 * the lists of what was issued and revoked. On the command line, as the signer's user. A restore
 * never replaces a key, and never puts an older list in a newer one's place.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/daemon.h"
#include "base/secret.h"
#include "ca/keystore.h"
#include "ca/pkcs11.h"
#include "ca/sealed/sealed_file.h"
#include "ca/signerd/rollover.h"
#include "ca/signerd/signerd.h"

#define STAGING "ca/restore.new"
#define SHARE_FILE_MAX 4096

struct part {
	const char *name;
	bool list;     /* append-only: the longer one counts */
	bool required; /* without it there is no CA to back up */
};
/* In the order of a restore: a ca.pem says that its hierarchy is whole. A home from before RadSec
 * has no hierarchy for NAS. */
static const struct part ca_parts[] = {
	{"issued.log", true, false},
	{"revoked.log", true, false},
	{"server-issued.log", true, false},
	{"device-root.key", false, false},
	{"server-root.key", false, false},
	{"device-root.pem", false, true},
	{"server-root.pem", false, true},
	{"device-ca.key", false, true},
	{"server-ca.key", false, true},
	{"device-ca.pem", false, true},
	{"server-ca.pem", false, true},
	{"nas-issued.log", true, false},
	{"nas-root.key", false, false},
	{"nas-root.pem", false, false},
	{"nas-ca.key", false, false},
	{"nas-ca.pem", false, false},
	{"server-next.key", false, false},
	{"server-next.pem", false, false},
	{"server-old.key", false, false},
	{"server-old.pem", false, false},
	{"device-next.key", false, false},
	{"device-next.pem", false, false},
	{"device-old.key", false, false},
	{"device-old.pem", false, false},
	{"device-retired.pem", false, false},
	{"server-next-root.key", false, false},
	{"server-next-root.pem", false, false},
	{"server-old-root.key", false, false},
	{"server-old-root.pem", false, false},
	{"server-new-with-old.pem", false, false},
	{"server-old-with-new.pem", false, false},
};
#define N_CA_PARTS (sizeof(ca_parts) / sizeof(ca_parts[0]))

static int part_path(const char *home, const char *folder, const char *name, char out[PATH_MAX])
{
	char rel[128];

	snprintf(rel, sizeof(rel), "%s/%s", folder, name);
	return home_path(home, rel, out);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- backup ---- */

static int parts_add(const char *home, struct sealed_writer *w)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < N_CA_PARTS; i++) {
		int rc = part_path(home, "ca", ca_parts[i].name, path);

		if (!rc)
			rc = sealed_add(w, ca_parts[i].name, path);
		if (rc == ERR_NOT_FOUND && !ca_parts[i].required)
			continue; /* a root key that is kept elsewhere, a list that was never begun
				   */
		if (rc)
			return rc;
	}
	return sealed_finish(w);
}

/* A backup counts once two of its shares have opened it again. */
static int backup_prove(const char *file, const struct share *shares, unsigned n)
{
	uint8_t key[SHARE_KEY_BYTES];
	int rc = 0;

	for (unsigned i = 1; !rc && i < n; i++) {
		rc = share_join(&shares[0], &shares[i], key);
		if (!rc)
			rc = sealed_open(file, key, NULL);
	}
	secret_wipe(key, sizeof(key));
	return rc;
}

static int shares_print(const struct share *shares, unsigned n)
{
	AUTO_BUF text = {.max = 8192};
	int rc = 0;

	for (unsigned i = 0; !rc && i < n; i++)
		rc = share_put(&text, &shares[i]);
	if (!rc && (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout)))
		rc = err_errno(ERR_IO, "standard output");
	if (text.data)
		secret_wipe(text.data, text.len);
	return rc;
}

static int backup(const char *home, const char *file, unsigned people)
{
	struct share shares[SHARE_PEOPLE_MAX];
	uint8_t key[SHARE_KEY_BYTES], id[SHARE_ID_BYTES];
	struct sealed_writer *w = NULL;
	int rc;

	secret_fill_random(key, sizeof(key));
	secret_fill_random(id, sizeof(id));
	rc = share_split(key, id, people, shares);
	if (!rc)
		rc = sealed_create(file, id, key, &w);
	if (!rc)
		rc = parts_add(home, w);
	sealed_writer_free(w);
	if (!rc && (rc = backup_prove(file, shares, people)))
		unlink(file);
	if (!rc)
		rc = shares_print(shares, people);
	secret_wipe(key, sizeof(key));
	secret_wipe(shares, sizeof(shares));
	return rc;
}

int command_backup(const char *home, const char *file, unsigned people)
{
	int rc = rollover_settle(home, "server");

	rc = rc ? rc : rollover_settle(home, "device");
	rc = rc ? rc : backup(home, file, people);

	if (rc)
		fprintf(stderr, "pumpgate-signerd backup: %s\n", err_text());
	return rc ? EXIT_FAILED : EXIT_DONE;
}

/* ---- restore ---- */

static int share_read(const char *path, struct share *out)
{
	AUTO_SECRET text = NULL;
	int rc = secret_read_file(path, SHARE_FILE_MAX, &text);

	if (!rc)
		rc = share_parse((const char *)secret_data(text), secret_len(text), out);
	return rc ? err_add(rc, "%s", path) : 0;
}

static int key_join(const char *file, const char *const share_files[2],
		    uint8_t key_out[SHARE_KEY_BYTES])
{
	struct share shares[2];
	uint8_t id[SHARE_ID_BYTES];
	int rc = sealed_id(file, id);

	for (int i = 0; !rc && i < 2; i++) {
		rc = share_read(share_files[i], &shares[i]);
		if (!rc && memcmp(shares[i].id, id, sizeof(id)))
			rc = err_set(ERR_DENIED, "%s is a share of another backup", share_files[i]);
	}
	if (!rc)
		rc = share_join(&shares[0], &shares[1], key_out);
	secret_wipe(shares, sizeof(shares));
	return rc;
}

static int staging_clear(const char *home)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < N_CA_PARTS; i++)
		if (!part_path(home, STAGING, ca_parts[i].name, path))
			unlink(path);
	if (home_path(home, STAGING, path) || (rmdir(path) && errno != ENOENT))
		return err_errno(ERR_IO, "%s", path);
	return 0;
}

/* A CA that is there stays: its pumps trust it. */
static int target_check(const char *home)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < N_CA_PARTS; i++) {
		int rc = part_path(home, "ca", ca_parts[i].name, path);

		if (rc)
			return rc;
		if (!ca_parts[i].list && is_there(path))
			return err_set(ERR_EXISTS,
				       "%s exists: a CA is never overwritten; move its "
				       "keys and certificates away first",
				       path);
	}
	return 0;
}

/* Whether one file begins with all of the other: -1 a is the beginning of b, 1 the other way round
 * or equal, 0 they differ. */
static int prefix_compare(FILE *a, FILE *b)
{
	int x, y;

	do {
		x = getc(a);
		y = getc(b);
	} while (x == y && x != EOF);
	return y == EOF ? 1 : x == EOF ? -1 : 0;
}

/* Removes the staged list when the one in place knows as much or more. */
static int list_choose(const char *staged, const char *there)
{
	FILE *a, *b;
	int which;

	if (!is_there(staged) || !is_there(there))
		return 0;
	a = fopen(there, "re");
	b = fopen(staged, "re");
	which = a && b ? prefix_compare(a, b) : 0;
	if (a)
		fclose(a);
	if (b)
		fclose(b);
	if (which == 0)
		return err_set(ERR_CONFLICT,
			       "%s is neither older nor newer than the backup's: it is "
			       "of another CA; move it away",
			       there);
	return (which > 0 ? unlink(staged) : unlink(there)) ? err_errno(ERR_IO, "%s", there) : 0;
}

static int hierarchy_check(const char *home, const char *what)
{
	AUTO_X509 root = NULL;
	AUTO_X509 ca = NULL;
	AUTO_PKEY key = NULL;
	char name[64], path[PATH_MAX], detail[PKCS11_URI_MAX + 1];
	enum keystore_form form;
	int rc;

	snprintf(name, sizeof(name), "%s-root.pem", what);
	if ((rc = part_path(home, STAGING, name, path)) || (rc = keystore_cert_read(path, &root)))
		return rc;
	snprintf(name, sizeof(name), "%s-ca.pem", what);
	if ((rc = part_path(home, STAGING, name, path)) || (rc = keystore_cert_read(path, &ca)))
		return rc;
	snprintf(name, sizeof(name), "%s-ca.key", what);
	if ((rc = part_path(home, STAGING, name, path)) ||
	    (rc = keystore_key_form(path, &form, detail)))
		return rc;
	if (X509_verify(ca, X509_get0_pubkey(root)) != 1)
		return err_ossl(ERR_CORRUPT, "the backup's %s CA is not from its root", what);
	if (form != KEYSTORE_PLAIN)
		return 0; /* proven at the service's start, which has passphrase or token */
	if ((rc = keystore_key_read(path, NULL, &key)))
		return rc;
	return X509_check_private_key(ca, key) == 1
		       ? 0
		       : err_ossl(ERR_CORRUPT, "the backup's %s key is not its certificate's",
				  what);
}

static int parts_move(const char *home)
{
	char from[PATH_MAX], to[PATH_MAX];
	int rc;

	for (size_t i = 0; i < N_CA_PARTS; i++) {
		if ((rc = part_path(home, STAGING, ca_parts[i].name, from)) ||
		    (rc = part_path(home, "ca", ca_parts[i].name, to)) ||
		    (ca_parts[i].list && (rc = list_choose(from, to))))
			return rc;
		if (is_there(from) && renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
			return err_errno(ERR_IO, "%s", to);
	}
	return 0;
}

/* Certificates are public: as init leaves them. */
static int modes_set(const char *home)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < N_CA_PARTS; i++) {
		const char *ending = strrchr(ca_parts[i].name, '.');
		int rc = part_path(home, "ca", ca_parts[i].name, path);

		if (!rc && !strcmp(ending, ".pem") && chmod(path, 0644) &&
		    (errno != ENOENT || ca_parts[i].required))
			rc = err_errno(ERR_IO, "%s", path);
		if (rc)
			return rc;
	}
	return 0;
}

static int restore(const char *home, const char *file, const char *const share_files[2])
{
	uint8_t key[SHARE_KEY_BYTES];
	char staging[PATH_MAX];
	int rc;

	if ((rc = key_join(file, share_files, key)) || (rc = ca_folder_have(home)) ||
	    (rc = target_check(home)) || (rc = staging_clear(home)) ||
	    (rc = home_path(home, STAGING, staging)))
		return rc;
	if (mkdir(staging, 0700))
		return err_errno(ERR_IO, "%s", staging);
	rc = sealed_open(file, key, staging);
	secret_wipe(key, sizeof(key));
	if (!rc)
		rc = hierarchy_check(home, "device");
	if (!rc)
		rc = hierarchy_check(home, "server");
	if (!rc)
		rc = parts_move(home);
	if (!rc)
		rc = modes_set(home);
	if (rc) {
		char text[256];

		snprintf(text, sizeof(text), "%s", err_text());
		return staging_clear(home) ? rc : err_set(rc, "%s", text);
	}
	return staging_clear(home);
}

int command_restore(const char *home, const char *file, const char *const share_files[2])
{
	int rc = restore(home, file, share_files);

	if (rc)
		fprintf(stderr, "pumpgate-signerd restore: %s\n", err_text());
	return rc ? EXIT_FAILED : EXIT_DONE;
}
