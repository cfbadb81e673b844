/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the files of a backup on their way, and the clinicians' part of it. */
#include "enroll/pumpctl/backup_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/daemon.h"
#include "enroll/pumpctl/file_copy.h"
#include "enroll/pumpctl/spawn.h"

#define COPY_TIMEOUT_MS (6 * 3600 * 1000)
#define OUTGOING "cred/outgoing"
#define INCOMING "cred/incoming"

const struct backup_parts parts_registry = {{"registry.db", "sessions.db", "backup.ini"}, 3};
const struct backup_parts parts_clinicians = {{"clinicians.db", "clinicians.ini"}, 2};

static int part_path(const char *folder, const char *name, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);

	return n > 0 && n < PATH_MAX ? 0 : err_set(ERR_LIMIT, "%s: path too long", folder);
}

void parts_remove(const struct backup_parts *p, const char *folder)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < p->n; i++)
		if (!part_path(folder, p->names[i], path))
			unlink(path);
	rmdir(folder);
}

static int folder_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) ? err_errno(ERR_IO, "%s", path) : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

int parts_copy(const struct backup_parts *p, const char *from, const char *to,
	       const struct owner *o, bool make)
{
	char in[PATH_MAX], out[PATH_MAX];
	int rc = 0;

	if (make && mkdir(to, 0700))
		return err_errno(errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s", to);
	if (make && geteuid() == 0 && lchown(to, o->uid, o->gid))
		rc = err_errno(ERR_IO, "%s", to);
	for (size_t i = 0; !rc && i < p->n; i++)
		if (!(rc = part_path(from, p->names[i], in)) &&
		    !(rc = part_path(to, p->names[i], out)))
			rc = file_copy(in, out, o);
	if (!rc)
		rc = folder_sync(to);
	if (rc && make)
		parts_remove(p, to);
	return rc;
}

bool clinicians_are_there(const char *home)
{
	char path[PATH_MAX];

	return !home_path(home, "cred/clinicians.db", path) && access(path, F_OK) == 0;
}

bool clinicians_are_in(const char *backup)
{
	char path[PATH_MAX];

	return !part_path(backup, "clinicians.ini", path) && access(path, F_OK) == 0;
}

/* As credd's user; its last words are the reason when it fails. */
static int credd_run(const struct settings *s, const char *command, const char *folder,
		     struct buf *said)
{
	char path[PATH_MAX];
	struct spawn child = {
		.path = path,
		.args = {"pumpgate-credd", "--home", s->home, command, folder},
	};
	int status, rc = settings_owner(s, PROCESS_CREDD, &child.owner);

	if (!rc)
		rc = program_find("pumpgate-credd", path);
	if (!rc)
		rc = spawn_run(&child, COPY_TIMEOUT_MS, said, &status);
	if (!rc && status)
		rc = err_set(ERR_CORRUPT, "%s",
			     said->len ? buf_cstr(said) : "pumpgate-credd failed");
	return rc;
}

int clinicians_fetch(const char *home, const char *to)
{
	const struct owner self = {geteuid(), getegid()};
	AUTO_BUF said = {.max = 8192};
	struct settings s;
	char made[PATH_MAX];
	int rc = settings_read(home, &s);

	if (!rc)
		rc = home_path(home, OUTGOING, made);
	if (rc)
		return rc;
	parts_remove(&parts_clinicians, made); /* of an attempt that was cut short */
	rc = credd_run(&s, "backup", made, &said);
	if (!rc)
		rc = parts_copy(&parts_clinicians, made, to, &self, false);
	parts_remove(&parts_clinicians, made);
	return rc ? err_add(rc, "the clinicians' database") : 0;
}

int clinicians_restore(const struct settings *s, const char *backup, const char *command,
		       struct buf *said)
{
	struct owner o;
	char incoming[PATH_MAX];
	int rc = settings_owner(s, PROCESS_CREDD, &o);

	if (!rc)
		rc = home_path(s->home, INCOMING, incoming);
	if (rc)
		return rc;
	parts_remove(&parts_clinicians, incoming);
	rc = parts_copy(&parts_clinicians, backup, incoming, &o, true);
	if (!rc)
		rc = credd_run(s, command, incoming, said);
	parts_remove(&parts_clinicians, incoming);
	return rc ? err_add(rc, "the clinicians' database") : 0;
}
