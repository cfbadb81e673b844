/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the first start: making both hierarchies. Never overwrites a key. A hierarchy is complete
 * once its CA certificate file is there, which is written last; one that broke off before that
 * never issued anything, and its remains are an error for a person to look at.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "ca/keystore.h"
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

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static int hierarchy_write(const char *home, const char *what, const struct ca_hierarchy *h)
{
	char root_key[PATH_MAX], root[PATH_MAX], ca_key[PATH_MAX], ca[PATH_MAX];
	int rc;

	if ((rc = ca_path(home, what, "root.key", root_key)) ||
	    (rc = ca_path(home, what, "root.pem", root)) ||
	    (rc = ca_path(home, what, "ca.key", ca_key)) ||
	    (rc = ca_path(home, what, "ca.pem", ca)) ||
	    (rc = keystore_key_write(root_key, h->root_key)) ||
	    (rc = keystore_key_write(ca_key, h->ca_key)) ||
	    (rc = keystore_certs_write(root, 0644, &h->root, 1)))
		return rc;
	return keystore_certs_write(ca, 0644, &h->ca, 1);
}

static int hierarchy_have(const char *home, const char *what, enum ca_kind kind,
			  const struct signer_settings *s)
{
	struct ca_hierarchy h = {0};
	char done[PATH_MAX], first[PATH_MAX];
	int rc;

	if ((rc = ca_path(home, what, "ca.pem", done)) ||
	    (rc = ca_path(home, what, "root.key", first)))
		return rc;
	if (is_there(done))
		return 0;
	if (is_there(first))
		return err_set(
			ERR_EXISTS,
			"%s exists without %s: an earlier init broke off. Nothing was issued "
			"by it; move HOME/ca/%s-* away and start again",
			first, done, what);
	rc = ca_hierarchy_new(kind, s->organization, clock_wall_ms(), &h);
	if (!rc)
		rc = hierarchy_write(home, what, &h);
	ca_hierarchy_done(&h);
	return rc;
}

static int trust_write(const char *home, const char *what)
{
	struct ca_issuer issuer = {0};
	char rel[64], path[PATH_MAX];
	int rc = issuer_load(home, what, &issuer); /* also proves that the files fit */

	snprintf(rel, sizeof(rel), "trust/%s.pem", what);
	if (!rc && !(rc = home_path(home, rel, path)) && !is_there(path))
		rc = keystore_certs_write(path, 0644, (X509 *[]){issuer.root, issuer.cert}, 2);
	ca_issuer_done(&issuer);
	return rc;
}

static int all_have(const char *home)
{
	struct signer_settings s;
	int rc;

	if ((rc = signer_settings_read(home, &s)) || (rc = folder_have(home, "ca", 0700)) ||
	    (rc = folder_have(home, "trust", 0755)) ||
	    (rc = hierarchy_have(home, "device", CA_KIND_DEVICE_ROOT, &s)) ||
	    (rc = hierarchy_have(home, "server", CA_KIND_SERVER_ROOT, &s)) ||
	    (rc = trust_write(home, "device")))
		return rc;
	return trust_write(home, "server");
}

int command_init(const char *home)
{
	int rc = all_have(home);

	if (rc)
		fprintf(stderr, "pumpgate-signerd init: %s\n", err_text());
	return rc ? EXIT_FAILED : EXIT_DONE;
}
