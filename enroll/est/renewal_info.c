/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of renewal information. Never decides who renews. */
#include "enroll/est/renewal_info.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"

static bool is_target(const char *target, const char *path)
{
	static const char scheme[] = "https://";

	if (!strncasecmp(target, scheme, sizeof(scheme) - 1)) {
		target = strchr(target + sizeof(scheme) - 1, '/');
		if (!target)
			return false;
	}
	return !strcmp(target, path);
}

bool renewal_info_is_target(const char *target)
{
	return is_target(target, "/.well-known/pumpgate/renewal-info");
}

bool server_policy_is_target(const char *target)
{
	return is_target(target, "/.well-known/pumpgate/server-policy");
}

int renewal_info_build(const struct renewal_facts *f, struct buf *out)
{
	int64_t life = f->not_after - f->not_before;
	int64_t start = f->asked_at ? f->asked_at : f->not_before + life / 3 * 2;
	int64_t end = f->asked_at ? f->asked_at + f->spread_ms : f->not_before + life / 5 * 4;
	char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];

	clock_format(start, from);
	clock_format(end, until);
	return buf_printf(out, "{\"suggestedWindow\":{\"start\":\"%s\",\"end\":\"%s\"}}\n", from,
			  until);
}
