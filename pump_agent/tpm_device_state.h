/* SPDX-License-Identifier: BSD-2-Clause */
/* For tpm_device.c and tpm_counter.c alone: the connection to the TPM. */
#ifndef PUMP_AGENT_TPM_DEVICE_STATE_H
#define PUMP_AGENT_TPM_DEVICE_STATE_H

#include <stdbool.h>

#include "pump_agent/tpm_device.h"
#include "pump_agent/tpm_library.h"

struct tpm_device {
	const struct tpm_library *lib;
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR storage; /* ESYS_TR_NONE: not made yet */
	ESYS_TR key;	 /* ESYS_TR_NONE: none is loaded */
};

/* ERR_CRYPTO when the TPM itself said no, else ERR_UNAVAILABLE. */
int tpm_device_failed(const struct tpm_device *d, TSS2_RC rc, const char *doing) MUST_USE;
/* The caller wipes it where it matters. */
TPM2B_AUTH tpm_device_auth(const uint8_t auth[TPM_AUTH_BYTES]);

#endif
