/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the answers of the HTTP port. Never decides a status: signerd does. */
#include "enroll/enrolld/status_service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "enroll/status/status_path.h"

#define QUEUE_WAIT_US 3000000
#define BODY_MAX 8192
#define AGAIN_S 2
#define OCSP_REQUEST_TYPE "application/ocsp-request" /* RFC 6960 A.1 */
#define OCSP_RESPONSE_TYPE "application/ocsp-response"

void status_answer_done(struct status_answer *a)
{
	buf_done(&a->body);
	crl_copy_unref(a->crl);
	a->crl = NULL;
}

static void answer_init(struct status_answer *a, int status, const char *type)
{
	status_answer_done(a);
	memset(a, 0, sizeof(*a));
	buf_init(&a->body, BODY_MAX);
	a->head.status = status;
	a->head.type = type;
}

int status_answer_text(struct status_answer *a, int status, const char *text)
{
	answer_init(a, status, "text/plain; charset=utf-8");
	if (status == 503)
		a->head.retry_after_s = AGAIN_S;
	return buf_printf(&a->body, "%s\n", text);
}

/* RFC 6960 2.3: errors are OCSP answers too, and are not signed. */
static int answer_failure(struct status_answer *a, enum ocsp_failure why)
{
	uint8_t der[OCSP_FAILURE_BYTES];

	ocsp_failure_build(why, der);
	answer_init(a, 200, OCSP_RESPONSE_TYPE);
	return buf_put(&a->body, der, sizeof(der));
}

static enum ocsp_failure failure_of(int rc)
{
	switch (rc) {
	case ERR_INVALID:
		return OCSP_MALFORMED;
	case ERR_NOT_FOUND:
		return OCSP_UNAUTHORIZED;
	case ERR_BUSY:
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		return OCSP_TRY_LATER;
	default:
		return OCSP_INTERNAL;
	}
}

static int job_submit(struct status_service *s, struct status_job *job, struct status_job **out)
{
	int rc;

	job->give_up_us = clock_mono_us() + QUEUE_WAIT_US;
	rc = status_asker_submit(s->asker, job);
	if (rc)
		status_job_free(job);
	else
		*out = job;
	return rc;
}

static int ocsp_begin(struct status_service *s, const uint8_t *der, size_t len, const char *source,
		      struct status_answer *out, struct status_job **job_out)
{
	struct status_job *job = calloc(1, sizeof(*job));
	int rc;

	if (!job)
		return err_set(ERR_NOMEM, "no memory for an OCSP request");
	job->is_ocsp = true;
	rc = ocsp_request_parse(der, len, &job->asked);
	if (rc) {
		status_job_free(job);
		if (noise_allow(&s->noise, clock_mono_us()))
			LOG(LOG_WARN, "status.ocsp_refused", LOG_S("source", source),
			    LOG_S("why", err_text()));
		return answer_failure(out, failure_of(rc));
	}
	return job_submit(s, job, job_out) ? answer_failure(out, OCSP_TRY_LATER) : 0;
}

static int crl_begin(struct status_service *s, uint32_t ca, struct status_answer *out,
		     struct status_job **job_out)
{
	struct status_job *job = calloc(1, sizeof(*job));

	if (!job)
		return err_set(ERR_NOMEM, "no memory for a request");
	job->ca = ca;
	return job_submit(s, job, job_out)
		       ? status_answer_text(out, 503, "Too many ask at once; come again.")
		       : 0;
}

static bool is_ocsp_request(const struct http_request *req)
{
	const char *type = http_request_field(req, "Content-Type");
	size_t len = type ? strcspn(type, "; \t") : 0;

	return len == strlen(OCSP_REQUEST_TYPE) && !strncasecmp(type, OCSP_REQUEST_TYPE, len);
}

static int wrong_method(struct status_answer *out, const char *allow)
{
	int rc = status_answer_text(out, 405, "This wants another method.");

	out->head.allow = allow;
	return rc;
}

int status_service_begin(struct status_service *s, const struct http_request *req,
			 const char *source, struct status_answer *out, struct status_job **job_out)
{
	bool get = !strcmp(req->method, "GET");
	uint8_t der[OCSP_REQUEST_MAX];
	const char *rest;
	uint32_t ca;
	size_t len;

	*job_out = NULL;
	switch (status_path_parse(req->target, &rest, &ca)) {
	case STATUS_CRL:
		return get ? crl_begin(s, ca, out, job_out) : wrong_method(out, "GET");
	case STATUS_OCSP_BY_GET:
		if (!get)
			return wrong_method(out, "GET");
		if (status_get_decode(rest, der, &len))
			return answer_failure(out, OCSP_MALFORMED);
		return ocsp_begin(s, der, len, source, out, job_out);
	case STATUS_OCSP:
		if (strcmp(req->method, "POST") != 0)
			return wrong_method(out, "POST");
		if (!is_ocsp_request(req))
			return status_answer_text(out, 415, "This wants " OCSP_REQUEST_TYPE ".");
		if (req->body.len > OCSP_REQUEST_MAX)
			return answer_failure(out, OCSP_MALFORMED);
		return ocsp_begin(s, req->body.data, req->body.len, source, out, job_out);
	default:
		return status_answer_text(out, 404,
					  "Here are " STATUS_CRL_PATH " and " STATUS_OCSP_PATH
					  ", nothing else.");
	}
}

static int crl_finish(struct status_job *job, const char *known, struct status_answer *out)
{
	char quoted[32];

	if (job->rc == ERR_DENIED)
		return status_answer_text(out, 404, "There is no such CA, or none any more.");
	if (job->rc)
		return status_answer_text(out, 503, "There is no current list; come again.");
	answer_init(out, 200, "application/pkix-crl"); /* RFC 5280 4.2.1.13, RFC 2585 4.2 */
	snprintf(out->etag, sizeof(out->etag), "%" PRIx64, job->crl->number);
	out->head.etag = out->etag;
	snprintf(quoted, sizeof(quoted), "\"%s\"", out->etag);
	if (strcmp(known, quoted) == 0) {
		out->head.status = 304;
		out->head.type = NULL;
		return 0;
	}
	out->crl = crl_copy_ref(job->crl);
	return 0;
}

int status_service_finish(struct status_job *job, const char *known, struct status_answer *out)
{
	if (!job->is_ocsp)
		return crl_finish(job, known, out);
	if (job->rc)
		return answer_failure(out, failure_of(job->rc));
	answer_init(out, 200, OCSP_RESPONSE_TYPE);
	return buf_put(&out->body, job->answer.der.data, job->answer.der.len);
}
