/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys that live in a TPM 2.0: OpenSSL's provider "tpm2" (package tpm2-openssl), brought in only
 * where the agent is told to use it. The private part never leaves the TPM in the clear: what is on
 * the disk is a blob that this one TPM unwraps. Calls block on the TPM, tens of milliseconds; none
 * ever asks a person for a passphrase. Any thread.
 */
#ifndef PUMP_AGENT_TPM_H
#define PUMP_AGENT_TPM_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "pump_agent/credential.h"

/* Where new keys are made. */
enum key_place { KEY_IN_FILE = 0, KEY_IN_TPM, KEY_IN_TPM_IF_ANY };

/* False in a static agent: the provider is a shared object. */
bool tpm_is_possible(void);

/* Once, before threads start. tcti: how the TPM is reached (tpm2-tss's words), NULL for the
 * provider's own default. A TPM that cannot be reached now is tried again when it is needed. */
void tpm_use(enum key_place place, const char *tcti);

/* KEY_IN_TPM_IF_ANY settled by whether there is one. */
bool tpm_is_wanted(void);

/* As tpm_device_open takes it. */
const char *tpm_tcti(void);

/* A new key in the TPM. ERR_UNAVAILABLE: it cannot be reached; ERR_CRYPTO: it makes no such key. */
int tpm_key_new(enum key_kind kind, EVP_PKEY **out) MUST_USE;
/* DER of the TSS2 form (TPM 2.0 key file), as wpa_supplicant 2.10 takes it. ERR_CRYPTO. */
int tpm_key_build(const EVP_PKEY *key, struct buf *der_out) MUST_USE;
/* ERR_UNAVAILABLE; ERR_CRYPTO: no such key, of another TPM, or one that wants a passphrase. */
int tpm_key_parse(const void *der, size_t len, EVP_PKEY **out) MUST_USE;
bool tpm_key_is(const EVP_PKEY *key);

#endif
