/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the descriptions of the signer's records. */
#include "ca/proto/signer_records.h"

RECORD_DESCRIBE(sign_enroll, SIGN_ENROLL_FIELDS)
RECORD_DESCRIBE(sign_renew, SIGN_RENEW_FIELDS)
RECORD_DESCRIBE(sign_idevid, SIGN_IDEVID_FIELDS)
RECORD_DESCRIBE(signed_cert, SIGNED_CERT_FIELDS)
RECORD_DESCRIBE(signer_query, SIGNER_QUERY_FIELDS)
RECORD_DESCRIBE(signer_status, SIGNER_STATUS_FIELDS)
RECORD_DESCRIBE(crl_query, CRL_QUERY_FIELDS)
RECORD_DESCRIBE(crl_part, CRL_PART_FIELDS)
RECORD_DESCRIBE(ocsp_query, OCSP_QUERY_FIELDS)
RECORD_DESCRIBE(ocsp_answer, OCSP_ANSWER_FIELDS)
