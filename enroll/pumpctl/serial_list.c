/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the reading of a list of pumps. Never asks whether a pump exists. */
#include "enroll/pumpctl/serial_list.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "enroll/pumpctl/device_fields.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

int serial_list_init(struct serial_list *l, const struct serial_list_sink *sink, size_t max)
{
	memset(l, 0, sizeof(*l));
	l->sink = *sink;
	return serial_set_new(max, &l->seen);
}

void serial_list_done(struct serial_list *l)
{
	serial_set_free(l->seen);
	l->seen = NULL;
}

static int refuse(struct serial_list *l, const char *text, size_t len, const char *why)
{
	char safe[64];

	log_escape(text, len, safe, sizeof(safe));
	return l->sink.bad(l->sink.ctx, l->line, safe, why);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int serial_take(struct serial_list *l, const char *serial)
{
	unsigned before;
	char why[64];
	int rc = device_serial_check(serial);

	if (rc)
		return refuse(l, serial, strlen(serial), err_text());
	rc = serial_set_add(l->seen, serial, l->line, &before);
	if (rc == ERR_EXISTS) {
		snprintf(why, sizeof(why), "is on line %u already", before);
		return refuse(l, serial, strlen(serial), why);
	}
	return rc ? rc : l->sink.serial(l->sink.ctx, l->line, serial);
}

static int line_end(struct serial_list *l)
{
	char *at = l->text, *end;
	bool first = !l->titled, too_long = l->too_long;

	l->line++;
	if (l->line == 1 && l->len >= 3 && !memcmp(at, byte_order_mark, 3))
		at += 3;
	end = l->text + l->len;
	l->len = 0;
	l->too_long = false;
	if (memchr(at, '#', (size_t)(end - at))) {
		end = memchr(at, '#', (size_t)(end - at));
		too_long = false;
	}
	while (at < end && is_blank(*at))
		at++;
	while (at < end && is_blank(end[-1]))
		end--;
	if (at == end && !too_long)
		return 0;
	l->titled = true;
	if (too_long)
		return refuse(l, at, (size_t)(end - at), "the line is too long");
	if (memchr(at, '\0', (size_t)(end - at)))
		return refuse(l, at, (size_t)(end - at), "a serial has no NUL");
	*end = '\0'; /* there is room: a line that fills the buffer is too long */
	if (first && !strcasecmp(at, "serial"))
		return 0;
	return serial_take(l, at);
}

int serial_list_feed(struct serial_list *l, const char *data, size_t len)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < len; i++) {
		if (data[i] == '\n')
			rc = line_end(l);
		else if (l->len < sizeof(l->text) - 1)
			l->text[l->len++] = data[i];
		else
			l->too_long = true;
	}
	return rc;
}

int serial_list_end(struct serial_list *l)
{
	return l->len || l->too_long ? line_end(l) : 0;
}
