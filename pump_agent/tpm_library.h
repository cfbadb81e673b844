/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tpm2-tss (TCG's TSS 2.0), brought in at run time: a pump without a TPM needs none of it, and is
 * not made bigger by it. Any thread; what it yields stays for the life of the program.
 */
#ifndef PUMP_AGENT_TPM_LIBRARY_H
#define PUMP_AGENT_TPM_LIBRARY_H

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include "base/err.h"

/* X(library, call) */
#define TPM_LIBRARY_CALLS(X)                                  \
	X("libtss2-tctildr.so.0", Tss2_TctiLdr_Initialize)    \
	X("libtss2-tctildr.so.0", Tss2_TctiLdr_Finalize)      \
	X("libtss2-rc.so.0", Tss2_RC_Decode)                  \
	X("libtss2-mu.so.0", Tss2_MU_TPM2B_PUBLIC_Marshal)    \
	X("libtss2-mu.so.0", Tss2_MU_TPM2B_PUBLIC_Unmarshal)  \
	X("libtss2-mu.so.0", Tss2_MU_TPM2B_PRIVATE_Marshal)   \
	X("libtss2-mu.so.0", Tss2_MU_TPM2B_PRIVATE_Unmarshal) \
	X("libtss2-esys.so.0", Esys_Initialize)               \
	X("libtss2-esys.so.0", Esys_Finalize)                 \
	X("libtss2-esys.so.0", Esys_Free)                     \
	X("libtss2-esys.so.0", Esys_TR_FromTPMPublic)         \
	X("libtss2-esys.so.0", Esys_TR_SetAuth)               \
	X("libtss2-esys.so.0", Esys_TR_Close)                 \
	X("libtss2-esys.so.0", Esys_CreatePrimary)            \
	X("libtss2-esys.so.0", Esys_Create)                   \
	X("libtss2-esys.so.0", Esys_Load)                     \
	X("libtss2-esys.so.0", Esys_FlushContext)             \
	X("libtss2-esys.so.0", Esys_HMAC)                     \
	X("libtss2-esys.so.0", Esys_GetCapability)            \
	X("libtss2-esys.so.0", Esys_NV_DefineSpace)           \
	X("libtss2-esys.so.0", Esys_NV_UndefineSpace)         \
	X("libtss2-esys.so.0", Esys_NV_ReadPublic)            \
	X("libtss2-esys.so.0", Esys_NV_Increment)             \
	X("libtss2-esys.so.0", Esys_NV_Read)

#define TPM_LIBRARY_MEMBER(library, name) __typeof__(&(name)) name;
struct tpm_library {
	TPM_LIBRARY_CALLS(TPM_LIBRARY_MEMBER)
};

/* Loads it, the first time. Opens files. ERR_UNAVAILABLE: it is not installed. */
int tpm_library_have(const struct tpm_library **out) MUST_USE;

#endif
