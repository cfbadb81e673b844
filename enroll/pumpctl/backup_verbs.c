/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl backup create, restore, merge and gap. registryd makes and reads the databases' copies;
 * this file carries them between its folder and the operator's, with the rights of who runs
 * pumpctl.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/daemon.h"
#include "enroll/pumpctl/file_copy.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/settings.h"
#include "enroll/pumpctl/spawn.h"
#include "enroll/pumpctl/verbs.h"

#define POLL_MS 100
#define RESTORE_TIMEOUT_MS (6 * 3600 * 1000)
#define INCOMING "registry/incoming"

static const char *const parts[] = {"registry.db", "sessions.db", "backup.ini"};
#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static int part_path(const char *folder, size_t i, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s", folder, parts[i]);

	return n > 0 && n < PATH_MAX ? 0 : err_set(ERR_LIMIT, "%s: path too long", folder);
}

static void parts_remove(const char *folder)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < N_PARTS; i++)
		if (!part_path(folder, i, path))
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

/* A new folder with the three files; on failure nothing is left of it. */
static int parts_copy(const char *from, const char *to, const struct owner *o)
{
	char in[PATH_MAX], out[PATH_MAX];
	int rc = 0;

	if (mkdir(to, 0700))
		return err_errno(errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s", to);
	if (geteuid() == 0 && lchown(to, o->uid, o->gid))
		rc = err_errno(ERR_IO, "%s", to);
	for (size_t i = 0; !rc && i < N_PARTS; i++)
		if (!(rc = part_path(from, i, in)) && !(rc = part_path(to, i, out)))
			rc = file_copy(in, out, o);
	if (!rc)
		rc = folder_sync(to);
	if (rc)
		parts_remove(to);
	return rc;
}

static void progress_show(const struct backup_state *s)
{
	unsigned percent = s->total ? (unsigned)(s->done * 100 / s->total) : 0;

	fprintf(stderr, "\r[%-40.*s] %3u %%", (int)(percent * 40 / 100),
		"########################################", percent);
}

/* Until registryd's copy is done. */
static int backup_await(struct ipc_client *c, struct backup_state *s)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	const struct backup_query ask = {.start = false};
	bool bar = isatty(STDERR_FILENO);
	char folder[LABEL_SIZE];
	int rc = 0;

	memcpy(folder, s->folder, sizeof(folder));
	while (!rc && !strcmp(s->state, "running")) {
		if (bar)
			progress_show(s);
		nanosleep(&pause, NULL);
		rc = registry_backup(c, &ask, s, REGISTRY_TIMEOUT_MS);
		if (!rc && strcmp(s->folder, folder))
			rc = err_set(ERR_UNAVAILABLE, "registryd ended meanwhile; repeat");
	}
	if (bar)
		fputs("\r\033[K", stderr);
	if (!rc && strcmp(s->state, "done"))
		rc = err_set(ERR_IO, "registryd could not make the backup: %s", s->text);
	return rc;
}

/* From registryd's folder to `to`, complete or not at all. */
static int backup_fetch(const char *home, const char *name, const char *to)
{
	const struct owner self = {geteuid(), getegid()};
	char made[PATH_MAX], rel[PATH_MAX], partial[PATH_MAX];
	int rc;

	snprintf(rel, sizeof(rel), "registry/%s", name);
	if ((rc = home_path(home, rel, made)))
		return rc;
	if (snprintf(partial, sizeof(partial), "%s.partial", to) >= (int)sizeof(partial))
		return err_set(ERR_LIMIT, "%s: path too long", to);
	parts_remove(partial); /* of an attempt that was cut short */
	rc = parts_copy(made, partial, &self);
	if (!rc && rename(partial, to))
		rc = err_errno(ERR_IO, "%s", to);
	if (rc)
		parts_remove(partial);
	parts_remove(made);
	return rc;
}

/* "DIR/" and "DIR" are the same. */
static int target_take(const char *operand, char out[PATH_MAX])
{
	size_t len;

	if (str_copy(out, PATH_MAX, operand))
		return err_set(ERR_INVALID, "%s: path too long", operand);
	for (len = strlen(out); len > 1 && out[len - 1] == '/'; len--)
		out[len - 1] = '\0';
	return *out ? 0 : err_set(ERR_INVALID, "name the folder to write");
}

static int backup_create_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	const struct backup_query ask = {.start = true};
	struct backup_state s;
	char to[PATH_MAX], registry[PATH_MAX];
	int rc;

	if (target_take(call->operands[0], to))
		return report_usage();
	if (access(to, F_OK) == 0)
		return report_failure(err_set(ERR_EXISTS, "%s is there already", to));
	if (!home_path(home_dir(call->home), "registry", registry) && access(registry, R_OK | X_OK))
		return report_failure(err_set(ERR_DENIED,
					      "only root and registryd's own user may make a "
					      "backup: it holds the NAS secrets"));
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_backup(c, &ask, &s, REGISTRY_TIMEOUT_MS);
	if (!rc)
		rc = backup_await(c, &s);
	if (rc)
		return registry_failure(call, rc);
	rc = backup_fetch(home_dir(call->home), s.folder, to);
	if (rc)
		return report_failure(rc);
	if (call->json) {
		rc = json_show(record_to_json(&record_backup_state, &s));
		return rc ? report_failure(rc) : EXIT_DONE;
	}
	printf("backup in %s: %" PRIu64 " pumps, %" PRIu64 " certificates, %" PRIu64
	       " audit rows, read back and whole\n",
	       to, s.devices, s.certificates, s.audit_rows);
	puts("not in it: the CA's keys and lists (HOME/ca), server keys, pumpgate.conf; it holds "
	     "NAS secrets: keep it closed");
	return EXIT_DONE;
}

static int restorer_run(const struct settings *s, const struct owner *o, const char *incoming,
			char aside[PATH_MAX])
{
	AUTO_BUF said = {.max = 8192};
	char path[PATH_MAX];
	struct spawn child = {
		.path = path,
		.args = {"pumpgate-registryd", "--home", s->home, "restore", incoming},
		.owner = *o,
	};
	const char *text, *at;
	int status;
	int rc = program_find("pumpgate-registryd", path);

	if (rc || (rc = spawn_run(&child, RESTORE_TIMEOUT_MS, &said, &status)))
		return rc;
	text = said.len ? buf_cstr(&said) : "";
	if (status)
		return err_set(ERR_CORRUPT, "nothing was restored: %s", text);
	at = text;
	for (const char *p = text; p; p = strstr(p + 1, "\n/")) /* the last line that is a path */
		at = *p == '\n' ? p + 1 : p;
	snprintf(aside, PATH_MAX, "%.*s", (int)strcspn(at, "\n"), at);
	return 0;
}

static int restore_into(const char *home, const char *backup, char aside[PATH_MAX])
{
	struct settings s;
	struct owner o;
	char incoming[PATH_MAX];
	int rc = settings_read(home, &s);

	if (!rc)
		rc = settings_owner(&s, PROCESS_REGISTRYD, &o);
	if (!rc)
		rc = home_path(s.home, INCOMING, incoming);
	if (!rc)
		rc = layout_lock(s.home, LOCK_RUN);
	if (rc == ERR_BUSY)
		return err_set(rc, "the server is running here: stop it first");
	if (rc)
		return rc;
	parts_remove(incoming);
	if ((rc = parts_copy(backup, incoming, &o)))
		return rc == ERR_NOT_FOUND ? err_add(rc, "%s is no backup", backup) : rc;
	rc = restorer_run(&s, &o, incoming, aside);
	parts_remove(incoming);
	return rc;
}

static int backup_restore_run(const struct call *call)
{
	char aside[PATH_MAX] = "", from[PATH_MAX];
	int rc;

	if (target_take(call->operands[0], from))
		return report_usage();
	rc = restore_into(home_dir(call->home), from, aside);
	if (rc)
		return report_failure(rc);
	if (call->json) {
		rc = json_show(json_pack("{s:s s:s}", "restored", from, "old", aside));
		return rc ? report_failure(rc) : EXIT_DONE;
	}
	printf("restored from %s; what was there is in %s\n", from, aside);
	puts("next: start the server. Nobody is let on before signerd has told its lists; what was "
	     "revoked since the backup stays refused. Then: pumpctl status; pumpctl backup merge");
	return EXIT_DONE;
}

static int backup_merge_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	const struct list_query q = {0};
	struct merge part, all = {0};
	int rc = registry_open(call, &c);

	do {
		if (!rc)
			rc = registry_merge(c, &q, &part, REGISTRY_TIMEOUT_MS);
		if (!rc) {
			all.revoked += part.revoked;
			all.lost += part.lost;
		}
	} while (!rc && part.more);
	if (rc == ERR_UNCHANGED && all.revoked)
		rc = 0;
	if (rc)
		return registry_failure(call, rc);
	if (call->json) {
		rc = json_show(record_to_json(&record_merge, &all));
		return rc ? report_failure(rc) : EXIT_DONE;
	}
	printf("%u pumps are revoked again, %u certificates stay lost\n", all.revoked, all.lost);
	if (all.lost)
		puts("pumps whose certificate was lost must enrol again: pumpctl backup gap");
	return EXIT_DONE;
}

static int backup_gap_run(const struct call *call)
{
	static const struct column columns[] = {
		{"KIND", "kind"}, {"PUMP", "device"},	 {"CERTIFICATE", "cert_serial"},
		{"SINCE", "at"},  {"FOUND", "found_at"}, {"MERGED", "merged_at"},
	};
	const struct listing l = {.verb = REGISTRY_GAP_LIST,
				  .desc = &record_gap,
				  .columns = columns,
				  .n_columns = sizeof(columns) / sizeof(columns[0]),
				  .key = "key",
				  .none = "the registry lacks nothing that the signer knows"};
	struct list_query q = {0};

	return listing_show(call, &l, &q, 0);
}

const struct verb verb_backup_create = {
	.group = "backup",
	.name = "create",
	.operands = "DIR",
	.n_operands = 1,
	.summary = "Copy both databases into the new folder DIR while the server runs, and verify",
	.examples = {"backup create /srv/backup/pumpgate-2026-11-22",
		     "backup create /srv/backup/today --json", "--home /tmp/try backup create b1"},
	.run = backup_create_run,
};

const struct verb verb_backup_restore = {
	.group = "backup",
	.name = "restore",
	.operands = "DIR",
	.n_operands = 1,
	.summary = "Put a backup in the databases' place; the server must be stopped",
	.examples = {"backup restore /srv/backup/pumpgate-2026-11-22",
		     "backup restore /srv/backup/today --json",
		     "--home /tmp/try backup restore b1"},
	.run = backup_restore_run,
};

const struct verb verb_backup_merge = {
	.group = "backup",
	.name = "merge",
	.operands = "",
	.summary = "After a restore: revoke again what the signer knows as revoked",
	.examples = {"backup merge", "backup merge --json", "--home /tmp/try backup merge"},
	.run = backup_merge_run,
};

const struct verb verb_backup_gap = {
	.group = "backup",
	.name = "gap",
	.operands = "",
	.summary = "List what a restored registry lacks: revocations, and pumps that must enrol "
		   "again",
	.examples = {"backup gap", "backup gap --json", "--home /tmp/try backup gap"},
	.run = backup_gap_run,
};
