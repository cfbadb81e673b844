/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns changing a line of pumpgate.conf. Never judges a setting. */
#include "enroll/pumpctl/conf_edit.h"

#include <stdbool.h>
#include <string.h>

static bool is_header(const char *line, size_t len)
{
	return len && line[0] == '[';
}

static bool is_header_of(const char *line, size_t len, const char *section)
{
	size_t n = strlen(section);

	return len >= n + 2 && line[0] == '[' && !memcmp(line + 1, section, n) &&
	       line[n + 1] == ']';
}

static bool is_line_of(const char *line, size_t len, const char *key)
{
	size_t n = strlen(key);

	if (len <= n || memcmp(line, key, n) != 0)
		return false;
	while (n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	return n < len && (line[n] == '=' || line[n] == ':');
}

static size_t line_length(const char *text)
{
	return strcspn(text, "\n");
}

/* Does any line of the section set the key? */
static bool is_there(const char *text, const char *section, const char *key)
{
	bool inside = false;

	while (*text) {
		size_t len = line_length(text);

		if (is_header(text, len))
			inside = is_header_of(text, len, section);
		else if (inside && is_line_of(text, len, key))
			return true;
		text += len + (text[len] == '\n');
	}
	return false;
}

int conf_edit(const char *text, const char *section, const char *key, const char *value,
	      struct buf *out)
{
	bool there = is_there(text, section, key), inside = false, done = false;
	int rc = 0;

	while (!rc && *text) {
		size_t len = line_length(text);
		bool header = is_header(text, len);

		if (header)
			inside = is_header_of(text, len, section);
		if (inside && !header && !done && is_line_of(text, len, key)) {
			rc = buf_printf(out, "%s = %s\n", key, value);
			done = true;
		} else {
			rc = buf_put(out, text, len);
			if (!rc)
				rc = buf_put_u8(out, '\n');
		}
		if (!rc && inside && header && !there && !done) {
			rc = buf_printf(out, "%s = %s\n", key, value);
			done = true;
		}
		text += len + (text[len] == '\n');
	}
	return rc || done ? rc : buf_printf(out, "\n[%s]\n%s = %s\n", section, key, value);
}
