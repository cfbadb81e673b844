/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the reading of inventory files; the cell syntax is libcsv's. Never opens a file and never
 * holds more than one row and one hash per serial.
 */
#include "enroll/pumpctl/inventory_csv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <csv.h>

#include "base/log.h"
#include "enroll/pumpctl/serial_set.h"

#define COLUMNS_MAX 64
#define WHY_MAX 256

struct inventory {
	struct inventory_sink sink;
	struct csv_parser csv;
	bool csv_ready;
	struct serial_set *serials;

	char head[INVENTORY_ROW_MAX]; /* the first line, until the separator is known */
	size_t head_len;
	bool started; /* the separator is known */

	unsigned line;	   /* of the byte that comes next */
	unsigned row_line; /* where the row in hand begins */
	size_t row_bytes;
	bool skipping;	  /* to the end of this line, the row is refused already */
	unsigned n_cells; /* of the row in hand */
	bool have_header;
	unsigned n_columns;
	enum device_column columns[COLUMNS_MAX];
	unsigned rows;

	struct device row;
	char why[WHY_MAX]; /* not empty: the row in hand is bad */
	int stop;	   /* what a sink returned */
};

int inventory_new(const struct inventory_sink *sink, struct inventory **out)
{
	struct inventory *v = calloc(1, sizeof(*v));

	if (!v)
		return err_set(ERR_NOMEM, "no memory for the inventory");
	v->sink = *sink;
	v->line = v->row_line = 1;
	if (serial_set_new(INVENTORY_ROWS_MAX, &v->serials)) {
		free(v);
		return ERR_NOMEM;
	}
	*out = v;
	return 0;
}

void inventory_free(struct inventory *v)
{
	if (!v)
		return;
	if (v->csv_ready)
		csv_free(&v->csv);
	serial_set_free(v->serials);
	free(v);
}

static void row_reset(struct inventory *v)
{
	v->n_cells = 0;
	v->row_bytes = 0;
	v->why[0] = '\0';
	memset(&v->row, 0, sizeof(v->row));
}

static void row_spoil(struct inventory *v, const char *why)
{
	if (!v->why[0])
		snprintf(v->why, sizeof(v->why), "%s", why);
}

static void row_refuse(struct inventory *v)
{
	int rc = v->sink.bad(v->sink.ctx, v->row_line, v->row.serial, v->why);

	if (!v->stop)
		v->stop = rc;
}

/* ---- header ---- */

static void header_cell(struct inventory *v, const char *cell, size_t len)
{
	enum device_column c = device_column_parse(cell, len);
	char shown[64];

	if (v->n_cells >= COLUMNS_MAX) {
		row_spoil(v, "too many columns");
		return;
	}
	for (unsigned i = 0; c != COLUMN_COUNT && i < v->n_cells; i++)
		if (v->columns[i] == c)
			row_spoil(v, "a column is named twice");
	v->columns[v->n_cells++] = c;
	if (c == COLUMN_COUNT && v->sink.ignored) {
		log_escape(cell, len, shown, sizeof(shown));
		v->sink.ignored(v->sink.ctx, shown);
	}
}

static void header_end(struct inventory *v)
{
	v->have_header = true;
	v->n_columns = v->n_cells;
	for (int c = 0; c < COLUMN_COUNT && !v->why[0]; c++) {
		bool found = c == COLUMN_WARD;

		for (unsigned i = 0; i < v->n_columns; i++)
			found = found || v->columns[i] == (enum device_column)c;
		if (!found)
			snprintf(v->why, sizeof(v->why), "column '%s' is missing",
				 device_column_name((enum device_column)c));
	}
	if (v->why[0])
		v->stop = err_set(
			ERR_INVALID,
			"header row (line %u): %s; wanted: serial,maker,model,mac,ward,zone",
			v->row_line, v->why);
}

/* ---- rows ---- */

static void row_cell(struct inventory *v, const char *cell, size_t len)
{
	unsigned i = v->n_cells++;

	if (i >= v->n_columns) {
		row_spoil(v, "more cells than the header has columns");
		return;
	}
	if (v->columns[i] != COLUMN_COUNT && device_column_set(&v->row, v->columns[i], cell, len))
		row_spoil(v, err_text());
}

static void row_end(struct inventory *v)
{
	unsigned before = 0;
	int rc;

	if (v->n_cells < v->n_columns)
		row_spoil(v, "fewer cells than the header has columns");
	if (!v->why[0]) {
		rc = serial_set_add(v->serials, v->row.serial, v->row_line, &before);
		if (rc == ERR_EXISTS)
			snprintf(v->why, sizeof(v->why), "the same serial as in line %u", before);
		else if (rc)
			v->stop = rc;
	}
	if (v->why[0])
		row_refuse(v);
	else if (!v->stop)
		v->stop = v->sink.row(v->sink.ctx, v->row_line, &v->row);
	if (++v->rows > INVENTORY_ROWS_MAX && !v->stop)
		v->stop =
			err_set(ERR_LIMIT, "more than %d rows; split the file", INVENTORY_ROWS_MAX);
}

/* ---- libcsv's calls ---- */

static void on_cell(void *cell, size_t len, void *ctx)
{
	struct inventory *v = ctx;
	const char *text = cell ? cell : ""; /* libcsv has no memory yet for an empty first cell */

	if (v->stop)
		return;
	if (v->have_header)
		row_cell(v, text, len);
	else
		header_cell(v, text, len);
}

static void on_row(int end, void *ctx)
{
	struct inventory *v = ctx;

	(void)end;
	if (v->stop)
		return; /* libcsv goes on to the end of what it was given */
	if (v->n_cells) {
		if (v->have_header)
			row_end(v);
		else
			header_end(v);
	}
	row_reset(v);
	v->row_line = v->line;
}

static int csv_begin(struct inventory *v, unsigned char separator)
{
	if (v->csv_ready)
		csv_free(&v->csv);
	v->csv_ready = csv_init(&v->csv, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) == 0;
	if (!v->csv_ready)
		return err_set(ERR_NOMEM, "no memory for the inventory");
	csv_set_delim(&v->csv, separator);
	return 0;
}

/* The row in hand is refused; reading goes on after this line. */
static int row_abandon(struct inventory *v, const char *why)
{
	unsigned char separator = csv_get_delim(&v->csv);

	if (!v->have_header)
		return err_set(ERR_INVALID, "header row (line %u): %s", v->row_line, why);
	v->why[0] = '\0';
	row_spoil(v, why);
	row_refuse(v);
	row_reset(v);
	v->skipping = true;
	return v->stop ? v->stop : csv_begin(v, separator);
}

/* At most one line, with its end (CR or LF) if it has one. */
static int line_feed(struct inventory *v, const char *data, size_t len, bool ends)
{
	size_t room = INVENTORY_ROW_MAX - v->row_bytes;
	size_t take = len < room ? len : room;
	int rc = 0;

	if (ends && data[len - 1] == '\n')
		v->line++;
	if (!v->skipping) {
		v->row_bytes += take; /* on_row sets it back to 0 */
		if (take < len)
			rc = row_abandon(v, "longer than 4096 bytes; is a quote not closed?");
		else if (csv_parse(&v->csv, data, take, on_cell, on_row, v) != take)
			rc = row_abandon(v, csv_error(&v->csv) == CSV_EPARSE
						    ? "a quote stands where none may"
						    : csv_strerror(csv_error(&v->csv)));
	}
	if (ends && v->skipping) {
		v->skipping = false;
		v->row_line = v->line;
	}
	return rc ? rc : v->stop;
}

static int lines_feed(struct inventory *v, const char *data, size_t len)
{
	while (len) {
		size_t n = 0;
		bool ends;
		int rc;

		while (n < len && data[n] != '\n' && data[n] != '\r')
			n++;
		ends = n < len;
		n += ends;
		rc = line_feed(v, data, n, ends);
		if (rc)
			return rc;
		data += n;
		len -= n;
	}
	return 0;
}

/* ---- the first line: byte order mark and separator ---- */

static int head_take(struct inventory *v)
{
	static const char separators[] = ",;\t";
	const char *at = v->head;
	size_t len = v->head_len, best = 0;
	unsigned char separator = ',';
	int rc;

	if (len >= 3 && !memcmp(at, "\xef\xbb\xbf", 3)) {
		at += 3;
		len -= 3;
	}
	if (len >= 2 && (!memcmp(at, "\xff\xfe", 2) || !memcmp(at, "\xfe\xff", 2)))
		return err_set(ERR_INVALID, "the file is UTF-16; save it as CSV UTF-8");
	for (const char *s = separators; *s; s++) {
		size_t n = 0;

		for (size_t i = 0; i < len; i++)
			n += at[i] == *s;
		if (n > best) {
			best = n;
			separator = (unsigned char)*s;
		}
	}
	rc = csv_begin(v, separator);
	if (rc)
		return rc;
	v->started = true;
	return lines_feed(v, at, len);
}

/* Keeps bytes until the first line is whole. Yields how many were used. */
static int head_feed(struct inventory *v, const char *data, size_t len, size_t *used)
{
	const char *nl = memchr(data, '\n', len);
	size_t n = nl ? (size_t)(nl - data) + 1 : len;

	if (n > sizeof(v->head) - v->head_len)
		return err_set(ERR_INVALID,
			       "header row (line 1): longer than %d bytes; is this a CSV file?",
			       INVENTORY_ROW_MAX);
	memcpy(v->head + v->head_len, data, n);
	v->head_len += n;
	*used = n;
	return nl ? head_take(v) : 0;
}

int inventory_feed(struct inventory *v, const void *data, size_t len)
{
	const char *at = data;
	size_t used = 0;
	int rc = 0;

	if (!v->started && len)
		rc = head_feed(v, at, len, &used);
	return rc ? rc : lines_feed(v, at + used, len - used);
}

int inventory_end(struct inventory *v)
{
	int rc = v->started ? 0 : head_take(v);

	if (!rc && !v->skipping && csv_fini(&v->csv, on_cell, on_row, v))
		rc = row_abandon(v, "a quote is not closed at the end of the file");
	if (!rc)
		rc = v->stop;
	if (!rc && !v->have_header)
		rc = err_set(ERR_INVALID, "the file is empty; wanted a header row: "
					  "serial,maker,model,mac,ward,zone");
	return rc;
}
