/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One issuance, from request to certificate. The signer believes nobody: it verifies the proof of
 * possession, asks the registry whether a certificate is due, and for a renewal verifies that the
 * registered key wants it. Order, so that no crash loses or doubles anything: reserve the serial
 * (registry commit), sign, own list (fsync), store (registry commit), answer. Each step can be
 * repeated, and then picks up what was begun.
 *
 * Every failure's text begins with the name of its reason (ca/refuse.h).
 */
#ifndef CA_SIGNERD_ISSUANCE_H
#define CA_SIGNERD_ISSUANCE_H

#include <pthread.h>

#include "base/ipc_client.h"
#include "ca/issue.h"
#include "ca/issued_log.h"
#include "ca/proto/signer_records.h"
#include "ca/revoked_set.h"
#include "ca/signerd/issuers.h"
#include "ca/signerd/rate.h"

struct publisher;

struct signer { /* shared by all workers; fixed after start but for what has its own lock */
	struct issuers *issuers;
	struct issued_log *log;
	struct issued_log *revoked;	 /* what the keeper writes */
	struct revoked_set *revoked_set; /* the same, in memory: for CRL and OCSP */
	struct publisher *publisher;
	int64_t device_validity_ms;
	bool unproven_queue; /* a renewal without proof waits for a person instead of failing */
	int64_t late_max_ms; /* how long past its end a certificate may still be renewed, once */
	const char *crl_url, *ocsp_url; /* put into certificates of pumps (crl_url: the first
					   CA's list, ca/ca_number.h); "": not */
	pthread_mutex_t rate_lock;
	struct rate minute, hour;
	uint64_t capped; /* requests that the cap refused */
	int64_t capped_at_ms, capped_said_ms;
};

/* What one worker has for itself. */
struct issuance {
	struct signer *signer;
	struct ipc_client *registry; /* role signer */
	uint64_t introduced;	     /* generation of the CAs that the registry has been told of on
					this connection; 0: none */
	struct issuer_set *set;	     /* with which the request at hand works, to its end */
};

/* Block at most four registry calls of REGISTRY_WAIT_MS and one fsync. Codes:
 *   ERR_INVALID    request-malformed, name-refused   ERR_CRYPTO   key-refused, proof-failed
 *   ERR_DENIED     token-wrong, renewal-unproven, approval-denied, wrong-ca, unknown-certificate
 *   ERR_USED       token-used                        ERR_EXPIRED  token- or certificate-expired
 *   ERR_CONFLICT   pump-revoked, certificate-*       ERR_NOT_FOUND unknown-pump
 *   ERR_BUSY       approval-pending
 *   ERR_LIMIT      the cap                           ERR_UNAVAILABLE, ERR_TIMEOUT registry-away
 * and ERR_IO, ERR_FULL, ERR_INTERNAL, ERR_CORRUPT as signer-away. */
int issuance_enroll(struct issuance *is, const struct sign_enroll *rq,
		    struct signed_cert *out) MUST_USE;
int issuance_renew(struct issuance *is, const struct sign_renew *rq,
		   struct signed_cert *out) MUST_USE;
/* Besides: ERR_DENIED maker-refused, idevid-unproven; ERR_USED idevid-used. */
int issuance_idevid(struct issuance *is, const struct sign_idevid *rq,
		    struct signed_cert *out) MUST_USE;

/* Tells the registry our CAs, once per connection and set. ERR_UNAVAILABLE and other codes of the
 * call. */
int issuance_introduce(struct issuance *is) MUST_USE;

#define REGISTRY_WAIT_MS 2000

#endif
