/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what is wiped and in which order. Never destroys the key before the statement is on disk. */
#include "pump_agent/wipe.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pump_agent/credential.h"
#include "pump_agent/tpm.h"

#define STATEMENT "wipe-statement-"
#define DEPTH_MAX 4 /* folders in folders */

static void dir_auto_close(DIR **d)
{
	if (*d)
		closedir(*d);
}
#define AUTO_DIR __attribute__((cleanup(dir_auto_close))) DIR *

/* A file, or all that a folder holds; `path` itself stays when it is a folder. */
static int tree_wipe(const char *path, unsigned depth)
{
	AUTO_DIR d = NULL;
	const struct dirent *e;
	char below[PATH_MAX];
	struct stat st;
	int rc = 0;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : err_errno(ERR_IO, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return store_file_wipe(path);
	if (depth == DEPTH_MAX)
		return err_set(ERR_LIMIT, "%s: too many folders in folders", path);
	d = opendir(path);
	if (!d)
		return err_errno(ERR_IO, "%s", path);
	while (!rc && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path, e->d_name) >= (int)sizeof(below))
			return err_set(ERR_LIMIT, "%.64s...: path too long", path);
		rc = tree_wipe(below, depth + 1);
		if (!rc && rmdir(below) && errno != ENOENT && errno != ENOTDIR)
			rc = err_errno(ERR_IO, "%s", below);
	}
	return rc;
}

static int folder_wipe(const struct store *s, const char *name)
{
	char path[PATH_MAX];
	int rc = store_path(s, name, path);

	return rc ? rc : tree_wipe(path, 0);
}

bool wipe_has_people(const struct store *s)
{
	char path[PATH_MAX];

	return !store_path(s, WIPE_PEOPLE_FOLDER "/key", path) && !access(path, F_OK);
}

int wipe_people(const struct store *s)
{
	return folder_wipe(s, WIPE_PEOPLE_FOLDER);
}

/* Each of the paths between commas. */
static int more_wipe(const char *more)
{
	char path[PATH_MAX];
	int rc = 0;

	while (!rc && more && *more) {
		size_t len = strcspn(more, ",");
		size_t skip = strspn(more, " ");

		if (len - skip >= sizeof(path) || more[skip] != '/')
			return err_set(ERR_INVALID, "wipe: \"%.64s\" is no full path", more);
		memcpy(path, more + skip, len - skip);
		path[len - skip] = '\0';
		rc = tree_wipe(path, 0);
		more += len + (more[len] == ',');
	}
	return rc;
}

int wipe_statement_path(const struct store *s, const char *order, char out[PATH_MAX])
{
	char name[sizeof(STATEMENT) + WIPE_ORDER_SIZE];

	snprintf(name, sizeof(name), "%s%s", STATEMENT, order);
	return store_path(s, name, out);
}

int wipe_statement_read(const char *dir, struct buf *out)
{
	struct store s = {.lock_fd = -1};
	struct store_state state = {0};
	char path[PATH_MAX];
	int rc = str_copy(s.dir, sizeof(s.dir), dir);

	rc = rc ? rc : store_state_read(&s, &state);
	if (rc == ERR_NOT_FOUND || (!rc && !*state.wipe))
		return err_set(ERR_NOT_FOUND,
			       "%s: no statement waits: the pump was not wiped, or "
			       "its server has it",
			       dir);
	rc = rc ? rc : wipe_statement_path(&s, state.wipe, path);
	rc = rc ? rc : buf_read_file(out, path);
	return rc == ERR_NOT_FOUND ? err_set(rc,
					     "%s: the pump is still wiping itself, or its server "
					     "has the statement",
					     dir)
				   : rc;
}

static int statement_write(const struct wipe_order *o, const struct store_state *state,
			   EVP_PKEY *key, X509 *cert)
{
	struct wipe_statement st = {.key = "software", .at_ms = o->now_ms};
	AUTO_BUF text = {.max = WIPE_TEXT_MAX};
	AUTO_BUF signature = {.max = WIPE_SIGNATURE_MAX};
	AUTO_BUF whole = {.max = WIPE_ENVELOPE_MAX};
	char path[PATH_MAX];
	int rc = wipe_statement_path(o->store, state->wipe, path);

	if (tpm_key_is(key))
		snprintf(st.key, sizeof(st.key), "tpm");
	snprintf(st.device, sizeof(st.device), "%s", state->settings.pump);
	snprintf(st.order, sizeof(st.order), "%s", state->wipe);
	snprintf(st.wiped, sizeof(st.wiped), "clinicians, logs, other identity, bundle%s",
		 o->more ? ", named folders" : "");
	rc = rc ? rc : ossl_serial_hex(cert, st.certificate, sizeof(st.certificate));
	rc = rc ? rc : wipe_text_build(&st, &text);
	rc = rc ? rc : wipe_text_sign(key, &text, &signature);
	rc = rc ? rc : wipe_envelope_build(&text, &signature, cert, &whole);
	return rc ? rc : buf_write_file(path, 0600, whole.data, whole.len);
}

/* The statement, if the key can still make one. */
static int statement_have(const struct wipe_order *o, const struct store_state *state,
			  bool *unsigned_out)
{
	AUTO_PKEY key = NULL;
	AUTO_X509 cert = NULL;
	int rc;

	*unsigned_out = false;
	if (!wipe_is_delivered(o->store, state->wipe)) /* an earlier run wrote it */
		return 0;
	rc = store_key_read(o->store, state->active, &key);
	rc = rc ? rc : store_cert_read(o->store, state->active, &cert);
	rc = rc ? rc : statement_write(o, state, key, cert);
	*unsigned_out = rc && rc != ERR_IO && rc != ERR_FULL;
	return *unsigned_out ? 0 : rc;
}

int wipe_run(const struct wipe_order *o, struct store_state *state, bool *unsigned_out)
{
	struct store_state after = *state;
	int rc = wipe_people(o->store);

	*unsigned_out = false;
	rc = rc ? rc : folder_wipe(o->store, WIPE_LOG_FOLDER);
	rc = rc ? rc : more_wipe(o->more);
	rc = rc ? rc : store_slot_clear(o->store, slot_other(state->active));
	if (!rc && o->bundle)
		rc = store_file_wipe(o->bundle);
	if (rc || !state->enrolled)
		return rc;
	rc = statement_have(o, state, unsigned_out);
	rc = rc ? rc : store_slot_clear(o->store, state->active);
	after.enrolled = false;
	rc = rc ? rc : store_state_write(o->store, &after);
	if (!rc)
		*state = after;
	return rc;
}

bool wipe_is_delivered(const struct store *s, const char *order)
{
	char path[PATH_MAX];

	return !wipe_statement_path(s, order, path) && access(path, F_OK) && errno == ENOENT;
}

int wipe_delivered(const struct store *s, const char *order)
{
	char path[PATH_MAX];
	int rc = wipe_statement_path(s, order, path);

	/* not overwritten first: cut between the two, it would be a statement that nobody takes */
	if (!rc && unlink(path) && errno != ENOENT)
		rc = err_errno(ERR_IO, "%s", path);
	return rc;
}

int wipe_finish(const struct store *s)
{
	AUTO_DIR d = opendir(s->dir);
	const struct dirent *e;
	char path[PATH_MAX];
	int rc = d ? 0 : err_errno(ERR_IO, "%s", s->dir);

	while (!rc && (e = readdir(d)))
		if (!strncmp(e->d_name, "anchors-", 8) || !strncmp(e->d_name, "devices-", 8) ||
		    !strncmp(e->d_name, STATEMENT, strlen(STATEMENT))) {
			rc = store_path(s, e->d_name, path);
			rc = rc ? rc : store_file_wipe(path);
		}
	return rc ? rc : store_state_remove(s);
}
