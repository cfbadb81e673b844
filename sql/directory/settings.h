/* SPDX-License-Identifier: BSD-2-Clause */
/* Section [directory] of pumpgate.conf: read once, checked as far as that goes without a server. */
#ifndef SQL_DIRECTORY_SETTINGS_H
#define SQL_DIRECTORY_SETTINGS_H

#include <limits.h>

#include "base/secret.h"
#include "sql/directory/directory.h"
#include "sql/directory/ldap_text.h"

#define FILTER_SIZE 512 /* a template */
#define FILTER_MAX 8192 /* bytes of a filter with its values */

enum group_lookup {
	GROUPS_CHAIN =
		1, /* Active Directory's matching rule: nested groups, one question per role */
	GROUPS_MEMBEROF, /* the entry's own memberOf: direct groups */
	GROUPS_SEARCH,	 /* groups that list the person, and groups that list those */
};

struct settings_role {
	struct directory_role role;
	char dn[DIRECTORY_DN_SIZE];	/* as written */
	char normal[DIRECTORY_DN_SIZE]; /* dn_normal */
};

struct directory_settings {
	struct ldap_address servers[DIRECTORY_SERVERS_MAX];
	size_t n_servers;
	char ca_file[PATH_MAX];
	char bind_dn[DIRECTORY_DN_SIZE];
	char secret_file[PATH_MAX]; /* "": systemd's credential directory-secret */
	char user_base[DIRECTORY_DN_SIZE];
	char user_filter[FILTER_SIZE]; /* with %u */
	char account_attribute[64];
	char name_attribute[64];
	enum group_lookup groups;
	char group_base[DIRECTORY_DN_SIZE];
	char group_filter[FILTER_SIZE]; /* with %d: the member */
	uint32_t group_depth;		/* steps from the person up; 1: direct groups only */
	struct settings_role roles[DIRECTORY_ROLES_MAX];
	size_t n_roles;
	bool takes_unknown;
	uint32_t connect_ms, answer_ms, login_ms; /* TCP + TLS; one answer; a whole login */
	uint32_t list_s;
	uint32_t retry_ms; /* the breaker's first wait */
};

/* false: there is no [directory]. As directory_new. */
int settings_read(struct config *conf, struct directory_settings *out, bool *there_out) MUST_USE;
/* Read anew each time, so that it can be changed while credd runs. Blocks on the disk.
 * ERR_DENIED, ERR_NOT_FOUND, ERR_IO, ERR_INVALID when empty. */
int settings_secret_read(const struct directory_settings *s, struct secret **out) MUST_USE;

#endif
