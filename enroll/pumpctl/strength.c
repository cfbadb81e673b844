/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the list of passwords that everybody knows. Never keeps or shows one that it is asked about.
 */
#include "enroll/pumpctl/strength.h"

#include <ctype.h>
#include <string.h>

#include <pwquality.h>

#include "base/secret.h"

#define PASSWORD_MIN 10
#define PASSWORD_MAX 128
#define PIN_MIN 4
#define PIN_MAX 16

static const char listed[] = {
#include "enroll/pumpctl/weak-passwords.txt.inc"
	0,
};

static bool is_line(const char *word, size_t len)
{
	for (const char *at = listed; *at;) {
		size_t n = strcspn(at, "\n");

		if (n == len && !memcmp(at, word, len))
			return true;
		at += n + (at[n] == '\n');
	}
	return false;
}

bool strength_is_listed(const char *password)
{
	char low[PASSWORD_MAX + 1] = {0};
	size_t len = strlen(password);
	bool is;

	if (len > PASSWORD_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		low[i] = (char)tolower((unsigned char)password[i]);
	is = is_line(low, len);
	/* "Hospital2031!" is "hospital" */
	while (!is && len > 4 &&
	       (isdigit((unsigned char)low[len - 1]) || strchr("!.?*#", low[len - 1])))
		is = is_line(low, --len);
	secret_wipe(low, sizeof(low));
	return is;
}

static void settings_free(pwquality_settings_t **q)
{
	pwquality_free_settings(*q);
}

static int quality_check(const char *password, const char *name)
{
	__attribute__((cleanup(settings_free))) pwquality_settings_t *q =
		pwquality_default_settings();
	char text[PWQ_MAX_ERROR_MESSAGE_LEN];
	void *detail = NULL;
	int rc;

	if (!q)
		return err_set(ERR_NOMEM, "no memory to judge the password");
	pwquality_set_int_value(q, PWQ_SETTING_MIN_LENGTH, PASSWORD_MIN);
	rc = pwquality_check(q, password, NULL, *name ? name : NULL, &detail);
	if (rc == PWQ_ERROR_CRACKLIB_CHECK && detail && strstr(detail, "dictionary") &&
	    strstr(detail, "load")) { /* there is none: the list above must do */
		pwquality_set_int_value(q, PWQ_SETTING_DICT_CHECK, 0);
		rc = pwquality_check(q, password, NULL, *name ? name : NULL, &detail);
	}
	if (rc >= 0)
		return 0;
	if (rc == PWQ_ERROR_MEM_ALLOC)
		return err_set(ERR_NOMEM, "no memory to judge the password");
	return err_set(ERR_INVALID, "the password is weak: %s",
		       pwquality_strerror(text, sizeof(text), rc, detail));
}

int strength_password(const char *password, const char *name)
{
	if (strlen(password) > PASSWORD_MAX)
		return err_set(ERR_INVALID, "a password has at most %d bytes", PASSWORD_MAX);
	if (strlen(password) < PASSWORD_MIN)
		return err_set(ERR_INVALID, "a password has at least %d characters", PASSWORD_MIN);
	if (strength_is_listed(password))
		return err_set(ERR_INVALID,
			       "the password is one of those that everybody tries first");
	return quality_check(password, name);
}

int strength_pin(const char *pin)
{
	static const char *const usual[] = {"1004",   "1010",	"1122",	  "1212",   "1313",
					    "2020",   "2580",	"6969",	  "0852",   "112233",
					    "121212", "123123", "123321", "131313", "159753",
					    "192837", "520520", "696969"};
	size_t len = strlen(pin);
	bool same = true, up = true, down = true;

	if (len < PIN_MIN || len > PIN_MAX || pin[strspn(pin, "0123456789")])
		return err_set(ERR_INVALID, "a PIN has %d to %d digits", PIN_MIN, PIN_MAX);
	for (size_t i = 1; i < len; i++) {
		same &= pin[i] == pin[i - 1];
		up &= pin[i] == pin[i - 1] + 1;
		down &= pin[i] == pin[i - 1] - 1;
	}
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		same |= !strcmp(pin, usual[i]);
	return same || up || down
		       ? err_set(ERR_INVALID, "the PIN is one of those that everybody tries first")
		       : 0;
}
