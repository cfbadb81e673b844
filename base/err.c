/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the per-thread error text. Never logs, never allocates. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 512

static _Thread_local char text[TEXT_MAX] = "no error";

void err_text_set(const char *fmt, ...)
{
	char fresh[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fresh, sizeof(fresh), fmt, ap); /* the arguments may point into text */
	va_end(ap);
	memcpy(text, fresh, sizeof(text));
}

bool err_text_set_errno(const char *fmt, ...)
{
	int saved = errno;
	char fresh[TEXT_MAX];
	char reason[128];
	va_list ap;
	size_t used;

	va_start(ap, fmt);
	vsnprintf(fresh, sizeof(fresh), fmt, ap);
	va_end(ap);
	used = strlen(fresh);
	snprintf(fresh + used, sizeof(fresh) - used, ": %s",
		 strerror_r(saved, reason, sizeof(reason)));
	memcpy(text, fresh, sizeof(text));
	errno = saved;
	return saved == ENOSPC || saved == EDQUOT;
}

void err_text_add(const char *fmt, ...)
{
	char fresh[TEXT_MAX];
	va_list ap;
	size_t used;

	va_start(ap, fmt);
	vsnprintf(fresh, sizeof(fresh), fmt, ap);
	va_end(ap);
	used = strlen(fresh);
	snprintf(fresh + used, sizeof(fresh) - used, ": %s", text);
	memcpy(text, fresh, sizeof(text));
}

const char *err_text(void)
{
	return text;
}

const char *err_name(int code)
{
	static const char *const names[] = {
		"ok",	  "no-memory", "invalid",     "limit",	"not-found",
		"exists", "unchanged", "conflict",    "denied", "expired",
		"used",	  "timeout",   "unavailable", "busy",	"io",
		"full",	  "corrupt",   "newer",	      "crypto", "internal",
	};

	if (code > 0 || -code >= (int)(sizeof(names) / sizeof(names[0])))
		return "unknown";
	return names[-code];
}
