/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading through the list of what was issued. Never changes it, never judges its chain. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/issued_line.h"

static void file_close(FILE **f)
{
	if (*f)
		fclose(*f);
}

static void text_free(char **text)
{
	free(*text);
}

int issued_log_scan(const char *path, int (*each)(const struct issued_entry *e, void *ctx),
		    void *ctx)
{
	__attribute__((cleanup(file_close))) FILE *f = fopen(path, "re");
	__attribute__((cleanup(text_free))) char *line = NULL;
	AUTO_BUF der = {.max = ISSUED_LINE_MAX};
	struct issued_entry e;
	size_t room = 0;
	ssize_t n;
	int rc = 0;

	if (!f)
		return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", path);
	while (!rc && (n = getline(&line, &room, f)) > 0) {
		if (line[n - 1] != '\n') /* being written, or cut off: it was never answered */
			break;
		buf_reset(&der);
		rc = issued_line_parse(line, (size_t)n - 1, &der, &e);
		if (!rc)
			rc = each(&e, ctx);
	}
	if (!rc && ferror(f))
		rc = err_errno(ERR_IO, "%s", path);
	return rc;
}
