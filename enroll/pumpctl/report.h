/* SPDX-License-Identifier: BSD-2-Clause */
/* How a verb ends: exit statuses and the sentence for people that goes with a failure. */
#ifndef ENROLL_PUMPCTL_REPORT_H
#define ENROLL_PUMPCTL_REPORT_H

#include "base/err.h"
#include "enroll/pumpctl/args.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_NOTHING = 2,
	EXIT_WRONG_USAGE = 64,
	EXIT_TRY_AGAIN = 75,
};

/* 0 -> done, ERR_UNCHANGED -> nothing to do, not answering or full -> try again, else failed. Pure.
 */
int exit_status_of(int rc);

/* Says err_text() on standard error and yields the exit status of `rc` (not 0). */
int report_failure(int rc);
/* The same for a wrong command line. */
int report_usage(void);
/* One line on standard output, left out with --json. */
void report_line(const struct call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A remark on standard error, whatever the output form. */
void report_note(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
