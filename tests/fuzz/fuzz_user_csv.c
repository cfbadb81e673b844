/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of people: any bytes as CSV. The first byte says how large the pieces are; the same rows
 * must come out as when the file is fed whole. */
#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/user_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct tally {
	unsigned good, bad;
};

static int on_row(void *ctx, unsigned line, const struct user_add *u)
{
	struct tally *t = ctx;

	if (line == 0 || !*u->name || strlen(u->name) >= sizeof(u->name) ||
	    strlen(u->badge) >= sizeof(u->badge))
		abort();
	t->good++;
	return 0;
}

static int on_bad(void *ctx, unsigned line, const char *name, const char *why)
{
	struct tally *t = ctx;

	if (line == 0 || !*why || strpbrk(name, "\n\r\x1b"))
		abort();
	t->bad++;
	return 0;
}

static void on_ignored(void *ctx, const char *column)
{
	(void)ctx;
	if (strpbrk(column, "\n\r\x1b"))
		abort();
}

static int feed(const uint8_t *data, size_t len, size_t piece, struct tally *t)
{
	const struct user_csv_sink sink = {on_row, on_bad, on_ignored, t};
	struct user_csv *v = NULL;
	int rc = user_csv_new(&sink, &v);

	for (size_t at = 0; !rc && at < len; at += piece)
		rc = user_csv_feed(v, data + at, len - at < piece ? len - at : piece);
	if (!rc)
		rc = user_csv_end(v);
	user_csv_free(v);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct tally whole = {0}, pieces = {0};
	int rc;

	if (len < 1)
		return 0;
	rc = feed(data + 1, len - 1, len, &whole);
	if (feed(data + 1, len - 1, data[0] + 1u, &pieces) != rc || whole.good != pieces.good ||
	    whole.bad != pieces.bad)
		abort();
	return 0;
}
