/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pumpgate-signerd is asked and answers. It never gets bytes to sign: only a CSR with the
 * grounds on which a certificate is due, which it checks against the registry by itself.
 */
#ifndef CA_PROTO_SIGNER_RECORDS_H
#define CA_PROTO_SIGNER_RECORDS_H

#include "base/ipc_record.h"

#define SIGNER_SOCKET "run/signer/sock" /* below the home */
#define CSR_DER_MAX 8192
#define OCSP_ASKED_MAX 8 /* certificates in one OCSP request */
#define OCSP_NONCE_MAX 128
#define CRL_PART_MAX 65536

enum signer_verb {
	SIGNER_ENROLL = 1,  /* sign_enroll -> signed_cert; role enroll */
	SIGNER_RENEW = 2,   /* sign_renew -> signed_cert; role enroll */
	SIGNER_STATUS = 3,  /* signer_query -> signer_status; role admin */
	SIGNER_CRL = 8,	    /* crl_query -> crl_part; roles publish, admin */
	SIGNER_OCSP = 9,    /* ocsp_query[1..8] -> ocsp_answer; role publish */
	SIGNER_NAS = 10,    /* sign_nas -> signed_cert; role admin */
	SIGNER_IDEVID = 16, /* sign_idevid -> signed_cert; role enroll */
	SIGNER_WIPE = 20,   /* wipe_check -> signed_cert: whose statement; roles enroll, admin */
	/* checkpoints of the audit chains, role admin: docs/decisions/0161 */
	SIGNER_CHECKPOINTS = 130,	/* checkpoint_query -> audit_checkpoint[], oldest first */
	SIGNER_CHECKPOINT_STATE = 131,	/* checkpoint_query -> checkpoint_state */
	SIGNER_CHECKPOINT_ACCEPT = 132, /* checkpoint_accept -> audit_checkpoint */
};

/* What the EST label of the request asks for, and the TLS connection that the request came over:
 * tls-unique (RFC 5929; TLS 1.2 only) and tls-exporter (RFC 9266), empty where there is none. */
#define TLS_UNIQUE_MAX 64
#define TLS_EXPORTER_BYTES 32
#define SIGN_TERMS_FIELDS(X, S)                                            \
	X(S, STR, key_type, 17) /* as the CSR check names it; "": any */   \
	X(S, BOOL, bound, 1)	/* the request must name the connection */ \
	X(S, BLOB, tls_unique, TLS_UNIQUE_MAX)                             \
	X(S, BLOB, tls_exporter, TLS_EXPORTER_BYTES)

/* First certificate of a pump: its inventory serial and one-time token. */
#define SIGN_ENROLL_FIELDS(X, S)                                 \
	X(S, STR, device, 64)                                    \
	X(S, HIDE, token, 128)                                   \
	X(S, BLOB, csr, CSR_DER_MAX) /* DER PKCS#10, RFC 2986 */ \
	X(S, STR, source, 46)                                    \
	SIGN_TERMS_FIELDS(X, S)
RECORD_DECLARE(sign_enroll, SIGN_ENROLL_FIELDS)

/* Renewal by the holder of the certificate `prior` (DER), which the enrolment service saw in TLS;
 * no proof for the signer, which wants the registered key or RFC 9763's relatedCertRequest. */
#define SIGN_RENEW_FIELDS(X, S)      \
	X(S, BLOB, prior, 4096)      \
	X(S, BLOB, csr, CSR_DER_MAX) \
	X(S, STR, source, 46)        \
	SIGN_TERMS_FIELDS(X, S)
RECORD_DECLARE(sign_renew, SIGN_RENEW_FIELDS)

/* First certificate by a maker's birth certificate (IEEE 802.1AR), which the enrolment service saw
 * in TLS with the CAs below it (DER, one behind the other). No proof for the signer either, which
 * wants RFC 9763's relatedCertRequest by that key, and verifies the chain by itself. */
#define IDEVID_CHAIN_MAX 8192
#define SIGN_IDEVID_FIELDS(X, S)            \
	X(S, BLOB, idevid, 4096)            \
	X(S, BLOB, chain, IDEVID_CHAIN_MAX) \
	X(S, BLOB, csr, CSR_DER_MAX)        \
	X(S, STR, source, 46)               \
	SIGN_TERMS_FIELDS(X, S)
RECORD_DECLARE(sign_idevid, SIGN_IDEVID_FIELDS)
/* A RadSec client certificate for NAS `name`. Good for nothing until the admin has registered it:
 * the registry is the list of what is in force. */
#define SIGN_NAS_FIELDS(X, S) \
	X(S, STR, name, 33)   \
	X(S, BLOB, csr, CSR_DER_MAX)
RECORD_DECLARE(sign_nas, SIGN_NAS_FIELDS)

/* The statement of a wiped pump (ca/request/wipe_statement.h), to be verified and kept. */
#define WIPE_CHECK_FIELDS(X, S)     \
	X(S, BLOB, cert, 4096)      \
	X(S, BLOB, statement, 1024) \
	X(S, BLOB, signature, 512)  \
	X(S, STR, source, 46)
RECORD_DECLARE(wipe_check, WIPE_CHECK_FIELDS)

#define SIGNED_CERT_FIELDS(X, S)   \
	X(S, STR, device, 64)      \
	X(S, STR, cert_serial, 48) \
	X(S, TIME, not_after, 1)   \
	X(S, BLOB, der, 4096)
RECORD_DECLARE(signed_cert, SIGNED_CERT_FIELDS)

#define SIGNER_QUERY_FIELDS(X, S) X(S, BOOL, verbose, 1)
RECORD_DECLARE(signer_query, SIGNER_QUERY_FIELDS)

/* The published revocation list, from `offset`. number 0: the newest; another one that is no longer
 * the newest is ERR_NOT_FOUND, and the asker begins anew. ERR_BUSY: none is made yet. ERR_DENIED:
 * no CA has that number. */
#define CRL_QUERY_FIELDS(X, S)                                       \
	X(S, U32, ca, 1) /* its number; 0: of the one that issues */ \
	X(S, U64, number, 1)                                         \
	X(S, U32, offset, 1)
RECORD_DECLARE(crl_query, CRL_QUERY_FIELDS)

#define CRL_PART_FIELDS(X, S)                                   \
	X(S, U32, ca, 1)                                        \
	X(S, U64, number, 1)                                    \
	X(S, TIME, this_update, 1)                              \
	X(S, TIME, next_update, 1)                              \
	X(S, U32, entries, 1)                                   \
	X(S, U32, total, 1)	       /* bytes of the whole */ \
	X(S, BLOB, data, CRL_PART_MAX) /* a part of it */
RECORD_DECLARE(crl_part, CRL_PART_FIELDS)

/* That row `seq` was the last of an audit chain at that time, and had this hash. by: who accepted a
 * chain that does not go on from the checkpoint before; "-" for the signer itself. */
#define CHAIN_NAME_SIZE 17
#define CHECKPOINT_SIGNATURE_BYTES 64
#define CHECKPOINTS_PAGE 500
#define AUDIT_CHECKPOINT_FIELDS(X, S)     \
	X(S, U64, number, 1)              \
	X(S, TIME, at, 1)                 \
	X(S, STR, chain, CHAIN_NAME_SIZE) \
	X(S, BOOL, accepted, 1)           \
	X(S, U64, seq, 1)                 \
	X(S, STR, head, 65)               \
	X(S, STR, by, 33)                 \
	X(S, BLOB, signature, CHECKPOINT_SIGNATURE_BYTES)
RECORD_DECLARE(audit_checkpoint, AUDIT_CHECKPOINT_FIELDS)

#define CHECKPOINT_QUERY_FIELDS(X, S)     \
	X(S, STR, chain, CHAIN_NAME_SIZE) \
	X(S, U64, after, 1) /* number */
RECORD_DECLARE(checkpoint_query, CHECKPOINT_QUERY_FIELDS)

/* fault: why nothing is signed now, "" when all is well. key: SubjectPublicKeyInfo, DER. */
#define CHECKPOINT_STATE_FIELDS(X, S) \
	X(S, BLOB, key, 128)          \
	X(S, TIME, looked_at, 1)      \
	X(S, U32, every_s, 1)         \
	X(S, STR, fault, 257)
RECORD_DECLARE(checkpoint_state, CHECKPOINT_STATE_FIELDS)

#define CHECKPOINT_ACCEPT_FIELDS(X, S)    \
	X(S, STR, chain, CHAIN_NAME_SIZE) \
	X(S, STR, reason, 257)
RECORD_DECLARE(checkpoint_accept, CHECKPOINT_ACCEPT_FIELDS)

enum ocsp_hash { OCSP_HASH_NONE = 0, OCSP_SHA1, OCSP_SHA256, OCSP_SHA384, OCSP_SHA512 };

/* One CertID of an OCSP request (RFC 6960 4.1.1), read by the enrolment service: the signer never
 * parses what came from the network. The nonce stands in the first record and is for all. */
#define OCSP_QUERY_FIELDS(X, S)                    \
	X(S, U32, hash, 1) /* enum ocsp_hash */    \
	X(S, BLOB, issuer_name_hash, 64)           \
	X(S, BLOB, issuer_key_hash, 64)            \
	X(S, BLOB, cert_serial, 20) /* unsigned */ \
	X(S, BLOB, nonce, OCSP_NONCE_MAX)
RECORD_DECLARE(ocsp_query, OCSP_QUERY_FIELDS)

/* A whole OCSPResponse. ERR_NOT_FOUND: none of them is of our CA (unauthorized); ERR_BUSY: too many
 * are being asked for (tryLater). */
#define OCSP_ANSWER_FIELDS(X, S) X(S, BLOB, der, 4096)
RECORD_DECLARE(ocsp_answer, OCSP_ANSWER_FIELDS)

#define SIGNER_STATUS_FIELDS(X, S)                                                         \
	X(S, STR, issuer, 256)                                                             \
	X(S, U32, issuer_ca, 1)	   /* its number */                                        \
	X(S, STR, old_issuer, 256) /* the one before, while it tells of revocations */     \
	X(S, U32, old_ca, 1)                                                               \
	X(S, BOOL, old_retired, 1) /* nothing believes its certificates any more */        \
	X(S, TIME, old_until, 1)   /* the end of its last certificate */                   \
	X(S, U32, old_crl_entries, 1)                                                      \
	X(S, TIME, issuer_not_after, 1)                                                    \
	X(S, U64, issued, 1)  /* entries in its own append-only list */                    \
	X(S, U64, revoked, 1) /* and in that of revoked serials */                         \
	X(S, STR, key_store, 17)                                                           \
	X(S, U32, issue_per_minute, 1)                                                     \
	X(S, U32, issue_per_hour, 1)                                                       \
	X(S, U64, capped, 1) /* requests that this cap refused */                          \
	X(S, TIME, capped_at, 1)                                                           \
	X(S, U64, crl_number, 1) /* of the newest revocation list; 0: none */              \
	X(S, TIME, crl_this_update, 1)                                                     \
	X(S, TIME, crl_next_update, 1)                                                     \
	X(S, U32, crl_entries, 1)                                                          \
	X(S, U32, crl_bytes, 1)                                                            \
	X(S, BOOL, crl_failing, 1)    /* the last try to make one failed */                \
	X(S, STR, ocsp_responder, 48) /* serial of the delegated certificate */            \
	X(S, TIME, ocsp_responder_not_after, 1)                                            \
	X(S, U64, ocsp_signed, 1)	    /* answers signed since the start */           \
	X(S, U64, ocsp_ready, 1)	    /* answers given that were signed before */    \
	X(S, U64, ocsp_refused, 1)	    /* too many at once */                         \
	X(S, TIME, checkpoint_looked_at, 1) /* when the audit's end was last found well */ \
	X(S, STR, checkpoint_fault, 257)    /* why it is not signed now; "": it is */
RECORD_DECLARE(signer_status, SIGNER_STATUS_FIELDS)

#endif
