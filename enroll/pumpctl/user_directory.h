/* SPDX-License-Identifier: BSD-2-Clause */
/* The hospital's directory as credd sees it, for pumpctl user import --ldap. */
#ifndef ENROLL_PUMPCTL_USER_DIRECTORY_H
#define ENROLL_PUMPCTL_USER_DIRECTORY_H

#include "base/ipc_client.h"
#include "sql/proto/cred_records.h"

#define DIRECTORY_LIST_TIMEOUT_MS (15 * 60 * 1000) /* credd bounds it by [directory] list_s */

/* Everybody with a role in the directory, by name. *out is the caller's; NULL when there is nobody.
 * ERR_NOT_FOUND: no directory is set; as directory_list. */
int user_directory_list(struct ipc_client *c, struct directory_entry **out, size_t *n_out) MUST_USE;

struct user_directory_sink {
	int (*row)(void *ctx, unsigned line, const struct user_add *u); /* to be added */
	int (*bad)(void *ctx, unsigned line, const char *name, const char *why);
	void (*same)(void *ctx); /* has its account already */
	void *ctx;
};
/* The same as rows of an import: accounts of source directory, whose roles the directory tells at
 * each login. Those who could not log in are left out with a remark. As user_directory_list, or
 * what a sink returned. */
int user_directory_feed(struct ipc_client *c, const struct user_directory_sink *sink) MUST_USE;

#endif
