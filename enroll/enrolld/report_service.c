/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what becomes of a pump's report in HTTP. Never decides how a pump stands: registryd does. */
#include "enroll/enrolld/report_service.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "enroll/est/self_report.h"

#define BUSY_S 30

static bool is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t len = sizeof(json) - 1;

	return type && !strncasecmp(type, json, len) && strchr(" \t;", type[len]);
}

static int later(struct est_answer *out, int status, unsigned wait_s, const char *text)
{
	int rc = est_answer_text(out, status, text);

	out->head.retry_after_s = wait_s;
	return rc;
}

/* What can be said without reading the report; 0: nothing, go on. */
static int refused_status(const struct http_request *req, const struct est_peer *peer,
			  const char **why)
{
	if (strcmp(req->method, "POST") != 0) {
		*why = "A pump reports itself with POST.";
		return 405;
	}
	if (!peer->tls.der_len) {
		*why = "Show the certificate of the pump that reports.";
		return 403;
	}
	if (!is_json(http_request_field(req, "Content-Type"))) {
		*why = "A report is application/json.";
		return 415;
	}
	if (req->body.len > SELF_REPORT_MAX) {
		*why = "A report has at most 4096 bytes.";
		return 413;
	}
	return 0;
}

static void whose_put(const struct est_peer *peer, struct pump_report *r)
{
	memcpy(r->device, peer->tls.device, sizeof(r->device));
	memcpy(r->issuer, peer->tls.issuer, sizeof(r->issuer));
	memcpy(r->cert_serial, peer->tls.cert_serial, sizeof(r->cert_serial));
	memcpy(r->source, peer->source, sizeof(r->source));
}

static int malformed(struct est_service *s, const struct est_peer *peer, struct est_answer *out)
{
	if (noise_allow(&s->noise, clock_mono_us()))
		LOG(LOG_WARN, "report.malformed", LOG_S("device", peer->tls.device),
		    LOG_S("source", peer->source), LOG_S("why", err_text()));
	return est_answer_text(out, 400, err_text());
}

int report_service_begin(struct est_service *s, const struct http_request *req,
			 const struct est_peer *peer, struct est_answer *out,
			 struct waiting **waiting_out)
{
	const char *why = "";
	int status = refused_status(req, peer, &why);
	struct report_job *job;
	unsigned wait_s;
	int rc;

	if (status) {
		rc = est_answer_text(out, status, why);
		out->head.allow = status == 405 ? "POST" : NULL;
		return rc;
	}
	wait_s = report_asker_wait_s(s->reports, peer->tls.cert_serial, clock_mono_us());
	if (wait_s)
		return later(out, 429, wait_s, "Reports come too often; later.");
	job = calloc(1, sizeof(*job));
	if (!job)
		return err_set(ERR_NOMEM, "no memory for a report");
	rc = self_report_parse(req->body.data, req->body.len, &job->report);
	if (rc) {
		free(job);
		return malformed(s, peer, out);
	}
	whose_put(peer, &job->report);
	if (report_asker_submit(s->reports, job)) {
		free(job);
		return later(out, 503, BUSY_S, "Too many reports wait already; later.");
	}
	*waiting_out = &job->waiting;
	return 0;
}

int report_service_finish(struct report_job *job, struct est_answer *out)
{
	int rc;

	if (job->rc == ERR_DENIED) {
		rc = est_answer_text(out, 403, "The certificate is another pump's.");
	} else if (job->rc) {
		rc = later(out, 503, BUSY_S, "The registry does not answer; later.");
	} else {
		est_answer_init(out, 200);
		out->head.type = "application/json";
		out->head.retry_after_s = SELF_REPORT_AGAIN_S;
		rc = self_report_answer_build(&job->answer, &out->body);
	}
	free(job);
	return rc;
}
