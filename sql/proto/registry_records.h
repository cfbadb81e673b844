/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pumpgate-registryd is asked and answers: one record type per message, here all of them.
 * Shared by the service and every client; only data, no behaviour.
 *
 * Conventions: a pump is named by its inventory serial ([A-Z0-9-], at most 63). A certificate is
 * named by issuer (X509_NAME_oneline form, as FreeRADIUS shows it) and serial (lower-case hex of
 * the DER integer's content). MACs are "aa:bb:cc:dd:ee:ff". States, verdicts and reasons travel as
 * their stable names from policies/.
 */
#ifndef SQL_PROTO_REGISTRY_RECORDS_H
#define SQL_PROTO_REGISTRY_RECORDS_H

#include "sql/proto/dispatch_records.h"
#include "sql/proto/history_records.h"
#include "sql/proto/inventory_records.h"
#include "sql/proto/issue_records.h"
#include "sql/proto/nas_records.h"
#include "sql/proto/packet_records.h"
#include "sql/proto/recall_records.h"
#include "sql/proto/report_records.h"
#include "sql/proto/rotation_records.h"
#include "sql/proto/standing_records.h"
#include "sql/proto/registry_sizes.h"

#endif
