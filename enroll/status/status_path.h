/* SPDX-License-Identifier: BSD-2-Clause */
/* What a request target of the HTTP port names: the revocation list or the OCSP responder. Pure. */
#ifndef ENROLL_STATUS_STATUS_PATH_H
#define ENROLL_STATUS_STATUS_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STATUS_CRL_STEM "/crl/device"
#define STATUS_CRL_PATH STATUS_CRL_STEM ".crl"
#define STATUS_OCSP_PATH "/ocsp"
#define OCSP_REQUEST_MAX 4096 /* bytes of DER */

enum status_resource {
	STATUS_NONE = 0,
	STATUS_CRL,
	STATUS_OCSP,	    /* by POST */
	STATUS_OCSP_BY_GET, /* RFC 6960 A.1: the request stands in the target */
};

/* `target` in origin-form or absolute-form. With STATUS_OCSP_BY_GET *rest_out is what follows
 * "/ocsp/". With STATUS_CRL *ca_out is the number of the CA whose list is named, 1 to 99: that of
 * the first is STATUS_CRL_PATH, that of the second /crl/device-2.crl. STATUS_NONE for everything
 * else. */
enum status_resource status_path_parse(const char *target, const char **rest_out, uint32_t *ca_out);

/* RFC 6960 A.1: "GET {url}/{url-encoding of base-64 encoding of the DER encoding of the
 * OCSPRequest}". Also taken as base64 without the URL encoding, which some clients leave out.
 * ERR_INVALID, ERR_LIMIT. */
int status_get_decode(const char *rest, uint8_t out[OCSP_REQUEST_MAX], size_t *len_out) MUST_USE;

#endif
