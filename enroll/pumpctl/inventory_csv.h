/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An inventory as CSV (RFC 4180; separated by comma, semicolon or tab; UTF-8 with or without byte
 * order mark): a header row names the columns in any order, each further row is one pump. A bad row
 * is reported and skipped; the rows after it still count. Memory is bounded whatever comes in: a
 * row has at most INVENTORY_ROW_MAX bytes. No I/O, no clock: bytes in, calls out.
 */
#ifndef ENROLL_PUMPCTL_INVENTORY_CSV_H
#define ENROLL_PUMPCTL_INVENTORY_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "enroll/pumpctl/device_fields.h"

#define INVENTORY_ROW_MAX 4096
#define INVENTORY_ROWS_MAX 2000000

struct inventory_sink {
	/* A good row, and the line on which it begins. Not 0 stops the reading with that code. */
	int (*row)(void *ctx, unsigned line, const struct device *d);
	/* A refused row; `serial` is "" when it could not be read, else safe to print. */
	int (*bad)(void *ctx, unsigned line, const char *serial, const char *why);
	/* A column that is not one of ours and is not read. */
	void (*ignored)(void *ctx, const char *column);
	void *ctx;
};

struct inventory;

/* `sink` is copied. ERR_NOMEM. */
int inventory_new(const struct inventory_sink *sink, struct inventory **out) MUST_USE;
/* Any piece of the file. ERR_INVALID when the header is unusable (then nothing more can come),
 * ERR_LIMIT above INVENTORY_ROWS_MAX rows, ERR_NOMEM, or what a sink returned. */
int inventory_feed(struct inventory *v, const void *data, size_t len) MUST_USE;
/* The end of the file: the last row may lack its line end. Errors as inventory_feed. */
int inventory_end(struct inventory *v) MUST_USE;
void inventory_free(struct inventory *v); /* NULL ok */

static inline void inventory_auto_free(struct inventory **v)
{
	inventory_free(*v);
}
#define AUTO_INVENTORY __attribute__((cleanup(inventory_auto_free))) struct inventory *

#endif
