/* SPDX-License-Identifier: BSD-2-Clause */
/* What a Disconnect-Request (RFC 5176 3.1) for one order of the registry looks like. Pure. */
#ifndef DISPATCH_DISCONNECT_H
#define DISPATCH_DISCONNECT_H

#include "radius_modules/packet/radius_packet.h"
#include "sql/proto/registry_records.h"

struct sockaddr_storage;

/* Where the order goes. ERR_INVALID: no DAS port, or the NAS address can't be read. */
int disconnect_address(const struct dispatch_order *order, struct sockaddr_storage *out) MUST_USE;

/* Is there anything in the order that names a session or a station, and a secret to sign with?
 * ERR_INVALID says what is missing; ERR_UNAVAILABLE: a RadSec NAS without a certificate, for now.
 */
int disconnect_check(const struct dispatch_order *order) MUST_USE;

/* Builds and signs the request. `wall_s`: seconds since 1970 for Event-Timestamp, which a NAS
 * compares with its own clock (RFC 5176 6.3: window of 300 s). With a session id it names session
 * and station; without, the station alone, which also clears a cached key of a station that is
 * away. Nothing else goes in: a NAS refuses attributes that it does not use for finding the session
 * (hostapd: NAK 401). ERR_INVALID, ERR_LIMIT, ERR_CRYPTO. */
int disconnect_build(const struct dispatch_order *order, uint8_t id, uint32_t wall_s,
		     const void *secret, size_t secret_len, struct radius_packet *out) MUST_USE;

#endif
