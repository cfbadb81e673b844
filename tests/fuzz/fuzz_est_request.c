/* SPDX-License-Identifier: BSD-2-Clause */
/* EST requests: any bytes as HTTP, fed whole and in pieces, then what an enrolment takes out of it.
 * The first byte says how large the pieces are. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/est/est_base64.h"
#include "enroll/est/est_basic.h"
#include "enroll/est/est_path.h"
#include "enroll/est/http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Bytes taken; *rc_out is the last feed's. */
static size_t feed(struct http_request *r, const uint8_t *data, size_t len, size_t piece,
		   int *rc_out)
{
	size_t at = 0;

	http_request_init(r);
	*rc_out = 0;
	while (!*rc_out && at < len && r->state != HTTP_DONE) {
		size_t n = len - at < piece ? len - at : piece, used = 0;

		*rc_out = http_request_feed(r, data + at, n, &used);
		if (used > n || (!*rc_out && used == 0))
			abort();
		at += used;
	}
	return at;
}

static void contents_check(const struct http_request *r)
{
	const char *authorization = http_request_field(r, "Authorization");
	uint8_t der[8192], again[8192];
	size_t len, len_again;
	struct est_path path;

	if (r->body.len > HTTP_BODY_MAX || r->head.len > HTTP_HEAD_MAX)
		abort();
	if (est_path_parse(r->target, &path) == 0 && path.operation == EST_NONE)
		abort();
	if (authorization) {
		AUTO_EST_BASIC basic = {.token_len = 0};

		if (est_basic_parse(authorization, &basic) == 0 &&
		    (!*basic.serial || basic.token_len == 0))
			abort();
	}
	if (est_base64_decode(r->body.data, r->body.len, der, sizeof(der), &len) == 0) {
		AUTO_BUF text = {.max = 4 * sizeof(der)};

		if (est_base64_encode(&text, der, len, EST_LINES_OF_64) ||
		    est_base64_decode(text.data, text.len, again, sizeof(again), &len_again) ||
		    len != len_again || (len && memcmp(der, again, len) != 0))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct http_request whole, pieces;
	int rc_whole, rc_pieces;
	size_t used_whole, used_pieces;

	if (len == 0)
		return 0;
	used_whole = feed(&whole, data + 1, len - 1, len, &rc_whole);
	used_pieces = feed(&pieces, data + 1, len - 1, 1 + data[0] % 64U, &rc_pieces);
	/* How bytes were cut on their way must not change what they mean. */
	if (rc_whole != rc_pieces || whole.state != pieces.state || whole.status != pieces.status ||
	    whole.body.len != pieces.body.len || (!rc_whole && used_whole != used_pieces))
		abort();
	if (rc_whole && whole.status < 400)
		abort();
	if (whole.state == HTTP_DONE && !rc_whole)
		contents_check(&whole);
	http_request_done(&whole);
	http_request_done(&pieces);
	return 0;
}
