/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the names and the order of TLS versions. Pure. */
#include "policies/tls_profile.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
	[10] = "1.0",
	[11] = "1.1",
	[12] = "1.2",
	[13] = "1.3",
};
#define NAMES (sizeof(names) / sizeof(names[0]))

uint32_t tls_version_parse(const char *text)
{
	if (!strncmp(text, "TLS", 3))
		text += text[3] == ' ' || text[3] == 'v' ? 4 : 3;
	for (uint32_t v = 0; v < NAMES; v++)
		if (names[v] && !strcmp(text, names[v]))
			return v;
	return 0;
}

const char *tls_version_name(uint32_t version)
{
	return version < NAMES && names[version] ? names[version] : "";
}

bool tls_is_below(uint32_t seen, uint32_t min)
{
	return seen < min;
}

static bool key_is_of_kind(const char *key, const char *kind)
{
	size_t len = strlen(kind);

	return !strncmp(key, kind, len) && (key[len] == '\0' || key[len] == '-');
}

enum tls_outcome tls_outcome_of(uint32_t seen, const char *seen_key, uint32_t min, const char *key)
{
	bool ask_key = *key != '\0';

	if ((seen && tls_is_below(seen, min)) ||
	    (ask_key && *seen_key && !key_is_of_kind(seen_key, key)))
		return TLS_OUTCOME_FAIL;
	if ((min && !seen) || (ask_key && !*seen_key))
		return TLS_OUTCOME_UNKNOWN;
	return TLS_OUTCOME_PASS;
}

const char *tls_outcome_name(enum tls_outcome o)
{
	static const char *const words[] = {"unknown", "pass", "fail"};

	return words[(unsigned)o <= TLS_OUTCOME_FAIL ? o : TLS_OUTCOME_UNKNOWN];
}
