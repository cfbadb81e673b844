/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the commands of pumpgate-credd that work on a home and end: a copy of the database made, and
 * one put back. Run by pumpctl backup as credd's user; nothing here needs a socket.
 */
#include "sql/credd/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "sql/credd/hasher.h"
#include "sql/people/copies.h"
#include "sql/store/backup.h"

struct places {
	char folder[PATH_MAX];
	char people[PATH_MAX];
	char pepper[PEPPER_PRINT_SIZE];
};

static int places_find(const char *home, struct places *p)
{
	char path[PATH_MAX];
	int rc = home_path(home, "cred", p->folder);

	if (!rc)
		rc = home_path(home, "cred/clinicians.db", p->people);
	if (!rc)
		rc = home_path(home, "cred/pepper", path);
	rc = rc ? rc : pepper_print(path, p->pepper);
	return rc == ERR_NOT_FOUND
		       ? err_set(rc,
				 "%s is missing: the passwords of a backup are under it. Put the "
				 "copy of that file back first (mode 0600, credd's)",
				 path)
		       : rc;
}

int command_backup(const char *home, const char *folder)
{
	struct places p;
	struct people_copy made = {0};
	AUTO_PEOPLE people = NULL;
	int rc = places_find(home, &p);

	if (!rc)
		rc = people_open(p.people, false, &people);
	if (!rc)
		rc = people_copy_make(people, folder, p.pepper, clock_wall_ms(), &made);
	if (!rc)
		printf("%" PRIu64 " accounts, %" PRIu64 " audit rows of logins\n", made.users,
		       made.audit_rows);
	return rc;
}

int command_settle(const char *home)
{
	char folder[PATH_MAX], aside[PATH_MAX];
	int rc = home_path(home, "cred", folder);

	if (!rc)
		rc = backup_settle(folder, aside);
	if (!rc && *aside)
		LOG(LOG_WARN, "clinicians.restored", LOG_S("old", aside));
	return rc ? err_add(rc, "finishing a restore") : 0;
}

int command_catch_up(const char *people_path, struct people_gap *out)
{
	int rc = people_catch_up(people_path, clock_wall_ms(), out);

	if (!rc && out->withdrawals)
		LOG(LOG_WARN, "clinicians.behind", LOG_U("withdrawals", out->withdrawals),
		    LOG_U("held", out->held), LOG_U("unknown", out->unknown));
	return rc;
}

int command_restore(const char *home, const char *from, bool dry)
{
	const struct action by = {.actor = "credd", .at = clock_wall_ms()};
	struct people_copy got = {0};
	struct people_gap gap = {0};
	struct places p;
	char aside[PATH_MAX];
	int rc = places_find(home, &p);

	if (!rc)
		rc = backup_settle(p.folder, aside); /* an earlier one */
	if (!rc)
		rc = people_copy_stage(from, p.folder, p.pepper, &by, dry, &got);
	if (rc || dry)
		return rc;
	rc = backup_settle(p.folder, aside);
	if (!rc)
		rc = people_catch_up(p.people, clock_wall_ms(), &gap);
	if (rc)
		return rc;
	printf("%" PRIu64 " accounts of %s, %" PRIu64 " of them disabled\n", got.users, got.made_at,
	       got.disabled);
	if (gap.list_began)
		puts("the list of withdrawals (cred/withdrawn.log) is not here: who was disabled "
		     "after the backup is enabled again: look through pumpctl user list before "
		     "starting the server");
	if (gap.withdrawals)
		printf("%" PRIu64 " accounts were disabled, or their password, badge or role was "
		       "changed, after the backup: they are disabled now (pumpctl user list)\n",
		       gap.held);
	if (got.codes_void)
		printf("%" PRIu64 " break-glass codes of the backup are void: which were used or "
		       "replaced since, nobody knows; issue new envelopes (pumpctl breakglass "
		       "issue)\n",
		       got.codes_void);
	if (gap.unknown)
		printf("%" PRIu64 " withdrawals are of accounts that the backup lacks\n",
		       gap.unknown);
	return 0;
}
