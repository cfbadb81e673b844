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
#include "enroll/pumpctl/backup_parts.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/probe.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/settings.h"
#include "enroll/pumpctl/spawn.h"
#include "enroll/pumpctl/verbs.h"

#define POLL_MS 100
#define RESTORE_TIMEOUT_MS (6 * 3600 * 1000)
#define INCOMING "registry/incoming"

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

static void partial_remove(const char *folder)
{
	parts_remove(&parts_clinicians, folder);
	parts_remove(&parts_registry, folder);
}

/* ERR_DENIED: what a backup holds is for root, or for the one user that runs everything. */
static int rights_check(const char *home)
{
	static const char *const folders[] = {"registry", "cred"};
	char path[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; !rc && i < 2; i++)
		if (!home_path(home, folders[i], path) && access(path, R_OK | X_OK) &&
		    errno != ENOENT)
			rc = err_set(ERR_DENIED,
				     "only root may make a backup (or the one user that runs all "
				     "services): it holds the NAS secrets and the people");
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
	partial_remove(partial); /* of an attempt that was cut short */
	rc = parts_copy(&parts_registry, made, partial, &self, true);
	if (!rc && clinicians_are_there(home))
		rc = clinicians_fetch(home, partial);
	if (!rc && rename(partial, to))
		rc = err_errno(ERR_IO, "%s", to);
	if (rc)
		partial_remove(partial);
	parts_remove(&parts_registry, made);
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
	char to[PATH_MAX];
	int rc;

	if (target_take(call->operands[0], to))
		return report_usage();
	if (access(to, F_OK) == 0)
		return report_failure(err_set(ERR_EXISTS, "%s is there already", to));
	rc = rights_check(home_dir(call->home));
	if (rc)
		return report_failure(rc);
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
	if (clinicians_are_in(to))
		puts("with the clinicians' accounts; their passwords and PINs are under the key "
		     "HOME/cred/pepper, which never changes and is kept apart: without it they "
		     "are lost");
	puts("not in it: that key, the CA's keys and lists (HOME/ca), server keys, pumpgate.conf; "
	     "it holds NAS secrets: keep it closed");
	return EXIT_DONE;
}

struct restored {
	char aside[PATH_MAX];
	bool clinicians; /* in: they are wanted; out: they came */
	struct buf said;
};

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

/* The clinicians' part is looked at before anything is changed: it may be under another key. */
static int restore_into(const char *home, const char *backup, struct restored *out)
{
	struct settings s;
	struct owner o;
	AUTO_BUF said = {.max = 8192};
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
	out->clinicians = out->clinicians && clinicians_are_in(backup);
	if (out->clinicians && (rc = clinicians_restore(&s, backup, "check", &said)))
		return err_add(rc, "nothing was restored");
	parts_remove(&parts_registry, incoming);
	if ((rc = parts_copy(&parts_registry, backup, incoming, &o, true)))
		return rc == ERR_NOT_FOUND ? err_add(rc, "%s is no backup", backup) : rc;
	rc = restorer_run(&s, &o, incoming, out->aside);
	parts_remove(&parts_registry, incoming);
	if (!rc && out->clinicians && (rc = clinicians_restore(&s, backup, "restore", &out->said)))
		rc = err_add(rc, "the registry was restored; repeat for the rest");
	return rc;
}

static int backup_restore_run(const struct call *call)
{
	struct restored r = {.clinicians = !call_flag(call, "no-clinicians"), .said.max = 8192};
	char from[PATH_MAX];
	int rc;

	if (target_take(call->operands[0], from))
		return report_usage();
	rc = restore_into(home_dir(call->home), from, &r);
	if (!rc && call->json)
		rc = json_show(json_pack("{s:s s:s s:b}", "restored", from, "old", r.aside,
					 "clinicians", r.clinicians));
	if (!rc && !call->json) {
		printf("restored from %s; what was there is in %s\n", from, r.aside);
		if (r.clinicians)
			printf("clinicians: %s", r.said.len ? buf_cstr(&r.said) : "\n");
		else
			puts("no clinicians were restored: those here stay as they are");
		puts("next: start the server. Nobody is let on before signerd has told its lists; "
		     "what was revoked since the backup stays refused. Then: pumpctl status; "
		     "pumpctl backup merge");
	}
	buf_done(&r.said);
	return rc ? report_failure(rc) : EXIT_DONE;
}

/* How many accounts a restore left disabled, for a person to look at. Silent without credd. */
static void held_show(const char *home)
{
	struct settings s;
	struct probe found = {0};

	if (settings_read(home, &s))
		return;
	probe_take(&s, &found);
	if (found.cred && found.cred_status.held)
		printf("%" PRIu64 " accounts of clinicians are disabled because they were "
		       "withdrawn after the backup: pumpctl user list; then user enable, or leave "
		       "them\n",
		       found.cred_status.held);
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
	if (!call->json && (!rc || rc == ERR_UNCHANGED))
		held_show(home_dir(call->home));
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
	.summary = "Copy all databases into the new folder DIR while the server runs, and verify",
	.examples = {"backup create /srv/backup/pumpgate-2026-11-22",
		     "backup create /srv/backup/today --json", "--home /tmp/try backup create b1"},
	.run = backup_create_run,
};

static const struct option_spec restore_options[] = {
	{"no-clinicians", 0, OPTION_FLAG, NULL, "leave accounts as they are (cred/pepper is lost)",
	 false},
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
	VERB_OPTIONS(restore_options),
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
