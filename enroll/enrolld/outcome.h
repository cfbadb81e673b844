/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the signer's word about a request means for the pump that asked. Pure.
 */
#ifndef ENROLL_ENROLLD_OUTCOME_H
#define ENROLL_ENROLLD_OUTCOME_H

#include <stdbool.h>

#include "policies/reason.h"

struct outcome {
	int status; /* of HTTP: 200 when issued */
	enum reason reason;
	unsigned retry_after_s; /* 0: trying again the same way is of no use */
	bool is_failure;	/* the pump's fault: counts against source and serial */
	const char *detail;	/* points into `text`, after the reason's name */
};

/* `rc` and `text` (err_text) of SIGNER_ENROLL or SIGNER_RENEW. The signer's texts begin with a
 * reason's name and ": ". `by_token`: the request was made with Basic credentials; then an unknown
 * pump and a wrong token are answered alike, so that serials can't be tried out. */
struct outcome outcome_of(int rc, const char *text, bool by_token);

/* An outcome that enrolld itself decides. */
struct outcome outcome_refused(enum reason reason, int status, const char *detail);

#endif
