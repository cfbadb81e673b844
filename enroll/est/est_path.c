/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the names of EST operations. Pure: never does I/O. */
#include "enroll/est/est_path.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *const names[] = {
	[EST_NONE] = "none",
	[EST_CACERTS] = "cacerts",
	[EST_CSRATTRS] = "csrattrs",
	[EST_SIMPLEENROLL] = "simpleenroll",
	[EST_SIMPLEREENROLL] = "simplereenroll",
	[EST_SERVERKEYGEN] = "serverkeygen",
	[EST_FULLCMC] = "fullcmc",
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

const char *est_operation_name(enum est_operation op)
{
	return names[(size_t)op < N_NAMES ? op : EST_NONE];
}

static enum est_operation operation_of(const char *name, size_t len)
{
	for (size_t i = EST_NONE + 1; i < N_NAMES; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], name, len))
			return (enum est_operation)i;
	return EST_NONE;
}

/* The path of an absolute-form target; the target itself when it is in origin-form. */
static const char *path_of(const char *target)
{
	static const char scheme[] = "https://";

	if (strncasecmp(target, scheme, sizeof(scheme) - 1) != 0)
		return target;
	target = strchr(target + sizeof(scheme) - 1, '/');
	return target ? target : "";
}

int est_path_parse(const char *target, struct est_path *out)
{
	/* RFC 7030 3.2.2: "The EST server MUST support the use of the path-prefix of
	 * "/.well-known/" [...] and the registered name of "est"" */
	static const char prefix[] = "/.well-known/est/";
	/* RFC 3986 2.3: unreserved */
	static const char label_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					  "0123456789-._~";
	const char *rest = path_of(target);
	const char *slash;
	struct est_path found = {0};

	if (strncmp(rest, prefix, sizeof(prefix) - 1) != 0)
		return err_set(ERR_NOT_FOUND, "not below /.well-known/est");
	rest += sizeof(prefix) - 1;
	slash = strchr(rest, '/');
	if (slash) {
		size_t len = (size_t)(slash - rest);

		if (len == 0 || len >= sizeof(found.label) || strspn(rest, label_chars) < len ||
		    operation_of(rest, len) != EST_NONE)
			return err_set(ERR_NOT_FOUND, "no usable label");
		memcpy(found.label, rest, len);
		rest = slash + 1;
	}
	found.operation = operation_of(rest, strlen(rest));
	if (found.operation == EST_NONE)
		return err_set(ERR_NOT_FOUND, "no such EST operation");
	*out = found;
	return 0;
}
