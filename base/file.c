/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns whole-file reads with a limit and atomic, durable replacement. Never interprets content. */
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int buf_read_file(struct buf *b, const char *path)
{
	uint8_t chunk[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc = 0;

	if (fd < 0)
		return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", path);
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(ERR_IO, "%s", path);
		if (n <= 0)
			break;
		rc = buf_put(b, chunk, (size_t)n);
		if (rc) {
			rc = err_add(rc, "%s", path);
			break;
		}
	}
	explicit_bzero(chunk, sizeof(chunk));
	close(fd);
	return rc;
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int folder_sync(const char *path)
{
	char copy[PATH_MAX];
	int fd, rc;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int buf_write_file(const char *path, unsigned mode, const void *data, size_t len)
{
	char tmp[PATH_MAX];
	int fd, rc = 0;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp.%d", path, (int)getpid()) >= (int)sizeof(tmp))
		return err_set(ERR_LIMIT, "%s: path too long", path);
	/* a new file always: whoever owns the folder could have put a link there to write through
	 */
	if (unlink(tmp) && errno != ENOENT)
		return err_errno(ERR_IO, "%s", tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
	if (fd < 0)
		return err_errno(ERR_IO, "%s", tmp);
	if (fchmod(fd, (mode_t)mode) || fd_write_all(fd, data, len) || fsync(fd))
		rc = err_errno(ERR_IO, "%s", tmp);
	if (close(fd) && !rc)
		rc = err_errno(ERR_IO, "%s", tmp);
	if (!rc && (rename(tmp, path) || folder_sync(path)))
		rc = err_errno(ERR_IO, "%s", path);
	if (rc)
		unlink(tmp);
	return rc;
}
