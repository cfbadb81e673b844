/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the words for reasons. Pure. */
#include "policies/reason.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	const char *sentence;
	const char *next;
} reasons[REASON_COUNT] = {
#define REASON_ROW(symbol, name, sentence, next) [REASON_##symbol] = {name, sentence, next},
	REASONS(REASON_ROW)
#undef REASON_ROW
};

static enum reason known(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? r : REASON_NONE;
}

const char *reason_name(enum reason r)
{
	return reasons[known(r)].name;
}

const char *reason_sentence(enum reason r)
{
	return reasons[known(r)].sentence;
}

const char *reason_next_step(enum reason r)
{
	return reasons[known(r)].next;
}

enum reason reason_parse(const char *name)
{
	for (size_t i = 0; i < REASON_COUNT; i++)
		if (!strcmp(reasons[i].name, name))
			return (enum reason)i;
	return REASON_NONE;
}
