/* SPDX-License-Identifier: BSD-2-Clause */
/* The anchors of a pump maker from a PEM file, for pumpctl maker add. Pure. */
#ifndef ENROLL_PUMPCTL_MAKER_ANCHORS_H
#define ENROLL_PUMPCTL_MAKER_ANCHORS_H

#include "base/buf.h"

/* Appends the DER of the certificates in `pem`, one behind the other: 1 to 4, each a CA's, not past
 * its end at now_s, and none with a key of `ours` (PEM, our own CAs): a maker's anchor must never
 * be one of ours. ERR_INVALID, ERR_CONFLICT, ERR_EXPIRED, ERR_LIMIT, ERR_NOMEM. */
int maker_anchors_build(const struct buf *pem, const struct buf *ours, int64_t now_s,
			struct buf *out) MUST_USE;

#endif
