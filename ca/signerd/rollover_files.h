/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a roll-over in HOME/ca, whose presence is its state: WHAT-next.* before the switch,
 * WHAT-old.* after it, of the pumps' CA at last WHAT-retired.pem; WHAT-next-root.* and
 * WHAT-old-root.* beside them when the root is replaced too, with the two cross certificates.
 * Within signerd's roll-over only.
 */
#ifndef CA_SIGNERD_ROLLOVER_FILES_H
#define CA_SIGNERD_ROLLOVER_FILES_H

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"
#include "ca/issue.h"
#include "ca/keystore.h"

struct rollover {
	const char *home, *what; /* borrowed */
	enum ca_kind root_kind;	 /* of the hierarchy */
	char key[PATH_MAX], cert[PATH_MAX];
	char next_key[PATH_MAX], next_cert[PATH_MAX];
	char old_key[PATH_MAX], old_cert[PATH_MAX], retired_cert[PATH_MAX];
	char root_key[PATH_MAX], root_cert[PATH_MAX];
	char next_root_key[PATH_MAX], next_root_cert[PATH_MAX];
	char old_root_key[PATH_MAX], old_root_cert[PATH_MAX];
	char new_with_old[PATH_MAX], old_with_new[PATH_MAX]; /* RFC 4210 4.4 */
};

/* ERR_INVALID: neither "device" nor "server"; ERR_LIMIT. */
int rollover_files(const char *home, const char *what, struct rollover *out) MUST_USE;
bool file_is_there(const char *path);
/* What was renamed, linked or removed in HOME/ca is on the disk. ERR_IO. */
int rollover_files_sync(const struct rollover *r) MUST_USE;
int file_move(const char *from, const char *to) MUST_USE;
/* A second name for the same file; it may have it already, or not be there at all. ERR_IO. */
int file_keep_as(const char *from, const char *to) MUST_USE;
/* Overwritten, as far as a disk does that, unless it has another name; gone is fine. ERR_IO. */
int key_destroy(const char *path) MUST_USE;
int cert_remove(const char *path) MUST_USE;

/* Half-written files ("WHAT-....tmp.PID") of runs that were killed: there may be a key in one.
 * ERR_IO.
 */
int rollover_files_tidy(const struct rollover *r) MUST_USE;

/* The key at `path`; what a killed run left there is used, a fresh P-256 one is written in the form
 * (plain or encrypted) that the key at `like` has. ERR_DENIED: that one is in a token. */
int key_have_like(const char *like, const char *path, const struct key_access *a,
		  EVP_PKEY **out) MUST_USE;

#endif
