/* SPDX-License-Identifier: BSD-2-Clause */
/* On what grounds a renewal is granted: the certificate named, what the registry knows of it, and
 * the proof that its key wants the new one. Pure; texts begin with a reason (ca/refuse.h). */
#ifndef CA_SIGNERD_GROUNDS_H
#define CA_SIGNERD_GROUNDS_H

#include "ca/csr.h"
#include "ca/issue.h"
#include "ca/proto/signer_records.h"
#include "ca/signerd/issuers.h"
#include "sql/proto/registry_records.h"

/* The named certificate must be of one of our CAs; fills begin's prior_issuer and prior_serial. The
 * caller frees *prior_out. ERR_INVALID request-malformed, ERR_DENIED wrong-ca. */
int grounds_prior_parse(const struct issuer_set *set, const struct sign_renew *rq, X509 **prior_out,
			struct issue_begin *begin) MUST_USE;

/* It must be the registered one byte for byte, in force, of an enrolled pump; *late_out: it is past
 * its end, by no more than `late_max_ms` (0: none may be). ERR_DENIED unknown-certificate;
 * ERR_CONFLICT certificate-revoked, -superseded, pump-revoked; ERR_EXPIRED. */
int grounds_prior_check(const struct cert_facts *facts, const struct sign_renew *rq, int64_t now_ms,
			int64_t late_max_ms, bool *late_out) MUST_USE;

/* The request is for the registered key, or carries its proof (ca/request/related_cert_request.h).
 * ERR_DENIED renewal-unproven; *no_proof_out then: nothing was claimed, rather than claimed
 * falsely.
 */
int grounds_proof_check(const struct cert_facts *facts, const struct ca_csr *csr, X509 *prior,
			int64_t now_ms, bool *no_proof_out) MUST_USE;

#endif
