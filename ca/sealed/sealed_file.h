/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files in one encrypted file (libsodium's secretstream, XChaCha20-Poly1305): a part that was
 * changed, moved, left out or cut off is noticed. Blocks on the disk.
 *
 * On the disk: "PGCABK1\n", the backup's id, the stream's header, then messages of at most 64 KiB,
 * each preceded by its length (4 bytes, big endian). Inside, per file: its name, a line end, its
 * data; an own message begins each file, the last message carries the final tag.
 */
#ifndef CA_SEALED_FILE_H
#define CA_SEALED_FILE_H

#include <limits.h>

#include "ca/sealed/share.h"

#define SEALED_NAME_MAX 64

struct sealed_writer;
/* Creates `path`, mode 0600. ERR_EXISTS, ERR_IO, ERR_FULL, ERR_NOMEM. */
int sealed_create(const char *path, const uint8_t id[SHARE_ID_BYTES],
		  const uint8_t key[SHARE_KEY_BYTES], struct sealed_writer **out) MUST_USE;
/* Adds the file at `from` as `name` ([a-z.-]). ERR_NOT_FOUND: nothing was added. */
int sealed_add(struct sealed_writer *w, const char *name, const char *from) MUST_USE;
/* Ends the stream and brings it to the disk. */
int sealed_finish(struct sealed_writer *w) MUST_USE;
void sealed_writer_free(struct sealed_writer *w); /* NULL ok; an unfinished file is removed */

/* The id alone. ERR_NOT_FOUND, ERR_IO, ERR_INVALID (no such file). */
int sealed_id(const char *path, uint8_t out[SHARE_ID_BYTES]) MUST_USE;
/* Opens all of it: with `folder` each file is written there (mode 0600, must not exist), without
 * (NULL) only checked. ERR_DENIED: wrong key, or something was changed; what was written until then
 * is left to the caller. */
int sealed_open(const char *path, const uint8_t key[SHARE_KEY_BYTES], const char *folder) MUST_USE;

#endif
