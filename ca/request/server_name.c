/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of a name's epoch. Never decides which one is in force. */
#include "ca/request/server_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 6

int server_name_next(const char *name, char *out, size_t size)
{
	size_t label = strcspn(name, ".");
	size_t at = label;
	unsigned long epoch;
	int n;

	while (at > 0 && strchr("0123456789", name[at - 1]))
		at--;
	/* a leading zero would make two names of one number */
	if (at == label || label - at > DIGITS_MAX || at < 2 || name[at - 1] != '-' ||
	    name[at] == '0' || !name[label])
		return err_set(ERR_INVALID, "%.120s carries no epoch: NAME-1.DOMAIN would", name);
	epoch = strtoul(name + at, NULL, 10) + 1;
	n = snprintf(out, size, "%.*s%lu%s", (int)at, name, epoch, name + label);
	return n < 0 || (size_t)n >= size ? err_set(ERR_LIMIT, "%.120s: too long", name) : 0;
}
