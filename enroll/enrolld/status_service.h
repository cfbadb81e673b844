/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the plain HTTP port answers: the revocation list and OCSP, both made and signed by signerd,
 * so that nobody has to trust this port. Runs on the loop thread; never blocks.
 */
#ifndef ENROLL_ENROLLD_STATUS_SERVICE_H
#define ENROLL_ENROLLD_STATUS_SERVICE_H

#include "enroll/enrolld/noise.h"
#include "enroll/enrolld/status_asker.h"
#include "enroll/est/http_request.h"
#include "enroll/est/http_response.h"

struct status_service {
	struct status_asker *asker;
	struct noise noise; /* for lines that anybody can cause */
};

struct status_answer {
	struct http_response head; /* minor and keep_alive are the connection's to set */
	char etag[24];
	struct buf body;
	struct crl_copy *crl; /* the body instead, shared; a reference */
};
void status_answer_done(struct status_answer *a); /* safe on a zeroed struct */
#define AUTO_STATUS_ANSWER __attribute__((cleanup(status_answer_done))) struct status_answer

/* Answers a request that is HTTP_DONE, or hands it to the asker: then *job_out is set and
 * status_service_finish comes later. ERR_NOMEM. */
int status_service_begin(struct status_service *s, const struct http_request *req,
			 const char *source, struct status_answer *out,
			 struct status_job **job_out) MUST_USE;

/* The signer has answered `job`, which stays the caller's. `known` is the If-None-Match of the
 * request, "" for none. ERR_NOMEM, ERR_LIMIT. */
int status_service_finish(struct status_job *job, const char *known,
			  struct status_answer *out) MUST_USE;

/* A text for people. ERR_NOMEM, ERR_LIMIT. */
int status_answer_text(struct status_answer *a, int status, const char *text) MUST_USE;

#endif
