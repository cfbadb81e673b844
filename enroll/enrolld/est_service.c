/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the EST operations. Never blocks, never decides whether a certificate is due: signerd does.
 */
#include "enroll/enrolld/est_service.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/request/wipe_statement.h"
#include "enroll/enrolld/outcome.h"
#include "enroll/enrolld/report_service.h"
#include "enroll/est/est_cms.h"
#include "enroll/est/est_csrattrs.h"
#include "enroll/est/renewal_info.h"
#include "enroll/est/self_report.h"
#include "enroll/est/wipe_path.h"

#define QUEUE_WAIT_US 5000000

void est_source_format(const struct sockaddr *sa, char out[IP_SIZE])
{
	const void *at = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;

	if (sa->sa_family == AF_INET6)
		at = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	if (!inet_ntop(sa->sa_family, at, out, IP_SIZE))
		memcpy(out, "unknown", sizeof("unknown"));
}

void est_answer_done(struct est_answer *a)
{
	buf_done(&a->body);
}

void est_answer_init(struct est_answer *a, int status)
{
	est_answer_done(a);
	memset(a, 0, sizeof(*a));
	buf_init(&a->body, EST_ANSWER_MAX);
	a->head.status = status;
}

/* RFC 7030 4.2.3: "the response data MUST be a plaintext human-readable error message" */
int est_answer_text(struct est_answer *a, int status, const char *text)
{
	est_answer_init(a, status);
	a->head.type = "text/plain; charset=utf-8";
	return buf_printf(&a->body, "%s\n", text);
}

static int answer_der(struct est_answer *a, const char *type, enum est_lines lines,
		      const uint8_t *der, size_t len)
{
	est_answer_init(a, 200);
	a->head.type = type;
	a->head.is_base64 = true;
	return est_base64_encode(&a->body, der, len, lines);
}

static enum est_lines lines_for(const struct http_request *req)
{
	return http_request_field(req, "User-Agent") ? EST_LINES_OF_64 : EST_ONE_LINE;
}

/* An empty body: some clients take whatever comes with a 401 for a certificate. */
static void answer_challenge(struct est_answer *a)
{
	est_answer_init(a, 401);
	a->head.is_challenge = true;
}

static int answer_refusal(struct est_answer *a, const struct outcome *o)
{
	int rc;

	if (o->status == 401) {
		answer_challenge(a);
		return 0;
	}
	if (o->status == 500)
		return est_answer_text(a, 500, "The enrolment failed; the server's log says why.");
	est_answer_init(a, o->status);
	a->head.type = "text/plain; charset=utf-8";
	a->head.retry_after_s = o->retry_after_s;
	rc = buf_printf(&a->body, "%s: %s", reason_name(o->reason), reason_sentence(o->reason));
	/* the asker's own fault: what to put right; or what a person said */
	if (!rc && *o->detail && (o->status == 400 || o->reason == REASON_APPROVAL_DENIED))
		rc = buf_printf(&a->body, " (%s)", o->detail);
	return rc ? rc : buf_put_str(&a->body, "\n");
}

static void event_post(struct est_service *s, const struct est_job *job, const struct outcome *o)
{
	struct enroll_event event = {.at = clock_wall_ms()};

	if (!*job->device)
		return;
	memcpy(event.device, job->device, sizeof(event.device));
	memcpy(event.source, job->source, sizeof(event.source));
	snprintf(event.operation, sizeof(event.operation), "%s",
		 est_operation_name(job->operation));
	snprintf(event.reason, sizeof(event.reason), "%s", reason_name(o->reason));
	log_escape(o->detail, strlen(o->detail), event.detail, sizeof(event.detail));
	if (event_poster_put(s->events, &event))
		LOG(LOG_DEBUG, "enroll.event_dropped", LOG_S("why", err_text()));
}

/* Log line, count and event of an enrolment that came to nothing; then its answer. */
static int refuse(struct est_service *s, const struct est_job *job, const struct outcome *o,
		  struct est_answer *out)
{
	int64_t now_us = clock_mono_us();
	char id[17];

	snprintf(id, sizeof(id), "%016" PRIx64, job->signer.request_id);
	LOG(o->status == 500 ? LOG_ERROR : LOG_WARN,
	    o->status == 202 ? "enroll.waits" : "enroll.refused", LOG_S("request", id),
	    LOG_S("op", est_operation_name(job->operation)), LOG_S("device", job->device),
	    LOG_S("reason", reason_name(o->reason)), LOG_U("status", o->status),
	    LOG_S("source", job->source), LOG_U("us", now_us - job->begun_us),
	    LOG_S("detail", o->detail));
	if (o->is_failure)
		throttle_record(s->throttle, job->source_key, job->device, true, now_us);
	event_post(s, job, o);
	return answer_refusal(out, o);
}

/* ---- enrolment ---- */

static bool is_pkcs10(const char *type)
{
	static const char pkcs10[] = "application/pkcs10";
	size_t len = sizeof(pkcs10) - 1;

	return type && !strncasecmp(type, pkcs10, len) && strchr(" \t;", type[len]);
}

static void renewal_take(const struct est_peer *peer, struct sign_renew *renew)
{
	size_t len = peer->tls.der_len ? peer->tls.der_len : peer->tls.late_len;

	renew->prior.len = (uint32_t)len;
	memcpy(renew->prior.data, peer->tls.der, len);
	memcpy(renew->source, peer->source, sizeof(renew->source));
}

static void idevid_take(const struct est_peer *peer, struct sign_idevid *rq)
{
	const struct tls_idevid *id = peer->tls.idevid;

	rq->idevid.len = (uint32_t)id->der_len;
	memcpy(rq->idevid.data, id->der, id->der_len);
	rq->chain.len = (uint32_t)id->chain_len;
	memcpy(rq->chain.data, id->chain, id->chain_len);
	memcpy(rq->source, peer->source, sizeof(rq->source));
}

static int token_take(const struct http_request *req, const struct est_peer *peer,
		      struct est_job *job, struct outcome *refused)
{
	const char *authorization = http_request_field(req, "Authorization");
	struct sign_enroll *enroll = &job->signer.enroll;
	AUTO_EST_BASIC basic = {.token_len = 0};

	if (!authorization) {
		*refused = outcome_refused(REASON_NONE, 401, "");
		return ERR_DENIED;
	}
	if (est_basic_parse(authorization, &basic)) {
		*refused = outcome_refused(REASON_TOKEN_WRONG, 401, err_text());
		return ERR_DENIED;
	}
	if (*peer->tls.device && strcmp(basic.serial, peer->tls.device) != 0) {
		*refused = outcome_refused(REASON_IDENTITY_MISMATCH, 403,
					   "token for another pump than the certificate's");
		return ERR_DENIED;
	}
	memcpy(job->device, basic.serial, sizeof(job->device));
	memcpy(enroll->device, basic.serial, sizeof(enroll->device));
	enroll->token.len = (uint32_t)basic.token_len;
	memcpy(enroll->token.data, basic.token, basic.token_len);
	memcpy(enroll->source, peer->source, sizeof(enroll->source));
	return 0;
}

/* Grounds on which the request is made: Basic credentials, else the TLS client certificate, ours or
 * a maker's. 0 with job filled, or a status with the reason set. */
static int grounds_take(const struct http_request *req, const struct est_peer *peer,
			struct est_job *job, struct outcome *refused)
{
	bool has_token = http_request_field(req, "Authorization") != NULL;

	memcpy(job->device, peer->tls.device, sizeof(job->device));
	job->signer.verb = SIGNER_RENEW;
	/* RFC 7030 4.2.2: re-enrolment is proven by the certificate that it follows. */
	if (job->operation == EST_SIMPLEREENROLL && peer->tls.late_len)
		memcpy(job->device, peer->tls.late_device, sizeof(job->device));
	else if (job->operation == EST_SIMPLEREENROLL && !peer->tls.der_len) {
		*refused = outcome_refused(REASON_NO_CERTIFICATE, 403, "simplereenroll");
		return ERR_DENIED;
	}
	if (job->operation == EST_SIMPLEREENROLL || (!has_token && peer->tls.der_len)) {
		renewal_take(peer, &job->signer.renew);
		return 0;
	}
	if (!has_token && peer->tls.idevid) {
		job->signer.verb = SIGNER_IDEVID;
		idevid_take(peer, &job->signer.idevid);
		return 0;
	}
	job->signer.verb = SIGNER_ENROLL;
	return token_take(req, peer, job, refused);
}

/* Where the request itself goes, CSR_DER_MAX bytes of it, and its length. */
static uint8_t *csr_of(struct signer_job *job, uint32_t **len_out)
{
	switch (job->verb) {
	case SIGNER_RENEW:
		*len_out = &job->renew.csr.len;
		return job->renew.csr.data;
	case SIGNER_IDEVID:
		*len_out = &job->idevid.csr.len;
		return job->idevid.csr.data;
	default:
		*len_out = &job->enroll.csr.len;
		return job->enroll.csr.data;
	}
}

static int csr_take(const struct http_request *req, struct est_job *job, struct outcome *refused)
{
	uint32_t *len_at;
	uint8_t *der = csr_of(&job->signer, &len_at);
	size_t len = 0;
	int rc;

	if (!is_pkcs10(http_request_field(req, "Content-Type"))) {
		*refused = outcome_refused(REASON_REQUEST_MALFORMED, 415,
					   "the content type is not application/pkcs10");
		return ERR_INVALID;
	}
	rc = est_base64_decode(req->body.data, req->body.len, der, CSR_DER_MAX, &len);
	if (!rc && len == 0)
		rc = err_set(ERR_INVALID, "the body is empty");
	if (rc) {
		*refused = outcome_refused(REASON_REQUEST_MALFORMED, rc == ERR_LIMIT ? 413 : 400,
					   err_text());
		return rc;
	}
	*len_at = (uint32_t)len;
	return 0;
}

/* All requests have the same fields for it. */
#define TERMS_SET(rq, profile, channel)                                                        \
	do {                                                                                   \
		snprintf((rq)->key_type, sizeof((rq)->key_type), "%s",                         \
			 est_key_name((profile)->key));                                        \
		(rq)->bound = (profile)->is_bound;                                             \
		(rq)->tls_unique.len = (uint32_t)(channel)->unique_len;                        \
		memcpy((rq)->tls_unique.data, (channel)->unique, (channel)->unique_len);       \
		(rq)->tls_exporter.len = (uint32_t)(channel)->exporter_len;                    \
		memcpy((rq)->tls_exporter.data, (channel)->exporter, (channel)->exporter_len); \
	} while (0)

/* What the label asks for goes to the signer, which reads the request. */
static void terms_set(struct est_job *job, const struct est_profile *profile,
		      const struct tls_channel *channel)
{
	if (job->signer.verb == SIGNER_RENEW)
		TERMS_SET(&job->signer.renew, profile, channel);
	else if (job->signer.verb == SIGNER_IDEVID)
		TERMS_SET(&job->signer.idevid, profile, channel);
	else
		TERMS_SET(&job->signer.enroll, profile, channel);
}

/* Slowed down: answered without asking anybody and without an event, which would be a lever too. */
static int answer_throttled(struct est_service *s, const struct est_job *job, unsigned wait_s,
			    struct est_answer *out)
{
	int rc = est_answer_text(out, 429, "Too many failed enrolments; try again later.");

	out->head.retry_after_s = wait_s;
	if (noise_allow(&s->noise, job->begun_us))
		LOG(LOG_WARN, "enroll.throttled", LOG_S("device", job->device),
		    LOG_S("source", job->source), LOG_U("wait_s", wait_s));
	return rc;
}

static struct est_job *job_new(const struct http_request *req, const struct est_peer *peer,
			       enum est_operation operation)
{
	struct est_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->operation = operation;
	job->lines = lines_for(req);
	job->begun_us = clock_mono_us();
	job->signer.give_up_us = job->begun_us + QUEUE_WAIT_US;
	do
		secret_fill_random(&job->signer.request_id, sizeof(job->signer.request_id));
	while (job->signer.request_id == 0);
	memcpy(job->source, peer->source, sizeof(job->source));
	memcpy(job->source_key, peer->source_key, sizeof(job->source_key));
	return job;
}

static void job_auto_free(struct est_job **job)
{
	if (*job)
		signer_job_wipe(&(*job)->signer, sizeof(**job));
}
#define AUTO_JOB __attribute__((cleanup(job_auto_free))) struct est_job *

static int enrolment_begin(struct est_service *s, const struct http_request *req,
			   const struct est_peer *peer, enum est_operation operation,
			   const struct est_profile *profile, struct est_answer *out,
			   struct waiting **waiting_out)
{
	AUTO_JOB job = job_new(req, peer, operation);
	struct outcome refused;
	unsigned wait_s;
	int rc;

	if (!job)
		return err_set(ERR_NOMEM, "no memory for an enrolment");
	rc = grounds_take(req, peer, job, &refused);
	if (rc && refused.reason == REASON_NONE) { /* nothing was tried yet: the usual first step */
		LOG(LOG_DEBUG, "enroll.challenged", LOG_S("source", job->source));
		answer_challenge(out);
		return 0;
	}
	wait_s = throttle_wait_s(s->throttle, job->source_key, job->device, job->begun_us);
	if (wait_s)
		return answer_throttled(s, job, wait_s, out);
	if (rc || (rc = csr_take(req, job, &refused)))
		return refuse(s, job, &refused, out);
	terms_set(job, profile, &peer->channel);
	if (signer_pool_submit(s->pool, &job->signer)) {
		refused = outcome_refused(REASON_SIGNER_AWAY, 503, err_text());
		return refuse(s, job, &refused, out);
	}
	*waiting_out = &job->waiting;
	job = NULL;
	return 0;
}

static int answer_certificate(const struct est_job *job, struct est_answer *out)
{
	const struct est_der cert = {job->signer.cert.der.data, job->signer.cert.der.len};
	AUTO_BUF cms = {.max = EST_ANSWER_MAX};
	int rc = est_certs_only_build(&cms, &cert, 1);

	return rc ? rc
		  : answer_der(out, "application/pkcs7-mime; smime-type=certs-only", job->lines,
			       cms.data, cms.len);
}

static int answer_wiped(const struct est_job *job, struct est_answer *out)
{
	LOG(LOG_INFO, "enroll.wiped", LOG_S("device", job->signer.cert.device),
	    LOG_S("cert", job->signer.cert.cert_serial), LOG_S("source", job->source));
	return est_answer_text(out, 200, "The statement is kept.");
}

int est_service_finish(struct est_service *s, struct est_job *finished, struct est_answer *out)
{
	AUTO_JOB job = finished;
	const struct signed_cert *cert = &job->signer.cert;
	struct outcome o =
		outcome_of(job->signer.rc, job->signer.text, job->signer.verb == SIGNER_ENROLL);
	char id[17], until[CLOCK_TEXT_MAX];

	if (o.status != 200)
		return refuse(s, job, &o, out);
	if (job->signer.verb == SIGNER_WIPE)
		return answer_wiped(job, out);
	snprintf(id, sizeof(id), "%016" PRIx64, job->signer.request_id);
	clock_format(cert->not_after, until);
	LOG(LOG_INFO, "enroll.issued", LOG_S("request", id),
	    LOG_S("op", est_operation_name(job->operation)), LOG_S("device", cert->device),
	    LOG_S("cert", cert->cert_serial), LOG_S("until", until), LOG_S("source", job->source),
	    LOG_U("us", clock_mono_us() - job->begun_us),
	    LOG_U("waited", job->waiting.conn != NULL));
	throttle_record(s->throttle, job->source_key, cert->device, false, clock_mono_us());
	return answer_certificate(job, out);
}

/* ---- all operations ---- */

static const char *method_of(enum est_operation op)
{
	return op == EST_CACERTS || op == EST_CSRATTRS ? "GET" : "POST";
}

/* RFC 7030 4.5.2. The name that the certificate will have is told to who has one already. */
static int csrattrs_answer(const struct http_request *req, const struct est_peer *peer,
			   const struct est_profile *profile, struct est_answer *out)
{
	const char *authorization = http_request_field(req, "Authorization");
	AUTO_EST_BASIC basic = {.token_len = 0};
	AUTO_BUF der = {.max = EST_CSRATTRS_MAX};
	const char *device = peer->tls.device;
	int rc;

	if (!*device && authorization && est_basic_parse(authorization, &basic) == 0)
		device = basic.serial; /* its own word, told back: no secret, no proof */
	rc = est_csrattrs_build(&der, profile, device);
	return rc ? rc : answer_der(out, "application/csrattrs", lines_for(req), der.data, der.len);
}

/* Told to the pump whose certificate it is, and to nobody else. */
static int renewal_answer(struct est_service *s, const struct http_request *req,
			  const struct est_peer *peer, struct est_answer *out)
{
	struct renewal_facts facts = {.not_before = peer->tls.not_before_ms,
				      .not_after = peer->tls.not_after_ms,
				      .spread_ms = s->renewal_spread_ms};
	int rc;

	if (strcmp(req->method, "GET") != 0) {
		rc = est_answer_text(out, 405, "Renewal information is read with GET.");
		out->head.allow = "GET";
		return rc;
	}
	if (!peer->tls.der_len)
		return est_answer_text(out, 403, "Show the certificate that this is about.");
	facts.asked_at = renewal_watch_asked(s->renewals, peer->tls.cert_serial);
	est_answer_init(out, 200);
	out->head.type = "application/json";
	out->head.retry_after_s = RENEWAL_INFO_AGAIN_S;
	return renewal_info_build(&facts, &out->body);
}

/* The statement of a pump that was wiped: it has no certificate to show any more. Who does not know
 * an order that is open gets no further. */
static int wipe_begin(struct est_service *s, const struct http_request *req,
		      const struct est_peer *peer, const char *order, struct est_answer *out,
		      struct waiting **waiting_out)
{
	struct outcome refused = outcome_refused(REASON_REQUEST_MALFORMED, 400, "wipe statement");
	struct wipe_envelope e;
	AUTO_JOB job = NULL;
	unsigned wait_s;

	if (!renewal_watch_is_wipe(s->renewals, order))
		return est_answer_text(out, 404, "There is no such order.");
	if (strcmp(req->method, "POST") != 0) {
		int rc = est_answer_text(out, 405, "A wipe statement is sent with POST.");

		out->head.allow = "POST";
		return rc;
	}
	job = job_new(req, peer, EST_NONE);
	if (!job)
		return err_set(ERR_NOMEM, "no memory for a statement");
	job->signer.verb = SIGNER_WIPE;
	wait_s = throttle_wait_s(s->throttle, job->source_key, job->device, job->begun_us);
	if (wait_s)
		return answer_throttled(s, job, wait_s, out);
	if (wipe_envelope_parse(req->body.data, req->body.len, &e))
		return refuse(s, job, &refused, out);
	job->signer.wipe.cert.len = (uint32_t)e.cert_len;
	memcpy(job->signer.wipe.cert.data, e.cert, e.cert_len);
	job->signer.wipe.signature.len = (uint32_t)e.signature_len;
	memcpy(job->signer.wipe.signature.data, e.signature, e.signature_len);
	job->signer.wipe.statement.len = (uint32_t)e.text_len;
	memcpy(job->signer.wipe.statement.data, e.text, e.text_len);
	memcpy(job->signer.wipe.source, job->source, sizeof(job->source));
	if (signer_pool_submit(s->pool, &job->signer)) {
		refused = outcome_refused(REASON_SIGNER_AWAY, 503, err_text());
		return refuse(s, job, &refused, out);
	}
	*waiting_out = &job->waiting;
	job = NULL;
	return 0;
}

/* For everybody who asks: it is signed, and holds nothing but names. */
static int policy_answer(struct est_service *s, const struct http_request *req,
			 struct est_answer *out)
{
	AUTO_BUF der = {.max = SERVER_POLICY_DER_MAX};
	int rc;

	if (strcmp(req->method, "GET") != 0) {
		rc = est_answer_text(out, 405, "The server policy is read with GET.");
		out->head.allow = "GET";
		return rc;
	}
	rc = renewal_watch_policy(s->renewals, &der);
	if (rc == ERR_NOT_FOUND)
		return est_answer_text(out, 404, "There is no server policy: the bundle says all.");
	return rc ? rc : answer_der(out, "application/cms", lines_for(req), der.data, der.len);
}

int est_service_begin(struct est_service *s, const struct http_request *req,
		      const struct est_peer *peer, struct est_answer *out,
		      struct waiting **waiting_out)
{
	const struct est_profile *profile;
	char order[WIPE_ORDER_SIZE];
	struct est_path path;

	*waiting_out = NULL;
	if (renewal_info_is_target(req->target))
		return renewal_answer(s, req, peer, out);
	if (self_report_is_target(req->target))
		return report_service_begin(s, req, peer, out, waiting_out);
	if (wipe_path_parse(req->target, order))
		return wipe_begin(s, req, peer, order, out, waiting_out);
	if (server_policy_is_target(req->target))
		return policy_answer(s, req, out);
	if (est_path_parse(req->target, &path))
		return est_answer_text(out, 404, "There is no such EST operation here.");
	profile = est_labels_find(&s->labels, path.label);
	if (!profile)
		return est_answer_text(out, 404, "There is no such label here; leave it out.");
	if (path.operation == EST_SERVERKEYGEN || path.operation == EST_FULLCMC)
		return est_answer_text(out, 501, "Pumps make their own keys; use simpleenroll.");
	if (strcmp(req->method, method_of(path.operation)) != 0) {
		int rc = est_answer_text(out, 405, "This EST operation wants another method.");

		out->head.allow = method_of(path.operation);
		return rc;
	}
	switch (path.operation) {
	case EST_CACERTS: /* RFC 7030 4.1.3 */
		return answer_der(out, "application/pkcs7-mime", lines_for(req), s->cacerts.data,
				  s->cacerts.len);
	case EST_CSRATTRS:
		return csrattrs_answer(req, peer, profile, out);
	default:
		return enrolment_begin(s, req, peer, path.operation, profile, out, waiting_out);
	}
}
