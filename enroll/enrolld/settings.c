/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns enrolld's part of pumpgate.conf. Never serves with a setting it does not understand. */
#include "enroll/enrolld/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/daemon.h"

#define LIST_SIZE 256

/* The keys of [listen] that belong to other programs are known here, so that only misspelt ones are
 * refused. */
static int listen_read(struct config *c, struct enrolld_settings *s)
{
	static const char *const others[] = {"radius_address",	  "radius_auth_port", "radsec_port",
					     "radsec_inner_port", "radius_acct_port", "login_port"};
	int rc;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		(void)config_str(c, "listen", others[i], NULL);
	rc = str_copy(s->address, sizeof(s->address),
		      config_str(c, "listen", "est_address", "127.0.0.1"));
	if (rc)
		return err_add(rc, "[listen] est_address");
	if ((rc = config_u32(c, "listen", "est_port", 21443, 1, 65535, &s->port)) ||
	    (rc = config_u32(c, "listen", "http_port", 0, 0, 65535, &s->http_port)))
		return rc;
	return config_check_unused(c, "listen");
}

/* [est] labels = NAME, NAME; each has its terms in [label.NAME]. */
static int labels_read(struct config *c, struct est_labels *labels)
{
	char list[LIST_SIZE], section[EST_LABEL_SIZE + 8], *save = NULL;
	int rc = str_copy(list, sizeof(list), config_str(c, "est", "labels", ""));

	if (rc)
		return err_add(rc, "[est] labels");
	for (char *name = strtok_r(list, ", ", &save); name; name = strtok_r(NULL, ", ", &save)) {
		if (snprintf(section, sizeof(section), "label.%s", name) >= (int)sizeof(section))
			return err_set(ERR_LIMIT, "[est] labels: %s is too long", name);
		rc = est_labels_add(labels, name, config_str(c, section, "key", "any"),
				    config_str(c, section, "channel_binding", "no"));
		if (rc)
			return err_add(rc, "[%s]", section);
		if ((rc = config_check_unused(c, section)))
			return rc;
	}
	return 0;
}

static int est_read(struct config *c, struct enrolld_settings *s)
{
	const char *spread = config_str(c, "est", "renewal_spread", "10m");
	int rc = labels_read(c, &s->labels);

	if (!rc && (rc = clock_duration_parse(spread, &s->renewal_spread_ms)))
		return err_add(rc, "[est] renewal_spread");
	return rc ? rc : config_check_unused(c, "est");
}

int enrolld_settings_read(const char *home, struct enrolld_settings *out)
{
	AUTO_CONFIG c = NULL;
	struct enrolld_settings s = {.port = 0};
	char path[PATH_MAX];
	int rc = home_path(home, "pumpgate.conf", path);

	if (rc || (rc = config_read(path, &c)))
		return rc == ERR_NOT_FOUND ? err_add(rc, "no home there; pumpctl init makes one")
					   : rc;
	if ((rc = listen_read(c, &s)) || (rc = est_read(c, &s)))
		return err_add(rc, "%s", path);
	*out = s;
	return 0;
}
