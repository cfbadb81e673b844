/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the names and modes of the agent's files. Never decides what to do with them. */
#include "pump_agent/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "pump_agent/anchors.h"
#include "pump_agent/credential.h"
#include "pump_agent/tpm.h"

#define SMALL_FILE_MAX 16384

#define KEY_FILE "key.pem"
#define TPM_KEY_FILE "key.tss2"
#define CERT_FILE "cert.pem"

static const char *const SLOT_NAME[] = {[SLOT_A] = "a", [SLOT_B] = "b"};

int store_path(const struct store *s, const char *name, char out[PATH_MAX])
{
	if (snprintf(out, PATH_MAX, "%s/%s", s->dir, name) >= PATH_MAX)
		return err_set(ERR_LIMIT, "%.64s...: path too long", s->dir);
	return 0;
}

static int slot_path(const struct store *s, enum slot slot, const char *name, char out[PATH_MAX])
{
	char rel[64];

	snprintf(rel, sizeof(rel), "%s/%s", SLOT_NAME[slot], name);
	return store_path(s, rel, out);
}

static int folder_make(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, 0700) == 0 && chmod(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return err_errno(ERR_IO, "%s", path);
	if (stat(path, &st))
		return err_errno(ERR_IO, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(ERR_DENIED, "%s: is not a folder", path);
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return err_set(ERR_DENIED,
			       "%s: must belong to this user and to nobody else; "
			       "chown it and chmod go-w",
			       path);
	return 0;
}

static int lock_take(struct store *s)
{
	char path[PATH_MAX];
	int rc = store_path(s, "lock", path);

	if (rc)
		return rc;
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return err_errno(ERR_IO, "%s", path);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	rc = errno == EWOULDBLOCK ? err_set(ERR_BUSY, "%s: another agent is running on it", s->dir)
				  : err_errno(ERR_IO, "%s", path);
	close(s->lock_fd);
	s->lock_fd = -1;
	return rc;
}

/* What an agent that was killed left behind: half-written files, dead sockets. */
static void folder_sweep(const char *path, const char *left_over)
{
	DIR *d = opendir(path);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (strstr(e->d_name, left_over))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

int store_open(const char *dir, struct store *out)
{
	static const char *const folders[] = {"a", "b", "run"};
	char path[PATH_MAX];
	int rc = folder_make(dir, 0711); /* status.json is for everybody */

	/* wpa_supplicant, which is told a path in it, has a working folder of its own */
	if (!rc && !realpath(dir, path))
		rc = err_errno(ERR_IO, "%s", dir);
	rc = rc ? rc : str_copy(out->dir, sizeof(out->dir), path);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && !rc; i++) {
		rc = store_path(out, folders[i], path);
		rc = rc ? rc : folder_make(path, 0700);
	}
	rc = rc ? rc : lock_take(out);
	if (rc)
		return rc;
	folder_sweep(dir, ".tmp.");
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (!store_path(out, folders[i], path))
			folder_sweep(path, strcmp(folders[i], "run") ? ".tmp." : "wpa_ctrl_");
	return 0;
}

void store_close(struct store *s)
{
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	s->lock_fd = -1;
}

static int small_read(const char *path, struct buf *out)
{
	buf_init(out, SMALL_FILE_MAX);
	return buf_read_file(out, path);
}

static int file_overwrite(int fd)
{
	uint8_t noise[4096];
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	for (off_t left = st.st_size; left > 0; left -= (off_t)sizeof(noise)) {
		size_t n = left < (off_t)sizeof(noise) ? (size_t)left : sizeof(noise);

		secret_fill_random(noise, n);
		if (fd_write_all(fd, noise, n))
			return -1;
	}
	return fsync(fd);
}

int store_file_wipe(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc = 0;

	if (fd >= 0) {
		if (file_overwrite(fd))
			rc = err_errno(ERR_IO, "%s", path);
		close(fd);
	}
	if (unlink(path) && errno != ENOENT)
		rc = err_errno(ERR_IO, "%s", path);
	return rc;
}

int store_anchors_path(const struct store *s, const struct pump_settings *set, enum anchors_of what,
		       char out[PATH_MAX])
{
	char hash[2 * ANCHOR_HASH_BYTES + 1];
	char name[64];

	hex_encode(set->anchor_hash, ANCHOR_HASH_BYTES, hash, sizeof(hash));
	snprintf(name, sizeof(name), "%s-%.16s.pem", what == ANCHORS_SERVER ? "anchors" : "devices",
		 hash);
	return store_path(s, name, out);
}

int store_anchors_read(const struct store *s, const struct pump_settings *set, enum anchors_of what,
		       STACK_OF(X509) * *out)
{
	AUTO_BUF pem = {.max = EST_ANSWER_MAX};
	char path[PATH_MAX];
	int rc = store_anchors_path(s, set, what, path);

	rc = rc ? rc : buf_read_file(&pem, path);
	rc = rc ? rc : certs_pem_parse(pem.data, pem.len, out);
	return rc ? err_add(rc, "trust anchors") : 0;
}

int store_anchors_write(const struct store *s, const struct pump_settings *set,
			enum anchors_of what, const STACK_OF(X509) * certs)
{
	AUTO_BUF pem = {.max = EST_ANSWER_MAX};
	char path[PATH_MAX];
	int rc = store_anchors_path(s, set, what, path);

	rc = rc ? rc : certs_pem_build(certs, &pem);
	return rc ? rc : buf_write_file(path, 0644, pem.data, pem.len); /* public */
}

int store_anchors_update(const struct store *s, const struct pump_settings *set,
			 enum anchors_of what, const STACK_OF(X509) * certs, bool *changed_out)
{
	AUTO_BUF pem = {.max = EST_ANSWER_MAX};
	AUTO_BUF there = {.max = EST_ANSWER_MAX};
	char path[PATH_MAX];
	int rc = store_anchors_path(s, set, what, path);

	rc = rc ? rc : certs_pem_build(certs, &pem);
	if (rc)
		return rc;
	if (!buf_read_file(&there, path) && there.len == pem.len &&
	    !memcmp(there.data, pem.data, pem.len))
		return 0;
	rc = buf_write_file(path, 0644, pem.data, pem.len);
	*changed_out = *changed_out || !rc;
	return rc;
}

static int tpm_key_read(const struct store *s, enum slot slot, EVP_PKEY **out)
{
	AUTO_BUF der = {0};
	char path[PATH_MAX];
	int rc = slot_path(s, slot, TPM_KEY_FILE, path);

	rc = rc ? rc : small_read(path, &der);
	return rc ? rc : tpm_key_parse(der.data, der.len, out);
}

int store_key_path(const struct store *s, enum slot slot, char out[PATH_MAX])
{
	return slot_path(s, slot, TPM_KEY_FILE, out);
}

int store_cert_path(const struct store *s, enum slot slot, char out[PATH_MAX])
{
	return slot_path(s, slot, CERT_FILE, out);
}

int store_key_read(const struct store *s, enum slot slot, EVP_PKEY **out)
{
	AUTO_BUF pem = {0};
	char path[PATH_MAX];
	int rc = slot_path(s, slot, KEY_FILE, path);

	rc = rc ? rc : small_read(path, &pem);
	rc = rc ? rc : credential_key_parse(pem.data, pem.len, out);
	if (rc == ERR_NOT_FOUND)
		rc = tpm_key_read(s, slot, out);
	return rc ? err_add(rc, "slot %s", SLOT_NAME[slot]) : 0;
}

int store_key_write(const struct store *s, enum slot slot, const EVP_PKEY *key)
{
	AUTO_BUF pem = {.max = SMALL_FILE_MAX};
	char path[PATH_MAX];
	bool in_tpm = tpm_key_is(key);
	int rc = slot_path(s, slot, in_tpm ? TPM_KEY_FILE : KEY_FILE, path);

	rc = rc ? rc : in_tpm ? tpm_key_build(key, &pem) : credential_key_build(key, &pem);
	return rc ? rc : buf_write_file(path, 0600, pem.data, pem.len);
}

int store_cert_read(const struct store *s, enum slot slot, X509 **out)
{
	AUTO_BUF pem = {0};
	AUTO_X509S certs = NULL;
	char path[PATH_MAX];
	int rc = slot_path(s, slot, CERT_FILE, path);

	rc = rc ? rc : small_read(path, &pem);
	rc = rc ? rc : certs_pem_parse(pem.data, pem.len, &certs);
	if (rc)
		return err_add(rc, "slot %s", SLOT_NAME[slot]);
	*out = sk_X509_shift(certs);
	return 0;
}

int store_cert_write(const struct store *s, enum slot slot, X509 *cert)
{
	AUTO_BUF pem = {.max = SMALL_FILE_MAX};
	AUTO_X509S one = sk_X509_new_null();
	char path[PATH_MAX];
	int rc = slot_path(s, slot, CERT_FILE, path);

	if (rc)
		return rc;
	if (!one || !X509_up_ref(cert) || !sk_X509_push(one, cert))
		return err_set(ERR_NOMEM, "no memory for a certificate");
	rc = certs_pem_build(one, &pem);
	return rc ? rc : buf_write_file(path, 0600, pem.data, pem.len);
}

int store_slot_purpose(const struct store *s, enum slot slot, char out[SLOT_PURPOSE_MAX])
{
	AUTO_BUF text = {0};
	char path[PATH_MAX];
	int rc = slot_path(s, slot, "for", path);

	rc = rc ? rc : small_read(path, &text);
	out[0] = '\0';
	if (rc == ERR_NOT_FOUND)
		return 0;
	return rc ? rc : str_copy(out, SLOT_PURPOSE_MAX, buf_cstr(&text) ? buf_cstr(&text) : "");
}

int store_slot_clear(const struct store *s, enum slot slot)
{
	static const char *const files[] = {"for", CERT_FILE, KEY_FILE, TPM_KEY_FILE};
	char path[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !rc; i++) {
		rc = slot_path(s, slot, files[i], path);
		rc = rc ? rc : store_file_wipe(path);
	}
	return rc;
}

int store_slot_begin(const struct store *s, enum slot slot, const char *purpose)
{
	char path[PATH_MAX];
	int rc = store_slot_clear(s, slot);

	rc = rc ? rc : slot_path(s, slot, "for", path);
	return rc ? rc : buf_write_file(path, 0600, purpose, strlen(purpose));
}
