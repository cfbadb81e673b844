/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the reading of pumpgate.conf: which uid may take which role ([users], or our own uid), and
 * what follows from anomalies. */
#include "sql/registryd/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/daemon.h"
#include "sql/serve/uids.h"

/* In the order of the verb tables. */
static const char *const keys[SERVICE_ROLES] = {"radiusd",   "signerd", "enrolld",
						"dispatchd", "admins",	"credd"};

static int role_init(struct service *s, unsigned i, struct config *conf, bool *shared)
{
	struct ipc_role *role = &s->roles[i];
	const char *list = conf ? config_str(conf, "users", keys[i], "") : "";
	bool is_admin = i == SERVICE_ADMIN;
	int rc;

	role->verbs = verb_table(i, &role->name, &role->n_verbs);
	role->uids = s->role_uids[i] = calloc(UIDS_MAX, sizeof(uid_t));
	if (!role->uids)
		return err_set(ERR_NOMEM, "no memory for roles");
	rc = uids_parse(list, s->role_uids[i], &role->n_uids);
	if (!rc && (is_admin || role->n_uids == 0) && role->n_uids < UIDS_MAX)
		s->role_uids[i][role->n_uids++] = geteuid();
	for (size_t u = 0; u < role->n_uids; u++)
		*shared |= role->uids[u] != 0 && role->uids[u] != geteuid();
	return rc ? err_add(rc, "[users] %s", keys[i]) : 0;
}

/* The same verbs as the admins', of which `may` takes most away. Nobody by default. */
static int kind_init(struct service *s, enum admin_kind kind, struct config *conf, bool *shared)
{
	const char *key = admin_kind_key(kind);
	struct ipc_role *role = &s->roles[SERVICE_ROLES + kind];
	const char *list = conf ? config_str(conf, "users", key, "") : "";
	size_t used = strlen(s->admins_text);
	int rc;

	*role = s->roles[SERVICE_ADMIN];
	role->may = registry_rights[kind];
	role->kind = admin_kind_name(kind);
	role->n_uids = 0;
	role->uids = s->role_uids[SERVICE_ROLES + kind] = calloc(UIDS_MAX, sizeof(uid_t));
	if (!role->uids)
		return err_set(ERR_NOMEM, "no memory for roles");
	rc = uids_parse(list, s->role_uids[SERVICE_ROLES + kind], &role->n_uids);
	for (size_t u = 0; u < role->n_uids; u++)
		*shared |= role->uids[u] != geteuid();
	snprintf(s->admins_text + used, sizeof(s->admins_text) - used, " %s=%s", key, list);
	return rc ? err_add(rc, "[users] %s", key) : 0;
}

/* Started as somebody else, we would leave files that the right user cannot open. */
static int own_user_check(const char *user)
{
	uid_t uid;
	int rc = *user ? uid_parse(user, &uid) : 0;

	if (!rc && *user && uid != geteuid())
		rc = err_set(ERR_DENIED,
			     "pumpgate.conf says that registryd runs as '%s'; this is uid %u", user,
			     (unsigned)geteuid());
	return rc;
}

int roles_init(struct service *s, const char *home, bool *shared_out)
{
	AUTO_CONFIG conf = NULL;
	char path[PATH_MAX];
	bool shared = false;
	int rc = home_path(home, "pumpgate.conf", path);

	if (!rc)
		rc = config_read(path, &conf);
	if (rc == ERR_NOT_FOUND)
		rc = 0; /* all defaults: one user */
	for (unsigned i = 0; !rc && i < SERVICE_ROLES; i++)
		rc = role_init(s, i, conf, &shared);
	snprintf(s->admins_text, sizeof(s->admins_text), "admins=%s",
		 conf ? config_str(conf, "users", "admins", "root") : "root");
	for (int kind = 0; !rc && kind < ADMIN_KINDS; kind++)
		rc = kind_init(s, (enum admin_kind)kind, conf, &shared);
	if (!rc && conf) {
		(void)config_str(conf, "users", "radsecd", ""); /* these take no role here */
		(void)config_str(conf, "users", "clinicians", "");
		rc = own_user_check(config_str(conf, "users", "registryd", ""));
		if (!rc)
			rc = config_check_unused(conf, "users");
	}
	if (!rc)
		rc = anomaly_policy_read(conf, &s->anomaly_policy);
	if (!rc)
		rc = report_policy_read(conf, &s->report_policy);
	if (!rc)
		*shared_out = shared;
	return rc;
}

void roles_done(struct service *s)
{
	for (unsigned i = 0; i < SERVICE_ROLES + ADMIN_KINDS; i++)
		free(s->role_uids[i]);
}
