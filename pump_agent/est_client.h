/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Enrolment over Secure Transport (RFC 7030) as a client, over HTTPS (pump_agent/https.h). Every
 * call blocks, at most EST_WAIT_MS, less when `stop` turns true. Answers are at most
 * EST_ANSWER_MAX bytes.
 */
#ifndef PUMP_AGENT_EST_CLIENT_H
#define PUMP_AGENT_EST_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "ca/request/wipe_statement.h"
#include "pump_agent/bundle.h"
#include "pump_agent/x509_auto.h"

#define EST_WAIT_MS 20000
#define EST_CONNECT_MS 5000

/*
 * Fetches /cacerts from whoever answers at `url`, proving nothing about it: the bytes are only good
 * for looking for a certificate of a known hash. Nothing is sent but the request line.
 */
int est_cacerts_unverified(const char *url, const atomic_bool *stop, struct buf *out) MUST_USE;

struct est_session; /* one server, proven to be what `anchors` issued, with the name in the URL */

/* What is shown to the server; not owned. */
struct est_identity {
	EVP_PKEY *key;
	X509 *cert;
	const STACK_OF(X509) * chain; /* CAs sent after it; NULL: none */
};

/* `shown` may be NULL. Everything must outlive the session. Makes no connection yet. ERR_NOMEM. */
int est_session_new(const char *url, const STACK_OF(X509) * anchors,
		    const struct est_identity *shown, const atomic_bool *stop,
		    struct est_session **out) MUST_USE;
void est_session_free(struct est_session *s); /* NULL ok */

static inline void est_session_auto_free(struct est_session **s)
{
	est_session_free(*s);
}
/* What the last answer's Date (RFC 9110 6.6.1) said, in milliseconds since 1970, whole seconds; 0:
 * none. */
int64_t est_session_time(const struct est_session *s);
/* SHA-256 of the root that the server of the last request proved itself by. ERR_CRYPTO: it has not.
 */
int est_session_anchor(const struct est_session *s, uint8_t out[ANCHOR_HASH_BYTES]) MUST_USE;
/* True: the last request failed because the server's certificate has expired, by our clock. */
bool est_session_is_expired(const struct est_session *s);

#define AUTO_EST __attribute__((cleanup(est_session_auto_free))) struct est_session *

/*
 * All: 0 with the answer's body in `out`; else nothing was taken and
 *   ERR_UNAVAILABLE no connection, ERR_TIMEOUT, ERR_BUSY (202, 429, 5xx: ask again later),
 *   ERR_CRYPTO the server could not prove itself, ERR_LIMIT the answer is too large,
 *   ERR_DENIED (401, 403: the token or certificate was refused; the text has the reason),
 *   ERR_CONFLICT (403 that says the pump or its certificate is revoked),
 *   ERR_INVALID any other answer.
 */
int est_cacerts(struct est_session *s, struct buf *out) MUST_USE;
/* Besides: ERR_NOT_FOUND when the server has no wishes (404, 204). */
int est_csrattrs(struct est_session *s, struct buf *out) MUST_USE;
/* HTTP Basic: the pump's serial and its one-time token. `csr` is DER. */
int est_simpleenroll(struct est_session *s, const char *pump, const struct secret *token,
		     const struct buf *csr, struct buf *out) MUST_USE;
/* When the server wants this certificate renewed (RFC 9773 4.2, at a place of our own), by the wall
 * clock in seconds; again_s 0: it did not say. The session must show a certificate. Besides:
 * ERR_INVALID, also when it is no JSON of that kind. */
struct est_renewal_info {
	int64_t start_s, end_s, again_s;
};
int est_renewal_info(struct est_session *s, struct est_renewal_info *out) MUST_USE;
/* Posts a report (self_report.h) to the status resource beside EST; the session must show a
 * certificate. again_s_out: when the server wants the next one, 0: it did not say. Besides:
 * ERR_NOT_FOUND: the server takes no reports. */
int est_status(struct est_session *s, const struct buf *report, struct buf *out,
	       int64_t *again_s_out) MUST_USE;
/* A wipe statement (ca/request/wipe_statement.h) for `order`. */
int est_wipe_statement(struct est_session *s, const char *order,
		       const struct buf *statement) MUST_USE;
/* The signed server policy in base64 (pump_agent/server_policy.h). Besides: ERR_NOT_FOUND when the
 * server has none. */
int est_server_policy(struct est_session *s, struct buf *out) MUST_USE;
/* By the certificate that is shown: a maker's birth certificate. */
int est_simpleenroll_shown(struct est_session *s, const struct buf *csr, struct buf *out) MUST_USE;
int est_simplereenroll(struct est_session *s, const struct buf *csr, struct buf *out) MUST_USE;

/* The connection that the last request went over, which the next one uses too unless the server
 * closes it: its number, and base64 of what names it (RFC 7030 3.5): tls-unique in TLS 1.2 (RFC
 * 5929 3), tls-exporter in TLS 1.3 (RFC 9266). "" when there is none. Valid until the next call. */
struct est_channel {
	unsigned number; /* from 1 */
	const char *binding;
};
struct est_channel est_channel(const struct est_session *s);

#endif
