/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A login or contact as the bytes of an Access-Request (docs/decisions/0155), read strictly and
 * without FreeRADIUS's pairs, which cut a password at its first NUL. Pure.
 */
#ifndef RADIUS_MODULES_RLM_CLINICIAN_LOGIN_PACKET_H
#define RADIUS_MODULES_RLM_CLINICIAN_LOGIN_PACKET_H

#include <stdbool.h>

#include "sql/proto/cred_records.h"

/* Fills in name, password and says; the rest of *out stays as it is. A contact (Service-Type
 * Authorize-Only) has no password. The packet's authenticity is FreeRADIUS's matter. ERR_INVALID:
 * not an Access-Request, an attribute missing, twice or of wrong length; ERR_LIMIT; ERR_CRYPTO. The
 * caller wipes *out. */
int login_packet_read(const void *data, size_t len, const void *secret, size_t secret_len,
		      struct cred_login *out, bool *contact_out) MUST_USE;

#endif
