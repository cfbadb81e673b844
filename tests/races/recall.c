/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns revoking by a recall instead of a revocation: registryd then does it in a batch of its own.
 */
#include <string.h>
#include <unistd.h>

#include "tests/races/races.h"

#define CALL_MS 10000
#define LOOK_US 1000

int race_recall(struct ipc_client *c, const struct revoke *rq)
{
	const struct recall_draft draft = {.chosen = "race", .reason = "race"};
	struct recall_step step = {.pumps = 1};
	struct recall_pump pump = {0};
	struct id_query q;
	struct recall r = {0};
	int rc = registry_recall_draft(c, &draft, &r, CALL_MS);

	pump.recall = step.id = q.id = r.id;
	memcpy(pump.device, rq->device, sizeof(pump.device));
	if (!rc)
		rc = registry_recall_add(c, &pump, 1, CALL_MS);
	if (!rc)
		rc = registry_recall_request(c, &step, &r, CALL_MS);
	while (!rc && strcmp(r.state, "done") != 0) {
		if (strcmp(r.state, "running") != 0)
			return err_set(ERR_CONFLICT, "the recall is %s", r.state);
		usleep(LOOK_US);
		rc = registry_recall_show(c, &q, &r, CALL_MS);
	}
	return rc;
}
