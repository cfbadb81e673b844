/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Base64 as EST bodies carry it (RFC 7030 4, RFC 8951 3.1: always base64, whatever the
 * Content-Transfer-Encoding says). Pure.
 */
#ifndef ENROLL_EST_EST_BASE64_H
#define ENROLL_EST_EST_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum est_lines {
	EST_LINES_OF_64, /* CRLF after every 64 characters and at the end (RFC 7468 2) */
	EST_ONE_LINE,	 /* for clients that can't read line ends; no line end at all */
};

/* Decodes into out[max]. Space, tab, CR and LF may stand anywhere; any other character outside the
 * alphabet, missing or misplaced padding and non-zero trailing bits are refused: one body has one
 * meaning. ERR_INVALID, ERR_LIMIT when the contents are longer than max; out is then undefined. */
int est_base64_decode(const uint8_t *text, size_t len, uint8_t *out, size_t max,
		      size_t *len_out) MUST_USE;

/* Appends. ERR_LIMIT, ERR_NOMEM. */
int est_base64_encode(struct buf *out, const uint8_t *data, size_t len,
		      enum est_lines lines) MUST_USE;

#endif
