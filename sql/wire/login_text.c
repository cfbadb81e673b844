/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the preparation of names and passwords, on libidn. Never logs what it reads. */
#include "sql/wire/login_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include <stringprep.h>

#include "base/secret.h"

#define PREPARED_MAX 1024 /* NFKC may lengthen a text, but no further than this */

/* RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF. libidn is not asked before. */
static bool is_utf8(const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t c = s[i];
		size_t more = c < 0x80 ? 0 : (c & 0xe0) == 0xc0 ? 1 : (c & 0xf0) == 0xe0 ? 2 : 3;

		if (c >= 0x80 && (c < 0xc2 || c > 0xf4))
			return false;
		c &= more ? 0x3fu >> more : 0x7f;
		if (len - i <= more)
			return false;
		for (size_t k = 1; k <= more; k++) {
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (s[i + k] & 0x3f);
		}
		if ((more == 2 && c < 0x800) || (more == 3 && (c < 0x10000 || c > 0x10ffff)) ||
		    (c >= 0xd800 && c < 0xe000))
			return false;
		i += more + 1;
	}
	return true;
}

/* `out` is of `size` bytes; the longest that may come in is size - 1 too. */
static int prepare(const char *what, const uint8_t *in, size_t len,
		   const Stringprep_profile *profile, char *out, size_t size)
{
	char work[PREPARED_MAX];
	int rc = 0;

	if (len == 0 || len >= size)
		return err_set(ERR_INVALID, "a %s has 1 to %zu bytes", what, size - 1);
	if (memchr(in, 0, len) || !is_utf8(in, len))
		return err_set(ERR_INVALID, "a %s is UTF-8 without NUL", what);
	memcpy(work, in, len);
	work[len] = 0;
	if (stringprep(work, sizeof(work), 0, profile) != STRINGPREP_OK)
		rc = err_set(ERR_INVALID, "the %s has characters that are not allowed", what);
	else if (!*work || strlen(work) >= size)
		rc = err_set(ERR_INVALID, "a %s has 1 to %zu bytes", what, size - 1);
	else
		memcpy(out, work, strlen(work) + 1);
	secret_wipe(work, sizeof(work));
	return rc;
}

int login_name_prepare(const uint8_t *in, size_t len, char out[LOGIN_USER_SIZE])
{
	char name[LOGIN_USER_SIZE];
	int rc = prepare("name", in, len, stringprep_nameprep, name, sizeof(name));

	for (const char *c = name; !rc && *c; c++) /* nameprep leaves ASCII as it is */
		if ((unsigned char)*c <= 0x20 || *c == 0x7f)
			rc = err_set(ERR_INVALID, "a name has no blanks or control characters");
	if (!rc)
		memcpy(out, name, sizeof(name));
	return rc;
}

int login_badge_prepare(const uint8_t *in, size_t len, char out[LOGIN_USER_SIZE])
{
	if (len == 0 || len >= LOGIN_USER_SIZE)
		return err_set(ERR_INVALID, "a badge's number has 1 to %d bytes",
			       LOGIN_USER_SIZE - 1);
	for (size_t i = 0; i < len; i++)
		if (in[i] <= 0x20 || in[i] >= 0x7f)
			return err_set(ERR_INVALID, "a badge's number is printable ASCII");
	memcpy(out, in, len);
	out[len] = 0;
	return 0;
}

int login_password_prepare(const uint8_t *in, size_t len, char out[LOGIN_PASSWORD_MAX + 1])
{
	return prepare("password", in, len, stringprep_saslprep, out, LOGIN_PASSWORD_MAX + 1);
}

int password_floor(const char *password, const char *name)
{
	size_t len = strlen(password);
	bool same = true;

	if (len < PASSWORD_MIN)
		return err_set(ERR_INVALID, "a password has at least %d characters", PASSWORD_MIN);
	if (*name && strcasestr(password, name))
		return err_set(ERR_INVALID, "the password contains the user's name");
	for (size_t i = 1; i < len; i++)
		same &= password[i] == password[0];
	return same ? err_set(ERR_INVALID, "the password is one character repeated") : 0;
}

int pin_floor(const char *pin)
{
	size_t len = strlen(pin);
	bool same = true, up = true, down = true;

	if (len < PIN_MIN || len > LOGIN_PIN_MAX)
		return err_set(ERR_INVALID, "a PIN has %d to %d digits", PIN_MIN, LOGIN_PIN_MAX);
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)pin[i]))
			return err_set(ERR_INVALID, "a PIN has digits only");
		if (i == 0)
			continue;
		same &= pin[i] == pin[i - 1];
		up &= pin[i] == pin[i - 1] + 1;
		down &= pin[i] == pin[i - 1] - 1;
	}
	return same || up || down
		       ? err_set(ERR_INVALID, "the PIN is one digit repeated, or digits in a row")
		       : 0;
}
