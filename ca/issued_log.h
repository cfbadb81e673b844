/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The signer's own lists: what it issued, and (at the end of this file) what was revoked.
 *
 * The list of what it issued: an append-only text file, one line per certificate, each
 * line with a SHA-256 over the line before it and itself. It stands beside the registry on purpose:
 * a registry that was rolled back or changed can be told by it and completed from it, since it
 * holds each certificate whole.
 *
 *   v1 SEQ TIME_MS SERIAL DEVICE NOT_AFTER_MS SPKI_SHA256 DER_BASE64 CHAIN
 *
 * A last line without its line end was never acknowledged: it is cut off when the file is opened.
 * Anything else that does not fit is ERR_CORRUPT, and nothing is issued until a person has looked.
 * One process at a time has the file (flock). All calls block on the disk; thread-safe once open.
 */
#ifndef CA_ISSUED_LOG_H
#define CA_ISSUED_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define ISSUED_DEVICE_SIZE 256 /* a pump's serial; for server certificates their names */

struct issued_log;

/* What an entry of either list says first. */
struct list_place {
	int64_t at_ms;
	char serial[33];
	char device[ISSUED_DEVICE_SIZE];
};

struct issued_entry {
	int64_t at_ms;
	char serial[33];		 /* lower-case hex */
	char device[ISSUED_DEVICE_SIZE]; /* without blanks */
	int64_t not_after_ms;
	uint8_t spki_sha256[32];
	const uint8_t *der; /* borrowed; in answers it points into the caller's buffer */
	size_t der_len;	    /* at most 4096 */
};

/* Opens, creating it with mode 0600, and checks the whole chain. torn_bytes_out: how much of an
 * incomplete last line was cut off. ERR_CORRUPT names the line; ERR_BUSY: another process has it;
 * ERR_IO, ERR_FULL, ERR_NOMEM. */
int issued_log_open(const char *path, struct issued_log **out, size_t *torn_bytes_out) MUST_USE;
void issued_log_close(struct issued_log *log); /* NULL ok */

/* On return 0 the entry is on the disk. On failure it is not in the list, or, when the disk refused
 * to sync, the list refuses everything until it is opened again. ERR_EXISTS: this serial is in it;
 * ERR_INVALID, ERR_LIMIT (an entry that makes no line), ERR_IO, ERR_FULL. */
int issued_log_append(struct issued_log *log, const struct issued_entry *entry) MUST_USE;

/* The entry of this serial; `store` takes the certificate. ERR_NOT_FOUND, ERR_IO, ERR_CORRUPT. */
int issued_log_find(struct issued_log *log, const char *serial, struct buf *store,
		    struct issued_entry *out) MUST_USE;

/* Whether the serial is in it, by the index alone: never touches the disk. */
bool issued_log_has(struct issued_log *log, const char *serial);

/* Every whole line of the file in turn, read without taking it from a signer that has it; what is
 * not 0 from `each` ends it. ERR_NOT_FOUND, ERR_IO, ERR_CORRUPT (a line of no certificate). */
int issued_log_scan(const char *path, int (*each)(const struct issued_entry *e, void *ctx),
		    void *ctx) MUST_USE;

uint64_t issued_log_count(struct issued_log *log);
/* Entry number `seq`, from 1. ERR_NOT_FOUND beyond the end, ERR_IO, ERR_CORRUPT. */
int issued_log_at(struct issued_log *log, uint64_t seq, struct list_place *out) MUST_USE;

/*
 * The signer's list of revoked serials, kept in the same way and read by the same calls but _find:
 *
 *   v1 SEQ TIME_MS SERIAL DEVICE CHAIN
 *
 * Its chain begins elsewhere, so that neither file can stand in for the other.
 */
int revoked_log_open(const char *path, struct issued_log **out, size_t *torn_bytes_out) MUST_USE;
/* On return 0 all n serials are in it and on the disk (one sync); those that were in it before are
 * passed over. On failure none, some or all may be in it: repeat. ERR_INVALID, ERR_IO, ERR_FULL. */
int revoked_log_append(struct issued_log *log, const struct list_place *entries, size_t n) MUST_USE;

#endif
