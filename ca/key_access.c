/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the order of places to look for a passphrase or PIN. Never keeps one. */
#include "ca/key_access.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

/* systemd's credentials lie on a file system that only the service can read; their modes show an
 * access list's mask, so they are not judged by it (systemd.exec(5)). */
static int credential_read(const char *name, size_t max, struct secret **out)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	AUTO_BUF text = {.max = max + 1};
	char path[PATH_MAX];
	int rc;

	if (!folder || snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return ERR_NOT_FOUND;
	rc = buf_read_file(&text, path);
	if (!rc && text.len && text.data[text.len - 1] == '\n')
		text.len--;
	if (!rc)
		rc = secret_new(text.data, text.len, out);
	if (text.data)
		secret_wipe(text.data, text.len);
	return rc;
}

static int word_read(const char *file, const char *credential, const char *prompt, size_t max,
		     struct secret **out)
{
	int rc;

	if (*file)
		return secret_read_file(file, max, out);
	rc = credential_read(credential, max, out);
	if (rc != ERR_NOT_FOUND)
		return rc;
	return isatty(STDIN_FILENO) ? secret_read_stdin(prompt, max, out) : ERR_NOT_FOUND;
}

int key_passphrase_read(const struct key_access *a, const char *what, struct secret **out)
{
	struct secret *s = NULL;
	char prompt[PATH_MAX + 32];
	int rc;

	snprintf(prompt, sizeof(prompt), "passphrase of %s: ", what);
	rc = word_read(a->passphrase_file, "ca-passphrase", prompt, PASSPHRASE_MAX, &s);
	if (rc == ERR_NOT_FOUND && !*a->passphrase_file)
		return err_set(ERR_DENIED,
			       "%s is encrypted and no passphrase is given: set [ca] "
			       "passphrase_file, or the systemd credential ca-passphrase",
			       what);
	if (!rc && secret_len(s) < PASSPHRASE_MIN) {
		secret_free(s);
		return err_set(ERR_DENIED,
			       "the passphrase has fewer than %d characters: make one by "
			       "`openssl rand -base64 24`",
			       PASSPHRASE_MIN);
	}
	if (!rc)
		*out = s;
	return rc;
}

int key_pin_read(const struct key_access *a, const char *what, struct secret **out)
{
	char prompt[PATH_MAX + 32];
	int rc;

	snprintf(prompt, sizeof(prompt), "PIN for %s: ", what);
	rc = word_read(a->pin_file, "ca-pin", prompt, PIN_MAX, out);
	if (rc == ERR_NOT_FOUND && !*a->pin_file)
		return err_set(ERR_DENIED,
			       "%s wants a PIN and none is given: set [ca] pin_file, or the "
			       "systemd credential ca-pin",
			       what);
	return rc;
}
