/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what pumpctl says about success and failure. */
#include "enroll/pumpctl/report.h"

#include <stdarg.h>
#include <stdio.h>

int exit_status_of(int rc)
{
	switch (rc) {
	case 0:
		return EXIT_DONE;
	case ERR_UNCHANGED:
		return EXIT_NOTHING;
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
	case ERR_BUSY:
		return EXIT_TRY_AGAIN;
	default:
		return EXIT_FAILED;
	}
}

int report_failure(int rc)
{
	fflush(stdout);
	fprintf(stderr, "pumpctl: %s\n", err_text());
	return exit_status_of(rc);
}

int report_usage(void)
{
	fprintf(stderr, "pumpctl: %s\n", err_text());
	return EXIT_WRONG_USAGE;
}

void report_line(const struct call *call, const char *fmt, ...)
{
	va_list ap;

	if (call->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void report_note(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
