/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns memory for secrets. Never prints one. */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#define SECRET_MAX 65536

struct secret {
	size_t len;
	uint8_t data[];
};

static int secret_alloc(size_t len, struct secret **out)
{
	struct secret *s;
	size_t words;

	if (sodium_init() < 0)
		return err_set(ERR_CRYPTO, "libsodium could not start");
	/* sodium_malloc aligns the end, not the start, to a page: whole words keep `len` aligned */
	words = (sizeof(*s) + len + sizeof(size_t) - 1) / sizeof(size_t);
	s = sodium_malloc(words * sizeof(size_t));
	if (!s)
		return err_set(ERR_NOMEM, "no memory for a secret");
	s->len = len;
	*out = s;
	return 0;
}

int secret_new(const void *data, size_t len, struct secret **out)
{
	struct secret *s;
	int rc;

	if (len > SECRET_MAX)
		return err_set(ERR_LIMIT, "secret longer than %d bytes", SECRET_MAX);
	rc = secret_alloc(len, &s);
	if (rc)
		return rc;
	if (len)
		memcpy(s->data, data, len);
	*out = s;
	return 0;
}

int secret_random(size_t len, struct secret **out)
{
	struct secret *s;
	int rc;

	if (len > SECRET_MAX)
		return err_set(ERR_LIMIT, "secret longer than %d bytes", SECRET_MAX);
	rc = secret_alloc(len, &s);
	if (rc)
		return rc;
	randombytes_buf(s->data, len);
	*out = s;
	return 0;
}

void secret_free(struct secret *s)
{
	sodium_free(s); /* wipes; NULL ok */
}

const uint8_t *secret_data(const struct secret *s)
{
	return s->data;
}

size_t secret_len(const struct secret *s)
{
	return s->len;
}

/* Reads to the end, or to a newline when `line`, at most max bytes and a newline. */
static int read_bounded(int fd, size_t max, bool line, struct secret **out)
{
	AUTO_SECRET raw = NULL;
	size_t used = 0, room;
	int rc;

	if (max > SECRET_MAX)
		max = SECRET_MAX;
	room = max + 2; /* the newline, and one byte that shows that there is more */
	rc = secret_alloc(room, &raw);
	if (rc)
		return rc;
	while (used < room) {
		ssize_t n = read(fd, raw->data + used, line ? 1 : room - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(ERR_IO, "read");
		if (n == 0 || (line && raw->data[used] == '\n'))
			break;
		used += (size_t)n;
	}
	if (used && raw->data[used - 1] == '\n')
		used--;
	if (used > max)
		return err_set(ERR_LIMIT, "longer than %zu bytes", max);
	return secret_new(raw->data, used, out);
}

int secret_read_file(const char *path, size_t max, struct secret **out)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc;

	if (fd < 0)
		return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", path);
	if (fstat(fd, &st))
		rc = err_errno(ERR_IO, "%s", path);
	else if (S_ISREG(st.st_mode) && (st.st_mode & 077))
		rc = err_set(ERR_DENIED, "%s: others can read it; do: chmod 600 %s", path, path);
	else if (S_ISREG(st.st_mode) && st.st_uid != 0 && st.st_uid != geteuid())
		rc = err_set(ERR_DENIED, "%s: belongs to somebody else", path);
	else
		rc = read_bounded(fd, max, false, out);
	close(fd);
	return rc == 0 || rc == ERR_DENIED ? rc : err_add(rc, "%s", path);
}

int secret_read_stdin(const char *prompt, size_t max, struct secret **out)
{
	struct termios old, quiet;
	bool tty = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &old);
	int rc;

	if (tty) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fprintf(stderr, "%s", prompt);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	rc = read_bounded(STDIN_FILENO, max, true, out);
	if (tty) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	return rc;
}

bool secret_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && sodium_memcmp(a, b, a_len) == 0;
}

void secret_wipe(void *data, size_t len)
{
	sodium_memzero(data, len);
}

void secret_fill_random(void *data, size_t len)
{
	randombytes_buf(data, len);
}
