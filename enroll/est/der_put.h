/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing DER (X.690) from the outside in, sizes first. Pure. */
#ifndef ENROLL_EST_DER_PUT_H
#define ENROLL_EST_DER_PUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define DER_OID 0x06
#define DER_OCTETS 0x04
#define DER_INTEGER 0x02
#define DER_SEQUENCE 0x30
#define DER_SET_OF 0x31
#define DER_CONTEXT_0 0xa0 /* constructed */

/* Bytes of an element whose contents have `len`. */
size_t der_tlv_size(size_t len);
/* Tag and length; `len` is below 2^24, which the caller has checked. ERR_LIMIT, ERR_NOMEM. */
int der_header_put(struct buf *out, uint8_t tag, size_t len) MUST_USE;
/* A whole element. As above. */
int der_tlv_put(struct buf *out, uint8_t tag, const void *data, size_t len) MUST_USE;

#endif
