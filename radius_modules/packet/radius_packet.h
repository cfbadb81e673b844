/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RADIUS packets as bytes: build, sign, take apart, verify (RFC 2865, 2866, 2869, 5176). Pure: no
 * socket, no clock. Nothing here allocates. Not thread-bound.
 *
 *   struct radius_packet p;
 *   radius_begin(&p, RADIUS_DISCONNECT_REQUEST, id);
 *   rc = radius_put_str(&p, RADIUS_CALLING_STATION_ID, mac);
 *   rc = rc ? rc : radius_sign_request(&p, secret, secret_len);
 */
#ifndef RADIUS_MODULES_PACKET_RADIUS_PACKET_H
#define RADIUS_MODULES_PACKET_RADIUS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RADIUS_HEADER_BYTES 20
#define RADIUS_AUTHENTICATOR_BYTES 16
#define RADIUS_PACKET_MAX 4096 /* RFC 2865 3 */
#define RADIUS_ATTR_MAX 253    /* bytes of value */
#define RADIUS_VENDOR_MAX 247  /* bytes of value in one Vendor-Specific attribute */
#define RADIUS_PASSWORD_MAX 128

enum radius_code {
	RADIUS_ACCESS_REQUEST = 1,
	RADIUS_ACCESS_ACCEPT = 2,
	RADIUS_ACCESS_REJECT = 3,
	RADIUS_ACCOUNTING_REQUEST = 4,
	RADIUS_ACCOUNTING_RESPONSE = 5,
	RADIUS_ACCESS_CHALLENGE = 11,
	RADIUS_STATUS_SERVER = 12,
	RADIUS_DISCONNECT_REQUEST = 40,
	RADIUS_DISCONNECT_ACK = 41,
	RADIUS_DISCONNECT_NAK = 42,
	RADIUS_COA_REQUEST = 43,
	RADIUS_COA_ACK = 44,
	RADIUS_COA_NAK = 45,
};

enum radius_attr_type {
	RADIUS_USER_NAME = 1,
	RADIUS_USER_PASSWORD = 2,
	RADIUS_NAS_IP_ADDRESS = 4,
	RADIUS_NAS_PORT = 5,
	RADIUS_SERVICE_TYPE = 6,
	RADIUS_FRAMED_MTU = 12,
	RADIUS_FILTER_ID = 11,
	RADIUS_REPLY_MESSAGE = 18,
	RADIUS_STATE = 24,
	RADIUS_CLASS = 25,
	RADIUS_VENDOR_SPECIFIC = 26,
	RADIUS_SESSION_TIMEOUT = 27,
	RADIUS_TERMINATION_ACTION = 29,
	RADIUS_CALLED_STATION_ID = 30,
	RADIUS_CALLING_STATION_ID = 31,
	RADIUS_NAS_IDENTIFIER = 32,
	RADIUS_ACCT_STATUS_TYPE = 40,
	RADIUS_ACCT_DELAY_TIME = 41,
	RADIUS_ACCT_INPUT_OCTETS = 42,
	RADIUS_ACCT_OUTPUT_OCTETS = 43,
	RADIUS_ACCT_SESSION_ID = 44,
	RADIUS_ACCT_AUTHENTIC = 45,
	RADIUS_ACCT_SESSION_TIME = 46,
	RADIUS_ACCT_TERMINATE_CAUSE = 49,
	RADIUS_EVENT_TIMESTAMP = 55,
	RADIUS_NAS_PORT_TYPE = 61,
	RADIUS_TUNNEL_TYPE = 64,
	RADIUS_TUNNEL_MEDIUM_TYPE = 65,
	RADIUS_EAP_MESSAGE = 79,
	RADIUS_MESSAGE_AUTHENTICATOR = 80,
	RADIUS_TUNNEL_PRIVATE_GROUP_ID = 81,
	RADIUS_NAS_PORT_ID = 87,
	RADIUS_ERROR_CAUSE = 101,
};

#define RADIUS_CAUSE_NO_SESSION 503 /* Error-Cause, RFC 5176 3.6: Session-Context-Not-Found */

/* ---- building ---- */

struct radius_packet {
	uint8_t data[RADIUS_PACKET_MAX];
	size_t len;
	size_t message_authenticator_at; /* offset of its value; 0: none */
};

/* An empty packet with an authenticator of zeros and, as its first attribute, a
 * Message-Authenticator of zeros (not in accounting packets, where RFC 2869 5.14 knows none). */
void radius_begin(struct radius_packet *p, enum radius_code code, uint8_t id);

/* Appends an attribute of 1 to 253 bytes. ERR_LIMIT: too long, or the packet is full; ERR_INVALID:
 * an empty value. The packet is then unchanged. */
int radius_put(struct radius_packet *p, enum radius_attr_type type, const void *value,
	       size_t len) MUST_USE;
int radius_put_str(struct radius_packet *p, enum radius_attr_type type, const char *s) MUST_USE;
int radius_put_u32(struct radius_packet *p, enum radius_attr_type type, uint32_t v) MUST_USE;
/* Splits an EAP packet over as many EAP-Message attributes as it needs (RFC 3579 3.1). */
int radius_put_eap(struct radius_packet *p, const void *eap, size_t len) MUST_USE;
/* Vendor-Specific (RFC 2865 5.26): as many attributes of that vendor and type as `len` bytes need,
 * none for an empty value. ERR_LIMIT: the packet is unchanged. */
int radius_put_vendor(struct radius_packet *p, uint32_t vendor, uint8_t type, const void *value,
		      size_t len) MUST_USE;
/* User-Password, hidden as RFC 2865 5.2 says; 1 to 128 bytes without a NUL. `random` is what the
 * packet will be signed with. ERR_INVALID, ERR_LIMIT, ERR_CRYPTO. */
int radius_put_password(struct radius_packet *p, const uint8_t random[RADIUS_AUTHENTICATOR_BYTES],
			const void *secret, size_t secret_len, const void *password,
			size_t len) MUST_USE;

/* Each fills in length, Message-Authenticator and authenticator: last call before sending.
 * ERR_CRYPTO. The secret may not be empty (ERR_INVALID). */

/* Access-Request: the authenticator is 16 random bytes of the caller's (RFC 2865 3). */
int radius_sign_access_request(struct radius_packet *p,
			       const uint8_t random[RADIUS_AUTHENTICATOR_BYTES], const void *secret,
			       size_t secret_len) MUST_USE;
/* Accounting, Disconnect and CoA requests (RFC 2866 3, RFC 5176 2.3 and 3.4). */
int radius_sign_request(struct radius_packet *p, const void *secret, size_t secret_len) MUST_USE;
/* An answer to the request that carried `request_authenticator`. */
int radius_sign_reply(struct radius_packet *p,
		      const uint8_t request_authenticator[RADIUS_AUTHENTICATOR_BYTES],
		      const void *secret, size_t secret_len) MUST_USE;

/* ---- reading ---- */

/* A view into received bytes, checked: header length within the datagram and at most 4096, every
 * attribute whole. Bytes after the header's length are padding and ignored (RFC 2865 3). */
struct radius_view {
	const uint8_t *data;
	size_t len;
	uint8_t code;
	uint8_t id;
	const uint8_t *authenticator;	      /* 16 bytes */
	const uint8_t *message_authenticator; /* 16 bytes, or NULL when the packet has none */
};

struct radius_attr {
	uint8_t type;
	uint8_t len;
	const uint8_t *value;
};

/* ERR_INVALID says what is wrong; among it a Message-Authenticator that is there twice or is not
 * 16 bytes long. */
int radius_view_parse(const void *data, size_t len, struct radius_view *out) MUST_USE;
/* `*at` starts as 0. False at the end. */
bool radius_attr_next(const struct radius_view *v, size_t *at, struct radius_attr *out);
/* The first attribute of that type. */
bool radius_attr_find(const struct radius_view *v, enum radius_attr_type type,
		      struct radius_attr *out);
/* False when absent or not 4 bytes. */
bool radius_attr_u32(const struct radius_view *v, enum radius_attr_type type, uint32_t *out);
/* As a string of printable ASCII; false when absent, empty, not printable or too long. */
bool radius_attr_str(const struct radius_view *v, enum radius_attr_type type, char *out,
		     size_t size);
/* A tagged string (RFC 2868 3.6): a first byte of at most 0x1f is the tag and left out. */
bool radius_attr_tagged_str(const struct radius_view *v, enum radius_attr_type type, char *out,
			    size_t size);
/* The next part of a vendor's value, as radius_put_vendor wrote it: `*at` starts as 0 and is the
 * attributes'. False at the end. An attribute of that vendor that holds several parts, or none that
 * is whole, is passed over. */
bool radius_attr_vendor_next(const struct radius_view *v, size_t *at, uint32_t vendor, uint8_t type,
			     struct radius_attr *out);

/* Both compare in constant time and give ERR_DENIED for a wrong authenticator or a wrong
 * Message-Authenticator, ERR_INVALID for an empty secret, ERR_CRYPTO. */

/* Is this the answer to the request with that authenticator, by someone who knows the secret?
 * `need_message_authenticator`: an answer without one is ERR_DENIED (CVE-2024-3596). */
int radius_verify_reply(const struct radius_view *v,
			const uint8_t request_authenticator[RADIUS_AUTHENTICATOR_BYTES],
			const void *secret, size_t secret_len,
			bool need_message_authenticator) MUST_USE;
/* Accounting, Disconnect and CoA requests: the receiving side. */
int radius_verify_request(const struct radius_view *v, const void *secret, size_t secret_len,
			  bool need_message_authenticator) MUST_USE;

#endif
