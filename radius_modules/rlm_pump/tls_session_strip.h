/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the peer certificate out of a serialised TLS session (OpenSSL's SSL_SESSION in DER, field
 * [3]): decoding it again is most of the cost of a resumption, and whose session it is stands in
 * our cache. Pure.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_TLS_SESSION_STRIP_H
#define RADIUS_MODULES_RLM_PUMP_TLS_SESSION_STRIP_H

#include <stdint.h>

#include "base/buf.h"

#define TLS_VERSION_1_2 0x0303

/* Appends the session without field [3] to `out`; *version_out is the TLS version on the wire.
 * ERR_INVALID when `der` is not exactly one such structure; ERR_LIMIT, ERR_NOMEM. */
int tls_session_strip(const uint8_t *der, size_t len, struct buf *out,
		      uint32_t *version_out) MUST_USE;

#endif
