/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the list of withdrawals as a file. Knows no database. */
#include "sql/people/withdrawals.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

#define LINE_MAX_BYTES (LOGIN_USER_SIZE + 96)

struct withdrawals {
	char path[PATH_MAX];
	int fd;
};

static const char *const words[] = {
	[WITHDRAWAL_BEGIN] = "begin",	  [WITHDRAWAL_DISABLED] = "disabled",
	[WITHDRAWAL_ENABLED] = "enabled", [WITHDRAWAL_CHANGED] = "changed",
	[WITHDRAWAL_TERMS] = "terms",
};
#define N_WORDS (sizeof(words) / sizeof(words[0]))

/* "/a/b/clinicians.db" -> "/a/b/withdrawn.log" */
static int path_beside(const char *db_path, char out[PATH_MAX])
{
	const char *slash = strrchr(db_path, '/');
	int len = slash ? (int)(slash - db_path) + 1 : 0;
	int n = snprintf(out, PATH_MAX, "%.*s" WITHDRAWALS_NAME, len, db_path);

	return n > 0 && n < PATH_MAX ? 0 : err_set(ERR_LIMIT, "%s: path too long", db_path);
}

static int half_line_drop(struct withdrawals *w)
{
	char tail[LINE_MAX_BYTES];
	struct stat st;
	off_t from;
	ssize_t n;

	if (fstat(w->fd, &st))
		return err_errno(ERR_IO, "%s", w->path);
	if (st.st_size == 0)
		return 0;
	from = st.st_size > (off_t)sizeof(tail) ? st.st_size - (off_t)sizeof(tail) : 0;
	n = pread(w->fd, tail, sizeof(tail), from);
	if (n <= 0)
		return err_errno(ERR_IO, "%s", w->path);
	while (n > 0 && tail[n - 1] != '\n')
		n--;
	if (n == 0 && from > 0)
		return err_set(ERR_CORRUPT, "%s: its last line is too long", w->path);
	if (from + n < st.st_size && (ftruncate(w->fd, from + n) || fsync(w->fd)))
		return err_errno(ERR_IO, "%s", w->path);
	return 0;
}

int withdrawals_open(const char *db_path, struct withdrawals **out)
{
	AUTO_WITHDRAWALS w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return err_set(ERR_NOMEM, "no memory for the list of withdrawals");
	w->fd = -1;
	if ((rc = path_beside(db_path, w->path)))
		return rc;
	w->fd = open(w->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->fd < 0)
		return err_errno(ERR_IO, "%s", w->path);
	if ((rc = half_line_drop(w)))
		return rc;
	*out = w;
	w = NULL;
	return 0;
}

void withdrawals_close(struct withdrawals *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

int withdrawals_append(struct withdrawals *w, const struct withdrawal *x)
{
	AUTO_BUF b = {.max = LINE_MAX_BYTES};
	ssize_t n;
	int rc = buf_printf(&b, "%" PRIu64 " %" PRIu64 " %" PRId64 " %s %s\n", x->number, x->epoch,
			    x->at, words[x->kind], x->name);

	if (rc)
		return rc;
	n = write(w->fd, b.data, b.len);
	if (n == (ssize_t)b.len && fdatasync(w->fd) == 0)
		return 0;
	rc = err_errno(ERR_IO, "%s", w->path);
	if (n > 0 && n < (ssize_t)b.len && half_line_drop(w)) /* what is left is cut at the start */
		return err_add(rc, "half a line of it");
	return rc;
}

int withdrawal_parse(const char *line, struct withdrawal *out)
{
	char word[16];
	int at = 0;

	*out = (struct withdrawal){0};
	if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNd64 " %15s%n", &out->number, &out->epoch,
		   &out->at, word, &at) != 4 ||
	    line[at] != ' ' || !line[at + 1] ||
	    str_copy(out->name, sizeof(out->name), line + at + 1))
		return err_set(ERR_CORRUPT, "not a withdrawal");
	for (size_t i = 1; i < N_WORDS; i++)
		if (!strcmp(word, words[i]))
			out->kind = (enum withdrawal_kind)i;
	return out->kind != WITHDRAWAL_UNKNOWN && out->number <= INT64_MAX &&
			       out->epoch <= INT64_MAX
		       ? 0
		       : err_set(ERR_CORRUPT, "not a withdrawal");
}

static void file_auto_close(FILE **f)
{
	if (*f)
		fclose(*f);
}

int withdrawals_each(struct withdrawals *w, int (*each)(void *ctx, const struct withdrawal *x),
		     void *ctx)
{
	__attribute__((cleanup(file_auto_close))) FILE *f = fopen(w->path, "re");
	char line[LINE_MAX_BYTES + 1];
	unsigned n = 0;
	int rc = f ? 0 : err_errno(ERR_IO, "%s", w->path);

	while (!rc && fgets(line, sizeof(line), f)) {
		struct withdrawal x;
		size_t len = strcspn(line, "\n");

		n++;
		rc = line[len] == '\n' ? 0 : err_set(ERR_CORRUPT, "a line without end");
		line[len] = '\0';
		if (!rc)
			rc = withdrawal_parse(line, &x);
		if (rc)
			return err_add(rc, "%s: line %u", w->path, n);
		rc = each(ctx, &x);
	}
	return !rc && ferror(f) ? err_errno(ERR_IO, "%s", w->path) : rc;
}
