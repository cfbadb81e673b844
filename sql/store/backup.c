/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns making a backup and putting one in the place of the databases. A copy counts only after it
 * was read back; a restore never removes what it replaces.
 */
#include "sql/store/backup.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/store/backup_folder.h"
#include "sql/store/session_store.h"
#include "sql/store/store_db.h"

#define STAGED "restore-"
#define ASIDE "before-restore-"

struct tally {
	int64_t devices, certificates, tokens, events, sessions;
};

static int tally_take(struct db *registry, struct db *sessions, struct tally *out)
{
	int rc = db_number(registry, &out->devices, "SELECT count(*) FROM devices");

	if (!rc)
		rc = db_number(registry, &out->certificates, "SELECT count(*) FROM certificates");
	if (!rc)
		rc = db_number(registry, &out->tokens, "SELECT count(*) FROM tokens");
	if (!rc)
		rc = db_number(sessions, &out->events, "SELECT count(*) FROM events");
	return rc ? rc : db_number(sessions, &out->sessions, "SELECT count(*) FROM sessions");
}

/* Integrity of both, and the registry's audit chain. */
static int copies_read(struct db *registry, struct db *sessions, struct audit_check *audit)
{
	struct store st = {.db = registry};
	int rc = db_integrity_check(registry);

	if (!rc)
		rc = db_integrity_check(sessions);
	if (!rc)
		rc = store_audit_verify(&st, audit);
	if (!rc && !audit->intact)
		rc = err_set(ERR_CORRUPT, "the audit chain is broken at row %" PRIu64 ": %s",
			     audit->bad_seq, audit->text);
	return rc;
}

/* One file without a log beside it. */
static int copy_close_up(struct db **db)
{
	int rc = db_script(*db, "PRAGMA journal_mode = DELETE;");

	db_close(*db);
	*db = NULL;
	return rc;
}

struct stage {
	backup_step step;
	void *ctx;
	uint64_t before; /* pages of the other database */
	uint64_t total;
};

static bool stage_step(void *ctx, uint64_t done, uint64_t total)
{
	struct stage *s = ctx;

	(void)total;
	return s->step(s->ctx, s->before + done, s->total);
}

static int pages_of(struct db *db, uint64_t *out)
{
	int64_t n;
	int rc = db_number(db, &n, "SELECT page_count FROM pragma_page_count");

	*out = rc ? 0 : (uint64_t)n;
	return rc;
}

/* Both as they are now: the snapshots are taken one right after the other, the sessions first, so
 * that the registry is never the older one. */
static int both_copy(struct db *registry, struct db *sessions, const char *to_registry,
		     const char *to_sessions, struct stage *stage)
{
	uint64_t pages;
	int rc = pages_of(sessions, &stage->total);

	if (!rc)
		rc = pages_of(registry, &pages);
	if (rc)
		return rc;
	rc = db_copy(sessions, to_sessions, stage_step, stage);
	stage->before = stage->total;
	stage->total += pages;
	return rc ? rc : db_copy(registry, to_registry, stage_step, stage);
}

static int copies_verify(const char *to_registry, const char *to_sessions, const struct tally *want,
			 const struct action *by, struct backup_note *note)
{
	AUTO_DB registry = NULL;
	AUTO_DB sessions = NULL;
	struct audit_check audit = {0};
	struct tally have;
	int rc = db_open(to_registry, DB_WRITE, DB_SYNC_FULL, &registry);

	if (!rc)
		rc = db_open(to_sessions, DB_WRITE, DB_SYNC_FULL, &sessions);
	if (!rc)
		rc = copies_read(registry, sessions, &audit);
	if (!rc)
		rc = tally_take(registry, sessions, &have);
	if (!rc && memcmp(&have, want, sizeof(have)))
		rc = err_set(ERR_CORRUPT, "the copy has other rows than the databases");
	if (!rc) {
		struct store st = {.db = registry};

		rc = store_mark_copy(&st, by, "backup.create", "copy=yes");
	}
	if (!rc) {
		struct store st = {.db = registry};

		rc = store_audit_verify(&st, &audit);
	}
	if (rc)
		return rc;
	note->state.devices = (uint64_t)have.devices;
	note->state.certificates = (uint64_t)have.certificates;
	note->state.audit_rows = audit.rows;
	memcpy(note->state.audit_head, audit.head, sizeof(note->state.audit_head));
	rc = copy_close_up(&registry);
	return rc ? rc : copy_close_up(&sessions);
}

static int folder_fill(const char *from_registry, const char *from_sessions, const char *folder,
		       const struct action *by, struct stage *stage, struct backup_note *note)
{
	char to_registry[PATH_MAX], to_sessions[PATH_MAX];
	AUTO_DB registry = NULL;
	AUTO_DB sessions = NULL;
	struct tally want = {0};
	int rc = folder_path(folder, BACKUP_REGISTRY, to_registry);

	if (rc || (rc = folder_path(folder, BACKUP_SESSIONS, to_sessions)) ||
	    (rc = db_open(from_sessions, DB_READ, DB_SYNC_NORMAL, &sessions)) ||
	    (rc = db_open(from_registry, DB_READ, DB_SYNC_FULL, &registry)) ||
	    (rc = db_run(sessions, "BEGIN")) || (rc = db_run(registry, "BEGIN")) ||
	    (rc = tally_take(registry, sessions, &want)) ||
	    (rc = both_copy(registry, sessions, to_registry, to_sessions, stage)) ||
	    (rc = copies_verify(to_registry, to_sessions, &want, by, note)) ||
	    (rc = file_sum(to_registry, NULL, note->registry_sum)) ||
	    (rc = file_sum(to_sessions, NULL, note->sessions_sum)) ||
	    (rc = backup_note_write(folder, note, by->at)))
		return rc;
	return folder_sync(folder);
}

int backup_make(const char *registry, const char *sessions, const char *folder,
		const struct action *by, backup_step step, void *ctx, struct backup_state *out)
{
	struct stage stage = {.step = step, .ctx = ctx};
	struct backup_note note = {0};
	int rc;

	if (mkdir(folder, 0700))
		return err_errno(errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s", folder);
	rc = folder_fill(registry, sessions, folder, by, &stage, &note);
	if (rc) {
		folder_remove(folder);
		return rc;
	}
	*out = note.state;
	return 0;
}

static int copied_check(const char *from, const char *name, const char *folder, const char *sum)
{
	char source[PATH_MAX], to[PATH_MAX], got[BACKUP_SUM_SIZE];
	int rc = folder_path(from, name, source);

	if (rc || (rc = folder_path(folder, name, to)) || (rc = file_sum(source, to, got)))
		return rc;
	return strcmp(got, sum) ? err_set(ERR_CORRUPT,
					  "%s is not the file that was backed up (SHA-256)", source)
				: 0;
}

/* The copies in `folder` are brought to this release, read, and marked. */
static int staged_make_ready(const char *folder, const struct action *by,
			     const struct backup_note *note)
{
	char path[PATH_MAX], detail[TEXT_SIZE];
	AUTO_DB registry = NULL;
	AUTO_DB sessions = NULL;
	struct audit_check audit = {0};
	struct store st;
	unsigned from, to;
	int rc = folder_path(folder, BACKUP_REGISTRY, path);

	if (rc || (rc = store_upgrade(path, &from, &to)) ||
	    (rc = db_open(path, DB_WRITE, DB_SYNC_FULL, &registry)) ||
	    (rc = folder_path(folder, BACKUP_SESSIONS, path)) ||
	    (rc = session_store_upgrade(path, &from, &to)) ||
	    (rc = db_open(path, DB_WRITE, DB_SYNC_FULL, &sessions)) ||
	    (rc = copies_read(registry, sessions, &audit)))
		return rc;
	if (audit.rows != note->state.audit_rows || strcmp(audit.head, note->state.audit_head))
		return err_set(ERR_CORRUPT, "the audit is not the one that was backed up");
	st.db = registry;
	snprintf(detail, sizeof(detail), "made_at=%s", note->state.text);
	if ((rc = store_mark_copy(&st, by, "backup.restore", detail)) ||
	    (rc = copy_close_up(&registry)))
		return rc;
	return copy_close_up(&sessions);
}

int backup_stage(const char *backup, const char *folder, const struct action *by,
		 struct backup_state *out)
{
	char fresh[PATH_MAX], staged[PATH_MAX], name[64];
	struct backup_note note;
	int rc = backup_note_read(backup, &note);

	snprintf(name, sizeof(name), STAGED "%" PRId64, by->at);
	if (rc || (rc = folder_path(folder, "restoring", fresh)) ||
	    (rc = folder_path(folder, name, staged)))
		return rc;
	folder_remove(fresh); /* of an attempt that was cut short */
	if (mkdir(fresh, 0700))
		return err_errno(ERR_IO, "%s", fresh);
	if ((rc = copied_check(backup, BACKUP_REGISTRY, fresh, note.registry_sum)) ||
	    (rc = copied_check(backup, BACKUP_SESSIONS, fresh, note.sessions_sum)) ||
	    (rc = staged_make_ready(fresh, by, &note)) || (rc = folder_sync(fresh))) {
		folder_remove(fresh);
		return rc;
	}
	if (rename(fresh, staged))
		return err_errno(ERR_IO, "%s", staged);
	*out = note.state;
	return folder_sync(folder);
}

/* The log goes before the database would be taken for its own: only when nothing of the old one is
 * left does the new file come. */
static int database_replace(const char *folder, const char *staged, const char *aside,
			    const char *name)
{
	static const char *const parts[] = {"", "-wal", "-shm"};
	char from[PATH_MAX], to[PATH_MAX], part[64];
	int rc;

	if ((rc = folder_path(staged, name, from)))
		return rc;
	if (access(from, F_OK))
		return 0; /* done before */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(part, sizeof(part), "%s%s", name, parts[i]);
		if ((rc = folder_path(folder, part, from)) || (rc = folder_path(aside, part, to)))
			return rc;
		if (rename(from, to) && errno != ENOENT)
			return err_errno(ERR_IO, "%s", to);
	}
	if ((rc = folder_sync(aside)) || (rc = folder_sync(folder)) ||
	    (rc = folder_path(staged, name, from)) || (rc = folder_path(folder, name, to)))
		return rc;
	return rename(from, to) ? err_errno(ERR_IO, "%s", to) : folder_sync(folder);
}

static int staged_settle(const char *folder, const char *staged, char aside[PATH_MAX])
{
	char name[PATH_MAX];
	int rc;

	snprintf(name, sizeof(name), ASIDE "%s", strrchr(staged, '-') + 1);
	if ((rc = folder_path(folder, name, aside)))
		return rc;
	if (mkdir(aside, 0700) && errno != EEXIST)
		return err_errno(ERR_IO, "%s", aside);
	if ((rc = database_replace(folder, staged, aside, BACKUP_REGISTRY)) ||
	    (rc = database_replace(folder, staged, aside, BACKUP_SESSIONS)) ||
	    (rc = database_replace(folder, staged, aside, BACKUP_CLINICIANS)))
		return rc;
	folder_remove(staged);
	return 0;
}

int backup_settle(const char *folder, char aside_out[PATH_MAX])
{
	char pattern[PATH_MAX];
	glob_t found = {0};
	int rc = folder_path(folder, STAGED "[0-9]*", pattern);

	*aside_out = '\0';
	if (rc || glob(pattern, 0, NULL, &found))
		return rc; /* none */
	for (size_t i = 0; !rc && i < found.gl_pathc; i++)
		rc = staged_settle(folder, found.gl_pathv[i], aside_out);
	globfree(&found);
	return rc;
}
