/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resource that a pump reports itself to, beside EST. Loop thread; never blocks. Whoever shows
 * a certificate of ours is told how it stands, also when it is revoked: then that and nothing else.
 */
#ifndef ENROLL_ENROLLD_REPORT_SERVICE_H
#define ENROLL_ENROLLD_REPORT_SERVICE_H

#include "enroll/enrolld/est_service.h"

/* As est_service_begin, for a target that self_report_is_target. */
int report_service_begin(struct est_service *s, const struct http_request *req,
			 const struct est_peer *peer, struct est_answer *out,
			 struct waiting **waiting_out) MUST_USE;
/* registryd has answered: fills `out`. Frees the job. ERR_NOMEM, ERR_LIMIT. */
int report_service_finish(struct report_job *job, struct est_answer *out) MUST_USE;

#endif
