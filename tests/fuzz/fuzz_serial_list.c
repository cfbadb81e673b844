/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of pumps for a recall: any bytes. The first byte says how large the pieces are; the same
 * serials must come out when the list is fed whole, each once, and each a serial. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/device_fields.h"
#include "enroll/pumpctl/serial_list.h"

#define SERIALS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct tally {
	unsigned good, bad;
	char serials[SERIALS_MAX][DEVICE_SERIAL_SIZE];
	unsigned last_line;
};

static int on_serial(void *ctx, unsigned line, const char *serial)
{
	struct tally *t = ctx;

	if (device_serial_check(serial) || line <= t->last_line || t->good >= SERIALS_MAX)
		abort();
	for (unsigned i = 0; i < t->good; i++)
		if (!strcmp(t->serials[i], serial))
			abort();
	strcpy(t->serials[t->good++], serial);
	t->last_line = line;
	return 0;
}

static int on_bad(void *ctx, unsigned line, const char *text, const char *why)
{
	struct tally *t = ctx;

	if (!*why || line <= t->last_line)
		abort();
	for (const char *c = text; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			abort();
	t->last_line = line;
	t->bad++;
	return 0;
}

static int feed(const char *data, size_t len, size_t piece, struct tally *t)
{
	const struct serial_list_sink sink = {on_serial, on_bad, t};
	struct serial_list l;
	int rc = serial_list_init(&l, &sink, SERIALS_MAX);

	for (size_t at = 0; !rc && at < len; at += piece)
		rc = serial_list_feed(&l, data + at, len - at < piece ? len - at : piece);
	if (!rc)
		rc = serial_list_end(&l);
	serial_list_done(&l);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct tally whole, pieces;
	int rc;

	if (len < 1)
		return 0;
	memset(&whole, 0, sizeof(whole));
	memset(&pieces, 0, sizeof(pieces));
	rc = feed((const char *)data + 1, len - 1, len, &whole);
	if (feed((const char *)data + 1, len - 1, data[0] + 1u, &pieces) != rc ||
	    memcmp(&whole, &pieces, sizeof(whole)) != 0)
		abort();
	return 0;
}
