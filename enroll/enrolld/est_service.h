/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each EST operation does with a whole request (RFC 7030 4). Runs on the loop thread and never
 * blocks: what needs the signer goes through its pool.
 */
#ifndef ENROLL_ENROLLD_EST_SERVICE_H
#define ENROLL_ENROLLD_EST_SERVICE_H

#include "enroll/enrolld/event_poster.h"
#include "enroll/enrolld/noise.h"
#include "enroll/enrolld/renewal_watch.h"
#include "enroll/enrolld/report_asker.h"
#include "enroll/enrolld/signer_pool.h"
#include "enroll/enrolld/throttle.h"
#include "enroll/enrolld/tls.h"
#include "enroll/est/est_base64.h"
#include "enroll/est/est_basic.h"
#include "enroll/est/est_label.h"
#include "enroll/est/est_path.h"
#include "enroll/est/http_request.h"
#include "enroll/est/http_response.h"

#define EST_ANSWER_MAX 65536

struct est_service {
	struct buf cacerts; /* DER of the answer that never changes */
	struct est_labels labels;
	struct signer_pool *pool;
	struct event_poster *events;
	struct renewal_watch *renewals;
	struct report_asker *reports;
	int64_t renewal_spread_ms;
	struct throttle *throttle;
	struct makers *makers;
	struct noise noise; /* for lines that anybody can cause */
};

/* Who asks; belongs to the connection. */
struct est_peer {
	char source[IP_SIZE];
	uint8_t source_key[THROTTLE_SOURCE_BYTES];
	struct tls_peer tls;
	struct tls_channel channel;
};

/* The address as text; "unknown" for a family that is not IP. */
void est_source_format(const struct sockaddr *sa, char out[IP_SIZE]);

struct est_answer {
	struct http_response head; /* keep_alive and minor are the connection's to set */
	struct buf body;
};
void est_answer_done(struct est_answer *a); /* safe on a zeroed struct */
/* Begins anew with this status and no body. */
void est_answer_init(struct est_answer *a, int status);
/* A sentence for people. ERR_LIMIT, ERR_NOMEM. */
int est_answer_text(struct est_answer *a, int status, const char *text) MUST_USE;
#define AUTO_EST_ANSWER __attribute__((cleanup(est_answer_done))) struct est_answer

/* An enrolment that waits for the signer. */
struct est_job {
	struct signer_job signer; /* first: a signer_job * is an est_job * */
	int64_t begun_us;
	enum est_operation operation;
	enum est_lines lines;
	char device[EST_SERIAL_SIZE];
	char source[IP_SIZE];
	uint8_t source_key[THROTTLE_SOURCE_BYTES];
	struct waiting waiting;
};

/* Answers a request that is HTTP_DONE, or hands it to the signer or to registryd: then *waiting_out
 * is set and est_service_finish or report_service_finish comes later, else *waiting_out is NULL and
 * `out` is filled. ERR_NOMEM. */
int est_service_begin(struct est_service *s, const struct http_request *req,
		      const struct est_peer *peer, struct est_answer *out,
		      struct waiting **waiting_out) MUST_USE;

/* The signer has answered: logs, counts, fills `out`. Frees the job. ERR_NOMEM, ERR_LIMIT. */
int est_service_finish(struct est_service *s, struct est_job *job, struct est_answer *out) MUST_USE;

#endif
