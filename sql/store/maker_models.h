/* SPDX-License-Identifier: BSD-2-Clause */
/* What a maker may vouch for, as one text: "MODEL,MODEL=OID". Pure; for sql/store alone. */
#ifndef SQL_STORE_MAKER_MODELS_H
#define SQL_STORE_MAKER_MODELS_H

#include <stdbool.h>

#include "base/err.h"

/* At least one model, none twice, each of 1 to 64 characters without "," or "=", an OID in dotted
 * form. ERR_INVALID. */
int maker_models_check(const char *models) MUST_USE;

/* Is `model` listed, and is its OID, if one stands there, `hw_type` ("" when the certificate has
 * none; NULL: nobody can tell, and it is not compared)? */
bool maker_models_has(const char *models, const char *model, const char *hw_type);

#endif
