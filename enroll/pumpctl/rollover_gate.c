/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the gates of a roll-over of the pumps' CA. Never asks anybody: the facts come in. */
#include "enroll/pumpctl/rollover_gate.h"

#include <inttypes.h>
#include <string.h>

unsigned long rollover_moved_percent(const struct rollover_facts *f)
{
	return f->pumps ? (unsigned long)((f->pumps - f->left) * 100 / f->pumps) : 100;
}

bool rollover_pumps_have_moved(const struct rollover_facts *f)
{
	return !f->percent || (f->pumps_known && rollover_moved_percent(f) >= f->percent);
}

int rollover_may_switch(const struct rollover_facts *f)
{
	if (strcmp(f->state, "started") != 0 || !f->n_behind)
		return 0;
	return err_set(
		ERR_BUSY,
		"%zu servers (%s first) have not started with the next CA: they would refuse "
		"its pumps. pumpctl ca rollover start device brings them to it",
		f->n_behind, f->behind[0]);
}

int rollover_may_finish(const struct rollover_facts *f)
{
	if (strcmp(f->state, "switched") != 0 || rollover_pumps_have_moved(f))
		return 0;
	if (!f->pumps_known)
		return err_set(ERR_BUSY, "registryd does not answer: which pumps have moved is not "
					 "known");
	return err_set(ERR_BUSY,
		       "%" PRIu64 " of %" PRIu64 " pumps still have a certificate of the old CA, "
		       "and would be refused: only %lu %% have moved, %lu %% are wanted. pumpctl "
		       "cert rotate --old-ca moves them, pumpctl ca rollover status device lists "
		       "them; --percent N sets another bound",
		       f->left, f->pumps, rollover_moved_percent(f), f->percent);
}
