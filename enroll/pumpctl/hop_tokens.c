/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the making of tokens between processes. Never shows one. */
#include "enroll/pumpctl/hop_tokens.h"

#include <string.h>

#include "base/buf.h"
#include "base/daemon.h"
#include "base/secret.h"
#include "enroll/pumpctl/layout.h"

#define TOKEN_BYTES 16
#define TOKEN_CHARS (2 * TOKEN_BYTES)

struct end {
	const char *rel;
	enum process process;
};

static bool file_read(const struct settings *s, const char *rel, struct buf *out)
{
	char path[PATH_MAX];

	return !home_path(s->home, rel, path) && !buf_read_file(out, path) &&
	       out->len == TOKEN_CHARS + 1;
}

static int file_write(const struct settings *s, const struct end *e, const char *line)
{
	char path[PATH_MAX];
	int rc = home_path(s->home, e->rel, path);

	if (!rc)
		rc = buf_write_file(path, 0600, line, TOKEN_CHARS + 1);
	return rc ? rc : layout_give_file(s, e->rel, (int)e->process);
}

static int pair_make(const struct settings *s, const struct end ends[2])
{
	uint8_t random[TOKEN_BYTES];
	char line[TOKEN_CHARS + 2];
	int rc;

	secret_fill_random(random, sizeof(random));
	hex_encode(random, sizeof(random), line, sizeof(line));
	line[TOKEN_CHARS] = '\n';
	rc = file_write(s, &ends[0], line);
	if (!rc)
		rc = file_write(s, &ends[1], line);
	secret_wipe(random, sizeof(random));
	secret_wipe(line, sizeof(line));
	return rc;
}

static int pair_apply(const struct settings *s, const struct end ends[2], bool *changed)
{
	AUTO_BUF a = {.max = TOKEN_CHARS + 1};
	AUTO_BUF b = {.max = TOKEN_CHARS + 1};
	int rc;

	if (file_read(s, ends[0].rel, &a) && file_read(s, ends[1].rel, &b) &&
	    secret_equal(a.data, a.len, b.data, b.len)) {
		rc = layout_give_file(s, ends[0].rel, (int)ends[0].process);
		return rc ? rc : layout_give_file(s, ends[1].rel, (int)ends[1].process);
	}
	*changed = true;
	return pair_make(s, ends);
}

int hop_tokens_apply(const struct settings *s, bool *changed)
{
	/* as radius_modules/radsec/hop.h has them */
	static const struct end radius[2] = {{"radius/radsec.token", PROCESS_RADIUSD},
					     {"radsec/radius.token", PROCESS_RADSECD}};
	static const struct end dispatch[2] = {{"dispatch/radsec.token", PROCESS_DISPATCHD},
					       {"radsec/dispatch.token", PROCESS_RADSECD}};
	int rc = pair_apply(s, radius, changed);

	return rc ? rc : pair_apply(s, dispatch, changed);
}
