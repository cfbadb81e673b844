/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that must not leak: wiped on free, kept out of core dumps, compared in constant time.
 * There is no function that prints one.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct secret; /* opaque; length is public, contents are not */

/* Copies. ERR_NOMEM, ERR_LIMIT above 64 KiB. */
int secret_new(const void *data, size_t len, struct secret **out) MUST_USE;
/* From a file of at most `max` bytes, owned by root or the caller's uid and closed to group and
 * others (ERR_DENIED otherwise); one trailing newline is dropped. Blocks on the disk. */
int secret_read_file(const char *path, size_t max, struct secret **out) MUST_USE;
/* From standard input up to a newline or the end, echo off when it is a terminal. Blocks. */
int secret_read_stdin(const char *prompt, size_t max, struct secret **out) MUST_USE;
/* `len` random bytes from the kernel. */
int secret_random(size_t len, struct secret **out) MUST_USE;
void secret_free(struct secret *s); /* NULL ok */

const uint8_t *secret_data(const struct secret *s);
size_t secret_len(const struct secret *s);

/* Constant time in the contents; false when the lengths differ. */
bool secret_equal(const void *a, size_t a_len, const void *b, size_t b_len);
/* Overwrites; never optimised away. */
void secret_wipe(void *data, size_t len);
/* Fills with random bytes of the kernel's; cannot fail. */
void secret_fill_random(void *data, size_t len);

static inline void secret_auto_free(struct secret **s)
{
	secret_free(*s);
}
#define AUTO_SECRET __attribute__((cleanup(secret_auto_free))) struct secret *

#endif
