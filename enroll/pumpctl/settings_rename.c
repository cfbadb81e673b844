/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the one change that pumpctl makes to a pumpgate.conf that people wrote: a server's name. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "enroll/pumpctl/settings.h"

#define CONF_MAX 65536

static bool is_key(const char *line, size_t len, const char *key)
{
	size_t at = 0, key_len = strlen(key);

	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	if (len - at < key_len || memcmp(line + at, key, key_len))
		return false;
	at += key_len;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	return at < len && line[at] == '=';
}

/* Copies all lines; the one of the key becomes the new one, which follows [server] if there is
 * none. */
static int conf_copy(const struct buf *from, const char *key, const char *name, struct buf *out)
{
	const char *at = (const char *)from->data, *end = at + from->len;
	bool in_server = false, written = false;
	int rc = 0;

	while (!rc && at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t len = eol ? (size_t)(eol - at) : (size_t)(end - at);
		bool is_section = len && at[0] == '[';

		if (is_section)
			in_server = len >= 8 && !memcmp(at, "[server]", 8);
		if (in_server && is_key(at, len, key)) {
			rc = written ? 0 : buf_printf(out, "%s = %s\n", key, name);
			written = true;
		} else {
			rc = buf_printf(out, "%.*s\n", (int)len, at);
		}
		at += len + 1;
	}
	if (!rc && !written)
		rc = buf_printf(out, "\n[server]\n%s = %s\n", key, name);
	return rc;
}

int settings_rename(struct settings *s, enum epoch_name which, const char *name)
{
	const char *key = which == EPOCH_LOGIN ? "login_name" : "radius_name";
	AUTO_BUF old = {.max = CONF_MAX};
	AUTO_BUF conf = {.max = CONF_MAX + 1024};
	struct settings after;
	char path[PATH_MAX];
	int rc;

	if (snprintf(path, sizeof(path), "%s/pumpgate.conf", s->home) >= (int)sizeof(path))
		return err_set(ERR_LIMIT, "%s: path too long", s->home);
	rc = buf_read_file(&old, path);
	if (!rc)
		rc = conf_copy(&old, key, name, &conf);
	if (!rc)
		rc = buf_write_file(path, 0644, conf.data, conf.len);
	if (!rc)
		rc = settings_read(s->home, &after);
	if (!rc && strcmp(settings_epoch_name(&after, which), name))
		rc = err_set(ERR_INVALID, "%s: set %s = %s there by hand", path, key, name);
	if (!rc)
		*s = after;
	return rc;
}

const char *settings_epoch_name(const struct settings *s, enum epoch_name which)
{
	return which == EPOCH_LOGIN ? s->login_name : s->radius_name;
}
