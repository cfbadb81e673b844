/* SPDX-License-Identifier: BSD-2-Clause */
/* What every daemon takes on its command line: --home, --help, --version. */
#ifndef BASE_DAEMON_OPTIONS_H
#define BASE_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

/* Exit statuses (sysexits.h): a call that cannot be understood, and one to try again later. */
enum { EXIT_USAGE = 64, EXIT_RETRY = 75 };

/*
 * Reads the options. True: go on, *home_out is the state folder (home_dir()) and argv[optind] the
 * first operand. False: --help or --version was answered on stdout, or `usage` told on stderr what
 * is wrong; end with *status_out. `program` stands before the version.
 */
bool daemon_options(int argc, char **argv, const char *program, const char *usage,
		    const char **home_out, int *status_out);
/* The same for a daemon that takes no operands. */
bool daemon_options_only(int argc, char **argv, const char *program, const char *usage,
			 const char **home_out, int *status_out);

#endif
