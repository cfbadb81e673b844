/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of key pairs on the disk. Never looks into a key or certificate. */
#include "enroll/pumpctl/key_pair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/buf.h"

#define FILE_MAX 16384
#define PAIR_PREFIX "pair-"

static const char *const files[] = {"key.pem", "cert.pem"};
#define FILES_N (sizeof(files) / sizeof(files[0]))

/* ---- whose hands ---- */

static void own_user_again(const bool *was_changed)
{
	if (*was_changed && (seteuid(0) || setegid(0)))
		abort(); /* as somebody else nothing that follows would be right */
}
#define AUTO_HANDS __attribute__((cleanup(own_user_again))) bool

static int become(const struct owner *o, bool *changed_out)
{
	if (geteuid() != 0 || o->uid == 0)
		return 0;
	if (setegid(o->gid))
		return err_errno(ERR_IO, "setegid");
	*changed_out = true;
	if (seteuid(o->uid))
		return err_errno(ERR_IO, "seteuid");
	return 0;
}

/* ---- links ---- */

static int path_of(const struct key_pair *p, const char *name, char out[PATH_MAX])
{
	if (snprintf(out, PATH_MAX, "%s/%s", p->folder, name) >= PATH_MAX)
		return err_set(ERR_LIMIT, "%s: path too long", p->folder);
	return 0;
}

/* What a link names; false when there is no such link. */
static bool link_read(const struct key_pair *p, const char *name, char out[KEY_PAIR_NAME_SIZE])
{
	char path[PATH_MAX];
	ssize_t n;

	if (path_of(p, name, path))
		return false;
	n = readlink(path, out, KEY_PAIR_NAME_SIZE);
	if (n <= 0 || n >= KEY_PAIR_NAME_SIZE)
		return false;
	out[n] = '\0';
	return true;
}

static int folder_sync(const struct key_pair *p)
{
	int fd = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd < 0 || fsync(fd) ? err_errno(ERR_IO, "%s", p->folder) : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

/* NAME -> TARGET, whatever NAME was before, in one rename. */
static int link_set(const struct key_pair *p, const char *name, const char *target)
{
	char path[PATH_MAX], next[PATH_MAX];
	int rc = path_of(p, name, path);

	if (rc || (rc = path_of(p, ".next", next)))
		return rc;
	if (unlink(next) && errno != ENOENT)
		return err_errno(ERR_IO, "%s", next);
	if (symlink(target, next) || rename(next, path))
		return err_errno(ERR_IO, "%s", path);
	return folder_sync(p);
}

static int link_drop(const struct key_pair *p, const char *name)
{
	char path[PATH_MAX];
	int rc = path_of(p, name, path);

	if (!rc && unlink(path) && errno != ENOENT)
		rc = err_errno(ERR_IO, "%s", path);
	return rc ? rc : folder_sync(p);
}

/* key.pem -> pair/key.pem and so on */
static int files_link(const struct key_pair *p)
{
	for (size_t i = 0; i < FILES_N; i++) {
		char want[KEY_PAIR_NAME_SIZE], have[KEY_PAIR_NAME_SIZE];
		int rc;

		snprintf(want, sizeof(want), "pair/%s", files[i]);
		if (link_read(p, files[i], have) && !strcmp(have, want))
			continue;
		rc = link_set(p, files[i], want);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- pairs ---- */

static int pair_write(const struct key_pair *p, const void *key, size_t key_len, const void *cert,
		      size_t cert_len, char name_out[KEY_PAIR_NAME_SIZE])
{
	char template[PATH_MAX], path[PATH_MAX];
	int rc = path_of(p, PAIR_PREFIX "XXXXXX", template);

	if (rc)
		return rc;
	if (!mkdtemp(template)) /* mode 0700 */
		return err_errno(ERR_IO, "%s", template);
	snprintf(name_out, KEY_PAIR_NAME_SIZE, "%s", strrchr(template, '/') + 1);
	if (snprintf(path, sizeof(path), "%s/%s", template, files[0]) >= PATH_MAX)
		return err_set(ERR_LIMIT, "%s: path too long", template);
	rc = buf_write_file(path, 0600, key, key_len);
	if (rc)
		return rc;
	if (snprintf(path, sizeof(path), "%s/%s", template, files[1]) >= PATH_MAX)
		return err_set(ERR_LIMIT, "%s: path too long", template);
	rc = buf_write_file(path, 0644, cert, cert_len);
	return rc ? rc : folder_sync(p);
}

static int folder_remove(const struct key_pair *p, const char *name)
{
	char path[PATH_MAX], below[PATH_MAX];
	struct dirent *e;
	int rc = path_of(p, name, path);
	DIR *dir;

	if (rc)
		return rc;
	dir = opendir(path);
	if (!dir)
		return err_errno(ERR_IO, "%s", path);
	while (!rc && (e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path, e->d_name) >= PATH_MAX)
			rc = err_set(ERR_LIMIT, "%s: path too long", path);
		else if (unlink(below))
			rc = err_errno(ERR_IO, "%s", below);
	}
	closedir(dir);
	if (!rc && rmdir(path))
		rc = err_errno(ERR_IO, "%s", path);
	return rc;
}

/* Pairs that nothing names: of changes that were cut short, and the one that was replaced. */
static int strays_remove(const struct key_pair *p)
{
	char pair[KEY_PAIR_NAME_SIZE] = "", previous[KEY_PAIR_NAME_SIZE] = "";
	DIR *dir = opendir(p->folder);
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return err_errno(ERR_IO, "%s", p->folder);
	if (link_read(p, "pair", pair)) {
		(void)link_read(p, "previous", previous);
		while (!rc && (e = readdir(dir)))
			if (!strncmp(e->d_name, PAIR_PREFIX, sizeof(PAIR_PREFIX) - 1) &&
			    strcmp(e->d_name, pair) && strcmp(e->d_name, previous))
				rc = folder_remove(p, e->d_name);
	}
	closedir(dir);
	return rc;
}

static int plain_files_adopt(const struct key_pair *p)
{
	AUTO_BUF key = {.max = FILE_MAX};
	AUTO_BUF cert = {.max = FILE_MAX};
	char key_path[PATH_MAX], cert_path[PATH_MAX], name[KEY_PAIR_NAME_SIZE];
	int rc = path_of(p, files[0], key_path);

	if (rc || (rc = path_of(p, files[1], cert_path)))
		return rc;
	if (buf_read_file(&key, key_path) || buf_read_file(&cert, cert_path))
		return 0; /* not both: nothing that could serve */
	rc = pair_write(p, key.data, key.len, cert.data, cert.len, name);
	OPENSSL_cleanse(key.data, key.len);
	if (!rc)
		rc = link_set(p, "pair", name);
	return rc ? rc : files_link(p);
}

static int adopt(const struct key_pair *p)
{
	char pair[KEY_PAIR_NAME_SIZE];

	return link_read(p, "pair", pair) ? files_link(p) : plain_files_adopt(p);
}

int key_pair_adopt(const struct key_pair *p)
{
	AUTO_HANDS changed = false;
	int rc = become(&p->owner, &changed);

	return rc ? rc : adopt(p);
}

static bool is_unsettled(const struct key_pair *p)
{
	char pair[KEY_PAIR_NAME_SIZE], previous[KEY_PAIR_NAME_SIZE];

	return link_read(p, "pair", pair) && link_read(p, "previous", previous) &&
	       strcmp(pair, previous) != 0;
}

void key_pair_name(const struct key_pair *p, char out[KEY_PAIR_NAME_SIZE])
{
	if (!link_read(p, "pair", out))
		out[0] = '\0';
}

bool key_pair_is_unsettled(const struct key_pair *p)
{
	return is_unsettled(p); /* reads links only */
}

int key_pair_put(const struct key_pair *p, const void *key, size_t key_len, const void *cert,
		 size_t cert_len)
{
	AUTO_HANDS changed = false;
	char name[KEY_PAIR_NAME_SIZE], old[KEY_PAIR_NAME_SIZE];
	int rc = become(&p->owner, &changed);

	if (rc || (rc = adopt(p)) || (rc = strays_remove(p)) ||
	    (rc = pair_write(p, key, key_len, cert, cert_len, name)))
		return rc;
	if (!is_unsettled(p) && link_read(p, "pair", old) && (rc = link_set(p, "previous", old)))
		return rc;
	rc = link_set(p, "pair", name);
	return rc ? rc : files_link(p);
}

int key_pair_settle(const struct key_pair *p)
{
	AUTO_HANDS changed = false;
	int rc = become(&p->owner, &changed);

	if (!rc)
		rc = link_drop(p, "previous");
	return rc ? rc : strays_remove(p);
}

int key_pair_restore(const struct key_pair *p)
{
	AUTO_HANDS changed = false;
	char previous[KEY_PAIR_NAME_SIZE];
	int rc = become(&p->owner, &changed);

	if (rc)
		return rc;
	if (!link_read(p, "previous", previous))
		return err_set(ERR_NOT_FOUND, "%s has no previous pair", p->folder);
	rc = link_set(p, "pair", previous);
	if (!rc)
		rc = link_drop(p, "previous");
	return rc ? rc : strays_remove(p);
}
