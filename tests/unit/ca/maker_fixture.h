/* SPDX-License-Identifier: BSD-2-Clause */
/* A pump maker's CAs and birth certificates, for tests. Everything asserts. */
#ifndef TESTS_UNIT_CA_MAKER_FIXTURE_H
#define TESTS_UNIT_CA_MAKER_FIXTURE_H

#include "ca/request/ossl.h"

#define HW_TYPE "1.3.6.1.4.1.99999.1"

struct birth_spec {
	const char *cn;
	const char *serial_number; /* of the subject; NULL: none */
	const char *hw_serial;	   /* hardwareModuleName, NULL: none */
	int hw_serial_len;	   /* 0: to the NUL */
	const char *hw_type;	   /* NULL: HW_TYPE */
	bool two_modules;	   /* the same hardwareModuleName twice */
	bool is_ca;
	int64_t not_before_ms, not_after_ms; /* 0: around NOW_MS */
	const char *usage;		     /* extendedKeyUsage in openssl's form; NULL: none */
};

/* Signed by `issuer_key` in the name of `issuer` (NULL: self-signed with `key`). */
X509 *fixture_birth(const struct birth_spec *s, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);

/* DER of HardwareModuleName. */
void fixture_module_put(struct buf *out, const char *hw_type, const void *serial, size_t len);

#endif
