/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the CA says no: the error text begins with the stable name of the reason (policies/reason.h)
 * and ": ", so that every process above can tell people and programs the same thing.
 */
#ifndef CA_REFUSE_H
#define CA_REFUSE_H

#include "base/err.h"
#include "policies/reason.h"

#define ca_refuse(reason, code, ...) \
	(err_text_set(__VA_ARGS__), err_text_add("%s", reason_name(reason)), (code))

#endif
