/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns how pumpctl runs a command of the signer's. */
#include "enroll/pumpctl/signer_command.h"

#include "enroll/pumpctl/settings.h"
#include "enroll/pumpctl/spawn.h"

#define COMMAND_TIMEOUT_MS 120000

int signer_command(const char *home, const char *const *args, struct buf *said, int *status_out)
{
	struct settings s;
	char path[PATH_MAX];
	struct spawn child = {.path = path, .args = {"pumpgate-signerd", "--home", s.home}};
	size_t n = 3;
	int rc = settings_read(home, &s);

	if (rc || (rc = settings_owner(&s, PROCESS_SIGNERD, &child.owner)) ||
	    (rc = program_find("pumpgate-signerd", path)))
		return rc;
	for (; *args; args++) {
		if (n == SPAWN_ARGS_MAX - 1)
			return err_set(ERR_LIMIT, "too many words for pumpgate-signerd");
		child.args[n++] = *args;
	}
	return spawn_run(&child, COMMAND_TIMEOUT_MS, said, status_out);
}
