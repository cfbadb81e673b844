/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading and making NAS secrets. Never shows one but alone on standard output when asked. */
#include "enroll/pumpctl/nas_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "enroll/pumpctl/report.h"

#define SECRET_SHORTEST 8
#define SECRET_WEAK 22 /* RFC 6614 and RFC 2865 3 ask for 16 at least; 22 letters are 128 bits */

void nas_secret_make(char out[NAS_SECRET_MADE + 1])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789";
	const unsigned n = sizeof(letters) - 1;
	size_t at = 0;

	while (at < NAS_SECRET_MADE) {
		uint8_t byte;

		secret_fill_random(&byte, 1);
		if (byte < 256 / n * n) /* the rest would favour the first letters */
			out[at++] = letters[byte % n];
	}
	out[at] = '\0';
}

static int secret_read(const char *path, struct nas *n)
{
	AUTO_SECRET secret = NULL;
	int rc = strcmp(path, "-") ? secret_read_file(path, NAS_SECRET_MAX, &secret)
				   : secret_read_stdin("shared secret: ", NAS_SECRET_MAX, &secret);

	if (rc)
		return err_add(rc, "--secret-file");
	if (secret_len(secret) < SECRET_SHORTEST)
		return err_set(ERR_INVALID,
			       "the secret has %zu bytes; at least %d, better 32: let pumpctl make "
			       "one with --secret-out F",
			       secret_len(secret), SECRET_SHORTEST);
	if (secret_len(secret) < SECRET_WEAK)
		report_note("warning: the secret has %zu bytes; below %d it can be found by trying",
			    secret_len(secret), SECRET_WEAK);
	if (memchr(secret_data(secret), 0, secret_len(secret)))
		return err_set(ERR_INVALID, "the secret holds a NUL byte");
	n->secret.len = (uint32_t)secret_len(secret);
	memcpy(n->secret.data, secret_data(secret), secret_len(secret));
	return 0;
}

static int file_write(const char *path, const struct nas *n)
{
	char line[NAS_SECRET_MADE + 1];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd < 0)
		return errno == EEXIST ? err_set(ERR_EXISTS,
						 "%s exists; a secret never replaces a file", path)
				       : err_errno(ERR_IO, "--secret-out %s", path);
	memcpy(line, n->secret.data, NAS_SECRET_MADE);
	line[NAS_SECRET_MADE] = '\n';
	if (fchmod(fd, 0600) || write(fd, line, sizeof(line)) != (ssize_t)sizeof(line) || fsync(fd))
		rc = err_errno(ERR_IO, "--secret-out %s", path);
	secret_wipe(line, sizeof(line));
	if (close(fd) && !rc)
		rc = err_errno(ERR_IO, "--secret-out %s", path);
	if (rc)
		unlink(path);
	return rc;
}

int nas_secret_check(const struct call *call)
{
	if (!call_value(call, "secret-file") == !call_value(call, "secret-out"))
		return err_set(ERR_INVALID,
			       "give either --secret-file F (the secret that the NAS has) or "
			       "--secret-out F (one is made, and written there)");
	return 0;
}

int nas_secret_take(const struct call *call, struct nas *n)
{
	const char *from = call_value(call, "secret-file");
	const char *to = call_value(call, "secret-out");
	char made[NAS_SECRET_MADE + 1];

	if (from)
		return secret_read(from, n);
	nas_secret_make(made);
	n->secret.len = NAS_SECRET_MADE;
	memcpy(n->secret.data, made, NAS_SECRET_MADE);
	secret_wipe(made, sizeof(made));
	return nas_secret_on_stdout(call) ? 0 : file_write(to, n);
}

bool nas_secret_on_stdout(const struct call *call)
{
	const char *to = call_value(call, "secret-out");

	return to && !strcmp(to, "-");
}

/* The request may have been carried out all the same. */
static bool is_unsure(int rc)
{
	return rc == ERR_TIMEOUT || rc == ERR_UNAVAILABLE || rc == ERR_IO;
}

void nas_secret_settle(const struct call *call, const struct nas *n, int rc)
{
	const char *to = call_value(call, "secret-out");

	if (!to)
		return;
	if (nas_secret_on_stdout(call)) {
		if (!rc || is_unsure(rc))
			printf("%.*s\n", (int)n->secret.len, (const char *)n->secret.data);
	} else if (rc && is_unsure(rc)) {
		report_note("%s keeps the secret, which may be in force: repeat with --secret-file "
			    "%s",
			    to, to);
	} else if (rc) {
		unlink(to);
	}
}
