/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the way between names and numbers of users. */
#include "sql/serve/uids.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ipc_server.h"

int uid_parse(const char *text, uid_t *out)
{
	const struct passwd *pw;
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (isdigit((unsigned char)*text) && !*end && n < UINT32_MAX) {
		*out = (uid_t)n;
		return 0;
	}
	pw = getpwnam(text);
	if (!pw)
		return err_set(ERR_NOT_FOUND, "pumpgate.conf: there is no user '%s'", text);
	*out = pw->pw_uid;
	return 0;
}

int uids_parse(const char *list, uid_t *uids, size_t *n)
{
	char copy[512], *at = copy, *word;
	int rc = str_copy(copy, sizeof(copy), list);

	while (!rc && (word = strsep(&at, ", \t"))) {
		if (!*word)
			continue;
		if (*n == UIDS_MAX)
			return err_set(ERR_LIMIT, "pumpgate.conf: more than %d users", UIDS_MAX);
		rc = uid_parse(word, &uids[*n]);
		*n += !rc;
	}
	return rc;
}

void actor_name(struct ipc_request *rq, char out[ACTOR_SIZE])
{
	uid_t uid = ipc_request_uid(rq);
	char text[1024];
	struct passwd pw, *found = NULL;

	if (strcmp(ipc_request_role(rq), "admin")) {
		snprintf(out, ACTOR_SIZE, "%s", ipc_request_role(rq));
		return;
	}
	if (getpwuid_r(uid, &pw, text, sizeof(text), &found) || !found)
		snprintf(out, ACTOR_SIZE, "uid %u", (unsigned)uid);
	else
		snprintf(out, ACTOR_SIZE, "%s", pw.pw_name);
}
