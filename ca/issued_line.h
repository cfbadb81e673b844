/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of the issued or of the revoked list, built and parsed. Within ca/ only. Pure. */
#ifndef CA_ISSUED_LINE_H
#define CA_ISSUED_LINE_H

#include "ca/issued_log.h"

#define ISSUED_LINE_MAX 8192
#define ISSUED_CHAIN_BYTES 32

/* Appends the line with its line end; `chain` is the hash of the line before it (zeros for the
 * first) and becomes this line's. ERR_INVALID, ERR_LIMIT. */
int issued_line_build(const struct issued_entry *e, uint64_t seq, uint8_t chain[ISSUED_CHAIN_BYTES],
		      struct buf *out) MUST_USE;

/* The same for the list of revoked serials: what stands there of a certificate is its serial, the
 * pump and the time. ERR_INVALID, ERR_LIMIT. */
int revoked_line_build(const struct list_place *e, uint64_t seq, uint8_t chain[ISSUED_CHAIN_BYTES],
		       struct buf *out) MUST_USE;

/* What a checked line of either list has in common. ERR_CORRUPT. */
int list_line_place(const char *line, size_t len, struct list_place *out) MUST_USE;

/* Checks number and chain of a line (without its line end) and takes its serial. `chain` as above.
 * ERR_CORRUPT. */
int issued_line_check(const char *line, size_t len, uint64_t seq, uint8_t chain[ISSUED_CHAIN_BYTES],
		      char serial_out[33]) MUST_USE;

/* The whole entry of a line that was checked before; der goes into `store`. ERR_CORRUPT. */
int issued_line_parse(const char *line, size_t len, struct buf *store,
		      struct issued_entry *out) MUST_USE;

#endif
