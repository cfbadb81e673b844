/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the list of what `pumpctl run` starts and how. */
#include "enroll/pumpctl/services.h"

#include <string.h>

#include "base/daemon.h"

#define LOGINS_NICE 10 /* as in the units */

const struct service services[SERVICES_N] = {
	{PROCESS_REGISTRYD, "pumpgate-registryd"}, {PROCESS_SIGNERD, "pumpgate-signerd"},
	{PROCESS_ENROLLD, "pumpgate-enrolld"},	   {PROCESS_RADIUSD, NULL},
	{PROCESS_DISPATCHD, "pumpgate-dispatchd"}, {PROCESS_RADSECD, "pumpgate-radsecd"},
	{PROCESS_CREDD, "pumpgate-credd"},	   {PROCESS_CLINICIANS, NULL},
};

int service_find(const struct service *v, char out[PATH_MAX])
{
	return v->program ? program_find(v->program, out) : radiusd_find(out);
}

int service_spawn(const struct service *v, const struct settings *s, char *path, char *raddb,
		  struct spawn *out)
{
	int rc = service_find(v, path);

	memset(out, 0, sizeof(*out));
	if (rc || (rc = settings_owner(s, v->process, &out->owner)) ||
	    (rc = home_path(s->home,
			    v->process == PROCESS_CLINICIANS ? "clinicians/raddb" : "radius/raddb",
			    raddb)))
		return rc;
	out->path = path;
	/* a flood of logins never takes the processor from network admission */
	if (v->process == PROCESS_CREDD || v->process == PROCESS_CLINICIANS)
		out->nice = LOGINS_NICE;
	if (v->program) {
		memcpy(out->args, (const char *[]){v->program, "--home", s->home, NULL},
		       4 * sizeof(out->args[0]));
	} else {
		memcpy(out->args,
		       (const char *[]){"freeradius", "-f", "-d", raddb, "-n", "radiusd", "-l",
					"stdout", NULL},
		       9 * sizeof(out->args[0]));
	}
	return 0;
}
