/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of a sealed backup. Never writes outside the folder that it was given. */
#include "ca/sealed/sealed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/secret.h"

#define MAGIC "PGCABK1\n"
#define CHUNK 65536
#define MORE crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
#define FILE_BEGINS crypto_secretstream_xchacha20poly1305_TAG_PUSH
#define LAST crypto_secretstream_xchacha20poly1305_TAG_FINAL
#define EXTRA crypto_secretstream_xchacha20poly1305_ABYTES

struct head {
	char magic[sizeof(MAGIC) - 1];
	uint8_t id[SHARE_ID_BYTES];
	uint8_t stream[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
};

struct sealed_writer {
	crypto_secretstream_xchacha20poly1305_state state;
	char path[PATH_MAX];
	int fd;
	bool finished;
	uint8_t sealed[CHUNK + EXTRA], plain[CHUNK];
};

int sealed_create(const char *path, const uint8_t id[SHARE_ID_BYTES],
		  const uint8_t key[SHARE_KEY_BYTES], struct sealed_writer **out)
{
	struct sealed_writer *w = calloc(1, sizeof(*w));
	struct head h = {.magic = {0}};
	int rc;

	if (!w || (rc = str_copy(w->path, sizeof(w->path), path))) {
		free(w);
		return err_set(ERR_NOMEM, "no memory for a backup");
	}
	w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		rc = err_errno(errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s", path);
		free(w);
		return rc;
	}
	memcpy(h.magic, MAGIC, sizeof(h.magic));
	memcpy(h.id, id, sizeof(h.id));
	crypto_secretstream_xchacha20poly1305_init_push(&w->state, h.stream, key);
	if (fd_write_all(w->fd, &h, sizeof(h))) {
		rc = err_errno(ERR_IO, "%s", path);
		sealed_writer_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void sealed_writer_free(struct sealed_writer *w)
{
	if (!w)
		return;
	close(w->fd);
	if (!w->finished)
		unlink(w->path);
	secret_wipe(w, sizeof(*w));
	free(w);
}

static int message_put(struct sealed_writer *w, const void *data, size_t len, uint8_t tag)
{
	unsigned long long sealed_len;
	uint8_t prefix[4];

	crypto_secretstream_xchacha20poly1305_push(&w->state, w->sealed, &sealed_len, data, len,
						   (const uint8_t *)MAGIC, sizeof(MAGIC) - 1, tag);
	for (int i = 0; i < 4; i++)
		prefix[i] = (uint8_t)(sealed_len >> (24 - 8 * i));
	if (fd_write_all(w->fd, prefix, sizeof(prefix)) ||
	    fd_write_all(w->fd, w->sealed, (size_t)sealed_len))
		return err_errno(ERR_IO, "%s", w->path);
	return 0;
}

int sealed_add(struct sealed_writer *w, const char *name, const char *from)
{
	int fd = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	int rc;

	if (fd < 0)
		return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", from);
	rc = message_put(w, name, strlen(name), FILE_BEGINS);
	while (!rc) {
		ssize_t n = read(fd, w->plain, sizeof(w->plain));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(ERR_IO, "%s", from);
		if (n <= 0)
			break;
		rc = message_put(w, w->plain, (size_t)n, MORE);
	}
	secret_wipe(w->plain, sizeof(w->plain));
	close(fd);
	return rc;
}

int sealed_finish(struct sealed_writer *w)
{
	int rc = message_put(w, "", 0, LAST);

	if (!rc && fsync(w->fd))
		rc = err_errno(ERR_IO, "%s", w->path);
	w->finished = rc == 0;
	return rc;
}

/* ---- opening ---- */

struct reader {
	crypto_secretstream_xchacha20poly1305_state state;
	const char *path, *folder;
	int in, out;
	uint8_t sealed[CHUNK + EXTRA], plain[CHUNK];
};

/* 1: all of it, 0: the end came first */
static int read_whole(int fd, void *data, size_t len)
{
	uint8_t *at = data;

	while (len) {
		ssize_t n = read(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		at += n;
		len -= (size_t)n;
	}
	return 1;
}

static int head_read(int fd, const char *path, struct head *out)
{
	if (!read_whole(fd, out, sizeof(*out)) || memcmp(out->magic, MAGIC, sizeof(out->magic)))
		return err_set(ERR_INVALID, "%s is no backup of a CA", path);
	return 0;
}

static int file_open(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

int sealed_id(const char *path, uint8_t out[SHARE_ID_BYTES])
{
	struct head h;
	int fd = file_open(path), rc;

	if (fd < 0)
		return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", path);
	rc = head_read(fd, path, &h);
	close(fd);
	if (!rc)
		memcpy(out, h.id, sizeof(h.id));
	return rc;
}

static int out_close(struct reader *r)
{
	int rc = r->out < 0 ? 0 : fsync(r->out);

	if (r->out >= 0 && close(r->out))
		rc = -1;
	r->out = -1;
	return rc ? err_errno(ERR_IO, "%s", r->folder) : 0;
}

static int file_begin(struct reader *r, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz-.";
	char name[SEALED_NAME_MAX + 1], path[PATH_MAX];
	int rc = out_close(r);

	if (rc)
		return rc;
	if (!len || len > SEALED_NAME_MAX)
		return err_set(ERR_DENIED, "%s: a file without a name", r->path);
	memcpy(name, r->plain, len);
	name[len] = '\0';
	if (strspn(name, allowed) != len || name[0] == '.')
		return err_set(ERR_DENIED, "%s: a file of an odd name", r->path);
	if (!r->folder)
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", r->folder, name) >= (int)sizeof(path))
		return err_set(ERR_LIMIT, "%s: path too long", r->folder);
	r->out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return r->out < 0 ? err_errno(ERR_IO, "%s", path) : 0;
}

static int changed(const struct reader *r)
{
	return err_set(ERR_DENIED, "%s: these shares do not open it, or it was changed", r->path);
}

/* One message; *last_out at the end. */
static int message_take(struct reader *r, bool *last_out)
{
	unsigned long long len;
	uint8_t prefix[4], tag;
	size_t sealed_len;

	if (!read_whole(r->in, prefix, sizeof(prefix)))
		return changed(r);
	sealed_len = (size_t)prefix[0] << 24 | (size_t)prefix[1] << 16 | (size_t)prefix[2] << 8 |
		     prefix[3];
	if (sealed_len < EXTRA || sealed_len > sizeof(r->sealed) ||
	    !read_whole(r->in, r->sealed, sealed_len) ||
	    crypto_secretstream_xchacha20poly1305_pull(&r->state, r->plain, &len, &tag, r->sealed,
						       sealed_len, (const uint8_t *)MAGIC,
						       sizeof(MAGIC) - 1))
		return changed(r);
	*last_out = tag == LAST;
	if (tag == FILE_BEGINS)
		return file_begin(r, (size_t)len);
	if (tag == MORE && r->out >= 0 && fd_write_all(r->out, r->plain, (size_t)len))
		return err_errno(ERR_IO, "%s", r->folder);
	return 0;
}

static int all_take(struct reader *r, const uint8_t key[SHARE_KEY_BYTES])
{
	struct head h;
	bool last = false;
	uint8_t more;
	int rc = head_read(r->in, r->path, &h);

	if (!rc && crypto_secretstream_xchacha20poly1305_init_pull(&r->state, h.stream, key))
		rc = changed(r);
	while (!rc && !last)
		rc = message_take(r, &last);
	if (!rc && read_whole(r->in, &more, 1))
		rc = changed(r);
	return rc;
}

int sealed_open(const char *path, const uint8_t key[SHARE_KEY_BYTES], const char *folder)
{
	struct reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return err_set(ERR_NOMEM, "no memory for a backup");
	r->path = path;
	r->folder = folder;
	r->out = -1;
	r->in = file_open(path);
	rc = r->in < 0 ? err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", path)
		       : all_take(r, key);
	if (!rc)
		rc = out_close(r);
	else if (r->out >= 0)
		close(r->out);
	if (r->in >= 0)
		close(r->in);
	secret_wipe(r, sizeof(*r));
	free(r);
	return rc;
}
