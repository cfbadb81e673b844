/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the rights of a service's folders and its lock. Never knows what is kept in them. */
#include "base/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/daemon.h"

static int folder_make(const char *home, const char *rel, mode_t mode)
{
	char path[PATH_MAX];
	int rc = home_path(home, rel, path);

	if (rc)
		return rc;
	if (mkdir(path, mode) && errno != EEXIST)
		return err_errno(ERR_IO, "%s", path);
	/* umask 077 took bits away; a folder made by another user stays as that user made it */
	if (chmod(path, mode) && errno != EPERM)
		return err_errno(ERR_IO, "%s", path);
	return 0;
}

int home_folders_make(const char *home, const char *name)
{
	char run[PATH_MAX], own_run[PATH_MAX];
	struct stat st;
	int rc;

	/* umask 077 took bits away that other users need to pass through a home that we made */
	if (mkdir(home, 0755) ? errno != EEXIST : chmod(home, 0755))
		return err_errno(ERR_IO, "%s", home);
	if (snprintf(own_run, sizeof(own_run), "run/%s", name) >= (int)sizeof(own_run))
		return err_set(ERR_LIMIT, "%.64s...: path too long", name);
	rc = home_path(home, "run", run);
	if (!rc && stat(run, &st))
		rc = folder_make(home, "run", 0755);
	if (!rc)
		rc = folder_make(home, own_run, 0711);
	return rc ? rc : folder_make(home, name, 0700);
}

int home_lock(const char *home, const char *name, int *fd_out)
{
	char folder[PATH_MAX], path[PATH_MAX];
	int rc = home_path(home, name, folder), fd;

	if (!rc)
		rc = home_path(folder, "lock", path);
	if (rc)
		return rc;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(ERR_IO, "%s", path);
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return err_set(ERR_BUSY, "another process of the service works on %s", folder);
	}
	*fd_out = fd;
	return 0;
}
