/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the meaning of account attributes and of Active Directory's reason codes. */
#include "sql/directory/account_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UAC_DISABLED 0x2
#define UAC_LOCKED 0x10		      /* true in the computed attribute only */
#define UAC_PASSWORD_EXPIRED 0x800000 /* as well */
/* 100 ns since 1601-01-01; both ends of the range mean "never" */
#define FILETIME_UNIX_MS 11644473600000LL
#define FILETIME_NEVER INT64_MAX
#define DAY_MS 86400000LL

static bool number_of(const char *value, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(value, &end, 10);
	return !errno && end != value && !*end;
}

static enum directory_verdict of_control(const char *value, int64_t now_ms)
{
	int64_t flags;

	(void)now_ms;
	if (!number_of(value, &flags) || (flags & UAC_DISABLED))
		return DIRECTORY_DISABLED;
	return DIRECTORY_GOOD;
}

static enum directory_verdict of_computed(const char *value, int64_t now_ms)
{
	int64_t flags;

	(void)now_ms;
	if (!number_of(value, &flags))
		return DIRECTORY_DISABLED;
	if (flags & UAC_LOCKED)
		return DIRECTORY_LOCKED;
	return flags & UAC_PASSWORD_EXPIRED ? DIRECTORY_EXPIRED : DIRECTORY_GOOD;
}

static enum directory_verdict of_filetime(const char *value, int64_t now_ms)
{
	int64_t at;

	if (!number_of(value, &at))
		return DIRECTORY_DISABLED;
	if (at <= 0 || at == FILETIME_NEVER)
		return DIRECTORY_GOOD;
	return at / 10000 - FILETIME_UNIX_MS <= now_ms ? DIRECTORY_EXPIRED : DIRECTORY_GOOD;
}

static enum directory_verdict of_shadow_day(const char *value, int64_t now_ms)
{
	int64_t day;

	if (!number_of(value, &day))
		return DIRECTORY_DISABLED;
	return day >= 0 && day <= now_ms / DAY_MS ? DIRECTORY_EXPIRED : DIRECTORY_GOOD;
}

static enum directory_verdict of_switch(const char *value, int64_t now_ms)
{
	(void)now_ms;
	return strcasecmp(value, "false") ? DIRECTORY_DISABLED : DIRECTORY_GOOD;
}

/* draft-behera-ldap-password-policy: "000001010000Z" is for good, a time until the lock-out ends;
 * when it ends only the server knows, so the bind decides and this adds nothing. */
static enum directory_verdict of_locked_time(const char *value, int64_t now_ms)
{
	(void)now_ms;
	return strncmp(value, "000001010000", 12) ? DIRECTORY_GOOD : DIRECTORY_DISABLED;
}

static enum directory_verdict of_reset(const char *value, int64_t now_ms)
{
	(void)now_ms;
	return strcasecmp(value, "false") ? DIRECTORY_MUST_CHANGE : DIRECTORY_GOOD;
}

static const struct {
	const char *attribute;
	enum directory_verdict (*judge)(const char *value, int64_t now_ms);
} rules[] = {
	{"userAccountControl", of_control},
	{"msDS-User-Account-Control-Computed", of_computed},
	{"accountExpires", of_filetime},
	{"shadowExpire", of_shadow_day},
	{"nsAccountLock", of_switch},		  /* 389 Directory Server */
	{"loginDisabled", of_switch},		  /* eDirectory */
	{"pwdAccountLockedTime", of_locked_time}, /* slapd's ppolicy */
	{"pwdReset", of_reset},
};

const char *const account_state_attributes[] = {
	"userAccountControl",
	"msDS-User-Account-Control-Computed",
	"accountExpires",
	"shadowExpire",
	"nsAccountLock",
	"loginDisabled",
	"pwdAccountLockedTime",
	"pwdReset",
	NULL,
};

enum directory_verdict account_state_of(const char *attribute, const char *value, int64_t now_ms)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!strcasecmp(attribute, rules[i].attribute))
			return rules[i].judge(value, now_ms);
	return DIRECTORY_GOOD;
}

enum directory_verdict bind_refusal_of(const char *diagnostic)
{
	static const struct {
		unsigned long code;
		enum directory_verdict verdict;
	} codes[] = {
		{0x525, DIRECTORY_UNKNOWN},	{0x52e, DIRECTORY_WRONG_PASSWORD},
		{0x530, DIRECTORY_NOT_NOW},	{0x531, DIRECTORY_NOT_NOW},
		{0x532, DIRECTORY_EXPIRED},	{0x533, DIRECTORY_DISABLED},
		{0x568, DIRECTORY_NOT_NOW},	{0x701, DIRECTORY_EXPIRED},
		{0x773, DIRECTORY_MUST_CHANGE}, {0x775, DIRECTORY_LOCKED},
	};
	const char *at = strstr(diagnostic, ", data ");
	unsigned long code;
	char *end;

	if (!at)
		return DIRECTORY_WRONG_PASSWORD;
	code = strtoul(at + 7, &end, 16);
	if (end == at + 7 || (*end != ',' && *end))
		return DIRECTORY_WRONG_PASSWORD;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return codes[i].verdict;
	return DIRECTORY_WRONG_PASSWORD;
}
