/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the reading of a list of people, on libcsv. Never keeps more than one row. */
#include "enroll/pumpctl/user_csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <csv.h>

#include "base/clock.h"
#include "base/log.h"

#define COLUMNS_MAX 64
#define FIELD_MAX 512
#define DAY_MS (24LL * 3600 * 1000)

enum column { COLUMN_IGNORED = -1, NAME, DISPLAY, SOURCE, EXPIRES, BADGE, ROLE, WARD, MODEL };
static const char *const names[] = {"name",  "display", "source", "expires",
				    "badge", "role",	"ward",	  "model"};
#define NAMES_N (sizeof(names) / sizeof(names[0]))

struct user_csv {
	struct csv_parser csv;
	struct user_csv_sink sink;
	int columns[COLUMNS_MAX];
	size_t n_columns;
	bool header_done;
	size_t at; /* column of the row that is read */
	unsigned line;
	unsigned rows;
	bool empty; /* nothing in this row yet */
	char expires[32];
	char why[128]; /* "": the row is fine so far */
	struct user_add row;
	int rc; /* of a sink or a limit: reading stops */
};

int user_expiry_parse(const char *text, int64_t now_ms, int64_t *out)
{
	struct tm tm = {0};
	int64_t ms;
	const char *end;

	if (!*text) {
		*out = 0;
		return 0;
	}
	if (clock_duration_parse(text, &ms) == 0) {
		*out = now_ms + ms;
		return 0;
	}
	end = strptime(text, "%Y-%m-%d", &tm);
	if (!end || *end)
		return err_set(ERR_INVALID,
			       "'%.32s': an end is a day such as 2027-03-31, or a time "
			       "from now such as 90d",
			       text);
	*out = (int64_t)timegm(&tm) * 1000 + DAY_MS;
	return 0;
}

static void header_field(struct user_csv *v, const char *text, size_t len)
{
	char safe[64];

	if (v->n_columns == 0 && len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	if (v->n_columns == COLUMNS_MAX) {
		v->rc = err_set(ERR_LIMIT, "more than %d columns", COLUMNS_MAX);
		return;
	}
	v->columns[v->n_columns] = COLUMN_IGNORED;
	for (size_t i = 0; i < NAMES_N; i++)
		if (strlen(names[i]) == len && !strncasecmp(names[i], text, len))
			v->columns[v->n_columns] = (int)i;
	if (v->columns[v->n_columns] == COLUMN_IGNORED) {
		log_escape(text, len, safe, sizeof(safe));
		v->sink.ignored(v->sink.ctx, safe);
	}
	v->n_columns++;
}

static void field_take(struct user_csv *v, int column, const char *text, size_t len)
{
	const struct {
		char *to;
		size_t size;
	} places[NAMES_N] = {
		[NAME] = {v->row.name, sizeof(v->row.name)},
		[DISPLAY] = {v->row.display, sizeof(v->row.display)},
		[SOURCE] = {v->row.source, sizeof(v->row.source)},
		[EXPIRES] = {v->expires, sizeof(v->expires)},
		[BADGE] = {v->row.badge, sizeof(v->row.badge)},
		[ROLE] = {v->row.role, sizeof(v->row.role)},
		[WARD] = {v->row.ward, sizeof(v->row.ward)},
		[MODEL] = {v->row.model, sizeof(v->row.model)},
	};

	if (len >= places[column].size)
		snprintf(v->why, sizeof(v->why), "%s: at most %zu bytes", names[column],
			 places[column].size - 1);
	else if (memchr(text, 0, len))
		snprintf(v->why, sizeof(v->why), "%s: a NUL in it", names[column]);
	else
		memcpy(places[column].to, text, len); /* the row was zeroed */
}

static void on_field(void *field, size_t len, void *ctx)
{
	struct user_csv *v = ctx;
	const char *text = field ? field : "";

	if (v->rc)
		return;
	if (!v->header_done) {
		header_field(v, text, len);
		return;
	}
	v->empty &= len == 0;
	if (v->at >= v->n_columns)
		snprintf(v->why, sizeof(v->why), "more fields than the header has");
	else if (v->columns[v->at] != COLUMN_IGNORED)
		field_take(v, v->columns[v->at], text, len);
	v->at++;
}

static void header_end(struct user_csv *v)
{
	bool has_name = false;

	for (size_t i = 0; i < v->n_columns; i++) {
		has_name |= v->columns[i] == NAME;
		for (size_t k = 0; k < i; k++)
			if (v->columns[i] != COLUMN_IGNORED && v->columns[i] == v->columns[k])
				v->rc = err_set(ERR_INVALID, "the header has '%s' twice",
						names[v->columns[i]]);
	}
	if (!v->rc && !has_name)
		v->rc = err_set(ERR_INVALID, "the first row must name the columns: name, display, "
					     "source, expires, badge, role, ward, model");
	v->header_done = true;
}

static void row_end(struct user_csv *v)
{
	char safe[160];

	if (++v->rows > USER_CSV_ROWS_MAX) {
		v->rc = err_set(ERR_LIMIT, "more than %d rows", USER_CSV_ROWS_MAX);
		return;
	}
	if (!*v->why && v->at < v->n_columns)
		snprintf(v->why, sizeof(v->why), "fewer fields than the header has");
	if (!*v->why && !*v->row.name)
		snprintf(v->why, sizeof(v->why), "no name");
	if (!*v->why && user_expiry_parse(v->expires, clock_wall_ms(), &v->row.expires))
		snprintf(v->why, sizeof(v->why), "%s", err_text());
	if (*v->why) {
		log_escape(v->row.name, strlen(v->row.name), safe, sizeof(safe));
		v->rc = v->sink.bad(v->sink.ctx, v->line, safe, v->why);
	} else {
		v->rc = v->sink.row(v->sink.ctx, v->line, &v->row);
	}
}

static void on_row(int end, void *ctx)
{
	struct user_csv *v = ctx;

	(void)end;
	v->line++;
	if (v->rc)
		return;
	if (!v->header_done)
		header_end(v);
	else if (!v->empty)
		row_end(v);
	memset(&v->row, 0, sizeof(v->row));
	memset(v->expires, 0, sizeof(v->expires));
	v->why[0] = '\0';
	v->at = 0;
	v->empty = true;
}

int user_csv_new(const struct user_csv_sink *sink, struct user_csv **out)
{
	struct user_csv *v = calloc(1, sizeof(*v));

	if (!v || csv_init(&v->csv, CSV_STRICT | CSV_APPEND_NULL | CSV_STRICT_FINI)) {
		free(v);
		return err_set(ERR_NOMEM, "no memory to read the file");
	}
	csv_set_blk_size(&v->csv, FIELD_MAX);
	v->sink = *sink;
	v->empty = true;
	*out = v;
	return 0;
}

void user_csv_free(struct user_csv *v)
{
	if (!v)
		return;
	csv_free(&v->csv);
	free(v);
}

static int parse_failed(const struct user_csv *v)
{
	return err_set(ERR_INVALID, "line %u: a quote stands where none may", v->line + 1);
}

int user_csv_feed(struct user_csv *v, const void *data, size_t len)
{
	const char *at = data;

	/* in small pieces, so that one endless field can't fill the memory */
	while (len > 0 && !v->rc) {
		size_t n = len < FIELD_MAX ? len : FIELD_MAX;

		if (csv_parse(&v->csv, at, n, on_field, on_row, v) != n)
			return v->rc ? v->rc : parse_failed(v);
		if (csv_get_buffer_size(&v->csv) > 64 * FIELD_MAX)
			return err_set(ERR_LIMIT, "line %u: a field is too long", v->line + 1);
		at += n;
		len -= n;
	}
	return v->rc;
}

int user_csv_end(struct user_csv *v)
{
	if (!v->rc && csv_fini(&v->csv, on_field, on_row, v))
		return v->rc ? v->rc : parse_failed(v);
	if (!v->rc && !v->header_done)
		return err_set(ERR_INVALID, "the file is empty");
	return v->rc;
}
