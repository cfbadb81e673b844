/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of pumps: one serial a line, blanks around it and empty lines do not count, `#` begins a
 * remark, a first line "serial" is a title; UTF-8 with or without byte order mark. A bad or
 * repeated line is reported and skipped. Memory is bounded whatever comes in. No I/O: bytes in,
 * calls out.
 */
#ifndef ENROLL_PUMPCTL_SERIAL_LIST_H
#define ENROLL_PUMPCTL_SERIAL_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "enroll/pumpctl/serial_set.h"

#define SERIAL_LIST_LINE_MAX 256

struct serial_list_sink {
	/* A good serial, the first time that it comes. Not 0 stops the reading with that code. */
	int (*serial)(void *ctx, unsigned line, const char *serial);
	/* A refused line; `text` is safe to print. */
	int (*bad)(void *ctx, unsigned line, const char *text, const char *why);
	void *ctx;
};

struct serial_list {
	struct serial_list_sink sink;
	struct serial_set *seen;
	unsigned line; /* complete ones */
	bool titled;   /* a first serial or title was read */
	bool too_long;
	size_t len;
	char text[SERIAL_LIST_LINE_MAX];
};

/* At most `max` different serials. ERR_NOMEM. */
int serial_list_init(struct serial_list *l, const struct serial_list_sink *sink,
		     size_t max) MUST_USE;
/* Any piece of the file. ERR_LIMIT, ERR_NOMEM, or what a sink returned. */
int serial_list_feed(struct serial_list *l, const char *data, size_t len) MUST_USE;
/* The end of the file: the last line may lack its line end. Errors as serial_list_feed. */
int serial_list_end(struct serial_list *l) MUST_USE;
void serial_list_done(struct serial_list *l);

#endif
