/* SPDX-License-Identifier: BSD-2-Clause */
/* On what grounds a birth certificate (IEEE 802.1AR) stands for a token. Pure; texts begin with a
 * reason (ca/refuse.h). What the inventory says of the pump is the registry's to check. */
#ifndef CA_SIGNERD_IDEVID_GROUNDS_H
#define CA_SIGNERD_IDEVID_GROUNDS_H

#include "ca/csr.h"
#include "ca/proto/signer_records.h"
#include "sql/proto/registry_records.h"

/* The certificate leads to an anchor of one of the n enabled `makers`, names one serial, and its
 * key has signed the request for just this new key (ca/request/related_cert_request.h). Fills
 * begin's device, maker, hw_type, anchor_sha256 and idevid_sha256. ERR_INVALID request-malformed,
 * name-refused; ERR_CRYPTO key-refused; ERR_DENIED maker-refused, idevid-unproven. */
int grounds_idevid_check(const struct sign_idevid *rq, const struct ca_csr *csr,
			 const struct maker *makers, size_t n, int64_t now_ms,
			 struct issue_begin *begin) MUST_USE;

#endif
