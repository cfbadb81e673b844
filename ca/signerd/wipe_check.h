/* SPDX-License-Identifier: BSD-2-Clause */
/* The statement of a pump that was wiped, verified by nobody's word but its own key. */
#ifndef CA_SIGNERD_WIPE_CHECK_H
#define CA_SIGNERD_WIPE_CHECK_H

#include "ca/signerd/issuance.h"
#include "sql/proto/registry_records.h"

/* May this statement stand? Its certificate is the registered one byte for byte, of any standing
 * but reserved; the signature is that key's; the text names that pump and that certificate. Pure.
 * ERR_INVALID request-malformed; ERR_DENIED unknown-certificate, name-mismatch, proof-failed. */
int wipe_check_verify(const struct cert_facts *facts, const struct wipe_check *rq, X509 *cert,
		      struct wiped *out) MUST_USE;

/* Verifies and hands it to the registry, which keeps it and revokes the pump. Again: 0. Blocks at
 * most three registry calls. Besides: ERR_DENIED when there is no such order, wrong-ca; those of
 * the calls. */
int wipe_check_run(struct issuance *is, const struct wipe_check *rq,
		   struct signed_cert *out) MUST_USE;

#endif
