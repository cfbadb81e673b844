/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the options of `cert rotate`. Never asks the registry. */
#include "enroll/pumpctl/rotation_choice.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

#define DUE_DEFAULT 75
#define CANARIES_DEFAULT 5
#define WAVE_DEFAULT 200
#define BUDGET_DEFAULT 2
#define PATIENCE_DEFAULT "24h"

int quiet_hours_parse(const char *text, uint32_t *from_out, uint32_t *until_out)
{
	unsigned h1, m1, h2, m2;
	int used = 0;

	if (strlen(text) != 11 || strspn(text, "0123456789:-") != 11 ||
	    sscanf(text, "%2u:%2u-%2u:%2u%n", &h1, &m1, &h2, &m2, &used) != 4 || used != 11 ||
	    h1 > 23 || h2 > 23 || m1 > 59 || m2 > 59)
		return err_set(ERR_INVALID, "--quiet %.32s: write it as 06:00-09:30", text);
	if (h1 == h2 && m1 == m2)
		return err_set(ERR_INVALID, "--quiet %s: begins when it ends", text);
	*from_out = h1 * 60 + m1;
	*until_out = h2 * 60 + m2;
	return 0;
}

bool rotation_choice_is_explicit(const struct call *call)
{
	return call_flag(call, "all") || call_flag(call, "old-ca") || call_value(call, "due") ||
	       call_value(call, "ward") || call_value(call, "model");
}

static int place_take(const struct call *call, struct rotation_start *out)
{
	const char *ward = call_value(call, "ward"), *model = call_value(call, "model");

	if (str_copy(out->ward, sizeof(out->ward), ward ? ward : ""))
		return err_set(ERR_INVALID, "--ward: the name is too long");
	if (str_copy(out->model, sizeof(out->model), model ? model : ""))
		return err_set(ERR_INVALID, "--model: the name is too long");
	snprintf(out->chosen, sizeof(out->chosen), "%s%s%s%s%s",
		 out->old_ca	    ? "old CA"
		 : out->due_percent ? "due"
				    : "all",
		 *out->ward ? ", ward=" : "", out->ward, *out->model ? ", model=" : "", out->model);
	return 0;
}

int rotation_choice_take(const struct call *call, struct rotation_start *out)
{
	const char *patience = call_value(call, "patience"), *quiet = call_value(call, "quiet");
	struct rotation_start rq = {.dry_run = call_flag(call, "dry-run")};
	unsigned long due, canaries, wave, budget;
	int64_t patience_ms;
	int rc;

	if (call_flag(call, "all") + call_flag(call, "old-ca") + (call_value(call, "due") != NULL) >
	    1)
		return err_set(ERR_INVALID, "one of --all, --old-ca and --due PERCENT");
	rc = call_number(call, "due", DUE_DEFAULT, 1, 100, &due);
	rc = rc ? rc
		: call_number(call, "canaries", CANARIES_DEFAULT, 0, ROTATION_WAVE_MAX, &canaries);
	rc = rc ? rc : call_number(call, "wave", WAVE_DEFAULT, 1, ROTATION_WAVE_MAX, &wave);
	rc = rc ? rc : call_number(call, "budget", BUDGET_DEFAULT, 0, 100, &budget);
	rc = rc ? rc : clock_duration_parse(patience ? patience : PATIENCE_DEFAULT, &patience_ms);
	if (!rc && quiet)
		rc = quiet_hours_parse(quiet, &rq.quiet_from, &rq.quiet_until);
	if (rc)
		return rc;
	rq.due_percent = call_flag(call, "all") ? 0 : (uint32_t)due;
	rq.old_ca = call_flag(call, "old-ca");
	/* nobody has to remember what a roll-over of the CA leaves to be done */
	rq.or_old_ca = !rq.old_ca && !call_flag(call, "all") && !call_value(call, "due");
	rq.canaries = (uint32_t)canaries;
	rq.wave_max = (uint32_t)wave;
	rq.budget_percent = (uint32_t)budget;
	rq.patience_ms = (uint64_t)patience_ms;
	rc = place_take(call, &rq);
	if (!rc)
		*out = rq;
	return rc;
}
