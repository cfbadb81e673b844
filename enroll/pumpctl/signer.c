/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns talking to the signer on behalf of a person. Never decides what may be asked. */
#include "enroll/pumpctl/signer.h"

#include <string.h>

#include "base/daemon.h"
#include "ca/proto/signer_records.h"
#include "enroll/pumpctl/report.h"

int signer_open(const struct call *call, struct ipc_client **out)
{
	char path[PATH_MAX];
	int rc = home_path(home_dir(call->home), SIGNER_SOCKET, path);

	return rc ? rc : ipc_client_new(path, "admin", out);
}

int signer_failure(const struct call *call, int rc)
{
	const char *home = home_dir(call->home);

	if ((rc == ERR_UNAVAILABLE && strstr(err_text(), "no welcome")) ||
	    (rc == ERR_DENIED && strstr(err_text(), SIGNER_SOCKET)))
		rc = err_set(ERR_DENIED,
			     "signerd does not take this user as an admin; do it as root, or as "
			     "one of [users] admins in %s/pumpgate.conf",
			     home);
	else if (rc == ERR_UNAVAILABLE)
		rc = err_add(rc,
			     "signerd does not answer at %s/" SIGNER_SOCKET
			     ": is `pumpctl --home %s run` running?",
			     home, home);
	return report_failure(rc);
}
