/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of the audit as a syslog message. Pure. */
#ifndef ENROLL_PUMPCTL_AUDIT_SYSLOG_H
#define ENROLL_PUMPCTL_AUDIT_SYSLOG_H

#include "base/buf.h"
#include "sql/proto/registry_records.h"

/*
 * RFC 5424, facility 13 (log audit), severity notice; the fields as structured data of
 * pumpgate@32473 (RFC 5612: the enterprise number for documentation and private use), the action as
 * MSGID. No line end, no control character: what is none of UTF-8's printable ones becomes \xNN.
 * `host` "" or unfit: "-". ERR_LIMIT, ERR_NOMEM.
 */
int audit_syslog_put(struct buf *out, const struct audit_row *row, const char *host) MUST_USE;

#endif
