/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns handing the statement of a wiped pump to its server. The pump has no certificate any more:
 * the statement speaks for itself. Runs on the worker thread.
 */
#include <string.h>

#include "pump_agent/enrol.h"
#include "pump_agent/est_client.h"
#include "pump_agent/wipe.h"

int enrol_deliver(struct enrol *e)
{
	const struct pump_settings *set = &e->state.settings;
	AUTO_BUF statement = {.max = WIPE_ENVELOPE_MAX};
	AUTO_X509S server = NULL;
	AUTO_EST est = NULL;
	char path[PATH_MAX];
	int rc = str_copy(e->step, sizeof(e->step), "statement");

	rc = rc ? rc : wipe_statement_path(e->store, e->state.wipe, path);
	rc = rc ? rc : buf_read_file(&statement, path);
	rc = rc ? rc : store_anchors_read(e->store, set, ANCHORS_SERVER, &server);
	rc = rc ? rc : est_session_new(set->est, server, NULL, e->stop, &est);
	return rc ? rc : est_wipe_statement(est, e->state.wipe, &statement);
}
