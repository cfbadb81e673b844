/* SPDX-License-Identifier: BSD-2-Clause */
/* Inventory files: any bytes as CSV. The first byte says how large the pieces are; the same rows
 * must come out when the file is fed whole, and every good row keeps the rules of the registry. */
#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/inventory_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct tally {
	unsigned good, bad;
	unsigned last_line;
};

static int on_row(void *ctx, unsigned line, const struct device *d)
{
	struct tally *t = ctx;

	if (device_serial_check(d->serial) || strlen(d->mac) != 17 || !*d->zone ||
	    strchr("=+-@", d->maker[0]) || line < t->last_line)
		abort();
	t->last_line = line;
	t->good++;
	return 0;
}

static int on_bad(void *ctx, unsigned line, const char *serial, const char *why)
{
	struct tally *t = ctx;

	if (!*why || (*serial && device_serial_check(serial)) || line < t->last_line)
		abort();
	t->last_line = line;
	t->bad++;
	return 0;
}

static int feed(const uint8_t *data, size_t len, size_t piece, struct tally *t)
{
	const struct inventory_sink sink = {on_row, on_bad, NULL, t};
	AUTO_INVENTORY v = NULL;
	int rc = inventory_new(&sink, &v);

	for (size_t at = 0; !rc && at < len; at += piece)
		rc = inventory_feed(v, data + at, len - at < piece ? len - at : piece);
	return rc ? rc : inventory_end(v);
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
