/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of text in columns that fit a terminal. */
#ifndef ENROLL_PUMPCTL_TABLE_H
#define ENROLL_PUMPCTL_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/ipc_record.h"

#define TABLE_COLUMNS_MAX 12
#define TABLE_CELL_MAX 300

struct column {
	const char *title;
	const char *field; /* of the record */
};

/* How a person reads a field: yes/no, "2026-11-22 12:00:05" (UTC), "-" for nothing; what came from
 * outside is escaped. `out` holds TABLE_CELL_MAX. Pure. */
void table_cell(const struct record_desc *d, const void *record, const char *field, char *out);

/* Narrows the widest columns until all with two spaces between them fit `total`; none below 6 that
 * was above it. Pure. */
void table_fit(size_t *widths, size_t n, size_t total);

struct table {
	FILE *to;
	const struct column *columns;
	size_t n_columns;
	size_t width; /* of the terminal; 0: no limit */
	size_t widths[TABLE_COLUMNS_MAX];
	int begun;
};

/* Prints the rows (the titles before the first); the widths come from the first call's rows. */
void table_print(struct table *t, const struct record_desc *d, const void *records, size_t n);
/* Columns of standard output when it is a terminal, else 0. */
size_t terminal_width(void);
/* One record as lines "name  value", fields without content left out. */
void record_print(FILE *to, const struct record_desc *d, const void *record);

#endif
