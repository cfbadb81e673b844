/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of people as CSV: a header row names the columns in any order (name, display, source,
 * expires, badge, role, ward, model), each further row is one account. A bad row is reported and
 * skipped. No secrets: a file of passwords should not exist. Bytes in, calls out; memory is
 * bounded.
 */
#ifndef ENROLL_PUMPCTL_USER_CSV_H
#define ENROLL_PUMPCTL_USER_CSV_H

#include <stddef.h>

#include "sql/proto/cred_records.h"

#define USER_CSV_ROWS_MAX 200000

struct user_csv_sink {
	/* Not 0 stops the reading with that code. */
	int (*row)(void *ctx, unsigned line, const struct user_add *u);
	/* `name` is "" when it could not be read, else safe to print. */
	int (*bad)(void *ctx, unsigned line, const char *name, const char *why);
	void (*ignored)(void *ctx, const char *column);
	void *ctx;
};

struct user_csv;

/* ERR_NOMEM. */
int user_csv_new(const struct user_csv_sink *sink, struct user_csv **out) MUST_USE;
/* Any piece of the file. ERR_INVALID: the header is unusable or the quotes are wrong; ERR_LIMIT; or
 * what a sink returned. */
int user_csv_feed(struct user_csv *v, const void *data, size_t len) MUST_USE;
int user_csv_end(struct user_csv *v) MUST_USE;
void user_csv_free(struct user_csv *v); /* NULL ok */

/* "2027-03-31" (its end, UTC), "90d" from now, or "" never. ERR_INVALID. */
int user_expiry_parse(const char *text, int64_t now_ms, int64_t *out) MUST_USE;

#endif
