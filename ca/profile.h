/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each kind of certificate looks like (RFC 5280), and whether a given one looks so. Pure. Why
 * just these extensions: docs/decisions/0020-certificate-profiles.md.
 */
#ifndef CA_PROFILE_H
#define CA_PROFILE_H

#include <stdint.h>

#include "ca/request/device_name.h"
#include "ca/request/ossl.h"

#define CA_SERIAL_BYTES 16
#define CA_NAMES_MAX 16 /* DNS names and addresses in one server certificate */

enum ca_kind {
	CA_KIND_NONE = 0,
	CA_KIND_DEVICE_LEAF, /* a pump: clientAuth */
	CA_KIND_SERVER_LEAF, /* RADIUS, EST: serverAuth */
	CA_KIND_OCSP_LEAF,   /* signs OCSP answers for its issuer (RFC 6960 4.2.2.2) */
	CA_KIND_POLICY_LEAF, /* signs one server policy (ca/server_policy.h) */
	CA_KIND_NAS_LEAF,    /* an access point or switch that speaks RadSec: clientAuth */
	CA_KIND_DEVICE_ROOT,
	CA_KIND_DEVICE_CA,
	CA_KIND_SERVER_ROOT,
	CA_KIND_SERVER_CA,
	CA_KIND_NAS_ROOT,
	CA_KIND_NAS_CA,
};

/* Everything that differs between two certificates of a kind. Strings are borrowed. */
struct ca_terms {
	enum ca_kind kind;
	uint8_t serial[CA_SERIAL_BYTES];
	int64_t not_before_ms;
	int64_t not_after_ms;
	const char *organization; /* CAs: subject O; NULL for leaves */
	const char *common_name;  /* subject CN; of a pump its serial, of a NAS its name */
	const char *names[CA_NAMES_MAX + 1]; /* server leaf: DNS names and addresses, NULL-ended */
	/* where others find the CRL (RFC 5280 4.2.1.13) and the OCSP responder (4.2.2.1); NULL or
	 * "": not said */
	const char *crl_url;
	const char *ocsp_url;
};

/* Random, positive, always 16 bytes without padding: the first byte is 0x01 to 0x7f. */
void ca_serial_random(uint8_t out[CA_SERIAL_BYTES]);

/* A certificate for the public key `spki` with everything but its signature. `issuer` is NULL for a
 * root (it then issues itself). Borrows; the caller frees *out. The key is copied as it is, never
 * decoded: with OpenSSL 3.0 that costs more than a signature. ERR_INVALID (a name), ERR_CRYPTO. */
int ca_profile_build(const struct ca_terms *t, const X509_PUBKEY *spki, X509 *issuer,
		     X509 **out) MUST_USE;

/* Whether `cert`, freshly parsed, is exactly `want` (from ca_profile_build) in version, serial,
 * times, names, key and extensions. Its signature is not looked at, nor whether what was wanted is
 * right: that is ca/lint.h's. ERR_INTERNAL names the first difference. */
int ca_profile_check(X509 *want, X509 *cert) MUST_USE;

#endif
