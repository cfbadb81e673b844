/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the list of everybody who is in a group with a role. Two connections: one reads the list,
 * the other asks for each person's groups.
 */
#include "sql/directory/directory_state.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define PAGE 500
#define MEMBERS_MAX 100000 /* values of one group, and of all groups of one list */
#define LIST_CHAIN "(memberOf:1.2.840.113556.1.4.1941:=%d)"
#define LIST_MEMBEROF "(memberOf=%d)"

struct list {
	struct directory *d;
	struct conn *reads, *asks;
	void *seen; /* a tree: normal DNs of people; of groups with their role and steps left */
	size_t n, max;
	directory_each *each;
	void *user;
	int from_each; /* what `each` returned to end the list */
};

static int text_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* 1: seen for the first time. `how` keeps a group apart that was met on a longer way before. */
static int seen_add(struct list *l, const char *how, const char *dn)
{
	char text[DIRECTORY_DN_SIZE + 32], *kept;
	size_t used = (size_t)snprintf(text, 32, "%s", how);
	int rc = dn_normal(dn, text + used, DIRECTORY_DN_SIZE);
	void *node;

	if (rc)
		return rc;
	kept = strdup(text);
	node = kept ? tsearch(kept, &l->seen, text_compare) : NULL;
	if (!node)
		return err_set(ERR_NOMEM, "no memory for a list of people");
	if (*(char **)node == kept)
		return 1;
	free(kept);
	return 0;
}

static int person_give(struct list *l, struct directory_person *p)
{
	int rc;

	if (l->n == l->max)
		return err_set(ERR_LIMIT, "more than %zu people have a role", l->max);
	rc = groups_to_roles(&l->d->s, l->asks, p);
	if (rc || !p->n_roles)
		return rc;
	l->n++;
	l->from_each = l->each(l->user, p);
	return l->from_each;
}

static int entry_give(void *user, LDAP *ld, LDAPMessage *entry)
{
	struct directory_person p;
	struct list *l = user;
	int rc = person_read(&l->d->s, ld, entry, &p);

	if (rc == ERR_INVALID) /* could not log in either */
		return 0;
	if (!rc)
		rc = seen_add(l, "", p.dn);
	return rc == 1 ? person_give(l, &p) : rc;
}

/* "(&PEOPLE(memberOf...=GROUP))", the server's own list. */
static int role_ask(struct list *l, const struct settings_role *role)
{
	const struct directory_settings *s = &l->d->s;
	const struct filter_values anybody = {.anybody = true}, group = {.dn = role->dn};
	const char *attributes[PERSON_ATTRIBUTES_MAX];
	struct conn_question q = {
		.base = s->user_base, .scope = LDAP_SCOPE_SUBTREE, .max = l->max + 1, .page = PAGE};
	AUTO_BUF filter = {.max = FILTER_MAX};
	int rc = buf_put_str(&filter, "(&");

	if (!rc)
		rc = filter_build(s->user_filter, &anybody, &filter);
	if (!rc)
		rc = filter_build(s->groups == GROUPS_CHAIN ? LIST_CHAIN : LIST_MEMBEROF, &group,
				  &filter);
	if (!rc)
		rc = buf_put_str(&filter, ")");
	if (!rc && !(q.filter = buf_cstr(&filter)))
		rc = ERR_NOMEM;
	if (rc)
		return rc;
	person_attributes(s, attributes);
	q.attributes = attributes;
	return conn_search(l->reads, &q, entry_give, l);
}

struct members {
	char **dns;
	size_t n;
};

static void members_done(struct members *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->dns[i]);
	free(m->dns);
}
#define AUTO_MEMBERS __attribute__((cleanup(members_done))) struct members

static int member_add(struct members *m, const struct berval *dn)
{
	char **more = m->n % 256 ? m->dns : realloc(m->dns, (m->n + 256) * sizeof(*more));

	if (m->n == MEMBERS_MAX)
		return err_set(ERR_LIMIT, "a group of more than %d members", MEMBERS_MAX);
	if (!more)
		return err_set(ERR_NOMEM, "no memory for a group");
	m->dns = more;
	m->dns[m->n] = strndup(dn->bv_val, dn->bv_len);
	if (!m->dns[m->n])
		return err_set(ERR_NOMEM, "no memory for a group");
	m->n++;
	return 0;
}

static int members_take(void *user, LDAP *ld, LDAPMessage *entry)
{
	static const char *const lists[] = {"member", "uniqueMember"};
	struct members *m = user;
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct berval **values = ldap_get_values_len(ld, entry, lists[i]);

		for (size_t v = 0; !rc && values && values[v]; v++)
			rc = member_add(m, values[v]);
		ldap_value_free_len(values);
	}
	return rc;
}

static int members_read(struct list *l, const char *group, struct members *m)
{
	static const char *const attributes[] = {"member", "uniqueMember", NULL};
	const struct conn_question q = {.base = group,
					.scope = LDAP_SCOPE_BASE,
					.max = 1,
					.filter = "(objectClass=*)",
					.attributes = attributes};

	return conn_search(l->reads, &q, members_take, m);
}

struct one {
	struct list *l;
	bool found;
};

static int one_give(void *user, LDAP *ld, LDAPMessage *entry)
{
	struct one *one = user;

	one->found = true;
	return entry_give(one->l, ld, entry);
}

/* Gives the person of that DN; *is_person false: it is something else. A login would look below
 * user_base only. */
static int person_visit(struct list *l, const char *dn, bool *is_person)
{
	const struct directory_settings *s = &l->d->s;
	const struct filter_values anybody = {.anybody = true};
	const char *attributes[PERSON_ATTRIBUTES_MAX];
	char normal[DIRECTORY_DN_SIZE], base[DIRECTORY_DN_SIZE];
	struct conn_question q = {.base = dn, .scope = LDAP_SCOPE_BASE, .max = 1};
	struct one one = {.l = l};
	AUTO_BUF filter = {.max = FILTER_MAX};
	size_t len, base_len;
	int rc = dn_normal(dn, normal, sizeof(normal));

	*is_person = false;
	if (!rc)
		rc = dn_normal(s->user_base, base, sizeof(base));
	if (rc)
		return rc;
	len = strlen(normal);
	base_len = strlen(base);
	if (len <= base_len || strcmp(normal + len - base_len, base))
		return 0;
	rc = filter_build(s->user_filter, &anybody, &filter);
	if (!rc && !(q.filter = buf_cstr(&filter)))
		rc = ERR_NOMEM;
	if (rc)
		return rc;
	person_attributes(s, attributes);
	q.attributes = attributes;
	rc = conn_search(l->reads, &q, one_give, &one);
	*is_person = one.found;
	return rc;
}

/* A group's people, and those of the groups in it. `depth` steps are left. */
static int group_visit(struct list *l, size_t role, const char *group, uint32_t depth)
{
	AUTO_MEMBERS m = {0};
	char how[32];
	int rc = members_read(l, group, &m);

	snprintf(how, sizeof(how), "%zu/%u ", role, depth);
	for (size_t i = 0; !rc && i < m.n; i++) {
		bool is_person;

		rc = person_visit(l, m.dns[i], &is_person);
		if (rc || is_person || depth <= 1)
			continue;
		rc = seen_add(l, how, m.dns[i]);
		if (rc == 1)
			rc = group_visit(l, role, m.dns[i], depth - 1);
	}
	return rc;
}

static int list_try(struct directory *d, struct server *server, int64_t until_us, bool *final,
		    void *user)
{
	struct list *l = user;
	AUTO_CONN reads = NULL;
	AUTO_CONN asks = NULL;
	int rc = service_take(d, server, true, until_us, &reads);

	if (!rc)
		rc = service_take(d, server, true, until_us, &asks);
	if (rc)
		return rc;
	*final = true; /* people have been given out from here on */
	l->reads = reads;
	l->asks = asks;
	for (size_t i = 0; !rc && i < d->s.n_roles; i++)
		rc = d->s.groups == GROUPS_SEARCH
			     ? group_visit(l, i, d->s.roles[i].dn, d->s.group_depth)
			     : role_ask(l, &d->s.roles[i]);
	return l->from_each ? 0
			    : rc; /* an end that the caller wanted is no failure of the server */
}

int directory_list(struct directory *d, size_t max, directory_each *each, void *user)
{
	struct list l = {.d = d, .max = max, .each = each, .user = user};
	char note[DIRECTORY_TEXT_SIZE] = "";
	const char *server;
	int rc = servers_try(d, clock_mono_us() + d->s.list_s * 1000000LL, list_try, &l, &server,
			     note);

	tdestroy(l.seen, free);
	if (rc && note[0])
		return err_set(rc, "%s", note);
	return rc ? rc : l.from_each;
}
