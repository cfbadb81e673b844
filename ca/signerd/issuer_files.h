/* SPDX-License-Identifier: BSD-2-Clause */
/* The CAs of pumps as they stand in HOME/ca: a source of sets (ca/signerd/issuers.h). */
#ifndef CA_SIGNERD_ISSUER_FILES_H
#define CA_SIGNERD_ISSUER_FILES_H

#include "ca/signerd/issuers.h"
#include "ca/signerd/signerd.h"

#define ISSUER_FILES 4
struct file_stamp {
	dev_t dev;
	ino_t ino; /* 0: no such file */
	struct timespec changed;
};
struct issuer_files {
	const char *home;
	const struct key_access *access;
	struct file_stamp stamps[ISSUER_FILES];
};

/* Begins to look; both are borrowed. The two calls of a source: */
void issuer_files_init(struct issuer_files *f, const char *home, const struct key_access *access);
bool issuer_files_changed(struct issuer_files *f);
/* ERR_NOT_FOUND (no CA of pumps), ERR_DENIED, ERR_IO, ERR_CRYPTO. */
int issuer_files_load(struct issuer_files *f, const struct issuer_set *before,
		      struct issuer_set *out) MUST_USE;

/* When the last certificate of this CA ends that stands in HOME/ca/issued.log; 0: none of it does.
 * Reads beside a running signer. ERR_IO, ERR_CORRUPT, ERR_CRYPTO. */
int issued_until(const char *home, X509 *ca, int64_t *until_ms_out) MUST_USE;

#endif
