/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the next step of a roll-over of the pumps' CA would shut somebody out. Pure. */
#ifndef ENROLL_PUMPCTL_ROLLOVER_GATE_H
#define ENROLL_PUMPCTL_ROLLOVER_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct rollover_facts {
	const char *state;	   /* idle, started, switched, retired */
	const char *const *behind; /* servers that do not believe the next CA yet */
	size_t n_behind;
	bool pumps_known;      /* registryd has told the next two */
	uint64_t pumps;	       /* enrolled */
	uint64_t left;	       /* of these with a certificate of the old CA */
	unsigned long percent; /* so many must have moved; 0: never mind */
};

/* How many of 100 have no certificate of the old CA any more, rounded down. */
unsigned long rollover_moved_percent(const struct rollover_facts *f);
bool rollover_pumps_have_moved(const struct rollover_facts *f);

/* Each 0 in a state where the step is nothing to wait for: the signer judges that. ERR_BUSY says
 * who holds it up. */
int rollover_may_switch(const struct rollover_facts *f) MUST_USE;
int rollover_may_finish(const struct rollover_facts *f) MUST_USE;

#endif
