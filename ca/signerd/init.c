/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the first start: making the three hierarchies. Never overwrites a key. A hierarchy is made
 * in a folder of its own and moved into place once it is whole, so init can be killed anywhere and
 * run again. A key in place without its certificate is an error for a person to look at.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "ca/keystore.h"
#include "ca/pkcs11.h"
#include "ca/signerd/rollover.h"
#include "ca/signerd/signerd.h"

static int folder_have(const char *home, const char *rel, mode_t mode)
{
	char path[PATH_MAX];
	int rc = home_path(home, rel, path);

	if (rc)
		return rc;
	if (mkdir(path, mode) == 0)
		return chmod(path, mode) ? err_errno(ERR_IO, "%s", path) : 0; /* umask is 077 */
	return errno == EEXIST ? 0 : err_errno(ERR_IO, "%s", path);
}

int ca_folder_have(const char *home)
{
	return folder_have(home, "ca", 0700);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* The files of a hierarchy; the one that makes it complete comes last. */
static const char *const parts[] = {"root.key", "ca.key", "root.pem", "ca.pem"};
#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

/* Where a hierarchy is until it is whole: HOME/ca/WHAT.new/PART. */
static int staging_path(const char *home, const char *what, const char *part, char out[PATH_MAX])
{
	char rel[64];

	snprintf(rel, sizeof(rel), "ca/%s.new/%s", what, part);
	return home_path(home, rel, out);
}

static int staging_write(const char *home, const char *what, const struct ca_hierarchy *h)
{
	char path[N_PARTS][PATH_MAX];
	int rc = 0;

	for (size_t i = 0; !rc && i < N_PARTS; i++)
		rc = staging_path(home, what, parts[i], path[i]);
	if (rc || (rc = keystore_key_write(path[0], h->root_key)) ||
	    (rc = keystore_key_write(path[1], h->ca_key)) ||
	    (rc = keystore_certs_write(path[2], 0644, &h->root, 1)))
		return rc;
	return keystore_certs_write(path[3], 0644, &h->ca, 1);
}

/* What an init left that was killed before its hierarchy was whole: no key of it was ever used. */
static int staging_clear(const char *home, const char *what)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;
	int rc = staging_path(home, what, "", path);

	if (rc)
		return rc;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : err_errno(ERR_IO, "%s", path);
	while ((e = readdir(dir)))
		unlinkat(dirfd(dir), e->d_name, 0); /* what stays makes rmdir fail */
	closedir(dir);
	return rmdir(path) ? err_errno(ERR_IO, "%s", path) : 0;
}

/* Into place, file by file; can be killed anywhere and goes on next time, since the last file says
 * that all were there. Never replaces one. */
static int staging_move(const char *home, const char *what)
{
	char from[PATH_MAX], to[PATH_MAX];
	int rc;

	for (size_t i = 0; i < N_PARTS; i++) {
		if ((rc = staging_path(home, what, parts[i], from)) ||
		    (rc = ca_path(home, what, parts[i], to)))
			return rc;
		if (is_there(from) && renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
			return err_errno(ERR_IO, "%s", to);
	}
	return staging_clear(home, what);
}

static int hierarchy_make(const char *home, const char *what, enum ca_kind kind,
			  const struct signer_settings *s)
{
	struct ca_hierarchy h = {0};
	char rel[64];
	int rc;

	snprintf(rel, sizeof(rel), "ca/%s.new", what);
	if ((rc = staging_clear(home, what)) || (rc = folder_have(home, rel, 0700)))
		return rc;
	rc = ca_hierarchy_new(kind, s->organization, clock_wall_ms(), &h);
	if (!rc)
		rc = staging_write(home, what, &h);
	ca_hierarchy_done(&h);
	return rc ? rc : staging_move(home, what);
}

static int hierarchy_have(const char *home, const char *what, enum ca_kind kind,
			  const struct signer_settings *s)
{
	char done[PATH_MAX], first[PATH_MAX], whole[PATH_MAX], asked[PATH_MAX];
	int rc;

	if ((rc = ca_path(home, what, "ca.pem", done)) ||
	    (rc = ca_path(home, what, "root.key", first)) ||
	    (rc = ca_path(home, what, "ca.key", asked)) ||
	    (rc = staging_path(home, what, "ca.pem", whole)))
		return rc;
	if (is_there(whole))
		return staging_move(home, what);
	if (is_there(done))
		return staging_clear(home, what);
	if (is_there(first))
		return err_set(ERR_EXISTS,
			       "%s exists without %s; bring the missing files back from a backup",
			       first, done);
	if (is_there(asked))
		return err_set(ERR_EXISTS,
			       "the %s CA waits for its certificate from the offline root: pumpctl "
			       "ca request %s, then pumpctl ca import %s FILE",
			       what, what, what);
	return hierarchy_make(home, what, kind, s);
}

/* Whoever pinned an anchor must keep finding it: one of another CA is not replaced silently. */
static int trust_check(const char *path, X509 *root)
{
	AUTO_X509 there = NULL;
	int rc = keystore_cert_read(path, &there);

	if (!rc && X509_cmp(there, root))
		rc = err_set(
			ERR_EXISTS,
			"%s is of another CA than HOME/ca; move it away if that CA is given up",
			path);
	return rc;
}

/* The files fit together. A key that takes a passphrase or a token to open is proven at the
 * service's start. */
static int parts_check(const char *home, const char *what, X509 *root, X509 *cert)
{
	char path[PATH_MAX], detail[PKCS11_URI_MAX + 1];
	struct ca_issuer issuer = {0};
	enum keystore_form form;
	int rc = ca_path(home, what, "ca.key", path);

	if (!rc)
		rc = keystore_key_form(path, &form, detail);
	if (rc || form == KEYSTORE_ENCRYPTED || form == KEYSTORE_PKCS11)
		return rc ? rc
			  : (X509_verify(cert, X509_get0_pubkey(root)) == 1
				     ? 0
				     : err_ossl(ERR_CRYPTO, "the %s CA is not from its root",
						what));
	rc = issuer_load(home, what, NULL, &issuer);
	ca_issuer_done(&issuer);
	return rc;
}

static int trust_have(const char *home, const char *what)
{
	AUTO_X509 root = NULL;
	AUTO_X509 cert = NULL;
	char rel[64], path[PATH_MAX];
	int rc = issuer_certs_load(home, what, &root, &cert);

	snprintf(rel, sizeof(rel), "trust/%s.pem", what);
	if (!rc)
		rc = parts_check(home, what, root, cert);
	if (!rc)
		rc = home_path(home, rel, path);
	if (rc)
		return rc;
	return is_there(path) ? trust_check(path, root)
			      : keystore_certs_write(path, 0644, (X509 *[]){root, cert}, 2);
}

static int all_have(const char *home)
{
	struct signer_settings s;
	int rc;

	if ((rc = signer_settings_read(home, &s)) || (rc = ca_folder_have(home)) ||
	    (rc = folder_have(home, "trust", 0755)) || (rc = rollover_settle(home, "device")) ||
	    (rc = hierarchy_have(home, "device", CA_KIND_DEVICE_ROOT, &s)) ||
	    (rc = rollover_settle(home, "server")) ||
	    (rc = hierarchy_have(home, "server", CA_KIND_SERVER_ROOT, &s)) ||
	    (rc = hierarchy_have(home, "nas", CA_KIND_NAS_ROOT, &s)) ||
	    (rc = trust_have(home, "device")) || (rc = trust_have(home, "server")))
		return rc;
	return trust_have(home, "nas");
}

int command_init(const char *home)
{
	int rc = all_have(home);

	if (rc)
		fprintf(stderr, "pumpgate-signerd init: %s\n", err_text());
	return rc ? EXIT_FAILED : EXIT_DONE;
}
