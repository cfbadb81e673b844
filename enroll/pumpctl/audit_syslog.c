/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of audit rows as syslog messages. Never sends one. */
#include "enroll/pumpctl/audit_syslog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define PRIORITY (13 * 8 + 5)
#define HOST_MAX 255
#define MSGID_MAX 32

/* The bytes of the UTF-8 sequence at `s`; 0 when it is none, or a control character. RFC 3629 4. */
static size_t printable(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] < 0x20 || (s[0] >= 0x7f && s[0] < 0xc2) || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) ||
	    (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/* RFC 5424 6.3.3: '"', '\' and ']' get a backslash in front. */
static int value_put(struct buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	int rc = 0;

	while (!rc && *s) {
		size_t len = printable(s);

		if (!len) {
			rc = buf_printf(out, "\\x%02x", *s++);
			continue;
		}
		if (strchr("\"\\]", *s))
			rc = buf_put_u8(out, '\\');
		if (!rc)
			rc = buf_put(out, s, len);
		s += len;
	}
	return rc;
}

/* A header's field: printable ASCII without blanks (6.2), "-" when there is nothing to say. */
static int word_put(struct buf *out, const char *text, size_t max)
{
	size_t n = 0;
	int rc = 0;

	for (; !rc && text[n] && n < max; n++)
		rc = buf_put_u8(out, text[n] > 0x20 && text[n] < 0x7f ? (uint8_t)text[n] : '_');
	return rc || n ? rc : buf_put_u8(out, '-');
}

static int param_put(struct buf *out, const char *name, const char *value)
{
	int rc = buf_printf(out, " %s=\"", name);

	if (!rc)
		rc = value_put(out, value);
	return rc ? rc : buf_put_u8(out, '"');
}

int audit_syslog_put(struct buf *out, const struct audit_row *row, const char *host)
{
	const struct {
		const char *name, *value;
	} params[] = {{"actor", row->actor},
		      {"action", row->action},
		      {"object", row->object},
		      {"detail", row->detail},
		      {"hash", row->hash}};
	char at[CLOCK_TEXT_MAX];
	int rc;

	clock_format(row->at, at);
	rc = buf_printf(out, "<%d>1 %s ", PRIORITY, at);
	if (!rc)
		rc = word_put(out, host, HOST_MAX);
	if (!rc)
		rc = buf_put_str(out, " pumpgate - ");
	if (!rc)
		rc = word_put(out, row->action, MSGID_MAX);
	if (!rc)
		rc = buf_printf(out, " [pumpgate@32473 seq=\"%" PRIu64 "\"", row->seq);
	for (size_t i = 0; !rc && i < sizeof(params) / sizeof(params[0]); i++)
		rc = param_put(out, params[i].name, params[i].value);
	return rc ? rc : buf_put_u8(out, ']');
}
