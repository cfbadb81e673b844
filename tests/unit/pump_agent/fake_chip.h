/* SPDX-License-Identifier: BSD-2-Clause */
/* A TPM of a few lines for tests of what is built on one: it can be away, hang, or be another. What
 * a real one does is test_tpm_device.c's. */
#ifndef TESTS_UNIT_PUMP_AGENT_FAKE_CHIP_H
#define TESTS_UNIT_PUMP_AGENT_FAKE_CHIP_H

#include "pump_agent/login/chip.h"

/* Changed by the test between calls. */
struct fake_chip {
	uint8_t seed;	/* another: another TPM */
	bool takes_any; /* also keys of another TPM, which it then uses as its own */
	bool is_away;
	bool breaks;	   /* once: the connection is gone */
	bool makes_none;   /* no counter */
	bool is_deaf;	   /* raises its counter, but the answer is lost */
	unsigned hangs_ms; /* at the next call */
	bool has_counter;
	uint8_t counter_auth[TPM_AUTH_BYTES];
	uint64_t counter;
	uint64_t highest; /* of any counter that it had */
	unsigned n_raised;
	unsigned n_opened;
};
extern struct fake_chip fake_chip;
extern const struct chip_calls fake_chip_calls;

#endif
