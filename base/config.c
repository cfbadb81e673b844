/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns configuration files: parsing is libinih's. Never knows which keys exist. */
#include "base/config.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

#define FILE_MAX_BYTES 65536
#define ENTRIES_MAX 512
#define LINE_MAX_BYTES 190 /* libinih cuts at 200 and takes the rest for another line */

struct entry {
	char *section;
	char *key;
	char *value;
	bool asked;
};

struct config {
	char *path;
	const char *refusal; /* why entry_add refused, while reading */
	size_t n;
	struct entry entries[ENTRIES_MAX];
};

static int entry_add(void *user, const char *section, const char *key, const char *value)
{
	struct config *c = user;
	struct entry *e = &c->entries[c->n];

	c->refusal = c->n == ENTRIES_MAX ? "too many settings" : NULL;
	/* also what libinih makes of an indented line: more of the value above */
	for (size_t i = 0; i < c->n && !c->refusal; i++)
		if (!strcmp(c->entries[i].section, section) && !strcmp(c->entries[i].key, key))
			c->refusal = "a key given twice, or an indented line";
	if (c->refusal)
		return 0;
	e->section = strdup(section);
	e->key = strdup(key);
	e->value = strdup(value ? value : "");
	c->n++;
	return e->section && e->key && e->value;
}

/* The number of the first line that is too long; 0: none. */
static int long_line_find(const char *text)
{
	for (int line = 1; *text; line++) {
		size_t len = strcspn(text, "\n");

		if (len > LINE_MAX_BYTES)
			return line;
		text += len + (text[len] == '\n');
	}
	return 0;
}

int config_read(const char *path, struct config **out)
{
	AUTO_BUF text = {.max = FILE_MAX_BYTES};
	AUTO_CONFIG c = calloc(1, sizeof(*c));
	const char *cstr;
	int rc, line;

	if (!c || !(c->path = strdup(path)))
		return err_set(ERR_NOMEM, "no memory for %s", path);
	rc = buf_read_file(&text, path);
	if (rc)
		return rc;
	cstr = buf_cstr(&text);
	if (!cstr)
		return ERR_NOMEM;
	if (strlen(cstr) != text.len)
		return err_set(ERR_INVALID, "%s: not a text file", path);
	line = long_line_find(cstr);
	if (line)
		return err_set(ERR_INVALID, "%s: line %d is longer than %d bytes", path, line,
			       LINE_MAX_BYTES);
	line = ini_parse_string(cstr, entry_add, c);
	if (line)
		return err_set(ERR_INVALID, "%s: line %d cannot be read: %s", path, line,
			       c->refusal ? c->refusal : "write key = value");
	*out = c;
	c = NULL;
	return 0;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		free(c->entries[i].section);
		free(c->entries[i].key);
		free(c->entries[i].value);
	}
	free(c->path);
	free(c);
}

const char *config_str(struct config *c, const char *section, const char *key, const char *fallback)
{
	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = &c->entries[i];

		if (strcmp(e->section, section) || strcmp(e->key, key))
			continue;
		e->asked = true;
		return e->value;
	}
	return fallback;
}

int config_u32(struct config *c, const char *section, const char *key, uint32_t fallback,
	       uint32_t min, uint32_t max, uint32_t *out)
{
	const char *text = config_str(c, section, key, NULL);
	char *end;
	unsigned long v;

	if (!text) {
		*out = fallback;
		return 0;
	}
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || v < min || v > max)
		return err_set(ERR_INVALID, "%s: [%s] %s = %.32s: must be %u to %u", c->path,
			       section, key, text, min, max);
	*out = (uint32_t)v;
	return 0;
}

int config_duration(struct config *c, const char *section, const char *key, const char *fallback,
		    int64_t *ms_out)
{
	int rc = clock_duration_parse(config_str(c, section, key, fallback), ms_out);

	return rc ? err_add(rc, "%s: [%s] %s", c->path, section, key) : 0;
}

int config_check_unused(const struct config *c, const char *section)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct entry *e = &c->entries[i];

		if (!e->asked && !strcmp(e->section, section))
			return err_set(ERR_INVALID, "%s: [%s] %s: no such setting", c->path,
				       section, e->key);
	}
	return 0;
}
