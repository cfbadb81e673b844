/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the way from a person's groups to roles. Bounded in steps, groups and questions. */
#include "sql/directory/directory_state.h"

#include <stdlib.h>
#include <string.h>

/* [MS-ADTS] 3.1.1.3.4.4.3: LDAP_MATCHING_RULE_TRANSITIVE_EVAL, groups within groups */
#define CHAIN_FILTER "(memberOf:1.2.840.113556.1.4.1941:=%d)"
#define MEMBEROF_FILTER "(memberOf=%d)"
#define GROUPS_MAX 512 /* of one person, all steps together */

static const char *const no_attributes[] = {LDAP_NO_ATTRS, NULL};

static int entry_count(void *user, LDAP *ld, LDAPMessage *entry)
{
	(void)ld, (void)entry;
	(*(size_t *)user)++;
	return 0;
}

/* One question per role: is this entry a member of that group? */
static int by_question(const struct directory_settings *s, struct conn *c, const char *dn,
		       bool has[DIRECTORY_ROLES_MAX])
{
	const char *template = s->groups == GROUPS_CHAIN ? CHAIN_FILTER : MEMBEROF_FILTER;
	int rc = 0;

	for (size_t i = 0; !rc && i < s->n_roles; i++) {
		const struct filter_values values = {.dn = s->roles[i].dn};
		struct conn_question q = {.base = dn,
					  .scope = LDAP_SCOPE_BASE,
					  .max = 1,
					  .attributes = no_attributes};
		AUTO_BUF filter = {.max = FILTER_MAX};
		size_t n = 0;

		rc = filter_build(template, &values, &filter);
		if (!rc && !(q.filter = buf_cstr(&filter)))
			rc = ERR_NOMEM;
		if (!rc)
			rc = conn_search(c, &q, entry_count, &n);
		has[i] = !rc && n == 1;
	}
	return rc;
}

struct climb {
	size_t n;
	char (*found)[DIRECTORY_DN_SIZE]; /* GROUPS_MAX, normal forms, in the order of finding */
};

static int group_take(void *user, LDAP *ld, LDAPMessage *entry)
{
	struct climb *climb = user;
	char *dn = ldap_get_dn(ld, entry);
	int rc;

	if (climb->n == GROUPS_MAX)
		rc = err_set(ERR_LIMIT, "in more than %d groups", GROUPS_MAX);
	else
		rc = dn_normal(dn ? dn : "", climb->found[climb->n], DIRECTORY_DN_SIZE);
	ldap_memfree(dn);
	for (size_t i = 0; !rc && i < climb->n; i++) /* seen before: also what ends a circle */
		if (!strcmp(climb->found[i], climb->found[climb->n]))
			return 0;
	climb->n += !rc;
	return rc;
}

static int groups_of(const struct directory_settings *s, struct conn *c, const char *dn,
		     struct climb *climb)
{
	const struct filter_values values = {.dn = dn};
	struct conn_question q = {.base = s->group_base,
				  .scope = LDAP_SCOPE_SUBTREE,
				  .max = GROUPS_MAX,
				  .attributes = no_attributes};
	AUTO_BUF filter = {.max = FILTER_MAX};
	int rc = filter_build(s->group_filter, &values, &filter);

	if (!rc && !(q.filter = buf_cstr(&filter)))
		rc = ERR_NOMEM;
	return rc ? rc : conn_search(c, &q, group_take, climb);
}

/* Step by step upwards: the groups that list the person, those that list these, ... */
static int by_climbing(const struct directory_settings *s, struct conn *c, const char *dn,
		       bool has[DIRECTORY_ROLES_MAX])
{
	struct climb climb = {.found = calloc(GROUPS_MAX, DIRECTORY_DN_SIZE)};
	size_t at = 0;
	int rc;

	if (!climb.found)
		return err_set(ERR_NOMEM, "no memory for groups");
	rc = groups_of(s, c, dn, &climb);
	for (uint32_t step = 1; !rc && step < s->group_depth && at < climb.n; step++)
		for (size_t end = climb.n; !rc && at < end; at++)
			rc = groups_of(s, c, climb.found[at], &climb);
	for (size_t i = 0; !rc && i < s->n_roles; i++)
		for (size_t g = 0; !has[i] && g < climb.n; g++)
			has[i] = !strcmp(climb.found[g], s->roles[i].normal);
	free(climb.found);
	return rc;
}

int groups_to_roles(const struct directory_settings *s, struct conn *c,
		    struct directory_person *out)
{
	bool has[DIRECTORY_ROLES_MAX] = {false};
	int rc = s->groups == GROUPS_SEARCH ? by_climbing(s, c, out->dn, has)
					    : by_question(s, c, out->dn, has);

	out->n_roles = 0;
	for (size_t i = 0; !rc && i < s->n_roles; i++)
		if (has[i])
			out->roles[out->n_roles++] = s->roles[i].role;
	return rc ? err_add(rc, "groups") : 0;
}
