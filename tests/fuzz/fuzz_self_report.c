/* SPDX-License-Identifier: BSD-2-Clause */
/* A pump's report as enrolld reads it: what is taken stays within its bounds and its alphabet, and
 * the answer to whatever state fits. */
#include <stdlib.h>
#include <string.h>

#include "enroll/est/self_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void text_check(const char *text, size_t size, const char *chars)
{
	if (!memchr(text, '\0', size) || strspn(text, chars) != strlen(text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO_BUF answer = {.max = SELF_REPORT_ANSWER_MAX};
	struct report_answer a = {.state = "revoked"};
	struct pump_report r;
	size_t n = len < sizeof(a.reason) - 1 ? len : sizeof(a.reason) - 1;

	for (size_t i = 0; i < n; i++) /* the registry keeps no control characters */
		a.reason[i] = (char)(data[i] < 0x20 || data[i] == 0x7f ? '.' : data[i]);
	if (self_report_answer_build(&a, &answer))
		abort();
	if (self_report_parse(data, len, &r))
		return 0;
	if (len > SELF_REPORT_MAX || *r.device || *r.cert_serial || *r.issuer)
		abort();
	text_check(r.slots, sizeof(r.slots), "0123456789abcdef untilnse,-");
	text_check(r.server_anchors, sizeof(r.server_anchors), "0123456789abcdef ");
	text_check(r.device_anchors, sizeof(r.device_anchors), "0123456789abcdef ");
	text_check(r.ports, sizeof(r.ports), "tcpud/0123456789 ");
	if (r.clock_behind_ms && r.clock_ahead_ms)
		abort();
	return 0;
}
