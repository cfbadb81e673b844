/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the way from a reason to an HTTP status. Pure: never does I/O. */
#include "enroll/enrolld/outcome.h"

#include <string.h>

#define RETRY_S 5
#define APPROVAL_RETRY_S 60 /* a person has to look */

static int status_of(enum reason reason, bool by_token)
{
	switch (reason) {
	case REASON_TOKEN_WRONG:
	case REASON_UNKNOWN_PUMP:
		return by_token ? 401 : 403;
	case REASON_REQUEST_MALFORMED:
	case REASON_PROOF_FAILED:
	case REASON_KEY_REFUSED:
		return 400;
	case REASON_APPROVAL_PENDING: /* RFC 7030 4.2.3 */
		return 202;
	case REASON_REGISTRY_AWAY:
	case REASON_SIGNER_AWAY:
		return 503;
	default:
		return 403;
	}
}

/* The reason in front of ": "; REASON_NONE when there is none. */
static enum reason reason_take(const char *text, const char **detail_out)
{
	const char *colon = strstr(text, ": ");
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	char name[64];
	enum reason reason;

	*detail_out = text;
	if (len >= sizeof(name))
		return REASON_NONE;
	memcpy(name, text, len);
	name[len] = '\0';
	reason = reason_parse(name);
	if (reason != REASON_NONE)
		*detail_out = colon ? colon + 2 : "";
	return reason;
}

/* Without a reason: could the same request succeed later? */
static bool is_passing(int rc)
{
	switch (rc) {
	case ERR_NOMEM:
	case ERR_TIMEOUT:
	case ERR_UNAVAILABLE:
	case ERR_BUSY:
	case ERR_IO:
	case ERR_FULL:
		return true;
	default:
		return false;
	}
}

struct outcome outcome_refused(enum reason reason, int status, const char *detail)
{
	return (struct outcome){
		.status = status,
		.reason = reason,
		.retry_after_s = status == 503	 ? RETRY_S
				 : status == 202 ? APPROVAL_RETRY_S
						 : 0,
		.is_failure = status >= 400 && status < 500,
		.detail = detail,
	};
}

struct outcome outcome_of(int rc, const char *text, bool by_token)
{
	enum reason reason;
	const char *detail = "";

	if (rc == 0)
		return (struct outcome){
			.status = 200, .reason = REASON_IN_GOOD_STANDING, .detail = ""};
	reason = reason_take(text, &detail);
	if (reason != REASON_NONE)
		return outcome_refused(reason, status_of(reason, by_token), detail);
	if (is_passing(rc))
		return outcome_refused(REASON_SIGNER_AWAY, 503, detail);
	return outcome_refused(REASON_NONE, 500, detail);
}
