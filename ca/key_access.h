/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the words that open a CA key come from: the passphrase of an encrypted file, the PIN of a
 * token. Never from the command line, the environment or a PKCS#11 URI.
 */
#ifndef CA_KEY_ACCESS_H
#define CA_KEY_ACCESS_H

#include <limits.h>

#include "base/secret.h"

#define PASSPHRASE_MIN 12
#define PASSPHRASE_MAX 1024
#define PIN_MAX 256

struct key_access { /* "" everywhere: plain files alone can be read without a terminal */
	char passphrase_file[PATH_MAX];
	char pin_file[PATH_MAX];
	char pkcs11_module[PATH_MAX]; /* the maker's library, an absolute path */
};

/* Looks in this order: the named file (closed to others), systemd's credential ca-passphrase or
 * ca-pin, the terminal when standard input is one. `what` is named in prompt and errors. Blocks.
 * ERR_DENIED when there is none or it is too short (ERR_LIMIT: too long), ERR_NOT_FOUND, ERR_IO. */
int key_passphrase_read(const struct key_access *a, const char *what, struct secret **out) MUST_USE;
int key_pin_read(const struct key_access *a, const char *what, struct secret **out) MUST_USE;

#endif
