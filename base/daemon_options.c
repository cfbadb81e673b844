/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the options that all daemons share. Never knows a daemon's own commands. */
#include "base/daemon_options.h"

#include <getopt.h>
#include <stdlib.h>

#include "base/daemon.h"

bool daemon_options(int argc, char **argv, const char *program, const char *usage,
		    const char **home_out, int *status_out)
{
	static const struct option options[] = {
		{"home", required_argument, NULL, 'H'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	const char *home = NULL;
	int option;

	*status_out = EXIT_SUCCESS;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'H':
			home = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return false;
		case 'V':
			printf("%s " PUMPGATE_VERSION "\n", program);
			return false;
		default:
			fputs(usage, stderr);
			*status_out = EXIT_USAGE;
			return false;
		}
	}
	*home_out = home_dir(home);
	return true;
}

bool daemon_options_only(int argc, char **argv, const char *program, const char *usage,
			 const char **home_out, int *status_out)
{
	if (!daemon_options(argc, argv, program, usage, home_out, status_out))
		return false;
	if (optind == argc)
		return true;
	fputs(usage, stderr);
	*status_out = EXIT_USAGE;
	return false;
}
