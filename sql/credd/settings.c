/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the reading of pumpgate.conf for credd: what a hash costs, and which uid may take which
 * role. */
#include "sql/credd/credd.h"

#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/daemon.h"

/* In the order of the verb tables. */
static const char *const keys[CRED_ROLES] = {"clinicians", "admins", "signerd"};

static int role_init(struct credd *c, unsigned i, struct config *conf)
{
	struct ipc_role *role = &c->roles[i];
	const char *list = conf ? config_str(conf, "users", keys[i], "") : "";
	int rc;

	role->verbs = cred_verb_table(i, &role->name, &role->n_verbs);
	role->uids = c->role_uids[i];
	rc = uids_parse(list, c->role_uids[i], &role->n_uids);
	if (!rc && (i == CRED_ROLE_ADMIN || role->n_uids == 0) && role->n_uids < UIDS_MAX)
		c->role_uids[i][role->n_uids++] = geteuid();
	for (size_t u = 0; u < role->n_uids; u++)
		c->shared |= role->uids[u] != 0 && role->uids[u] != geteuid();
	return rc ? err_add(rc, "[users] %s", keys[i]) : 0;
}

/* The same verbs as the admins', of which `may` takes most away. Nobody by default. */
static int kind_init(struct credd *c, enum admin_kind kind, struct config *conf)
{
	const char *key = admin_kind_key(kind);
	struct ipc_role *role = &c->roles[CRED_ROLES + kind];
	int rc;

	*role = c->roles[CRED_ROLE_ADMIN];
	role->may = cred_rights[kind];
	role->kind = admin_kind_name(kind);
	role->uids = c->role_uids[CRED_ROLES + kind];
	role->n_uids = 0;
	rc = uids_parse(conf ? config_str(conf, "users", key, "") : "",
			c->role_uids[CRED_ROLES + kind], &role->n_uids);
	for (size_t u = 0; u < role->n_uids; u++)
		c->shared |= role->uids[u] != geteuid();
	return rc ? err_add(rc, "[users] %s", key) : 0;
}

static int own_user_check(struct config *conf)
{
	const char *user = config_str(conf, "users", "credd", "");
	uid_t uid;
	int rc = *user ? uid_parse(user, &uid) : 0;

	if (!rc && *user && uid != geteuid())
		rc = err_set(ERR_DENIED,
			     "pumpgate.conf says that credd runs as '%s'; this is uid %u", user,
			     (unsigned)geteuid());
	return rc;
}

static int costs_read(struct cred_settings *s, struct config *conf)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	/* one processor is left to network admission (decision 207) */
	uint32_t threads = cores <= 2			  ? 1
			   : cores - 1 < HASH_THREADS_MAX ? (uint32_t)cores - 1
							  : HASH_THREADS_MAX;
	int rc;

	*s = (struct cred_settings){19456, 2, threads};
	if (!conf)
		return 0;
	rc = config_u32(conf, "login", "argon2_memory_kib", s->argon2_memory_kib, 8192, 1048576,
			&s->argon2_memory_kib);
	if (!rc)
		rc = config_u32(conf, "login", "argon2_passes", s->argon2_passes, 1, 16,
				&s->argon2_passes);
	if (!rc)
		rc = config_u32(conf, "login", "hash_threads", threads, 1, HASH_THREADS_MAX,
				&s->hash_threads);
	return rc ? rc : config_check_unused(conf, "login");
}

int cred_settings_read(struct credd *c)
{
	AUTO_CONFIG conf = NULL;
	char path[PATH_MAX];
	int rc = home_path(c->home, "pumpgate.conf", path);

	if (!rc)
		rc = config_read(path, &conf);
	if (rc == ERR_NOT_FOUND)
		rc = 0; /* all defaults: one user */
	for (unsigned i = 0; !rc && i < CRED_ROLES; i++)
		rc = role_init(c, i, conf);
	for (int kind = 0; !rc && kind < ADMIN_KINDS; kind++)
		rc = kind_init(c, (enum admin_kind)kind, conf);
	if (!rc && conf)
		rc = own_user_check(conf);
	return rc ? rc : costs_read(&c->settings, conf);
}
