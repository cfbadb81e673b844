/* SPDX-License-Identifier: BSD-2-Clause */
/* A TPM 2.0 in software (swtpm) for unit tests: a process of its own with a folder of its own. */
#ifndef TESTS_UNIT_PUMP_AGENT_SOFT_TPM_H
#define TESTS_UNIT_PUMP_AGENT_SOFT_TPM_H

#include <sys/types.h>

struct soft_tpm {
	pid_t pid; /* 0: it is off */
	char dir[64];
	char tcti[64];
};

/* A new one, with seeds of its own, and switched on. */
void soft_tpm_make(struct soft_tpm *t);
/* Off, as by a pulled plug, and on. */
void soft_tpm_off(struct soft_tpm *t);
void soft_tpm_on(struct soft_tpm *t);
void soft_tpm_destroy(struct soft_tpm *t);

#endif
