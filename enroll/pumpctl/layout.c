/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the home's folders. Never follows a symbolic link, never removes anything. */
#include "enroll/pumpctl/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/daemon.h"

#define SOCKET_PATH_MAX 107 /* sockaddr_un, without the NUL */
#define LONGEST_SOCKET "/run/registry/sock"

const struct layout_folder layout_folders[] = {
	{"", -1, 0755},
	{"run", -1, 0755},
	{"run/registry", PROCESS_REGISTRYD, 0711},
	{"run/signer", PROCESS_SIGNERD, 0711},
	{"run/cred", PROCESS_CREDD, 0711},
	{"registry", PROCESS_REGISTRYD, 0700},
	{"ca", PROCESS_SIGNERD, 0700},
	{"trust", -1, 0755},
	{"est", PROCESS_ENROLLD, 0700},
	{"radius", PROCESS_RADIUSD, 0700},
	{"radius/raddb", PROCESS_RADIUSD, 0700},
	{"radsec", PROCESS_RADSECD, 0700},
	{"dispatch", PROCESS_DISPATCHD, 0700},
	{"cred", PROCESS_CREDD, 0700},
	{"clinicians", PROCESS_CLINICIANS, 0700},
	{"clinicians/raddb", PROCESS_CLINICIANS, 0700},
	{"log", -1, 0755},
};
const size_t layout_n_folders = sizeof(layout_folders) / sizeof(layout_folders[0]);

static struct owner give_to; /* nftw has no argument for its callback; pumpctl has one thread */

static int give_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)type;
	(void)walk;
	if (st->st_uid == give_to.uid && st->st_gid == give_to.gid)
		return 0;
	return lchown(path, give_to.uid, give_to.gid);
}

static int wrong_owner(const char *path, const struct stat *st, const struct owner *o)
{
	return err_set(ERR_DENIED,
		       "%s belongs to user %u, not %u; if that is right, do: chown -R %u:%u %s",
		       path, (unsigned)st->st_uid, (unsigned)o->uid, (unsigned)o->uid,
		       (unsigned)o->gid, path);
}

/* A process's folder changes hands with everything in it, as long as nobody but us could write
 * there before. */
static int folder_give(const char *path, const struct stat *st, const struct owner *o,
		       bool *changed)
{
	if (st->st_uid == o->uid && st->st_gid == o->gid)
		return 0;
	if (st->st_uid != o->uid && st->st_uid != geteuid())
		return wrong_owner(path, st, o);
	give_to = *o;
	if (nftw(path, give_entry, 16, FTW_PHYS | FTW_MOUNT | FTW_DEPTH))
		return err_errno(ERR_IO, "%s: cannot give it to user %u", path, (unsigned)o->uid);
	*changed = true;
	return 0;
}

/* Our own folders. The signer holds trust/ while it makes the CAs; an init that was killed just
 * then left it so. */
static int folder_keep(const struct settings *s, const struct layout_folder *f, const char *path,
		       const struct stat *st, bool *changed)
{
	const struct owner self = {geteuid(), getegid()};
	struct owner signer;
	int rc;

	if (st->st_uid == self.uid)
		return 0;
	rc = settings_owner(s, PROCESS_SIGNERD, &signer);
	if (rc)
		return rc;
	if (strcmp(f->path, "trust") || st->st_uid != signer.uid)
		return wrong_owner(path, st, &self);
	*changed = true;
	return lchown(path, self.uid, self.gid) ? err_errno(ERR_IO, "%s", path) : 0;
}

static int folder_apply(const struct settings *s, const struct layout_folder *f, bool *changed)
{
	struct owner o = {geteuid(), getegid()};
	char path[PATH_MAX];
	struct stat st;
	int rc = home_path(s->home, f->path, path);

	if (rc || (f->process >= 0 && (rc = settings_owner(s, f->process, &o))))
		return rc;
	if (mkdir(path, f->mode) == 0)
		*changed = true;
	else if (errno != EEXIST)
		return err_errno(ERR_IO, "%s", path);
	if (lstat(path, &st))
		return err_errno(ERR_IO, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(ERR_IO, "%s is no folder; move it away", path);
	rc = f->process < 0 ? folder_keep(s, f, path, &st, changed)
			    : folder_give(path, &st, &o, changed);
	if (rc)
		return rc;
	if (f->path[0] && (st.st_mode & 07777) != f->mode) {
		if (chmod(path, f->mode))
			return err_errno(ERR_IO, "%s", path);
		*changed = true;
	}
	return 0;
}

/* With users of their own the processes must be able to walk down to the home. */
static int reachable_check(const struct settings *s)
{
	char path[PATH_MAX];
	struct stat st;

	for (const char *at = s->home; at; at = strchr(at + 1, '/')) {
		const char *end = strchr(at + 1, '/');

		snprintf(path, sizeof(path), "%.*s",
			 end ? (int)(end - s->home) : (int)strlen(s->home), s->home);
		if (stat(path, &st))
			return err_errno(ERR_IO, "%s", path);
		if (!(st.st_mode & S_IXOTH))
			return err_set(ERR_DENIED,
				       "%s is closed to the processes' users; do: chmod o+x %s",
				       path, path);
		if (!end)
			break;
	}
	return 0;
}

int layout_apply(const struct settings *s, bool *changed)
{
	if (strlen(s->home) + strlen(LONGEST_SOCKET) > SOCKET_PATH_MAX)
		return err_set(ERR_LIMIT, "%s: too long a path for sockets; at most %zu characters",
			       s->home, SOCKET_PATH_MAX - strlen(LONGEST_SOCKET));
	for (size_t i = 0; i < layout_n_folders; i++) {
		int rc = folder_apply(s, &layout_folders[i], changed);

		if (rc)
			return rc;
	}
	return settings_one_user(s) ? 0 : reachable_check(s);
}

int layout_give_file(const struct settings *s, const char *rel, int process)
{
	struct owner o;
	char path[PATH_MAX];
	struct stat st;
	int rc = home_path(s->home, rel, path);

	if (rc || (rc = settings_owner(s, (enum process)process, &o)))
		return rc;
	if (lstat(path, &st))
		return err_errno(ERR_IO, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(ERR_IO, "%s is no regular file; move it away", path);
	if ((st.st_uid != o.uid || st.st_gid != o.gid) && lchown(path, o.uid, o.gid))
		return err_errno(ERR_IO, "%s", path);
	return 0;
}

static int lock_open(const char *home, const char *rel, int *fd_out)
{
	char path[PATH_MAX];
	int rc = home_path(home, rel, path);

	if (rc)
		return rc;
	*fd_out = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return *fd_out < 0 ? err_errno(ERR_IO, "%s", path) : 0;
}

int layout_lock(const char *home, const char *rel)
{
	int fd;
	int rc = lock_open(home, rel, &fd);

	if (rc)
		return rc;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		rc = err_errno(errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO, "%s/%s", home, rel);
		close(fd);
		return rc;
	}
	return 0; /* the descriptor stays open: it is the lock */
}

bool layout_is_locked(const char *home, const char *rel)
{
	char path[PATH_MAX];
	bool held;
	int fd;

	if (home_path(home, rel, path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	held = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return held;
}
