/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keys and certificates of the EST and RADIUS servers. The key is made here, once, and never
 * replaced; the certificate comes from pumpgate-signerd, which sees only a CSR.
 */
#ifndef ENROLL_PUMPCTL_SERVER_KEYS_H
#define ENROLL_PUMPCTL_SERVER_KEYS_H

#include <stdbool.h>

#include "enroll/pumpctl/settings.h"

/* Makes est/{key,cert}.pem and radius/{key,cert}.pem where they are missing, past their end, or
 * where the certificate does not fit the key or the configured names. The CA must exist. ERR_*. */
int server_keys_apply(const struct settings *s, bool *changed) MUST_USE;

#endif
