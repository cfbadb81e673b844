/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns making a copy of the clinician database, and taking one in. */
#include "sql/people/copies.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "sql/people/people_db.h"
#include "sql/store/backup_folder.h"

#define NOTE_NAME "clinicians.ini"

struct note {
	struct people_copy copy;
	char head[BACKUP_SUM_SIZE];
	char sum[BACKUP_SUM_SIZE];
	char pepper[BACKUP_SUM_SIZE];
};

static bool copy_goes_on(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)done;
	(void)total;
	return true;
}

/* Integrity, audit chain, what it holds. */
static int copy_read(struct db *db, int64_t now_ms, struct people_copy *out,
		     char head[BACKUP_SUM_SIZE])
{
	struct people p = {.st.db = db};
	struct cred_status st = {0};
	struct audit_check audit = {0};
	int rc = db_integrity_check(db);

	if (!rc)
		rc = people_audit_verify(&p, &audit);
	if (!rc && !audit.intact)
		rc = err_set(ERR_CORRUPT, "the audit chain is broken at row %" PRIu64 ": %s",
			     audit.bad_seq, audit.text);
	if (!rc)
		rc = people_status(&p, now_ms, &st);
	if (rc)
		return rc;
	out->users = st.users;
	out->disabled = st.disabled;
	out->audit_rows = audit.rows;
	return str_copy(head, BACKUP_SUM_SIZE, audit.head);
}

static int note_write(const char *folder, const struct note *n, int64_t now_ms)
{
	AUTO_BUF b = {.max = 2048};
	char path[PATH_MAX], when[CLOCK_TEXT_MAX];
	int rc = folder_path(folder, NOTE_NAME, path);

	clock_format(now_ms, when);
	if (!rc)
		rc = buf_printf(
			&b,
			"[clinicians]\nversion = 1\nmade_at = %s\nusers = %" PRIu64
			"\naudit_rows = %" PRIu64 "\naudit_head = %s\nsha256 = %s\npepper = %s\n",
			when, n->copy.users, n->copy.audit_rows, n->head, n->sum, n->pepper);
	return rc ? rc : buf_write_file(path, 0600, b.data, b.len);
}

static int copy_fill(struct people *p, const char *folder, const char *pepper, int64_t now_ms,
		     struct note *n)
{
	char path[PATH_MAX];
	AUTO_DB db = NULL;
	int rc = folder_path(folder, BACKUP_CLINICIANS, path);

	if (!rc)
		rc = db_copy(p->st.db, path, copy_goes_on, NULL);
	if (!rc)
		rc = db_open(path, DB_WRITE, DB_SYNC_FULL, &db);
	if (!rc)
		rc = copy_read(db, now_ms, &n->copy, n->head);
	if (!rc) /* one file without a log beside it */
		rc = db_script(db, "PRAGMA journal_mode = DELETE;");
	db_close(db);
	db = NULL;
	if (!rc)
		rc = file_sum(path, NULL, n->sum);
	if (!rc)
		rc = str_copy(n->pepper, sizeof(n->pepper), pepper);
	if (!rc)
		rc = note_write(folder, n, now_ms);
	return rc ? rc : folder_sync(folder);
}

int people_copy_make(struct people *p, const char *folder, const char *pepper, int64_t now_ms,
		     struct people_copy *out)
{
	struct note n = {0};
	int rc;

	if (mkdir(folder, 0700))
		return err_errno(errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s", folder);
	rc = copy_fill(p, folder, pepper, now_ms, &n);
	if (rc) {
		folder_remove(folder);
		return rc;
	}
	*out = n.copy;
	return 0;
}

static int word_take(struct config *c, const char *key, char *out, size_t size)
{
	const char *text = config_str(c, "clinicians", key, "");

	return *text && !str_copy(out, size, text)
		       ? 0
		       : err_set(ERR_CORRUPT, NOTE_NAME ": %s is missing or wrong", key);
}

static int note_read(const char *folder, struct note *n)
{
	AUTO_CONFIG c = NULL;
	char path[PATH_MAX], rows[32];
	int rc = folder_path(folder, NOTE_NAME, path);

	*n = (struct note){0};
	if (rc || (rc = config_read(path, &c)))
		return rc == ERR_NOT_FOUND ? err_set(rc, "%s has no clinicians in it", folder) : rc;
	if (strcmp(config_str(c, "clinicians", "version", ""), "1") != 0)
		return err_set(ERR_NEWER, "%s was made by a newer Pumpgate", folder);
	if ((rc = word_take(c, "made_at", n->copy.made_at, sizeof(n->copy.made_at))) ||
	    (rc = word_take(c, "audit_rows", rows, sizeof(rows))) ||
	    (rc = word_take(c, "audit_head", n->head, sizeof(n->head))) ||
	    (rc = word_take(c, "sha256", n->sum, sizeof(n->sum))) ||
	    (rc = word_take(c, "pepper", n->pepper, sizeof(n->pepper))))
		return rc;
	return sscanf(rows, "%" SCNu64, &n->copy.audit_rows) == 1
		       ? 0
		       : err_set(ERR_CORRUPT, NOTE_NAME ": audit_rows is wrong");
}

/* In one transaction: what a copy must not bring back, and the row that says so. */
static int copy_mark(struct db *db, const struct action *by, const char *made_at,
		     uint64_t *codes_out)
{
	int64_t codes = 0;
	AUTO_TX tx = {0};
	int rc = tx_begin(&tx, db);

	if (!rc)
		rc = db_run_count(db, &codes,
				  "UPDATE break_glass SET state = 'void' WHERE state = 'open'");
	if (!rc) /* as policy_raise (catch_up.c): above what any pump has heard */
		rc = db_run(db, "UPDATE policy SET epoch = max(epoch + 1, ?1) WHERE one = 1",
			    DB_I(by->at / 1000));
	if (!rc)
		rc = audit_append(db, by, "backup.restore", "", "made_at=%s codes-void=%" PRId64,
				  made_at, codes);
	*codes_out = (uint64_t)codes;
	return rc ? rc : tx_commit(&tx);
}

static int copy_make_ready(const char *path, const struct note *n, const struct action *by,
			   struct people_copy *out)
{
	char head[BACKUP_SUM_SIZE];
	unsigned from, to;
	AUTO_DB db = NULL;
	int rc = people_upgrade(path, &from, &to);

	if (!rc)
		rc = db_open(path, DB_WRITE, DB_SYNC_FULL, &db);
	if (!rc)
		rc = copy_read(db, by->at, out, head);
	if (!rc && (out->audit_rows != n->copy.audit_rows || strcmp(head, n->head) != 0))
		rc = err_set(ERR_CORRUPT, "the audit is not the one that was backed up");
	if (!rc)
		rc = copy_mark(db, by, n->copy.made_at, &out->codes_void);
	return rc ? rc : db_script(db, "PRAGMA journal_mode = DELETE;");
}

static int copy_take(const char *backup, const char *fresh, const struct note *n,
		     const struct action *by, struct people_copy *out)
{
	char from[PATH_MAX], to[PATH_MAX], got[BACKUP_SUM_SIZE];
	int rc = folder_path(backup, BACKUP_CLINICIANS, from);

	if (!rc)
		rc = folder_path(fresh, BACKUP_CLINICIANS, to);
	if (!rc)
		rc = file_sum(from, to, got);
	if (!rc && strcmp(got, n->sum) != 0)
		rc = err_set(ERR_CORRUPT, "%s is not the file that was backed up (SHA-256)", from);
	if (!rc)
		rc = copy_make_ready(to, n, by, out);
	return rc ? rc : folder_sync(fresh);
}

int people_copy_stage(const char *backup, const char *folder, const char *pepper,
		      const struct action *by, bool dry, struct people_copy *out)
{
	char fresh[PATH_MAX], staged[PATH_MAX], name[64];
	struct people_copy got = {0};
	struct note n;
	int rc = note_read(backup, &n);

	if (!rc && strcmp(n.pepper, pepper) != 0)
		rc = err_set(ERR_DENIED,
			     "the passwords in %s are under another key than cred/pepper here: put "
			     "the copy of that file back first (mode 0600, credd's)",
			     backup);
	snprintf(name, sizeof(name), "restore-%" PRId64, by->at);
	if (rc || (rc = folder_path(folder, "restoring", fresh)) ||
	    (rc = folder_path(folder, name, staged)))
		return rc;
	folder_remove(fresh); /* of an attempt that was cut short */
	if (mkdir(fresh, 0700))
		return err_errno(ERR_IO, "%s", fresh);
	rc = copy_take(backup, fresh, &n, by, &got);
	memcpy(got.made_at, n.copy.made_at, sizeof(got.made_at));
	if (!rc && !dry && rename(fresh, staged))
		rc = err_errno(ERR_IO, "%s", staged);
	if (rc || dry)
		folder_remove(fresh);
	if (rc)
		return rc;
	*out = got;
	return folder_sync(folder);
}
