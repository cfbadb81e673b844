/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns carrying files between a service's folder and the operator's. */
#include "enroll/pumpctl/file_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

#define CHUNK 65536

static int bytes_copy(int from, int to)
{
	uint8_t chunk[CHUNK];
	ssize_t n;
	int rc = 0;

	while (!rc && (n = read(from, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		rc = n < 0 ? -1 : fd_write_all(to, chunk, (size_t)n);
	}
	explicit_bzero(chunk, sizeof(chunk)); /* NAS secrets or keys may be in there */
	return rc ? rc : fsync(to);
}

int file_copy(const char *from, const char *to, const struct owner *o)
{
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), out, rc = 0;

	if (in < 0)
		return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", from);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0 || bytes_copy(in, out) || (geteuid() == 0 && fchown(out, o->uid, o->gid)))
		rc = err_errno(ERR_IO, "%s", to);
	if (out >= 0 && close(out) && !rc)
		rc = err_errno(ERR_IO, "%s", to);
	close(in);
	return rc;
}
