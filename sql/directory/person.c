/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns how a person's entry is found and read. */
#include "sql/directory/directory_state.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "sql/directory/account_state.h"

void person_attributes(const struct directory_settings *s, const char *out[PERSON_ATTRIBUTES_MAX])
{
	size_t n = 0;

	out[n++] = s->account_attribute;
	out[n++] = s->name_attribute;
	for (size_t i = 0; account_state_attributes[i] && n < PERSON_ATTRIBUTES_MAX - 1; i++)
		out[n++] = account_state_attributes[i];
	out[n] = NULL;
}

/* The first value as a clean text; "" when there is none or it can't be one. */
static void text_read(LDAP *ld, LDAPMessage *entry, const char *attribute, char *out, size_t size)
{
	struct berval **values = ldap_get_values_len(ld, entry, attribute);

	out[0] = '\0';
	if (values && values[0] && values[0]->bv_len < size &&
	    !memchr(values[0]->bv_val, 0, values[0]->bv_len)) {
		memcpy(out, values[0]->bv_val, values[0]->bv_len);
		out[values[0]->bv_len] = '\0';
	}
	if (!ldap_text_is_clean(out))
		out[0] = '\0';
	ldap_value_free_len(values);
}

static enum directory_verdict state_read(LDAP *ld, LDAPMessage *entry)
{
	enum directory_verdict worst = DIRECTORY_GOOD;
	int64_t now_ms = clock_wall_ms();

	for (size_t i = 0; worst == DIRECTORY_GOOD && account_state_attributes[i]; i++) {
		const char *name = account_state_attributes[i];
		struct berval **values = ldap_get_values_len(ld, entry, name);
		char text[64];

		for (size_t v = 0; worst == DIRECTORY_GOOD && values && values[v]; v++) {
			snprintf(text, sizeof(text), "%.*s", (int)values[v]->bv_len,
				 values[v]->bv_val);
			worst = account_state_of(name, text, now_ms);
		}
		ldap_value_free_len(values);
	}
	return worst;
}

int person_read(const struct directory_settings *s, LDAP *ld, LDAPMessage *entry,
		struct directory_person *out)
{
	char *dn = ldap_get_dn(ld, entry);
	int rc = str_copy(out->dn, sizeof(out->dn), dn ? dn : "");

	ldap_memfree(dn);
	out->n_roles = 0;
	text_read(ld, entry, s->account_attribute, out->account, sizeof(out->account));
	text_read(ld, entry, s->name_attribute, out->name, sizeof(out->name));
	out->state = state_read(ld, entry);
	if (!rc && (!out->dn[0] || !out->account[0]))
		rc = err_set(ERR_INVALID, "an entry without name or %s", s->account_attribute);
	return rc;
}

struct finding {
	const struct directory_settings *s;
	struct directory_person *person;
	size_t n;
};

static int entry_take(void *user, LDAP *ld, LDAPMessage *entry)
{
	struct finding *f = user;

	return ++f->n == 1 ? person_read(f->s, ld, entry, f->person) : 0;
}

int person_find(const struct directory_settings *s, struct conn *c, const char *user,
		enum directory_verdict *verdict, struct directory_person *out)
{
	const char *attributes[PERSON_ATTRIBUTES_MAX];
	const struct filter_values values = {.user = user};
	struct conn_question q = {.base = s->user_base, .scope = LDAP_SCOPE_SUBTREE, .max = 2};
	struct finding f = {.s = s, .person = out};
	AUTO_BUF filter = {.max = FILTER_MAX};
	int rc = filter_build(s->user_filter, &values, &filter);

	if (rc)
		return rc;
	q.filter = buf_cstr(&filter);
	if (!q.filter)
		return ERR_NOMEM;
	person_attributes(s, attributes);
	q.attributes = attributes;
	rc = conn_search(c, &q, entry_take, &f);
	if (rc && f.n < 2)
		return rc;
	*verdict = f.n == 1 ? DIRECTORY_GOOD : f.n ? DIRECTORY_AMBIGUOUS : DIRECTORY_UNKNOWN;
	return 0;
}
