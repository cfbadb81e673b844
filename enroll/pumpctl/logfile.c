/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the bounded log files of the supervised processes. */
#include "enroll/pumpctl/logfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

static int reopen(struct logfile *f)
{
	struct stat st;

	f->fd = open(f->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (f->fd < 0)
		return err_errno(ERR_IO, "%s", f->path);
	f->size = fstat(f->fd, &st) ? 0 : (uint64_t)st.st_size;
	return 0;
}

int logfile_open(struct logfile *f, const char *path, uint64_t max)
{
	int rc;

	f->fd = -1;
	f->max = max;
	rc = str_copy(f->path, sizeof(f->path), path);
	return rc ? rc : reopen(f);
}

static void rotate(struct logfile *f)
{
	char old[PATH_MAX];

	logfile_close(f);
	if (snprintf(old, sizeof(old), "%s.1", f->path) < (int)sizeof(old))
		rename(f->path, old);
}

void logfile_write(struct logfile *f, const void *data, size_t len)
{
	ssize_t n;

	if (f->fd >= 0 && f->size + len > f->max && f->size)
		rotate(f);
	if (f->fd < 0 && reopen(f))
		return;
	n = write(f->fd, data, len);
	if (n > 0)
		f->size += (uint64_t)n;
}

void logfile_close(struct logfile *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
