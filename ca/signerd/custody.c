/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns where the CA keys are and in what form: shows it, and changes the form of one. Runs on the
 * command line as the signer's user, never through the socket.
 */
#include <stdio.h>
#include <string.h>

#include "ca/keystore.h"
#include "ca/pkcs11.h"
#include "ca/signerd/signerd.h"

static const char *const key_names[] = {"device-root", "device-ca", "server-root", "server-ca",
					"nas-root",    "nas-ca",    "device-next", "device-old",
					"server-next", "server-old"};
#define N_LASTING 6 /* the others are there during a roll-over */
#define N_KEYS (sizeof(key_names) / sizeof(key_names[0]))

/* "device-ca" to HOME/ca/device-ca.key or .pem */
static int part_path(const char *home, const char *name, const char *ending, char out[PATH_MAX])
{
	char part[32];
	const char *dash = strchr(name, '-');
	char what[16];

	snprintf(what, sizeof(what), "%.*s", (int)(dash - name), name);
	snprintf(part, sizeof(part), "%s.%s", dash + 1, ending);
	return ca_path(home, what, part, out);
}

static int form_print(const char *home, const char *name, bool lasting)
{
	char path[PATH_MAX], detail[PKCS11_URI_MAX + 1];
	enum keystore_form form;
	int rc = part_path(home, name, "key", path);

	if (!rc)
		rc = keystore_key_form(path, &form, detail);
	if (!rc && (lasting || form != KEYSTORE_NONE))
		printf("%s\t%s\t%s\n", name, keystore_form_name(form),
		       form == KEYSTORE_PKCS11 ? detail
		       : form == KEYSTORE_NONE ? ""
					       : path);
	return rc;
}

int command_keys(const char *home)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < N_KEYS; i++)
		rc = form_print(home, key_names[i], i < N_LASTING);
	if (rc)
		fprintf(stderr, "pumpgate-signerd keys: %s\n", err_text());
	return rc ? EXIT_FAILED : EXIT_DONE;
}

/* The key in its new form must be the one of the CA's certificate. */
static int cert_check(const char *home, const char *name, EVP_PKEY *key)
{
	AUTO_X509 cert = NULL;
	char path[PATH_MAX];
	int rc = part_path(home, name, "pem", path);

	if (!rc)
		rc = keystore_cert_read(path, &cert);
	if (rc == ERR_NOT_FOUND && !strcmp(name, "device-old") &&
	    !(rc = part_path(home, "device-retired", "pem", path)))
		rc = keystore_cert_read(path, &cert);
	if (!rc && X509_check_private_key(cert, key) != 1)
		rc = err_ossl(ERR_CONFLICT, "%s is not the key of %s", name, path);
	return rc;
}

static int protect_one(const char *home, const char *name, const struct key_access *old,
		       const struct protect_options *o)
{
	struct key_access fresh = *old;
	AUTO_PKEY key = NULL;
	char path[PATH_MAX];
	int rc = part_path(home, name, "key", path);

	if (*o->passphrase_file &&
	    (rc = str_copy(fresh.passphrase_file, sizeof(fresh.passphrase_file),
			   o->passphrase_file)))
		return rc;
	if (rc || (rc = keystore_key_read(path, old, &key)) || (rc = cert_check(home, name, key)))
		return rc;
	return keystore_key_protect(path, key, o->form, &fresh, o->uri);
}

/* "all": every key that is here. A token's key is named one by one. */
static int protect(const char *home, const struct protect_options *o)
{
	bool all = !strcmp(o->name, "all");
	struct signer_settings s;
	size_t n = 0;
	int rc = signer_settings_read(home, &s);

	if (!rc && o->form == KEYSTORE_PKCS11)
		rc = pkcs11_uri_check(o->uri);
	for (size_t i = 0; !rc && i < N_KEYS; i++) {
		if (!all && strcmp(o->name, key_names[i]))
			continue;
		rc = protect_one(home, key_names[i], &s.keys, o);
		if (all && rc == ERR_NOT_FOUND) { /* kept elsewhere */
			rc = 0;
			continue;
		}
		if (!rc)
			printf("%s\t%s\n", key_names[i], keystore_form_name(o->form));
		n += !rc;
	}
	if (!rc && !n)
		rc = err_set(ERR_NOT_FOUND,
			     "no key %s here: device-root, device-ca, server-root, "
			     "server-ca, nas-root, nas-ca or all",
			     o->name);
	return rc;
}

int command_protect(const char *home, const struct protect_options *o)
{
	int rc = protect(home, o);

	if (rc)
		fprintf(stderr, "pumpgate-signerd protect: %s\n", err_text());
	return rc == ERR_UNCHANGED ? EXIT_NOTHING : rc ? EXIT_FAILED : EXIT_DONE;
}
