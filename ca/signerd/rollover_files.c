/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns how files of HOME/ca change places. Never decides when. */
#include "ca/signerd/rollover_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ec.h>

#include "base/daemon.h"
#include "ca/pkcs11.h"
#include "ca/signerd/signerd.h"

int rollover_files(const char *home, const char *what, struct rollover *out)
{
	const struct {
		const char *part;
		char *path;
	} files[] = {{"ca.key", out->key},
		     {"ca.pem", out->cert},
		     {"next.key", out->next_key},
		     {"next.pem", out->next_cert},
		     {"old.key", out->old_key},
		     {"old.pem", out->old_cert},
		     {"retired.pem", out->retired_cert},
		     {"root.key", out->root_key},
		     {"root.pem", out->root_cert},
		     {"next-root.key", out->next_root_key},
		     {"next-root.pem", out->next_root_cert},
		     {"old-root.key", out->old_root_key},
		     {"old-root.pem", out->old_root_cert},
		     {"new-with-old.pem", out->new_with_old},
		     {"old-with-new.pem", out->old_with_new}};
	int rc = 0;

	out->home = home;
	out->what = what;
	out->root_kind = !strcmp(what, "device")   ? CA_KIND_DEVICE_ROOT
			 : !strcmp(what, "server") ? CA_KIND_SERVER_ROOT
						   : CA_KIND_NONE;
	if (out->root_kind == CA_KIND_NONE)
		rc = err_set(ERR_INVALID, "the CA is \"device\" or \"server\"");
	for (size_t i = 0; !rc && i < sizeof(files) / sizeof(files[0]); i++)
		rc = ca_path(home, what, files[i].part, files[i].path);
	return rc;
}

bool file_is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

int rollover_files_sync(const struct rollover *r)
{
	char path[PATH_MAX];
	int rc = home_path(r->home, "ca", path);
	int fd = rc ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (rc)
		return rc;
	rc = fd < 0 || fsync(fd) ? err_errno(ERR_IO, "%s", path) : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

int file_move(const char *from, const char *to)
{
	return rename(from, to) ? err_errno(ERR_IO, "%s", to) : 0;
}

int file_keep_as(const char *from, const char *to)
{
	return link(from, to) && errno != EEXIST && errno != ENOENT ? err_errno(ERR_IO, "%s", to)
								    : 0;
}

int key_destroy(const char *path)
{
	static const uint8_t nothing[4096];
	struct stat st;
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(ERR_IO, "%s", path);
	/* a switch that was killed at its beginning has linked the key that is in use: unlink only
	 */
	if (!fstat(fd, &st) && st.st_nlink == 1 && st.st_size <= (off_t)sizeof(nothing) &&
	    fd_write_all(fd, nothing, (size_t)st.st_size) == 0)
		fsync(fd);
	close(fd);
	return cert_remove(path);
}

int cert_remove(const char *path)
{
	return unlink(path) && errno != ENOENT ? err_errno(ERR_IO, "%s", path) : 0;
}

int rollover_files_tidy(const struct rollover *r)
{
	size_t len = strlen(r->what);
	char folder[PATH_MAX], path[PATH_MAX];
	struct dirent *e;
	int rc = home_path(r->home, "ca", folder);
	DIR *dir = rc ? NULL : opendir(folder);

	if (rc || !dir)
		return rc ? rc : err_errno(ERR_IO, "%s", folder);
	while (!rc && (e = readdir(dir))) {
		if (strncmp(e->d_name, r->what, len) || e->d_name[len] != '-' ||
		    !strstr(e->d_name, ".tmp."))
			continue;
		rc = snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >= (int)sizeof(path)
			     ? err_set(ERR_LIMIT, "%s", folder)
			     : key_destroy(path);
	}
	closedir(dir);
	return rc;
}

int key_have_like(const char *like, const char *path, const struct key_access *a, EVP_PKEY **out)
{
	char detail[PKCS11_URI_MAX + 1];
	enum keystore_form form, have;
	AUTO_PKEY key = NULL;
	int rc = keystore_key_form(like, &form, detail);

	if (!rc)
		rc = keystore_key_form(path, &have, detail);
	if (rc)
		return rc;
	if (form == KEYSTORE_PKCS11 && have == KEYSTORE_NONE)
		return err_set(ERR_DENIED,
			       "the key of %s is in a token: make the next one there too, with a "
			       "label of its own, and name it: --pkcs11 URI",
			       like);
	if (have == KEYSTORE_NONE) {
		key = EVP_EC_gen("P-256");
		rc = key ? keystore_key_write(path, key) : err_ossl(ERR_CRYPTO, "making a key");
	} else {
		rc = keystore_key_read(path, a, &key);
	}
	if (!rc && form == KEYSTORE_ENCRYPTED && have != KEYSTORE_ENCRYPTED)
		rc = keystore_key_protect(path, key, KEYSTORE_ENCRYPTED, a, NULL);
	if (!rc)
		*out = OSSL_TAKE(key);
	return rc;
}
