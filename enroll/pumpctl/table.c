/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the layout of text for people. Never decides what is shown. */
#include "enroll/pumpctl/table.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define GAP 2
#define NARROWEST 6

static void time_cell(int64_t wall_ms, char *out)
{
	char text[CLOCK_TEXT_MAX];

	clock_format(wall_ms, text);
	if (strlen(text) >= 19) {
		text[10] = ' ';
		text[19] = '\0';
	}
	strcpy(out, text);
}

static void blob_cell(const struct record_blob *b, char *out)
{
	size_t n = b->len < 32 ? b->len : 32;

	hex_encode(b->data, n, out, TABLE_CELL_MAX);
	if (n < b->len)
		strcat(out, "...");
}

void table_cell(const struct record_desc *d, const void *record, const char *field, char *out)
{
	strcpy(out, "?");
	for (size_t i = 0; i < d->n_fields; i++) {
		const struct record_field *f = &d->fields[i];
		const void *at = (const uint8_t *)record + f->offset;

		if (strcmp(f->name, field))
			continue;
		switch (f->type) {
		case RECORD_BOOL:
			strcpy(out, *(const bool *)at ? "yes" : "no");
			break;
		case RECORD_U32:
			snprintf(out, TABLE_CELL_MAX, "%" PRIu32, *(const uint32_t *)at);
			break;
		case RECORD_U64:
			snprintf(out, TABLE_CELL_MAX, "%" PRIu64, *(const uint64_t *)at);
			break;
		case RECORD_TIME:
			time_cell(*(const int64_t *)at, out);
			break;
		case RECORD_STR:
			log_escape(at, strlen(at), out, TABLE_CELL_MAX);
			break;
		case RECORD_BLOB:
			blob_cell(at, out);
			break;
		case RECORD_HIDE:
			strcpy(out, "(hidden)");
			break;
		}
	}
	if (!*out)
		strcpy(out, "-");
}

void table_fit(size_t *widths, size_t n, size_t total)
{
	for (;;) {
		size_t sum = n ? (n - 1) * GAP : 0, widest = 0;

		for (size_t i = 0; i < n; i++) {
			sum += widths[i];
			if (widths[i] > widths[widest])
				widest = i;
		}
		if (n == 0 || sum <= total || widths[widest] <= NARROWEST)
			return;
		widths[widest]--;
	}
}

static void cell_print(const struct table *t, size_t i, const char *text)
{
	size_t len = strlen(text), width = t->widths[i];

	if (t->width && len > width) /* cut, and say so */
		fprintf(t->to, "%.*s~", (int)width - 1, text);
	else if (i + 1 < t->n_columns)
		fprintf(t->to, "%-*s", (int)width, text);
	else
		fputs(text, t->to);
	fputs(i + 1 < t->n_columns ? "  " : "\n", t->to);
}

static void table_begin(struct table *t, const struct record_desc *d, const void *records, size_t n)
{
	char text[TABLE_CELL_MAX];

	for (size_t c = 0; c < t->n_columns; c++) {
		t->widths[c] = strlen(t->columns[c].title);
		for (size_t r = 0; r < n; r++) {
			table_cell(d, (const uint8_t *)records + r * d->size, t->columns[c].field,
				   text);
			if (strlen(text) > t->widths[c])
				t->widths[c] = strlen(text);
		}
	}
	if (t->width)
		table_fit(t->widths, t->n_columns, t->width);
	for (size_t c = 0; c < t->n_columns; c++)
		cell_print(t, c, t->columns[c].title);
	t->begun = 1;
}

void table_print(struct table *t, const struct record_desc *d, const void *records, size_t n)
{
	char text[TABLE_CELL_MAX];

	if (!t->begun)
		table_begin(t, d, records, n);
	for (size_t r = 0; r < n; r++)
		for (size_t c = 0; c < t->n_columns; c++) {
			table_cell(d, (const uint8_t *)records + r * d->size, t->columns[c].field,
				   text);
			cell_print(t, c, text);
		}
}

size_t terminal_width(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || w.ws_col < 20)
		return 0;
	return w.ws_col;
}

void record_print(FILE *to, const struct record_desc *d, const void *record)
{
	size_t width = 0;

	for (size_t i = 0; i < d->n_fields; i++)
		if (strlen(d->fields[i].name) > width)
			width = strlen(d->fields[i].name);
	for (size_t i = 0; i < d->n_fields; i++) {
		const struct record_field *f = &d->fields[i];
		char text[TABLE_CELL_MAX], name[64];

		table_cell(d, record, f->name, text);
		if (f->type == RECORD_HIDE || !strcmp(text, "-"))
			continue;
		snprintf(name, sizeof(name), "%s", f->name);
		for (char *c = name; *c; c++)
			if (*c == '_')
				*c = ' ';
		fprintf(to, "%-*s  %s\n", (int)width, name, text);
	}
}
