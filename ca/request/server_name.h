/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of servers that carry an epoch: "radius-1.pumpgate.internal". When a server's key falls
 * into wrong hands its name gets the next number, and pumps that know take the old one no more.
 * Pure.
 */
#ifndef CA_SERVER_NAME_H
#define CA_SERVER_NAME_H

#include <stddef.h>

#include "base/err.h"

/* The name of the next epoch: the number at the end of the first label, one higher. ERR_INVALID
 * when there is none (or more than six digits); ERR_LIMIT. */
int server_name_next(const char *name, char *out, size_t size) MUST_USE;

#endif
