/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns [recall] of pumpgate.conf: whether a large recall needs a second person. */
#include "sql/registryd/service.h"

#include <string.h>

#include "base/config.h"
#include "base/daemon.h"
#include "base/log.h"

int rules_init(struct service *s, const char *home)
{
	AUTO_CONFIG conf = NULL;
	char path[PATH_MAX];
	const char *second = "yes";
	int rc = home_path(home, "pumpgate.conf", path);

	if (!rc)
		rc = config_read(path, &conf);
	if (rc == ERR_NOT_FOUND)
		return 0; /* all defaults */
	if (!rc)
		second = config_str(conf, "recall", "second_person", "yes");
	if (!rc && strcmp(second, "yes") && strcmp(second, "no"))
		rc = err_set(ERR_INVALID, "pumpgate.conf: [recall] second_person is yes or no");
	if (!rc)
		rc = config_check_unused(conf, "recall");
	s->recall_alone = !rc && !strcmp(second, "no");
	if (s->recall_alone)
		LOG(LOG_WARN, "recall.rule", LOG_S("second_person", "off"));
	return rc;
}
