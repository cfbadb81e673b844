/* SPDX-License-Identifier: BSD-2-Clause */
/* From FreeRADIUS's words about a failed EAP authentication to a reason. Pure. */
#ifndef RADIUS_MODULES_RLM_PUMP_TLS_REASON_H
#define RADIUS_MODULES_RLM_PUMP_TLS_REASON_H

#include "policies/reason.h"

/* `text`: the Module-Failure-Messages of the request; "" is TLS_FAILED. */
enum reason tls_reason(const char *text);

#endif
