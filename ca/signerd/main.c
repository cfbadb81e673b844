/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpgate-signerd: the process that holds the CA keys. It certifies public keys for pumps when the
 * registry says that one is due; it never signs bytes that somebody gives it, and has no network.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/daemon.h"
#include "base/log.h"
#include "ca/signerd/signerd.h"

static const char usage[] =
	"usage: pumpgate-signerd [--home DIR]                serve HOME/run/signer/sock\n"
	"       pumpgate-signerd [--home DIR] init           make the CAs that are missing\n"
	"       pumpgate-signerd [--home DIR] server-cert --csr FILE --out FILE\n"
	"                        (--radius NAME | --est NAME,...)\n"
	"                                                    certificate for one of our servers\n"
	"       pumpgate-signerd --help | --version\n"
	"\n"
	"examples:\n"
	"  pumpgate-signerd --home /var/lib/pumpgate init\n"
	"  pumpgate-signerd --home /var/lib/pumpgate\n"
	"  pumpgate-signerd server-cert --csr radius.csr --radius radius-1.pumpgate.internal \\\n"
	"                   --out radius.pem\n"
	"\n"
	"HOME is --home, else $PUMPGATE_HOME, else /var/lib/pumpgate. See pumpgate-signerd(8).\n";

enum { OPT_HOME = 1, OPT_HELP, OPT_VERSION, OPT_CSR, OPT_OUT, OPT_RADIUS, OPT_EST };

struct call {
	const char *home;
	const char *radius;
	const char *est;
	struct server_cert_options cert;
};

/* 0 to go on, else the exit code plus 1. */
static int options_read(int argc, char **argv, struct call *call)
{
	static const struct option options[] = {
		{"home", required_argument, NULL, OPT_HOME},
		{"help", no_argument, NULL, OPT_HELP},
		{"version", no_argument, NULL, OPT_VERSION},
		{"csr", required_argument, NULL, OPT_CSR},
		{"out", required_argument, NULL, OPT_OUT},
		{"radius", required_argument, NULL, OPT_RADIUS},
		{"est", required_argument, NULL, OPT_EST},
		{0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case OPT_HOME:
			call->home = optarg;
			break;
		case OPT_CSR:
			call->cert.csr = optarg;
			break;
		case OPT_OUT:
			call->cert.out = optarg;
			break;
		case OPT_RADIUS:
			call->radius = optarg;
			break;
		case OPT_EST:
			call->est = optarg;
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			return EXIT_DONE + 1;
		case OPT_VERSION:
			puts("pumpgate-signerd " PUMPGATE_VERSION);
			return EXIT_DONE + 1;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE + 1;
		}
	}
	return 0;
}

static int wrong_usage(const char *why)
{
	fprintf(stderr, "pumpgate-signerd: %s\n%s", why, usage);
	return EXIT_USAGE;
}

static int server_cert(struct call *call)
{
	if (!call->cert.csr || !call->cert.out)
		return wrong_usage("server-cert needs --csr and --out");
	if (!call->radius == !call->est)
		return wrong_usage("server-cert needs --radius NAME or --est NAMES");
	if (call->radius && strpbrk(call->radius, ", "))
		return wrong_usage("--radius takes one name");
	call->cert.names = call->radius ? call->radius : call->est;
	return command_server_cert(call->home, &call->cert);
}

int main(int argc, char **argv)
{
	struct call call = {0};
	int ended;

	daemon_harden();
	log_start("pumpgate-signerd", LOG_INFO);
	ended = options_read(argc, argv, &call);
	if (ended)
		return ended - 1;
	call.home = home_dir(call.home);
	if (optind < argc && !strcmp(argv[optind], "server-cert") && optind + 1 == argc)
		return server_cert(&call);
	if (call.cert.csr || call.cert.out || call.radius || call.est)
		return wrong_usage("--csr, --out, --radius and --est belong to server-cert");
	if (optind == argc)
		return command_serve(call.home);
	if (!strcmp(argv[optind], "init") && optind + 1 == argc)
		return command_init(call.home);
	return wrong_usage("no such command");
}
