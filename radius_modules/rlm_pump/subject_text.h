/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial in a birth certificate's subject, as FreeRADIUS shows it. Pure. */
#ifndef RADIUS_MODULES_RLM_PUMP_SUBJECT_TEXT_H
#define RADIUS_MODULES_RLM_PUMP_SUBJECT_TEXT_H

#include <stdbool.h>

#include "sql/proto/registry_records.h"

/* `oneline` as "/O=Acme/CN=birth/serialNumber=PG-000123" (X509_NAME_oneline). True with the value
 * of its one serialNumber; false, and "" in out, when there is none, there are two, or it is not 1
 * to 63 of [A-Z0-9-]. */
bool subject_serial(const char *oneline, char out[DEVICE_SERIAL_SIZE]);

#endif
