/* SPDX-License-Identifier: BSD-2-Clause */
/* A pump's names: its inventory serial and the URN made of it. Pure. */
#ifndef CA_DEVICE_NAME_H
#define CA_DEVICE_NAME_H

#include <stdbool.h>

#include "base/err.h"

#define DEVICE_URN_PREFIX "urn:pumpgate:pump:"
#define DEVICE_NAME_MAX 63
#define DEVICE_URN_SIZE (sizeof(DEVICE_URN_PREFIX) + DEVICE_NAME_MAX)

/* 1 to 63 characters of [A-Z0-9-]. */
bool device_name_is_valid(const char *serial);
/* "urn:pumpgate:pump:SERIAL". ERR_INVALID when the serial is not one. */
int device_urn_build(const char *serial, char out[DEVICE_URN_SIZE]) MUST_USE;

#endif
