/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing byte buffer whose maximum is given when it is made, and a cursor that reads bytes
 * without ever passing their end. Big-endian integers throughout.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
	uint8_t *data; /* owned */
	size_t len;
	size_t cap;
	size_t max; /* bytes; a put beyond it fails with ERR_LIMIT and changes nothing */
};

/* Starts empty; allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
/* Wipes and frees the contents; safe on a zeroed struct and when called twice. */
void buf_done(struct buf *b);
#define AUTO_BUF __attribute__((cleanup(buf_done))) struct buf
/* Wipes the contents, keeps the memory. */
void buf_reset(struct buf *b);

/* Each returns 0, ERR_LIMIT or ERR_NOMEM; on failure the buffer is unchanged. */
int buf_put(struct buf *b, const void *data, size_t len) MUST_USE;
int buf_put_u8(struct buf *b, uint8_t v) MUST_USE;
int buf_put_u16(struct buf *b, uint16_t v) MUST_USE;
int buf_put_u32(struct buf *b, uint32_t v) MUST_USE;
int buf_put_u64(struct buf *b, uint64_t v) MUST_USE;
int buf_put_str(struct buf *b, const char *s) MUST_USE; /* without the NUL */
int buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_USE;
/* Adds `len` bytes for the caller to fill; the pointer is valid until the next put. */
int buf_reserve(struct buf *b, size_t len, uint8_t **out) MUST_USE;
/* The contents as a C string: adds a NUL that is not counted in len. NULL on ERR_NOMEM. */
const char *buf_cstr(struct buf *b);

struct cursor {
	const uint8_t *at;
	size_t left;
};

struct cursor cursor_of(const void *data, size_t len);
/* Each returns 0, or ERR_INVALID when fewer bytes are left; then the cursor has not moved. */
int cursor_u8(struct cursor *c, uint8_t *out) MUST_USE;
int cursor_u16(struct cursor *c, uint16_t *out) MUST_USE;
int cursor_u32(struct cursor *c, uint32_t *out) MUST_USE;
int cursor_u64(struct cursor *c, uint64_t *out) MUST_USE;
/* Points into the source; nothing is copied. */
int cursor_bytes(struct cursor *c, size_t len, const uint8_t **out) MUST_USE;

/* A whole file of at most `max` bytes is appended. Blocks on the disk.
 * ERR_NOT_FOUND, ERR_IO, ERR_LIMIT, ERR_NOMEM. */
int buf_read_file(struct buf *b, const char *path) MUST_USE;
/* Replaces `path` atomically: temporary file with `mode`, fsync, rename, fsync of the folder.
 * Blocks on the disk. ERR_IO, ERR_FULL; on failure the old file stands. */
int buf_write_file(const char *path, unsigned mode, const void *data, size_t len) MUST_USE;

/* Writes all of it, however often write(2) takes less; no sync. -1 with errno. Blocks. */
int fd_write_all(int fd, const void *data, size_t len) MUST_USE;

/* Lower-case hex of len bytes and a NUL; out_size must be at least 2 * len + 1. */
void hex_encode(const uint8_t *data, size_t len, char *out, size_t out_size);
/* Strict: even length, hex digits only. ERR_INVALID, ERR_LIMIT when max is too small. */
int hex_decode(const char *hex, size_t max, uint8_t *out, size_t *len_out) MUST_USE;

/* Copies with a NUL; ERR_LIMIT (and an empty dst) when src does not fit whole. */
int str_copy(char *dst, size_t size, const char *src) MUST_USE;

#endif
