/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the files of a backup as files. Never opens a database. */
#include "sql/store/backup_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"

#define NOTE_NAME "backup.ini"
#define CHUNK 65536

int folder_path(const char *folder, const char *name, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);

	return n > 0 && n < PATH_MAX ? 0 : err_set(ERR_LIMIT, "%s: path too long", folder);
}

int folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) ? err_errno(ERR_IO, "%s", folder) : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

void folder_remove(const char *folder)
{
	static const char *const names[] = {
		"registry.db",		 "registry.db-wal",	"registry.db-shm",
		"registry.db-journal",	 "sessions.db",		"sessions.db-wal",
		"sessions.db-shm",	 "sessions.db-journal", NOTE_NAME,
		"clinicians.db",	 "clinicians.db-wal",	"clinicians.db-shm",
		"clinicians.db-journal", "clinicians.ini"};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!folder_path(folder, names[i], path))
			unlink(path);
	rmdir(folder);
}

/* to < 0: only the digest. */
static int fd_sum(int from, int to, uint8_t hash[crypto_hash_sha256_BYTES])
{
	crypto_hash_sha256_state sum;
	uint8_t chunk[CHUNK];
	ssize_t n;

	crypto_hash_sha256_init(&sum);
	while ((n = read(from, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (to >= 0 && fd_write_all(to, chunk, (size_t)n)))
			return -1;
		crypto_hash_sha256_update(&sum, chunk, (size_t)n);
	}
	crypto_hash_sha256_final(&sum, hash);
	explicit_bzero(chunk, sizeof(chunk)); /* NAS secrets are in there */
	return to >= 0 ? fsync(to) : 0;
}

int file_sum(const char *path, const char *to, char out[BACKUP_SUM_SIZE])
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), copy = -1, rc = 0;

	if (from < 0)
		return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", path);
	if (to) {
		copy = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (copy < 0)
			rc = err_errno(ERR_IO, "%s", to);
	}
	if (!rc && fd_sum(from, copy, hash))
		rc = err_errno(ERR_IO, "reading %s", path);
	if (!rc)
		hex_encode(hash, sizeof(hash), out, BACKUP_SUM_SIZE);
	close(from);
	if (copy >= 0 && close(copy) && !rc)
		rc = err_errno(ERR_IO, "%s", to);
	return rc;
}

int backup_note_write(const char *folder, const struct backup_note *note, int64_t at)
{
	AUTO_BUF b = {.max = 4096};
	char path[PATH_MAX], when[CLOCK_TEXT_MAX];
	int rc = folder_path(folder, NOTE_NAME, path);

	clock_format(at, when);
	if (!rc)
		rc = buf_printf(&b,
				"[backup]\nversion = 1\nmade_at = %s\ndevices = %" PRIu64
				"\ncertificates = %" PRIu64 "\naudit_rows = %" PRIu64
				"\naudit_head = %s\nregistry_sha256 = %s\nsessions_sha256 = %s\n",
				when, note->state.devices, note->state.certificates,
				note->state.audit_rows, note->state.audit_head, note->registry_sum,
				note->sessions_sum);
	return rc ? rc : buf_write_file(path, 0600, b.data, b.len);
}

static int word_take(struct config *c, const char *key, char *out, size_t size)
{
	const char *text = config_str(c, "backup", key, "");

	return *text && !str_copy(out, size, text)
		       ? 0
		       : err_set(ERR_CORRUPT, NOTE_NAME ": %s is missing or wrong", key);
}

static int number_take(struct config *c, const char *key, uint64_t *out)
{
	return sscanf(config_str(c, "backup", key, ""), "%" SCNu64, out) == 1
		       ? 0
		       : err_set(ERR_CORRUPT, NOTE_NAME ": %s is missing or wrong", key);
}

int backup_note_read(const char *folder, struct backup_note *out)
{
	AUTO_CONFIG c = NULL;
	char path[PATH_MAX];
	uint64_t version;
	int rc = folder_path(folder, NOTE_NAME, path);

	*out = (struct backup_note){0};
	if (rc)
		return rc;
	rc = config_read(path, &c);
	if (rc)
		return rc == ERR_NOT_FOUND
			       ? err_set(rc, "%s is no backup: it has no " NOTE_NAME, folder)
			       : rc;
	if ((rc = number_take(c, "version", &version)))
		return rc;
	if (version != 1)
		return err_set(ERR_NEWER, "%s was made by a newer Pumpgate", folder);
	if ((rc = word_take(c, "made_at", out->state.text, sizeof(out->state.text))) ||
	    (rc = number_take(c, "devices", &out->state.devices)) ||
	    (rc = number_take(c, "certificates", &out->state.certificates)) ||
	    (rc = number_take(c, "audit_rows", &out->state.audit_rows)) ||
	    (rc = word_take(c, "audit_head", out->state.audit_head,
			    sizeof(out->state.audit_head))) ||
	    (rc = word_take(c, "registry_sha256", out->registry_sum, sizeof(out->registry_sum))))
		return rc;
	return word_take(c, "sessions_sha256", out->sessions_sum, sizeof(out->sessions_sum));
}
