/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the outside of an import. Never knows what a row means. */
#include "enroll/pumpctl/import_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "enroll/pumpctl/args.h"
#include "enroll/pumpctl/report.h"
#include "sql/proto/registry_records.h"

#define CHUNK 65536
#define PROGRESS_US 100000

void import_begin(struct import_run *r, const struct call *call, const char *rows, const char *key)
{
	*r = (struct import_run){
		.call = call,
		.rows = rows,
		.key = key,
		.dry_run = call_flag(call, "dry-run"),
		.progress = isatty(STDERR_FILENO),
	};
	if (call->json)
		fputs("{\"refused_rows\": [", stdout);
}

static void progress_clear(const struct import_run *r)
{
	if (r->progress)
		fputs("\r\033[K", stderr);
}

void import_progress_show(struct import_run *r)
{
	const int width = 30;
	int64_t now = clock_mono_us();
	int filled;

	if (!r->progress || now - r->shown_us < PROGRESS_US)
		return;
	r->shown_us = now;
	filled = r->size ? (int)(r->done * width / r->size) : 0;
	if (filled > width)
		filled = width;
	fputs("\r", stderr);
	if (r->size)
		fprintf(stderr, "[%-*.*s] ", width, filled, "##############################");
	fprintf(stderr, "%lu %s", r->added + r->unchanged + r->refused, r->rows);
}

int import_refuse(struct import_run *r, unsigned line, const char *name, const char *why)
{
	char safe[512];
	int rc = 0;

	log_escape(why, strlen(why), safe, sizeof(safe));
	if (r->call->json) {
		json_t *j =
			json_pack("{s:i s:s s:s}", "line", (int)line, r->key, name, "reason", safe);

		fputs(r->refused ? ",\n  " : "\n  ", stdout);
		if (!j || json_dumpf(j, stdout, JSON_COMPACT))
			rc = err_set(ERR_IO, "cannot write the answer");
		json_decref(j);
	} else {
		progress_clear(r);
		printf("line %u: %s%s%s\n", line, name, *name ? ": " : "", safe);
	}
	r->refused += !rc;
	return rc;
}

int import_take(struct import_run *r, unsigned line, const char *name, const struct add_outcome *o)
{
	if (o->code && o->code != -ERR_UNCHANGED)
		return import_refuse(r, line, name, o->text);
	if (o->code)
		r->unchanged++;
	else
		r->added++;
	return 0;
}

static int file_open(struct import_run *r, const char *path, int *fd_out)
{
	struct stat st;

	*fd_out = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : dup(0);
	if (*fd_out < 0)
		return err_errno(ERR_IO, "%s", path);
	if (fstat(*fd_out, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(*fd_out);
		return err_set(ERR_IO, "%s is a folder", path);
	}
	r->size = S_ISREG(st.st_mode) ? st.st_size : 0;
	return 0;
}

int import_file_read(struct import_run *r, const char *path,
		     int (*feed)(void *ctx, const void *data, size_t len), void *ctx)
{
	char *chunk;
	int fd, rc;

	rc = file_open(r, path, &fd);
	if (rc)
		return rc;
	chunk = malloc(CHUNK);
	if (!chunk)
		rc = err_set(ERR_NOMEM, "no memory to read the file");
	while (!rc) {
		ssize_t n = read(fd, chunk, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(ERR_IO, "reading the file");
		if (n <= 0)
			break;
		r->done += n;
		rc = feed(ctx, chunk, (size_t)n);
	}
	free(chunk);
	close(fd);
	return rc;
}

int import_end(struct import_run *r, int rc, int (*failure)(const struct call *call, int rc))
{
	progress_clear(r);
	if (r->call->json)
		printf("%s],\n \"added\": %lu, \"unchanged\": %lu, \"refused\": %lu, "
		       "\"dry_run\": %s, \"complete\": %s}\n",
		       r->refused ? "\n " : "", r->added, r->unchanged, r->refused,
		       r->dry_run ? "true" : "false", rc ? "false" : "true");
	else if (r->dry_run)
		printf("dry run, nothing changed: %lu rows are good, %lu refused\n", r->added,
		       r->refused);
	else
		printf("%lu added, %lu unchanged, %lu refused\n", r->added, r->unchanged,
		       r->refused);
	if (rc) {
		int status = failure(r->call, rc);

		report_note("not the whole file was read; repeat the import, what is in counts as "
			    "unchanged");
		return status;
	}
	if (r->refused)
		return EXIT_FAILED;
	return r->added ? EXIT_DONE : EXIT_NOTHING;
}
