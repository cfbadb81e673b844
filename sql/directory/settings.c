/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the meaning of [directory]. Never asks a server. */
#include "sql/directory/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTION "directory"
#define SECRET_MAX_BYTES 1024

static int text_read(struct config *conf, const char *key, const char *fallback, char *out,
		     size_t size)
{
	const char *text = config_str(conf, SECTION, key, fallback);
	int rc;

	if (!text)
		return err_set(ERR_INVALID, "[directory] %s is missing", key);
	rc = str_copy(out, size, text);
	return rc ? err_add(rc, "[directory] %s", key) : 0;
}

static int dn_read(struct config *conf, const char *key, const char *fallback, char *out)
{
	char normal[DIRECTORY_DN_SIZE];
	int rc = text_read(conf, key, fallback, out, DIRECTORY_DN_SIZE);

	if (!rc)
		rc = dn_normal(out, normal, sizeof(normal));
	return rc ? err_add(rc, "[directory] %s", key) : 0;
}

/* A template with `must` in it that is a filter with any value in its place. */
static int filter_read(struct config *conf, const char *key, const char *fallback, const char *must,
		       char *out)
{
	const struct filter_values sample = {.user = "x",
					     .dn = !strcmp(must, "%d") ? "cn=x" : NULL};
	AUTO_BUF built = {.max = FILTER_MAX};
	int rc = text_read(conf, key, fallback, out, FILTER_SIZE);

	if (!rc)
		rc = filter_build(out, &sample, &built);
	if (!rc && (!buf_cstr(&built) || !filter_is_valid(buf_cstr(&built))))
		rc = err_set(ERR_INVALID, "%.100s: no LDAP filter (RFC 4515)", out);
	else if (!rc && !strstr(out, must))
		rc = err_set(ERR_INVALID, "%.100s: %s must be in it", out, must);
	return rc ? err_add(rc, "[directory] %s", key) : 0;
}

static int servers_read(struct config *conf, struct directory_settings *s)
{
	char list[512], *save = NULL;
	int rc = text_read(conf, "servers", NULL, list, sizeof(list));

	for (char *word = strtok_r(list, " ,\t", &save); !rc && word;
	     word = strtok_r(NULL, " ,\t", &save)) {
		if (s->n_servers == DIRECTORY_SERVERS_MAX)
			return err_set(ERR_INVALID, "[directory] servers: at most %d",
				       DIRECTORY_SERVERS_MAX);
		rc = ldap_address_parse(word, &s->servers[s->n_servers++]);
	}
	if (!rc && !s->n_servers)
		rc = err_set(ERR_INVALID, "no server");
	return rc ? err_add(rc, "[directory] servers") : 0;
}

/* "NAME [ward=W] [model=M] GROUP-DN" */
static int role_parse(const char *text, struct settings_role *out)
{
	char copy[DIRECTORY_DN_SIZE + 256], *save = NULL, *word, *dn;
	int rc = str_copy(copy, sizeof(copy), text);

	word = rc ? NULL : strtok_r(copy, " \t", &save);
	if (!word)
		return err_set(ERR_INVALID, "write NAME [ward=W] [model=M] GROUP-DN");
	rc = str_copy(out->role.role, sizeof(out->role.role), word);
	for (dn = save; !rc && dn; dn = save) {
		dn += strspn(dn, " \t");
		if (strncmp(dn, "ward=", 5) && strncmp(dn, "model=", 6))
			break;
		word = strtok_r(NULL, " \t", &save);
		rc = *word == 'w' ? str_copy(out->role.ward, sizeof(out->role.ward), word + 5)
				  : str_copy(out->role.model, sizeof(out->role.model), word + 6);
	}
	if (!rc)
		rc = str_copy(out->dn, sizeof(out->dn), dn ? dn : "");
	return rc ? rc : dn_normal(out->dn, out->normal, sizeof(out->normal));
}

static int roles_read(struct config *conf, struct directory_settings *s)
{
	for (unsigned i = 1; i <= DIRECTORY_ROLES_MAX; i++) {
		char key[16];
		const char *text;
		int rc;

		snprintf(key, sizeof(key), "role%u", i);
		text = config_str(conf, SECTION, key, NULL);
		if (!text)
			continue;
		rc = role_parse(text, &s->roles[s->n_roles++]);
		if (rc)
			return err_add(rc, "[directory] %s", key);
	}
	if (!s->n_roles)
		return err_set(ERR_INVALID, "[directory]: no group has a role: add role1 = NAME "
					    "GROUP-DN");
	return 0;
}

static int times_read(struct config *conf, struct directory_settings *s)
{
	int rc = config_u32(conf, SECTION, "connect_ms", 700, 50, 10000, &s->connect_ms);

	if (!rc)
		rc = config_u32(conf, SECTION, "answer_ms", 1000, 50, 10000, &s->answer_ms);
	if (!rc)
		rc = config_u32(conf, SECTION, "login_ms", 3000, 100, 30000, &s->login_ms);
	if (!rc)
		rc = config_u32(conf, SECTION, "list_s", 120, 1, 3600, &s->list_s);
	if (!rc)
		rc = config_u32(conf, SECTION, "retry_ms", 5000, 100, 60000, &s->retry_ms);
	return rc ? rc : config_u32(conf, SECTION, "group_depth", 5, 1, 10, &s->group_depth);
}

static int choice_read(struct config *conf, const char *key, const char *const words[],
		       int fallback, int *out)
{
	const char *text = config_str(conf, SECTION, key, words[fallback]);

	for (int i = 0; words[i]; i++) {
		if (!strcmp(text, words[i])) {
			*out = i;
			return 0;
		}
	}
	return err_set(ERR_INVALID, "[directory] %s = %.32s: no such choice", key, text);
}

static int people_read(struct config *conf, struct directory_settings *s, bool ad)
{
	int rc = dn_read(conf, "user_base", NULL, s->user_base);

	if (!rc)
		rc = filter_read(conf, "user_filter",
				 ad ? "(&(objectCategory=person)(objectClass=user)"
				      "(sAMAccountName=%u))"
				    : "(&(objectClass=person)(uid=%u))",
				 "%u", s->user_filter);
	if (!rc)
		rc = text_read(conf, "account_attribute", ad ? "sAMAccountName" : "uid",
			       s->account_attribute, sizeof(s->account_attribute));
	return rc ? rc
		  : text_read(conf, "name_attribute", "displayName", s->name_attribute,
			      sizeof(s->name_attribute));
}

static int groups_read(struct config *conf, struct directory_settings *s, bool ad)
{
	static const char *const ways[] = {"chain", "memberof", "search", NULL};
	int way;
	int rc = choice_read(conf, "groups", ways, ad ? 0 : 2, &way);

	if (rc)
		return rc;
	s->groups = (enum group_lookup)(way + 1);
	rc = dn_read(conf, "group_base", s->user_base, s->group_base);
	if (!rc)
		rc = filter_read(conf, "group_filter",
				 "(|(&(objectClass=groupOfNames)(member=%d))"
				 "(&(objectClass=groupOfUniqueNames)(uniqueMember=%d)))",
				 "%d", s->group_filter);
	return rc ? rc : roles_read(conf, s);
}

static int trust_read(struct config *conf, struct directory_settings *s)
{
	AUTO_SECRET secret = NULL;
	int rc = text_read(conf, "ca_file", NULL, s->ca_file, sizeof(s->ca_file));

	if (!rc && access(s->ca_file, R_OK))
		rc = err_errno(ERR_IO, "[directory] ca_file = %.200s", s->ca_file);
	if (!rc)
		rc = dn_read(conf, "bind_dn", NULL, s->bind_dn);
	if (!rc)
		rc = text_read(conf, "bind_secret_file", "", s->secret_file,
			       sizeof(s->secret_file));
	return rc ? rc : settings_secret_read(s, &secret);
}

int settings_read(struct config *conf, struct directory_settings *out, bool *there_out)
{
	static const char *const kinds[] = {"ldap", "ad", NULL}, *const takes[] = {"refuse",
										   "accept", NULL};
	struct directory_settings s = {0};
	int rc, ad, unknown;

	*there_out = config_str(conf, SECTION, "servers", NULL) != NULL;
	if (!*there_out) /* a section without servers is refused key by key */
		return config_check_unused(conf, SECTION);
	rc = choice_read(conf, "kind", kinds, 0, &ad);
	if (!rc)
		rc = choice_read(conf, "unknown_users", takes, 0, &unknown);
	if (rc)
		return rc;
	s.takes_unknown = unknown == 1;
	rc = servers_read(conf, &s);
	if (!rc)
		rc = trust_read(conf, &s);
	if (!rc)
		rc = people_read(conf, &s, ad == 1);
	if (!rc)
		rc = groups_read(conf, &s, ad == 1);
	if (!rc)
		rc = times_read(conf, &s);
	if (!rc)
		rc = config_check_unused(conf, SECTION);
	if (!rc)
		*out = s;
	return rc;
}

int settings_secret_read(const struct directory_settings *s, struct secret **out)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	int rc;

	if (s->secret_file[0])
		rc = str_copy(path, sizeof(path), s->secret_file);
	else if (!folder)
		rc = err_set(ERR_NOT_FOUND, "set [directory] bind_secret_file, or give systemd's "
					    "credential directory-secret");
	else if (snprintf(path, sizeof(path), "%s/directory-secret", folder) >= (int)sizeof(path))
		rc = err_set(ERR_LIMIT, "the credentials' folder has too long a name");
	else
		rc = 0;
	if (!rc)
		rc = secret_read_file(path, SECRET_MAX_BYTES, out);
	if (!rc && !secret_len(*out)) {
		secret_free(*out);
		*out = NULL;
		rc = err_set(ERR_INVALID, "%s is empty: an empty password binds as nobody", path);
	}
	return rc ? err_add(rc, "the secret of [directory] bind_dn") : 0;
}
