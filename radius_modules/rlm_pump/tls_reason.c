/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the list of phrases (FreeRADIUS 3.2 src/main/tls.c, OpenSSL's verify errors). Pure. */
#include "radius_modules/rlm_pump/tls_reason.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509_vfy.h>

static enum reason verify_reason(long error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return REASON_CERTIFICATE_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return REASON_CERTIFICATE_NOT_YET_VALID;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_AKID_SKID_MISMATCH:
	case X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_INVALID_PURPOSE:
		return REASON_WRONG_CA;
	default:
		return REASON_TLS_FAILED;
	}
}

enum reason tls_reason(const char *text)
{
	static const struct {
		const char *phrase;
		enum reason reason;
	} phrases[] = {
		{"peer did not return a certificate", REASON_NO_CERTIFICATE},
		{"No mutually acceptable types", REASON_METHOD_NOT_ALLOWED},
		{"does not match User-Name", REASON_IDENTITY_MISMATCH},
	};
	static const char says[] = "OpenSSL says error ";
	const char *at = strstr(text, says);

	if (at)
		return verify_reason(strtol(at + sizeof(says) - 1, NULL, 10));
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (strstr(text, phrases[i].phrase))
			return phrases[i].reason;
	return REASON_TLS_FAILED;
}
