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

struct entry {
	char *section;
	char *key;
	char *value;
	bool asked;
};

struct config {
	char *path;
	size_t n;
	struct entry entries[ENTRIES_MAX];
};

static int entry_add(void *user, const char *section, const char *key, const char *value)
{
	struct config *c = user;
	struct entry *e = &c->entries[c->n];

	if (c->n == ENTRIES_MAX)
		return 0;
	e->section = strdup(section);
	e->key = strdup(key);
	e->value = strdup(value ? value : "");
	c->n++;
	return e->section && e->key && e->value;
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
	line = strlen(cstr) == text.len ? ini_parse_string(cstr, entry_add, c) : 1;
	if (line)
		return err_set(ERR_INVALID, "%s: line %d cannot be read", path, line);
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
	const char *value = fallback;

	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = &c->entries[i];

		if (strcmp(e->section, section) || strcmp(e->key, key))
			continue;
		e->asked = true;
		value = e->value; /* the last one counts */
	}
	return value;
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
