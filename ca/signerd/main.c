/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpgate-signerd: the process that holds the CA keys. It certifies public keys for pumps when the
 * registry says that one is due; it never signs bytes that somebody gives it, and has no network.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/daemon.h"
#include "base/log.h"
#include "ca/signerd/rollover.h"
#include "ca/signerd/signerd.h"

static const char usage[] =
	"usage: pumpgate-signerd [--home DIR]                serve HOME/run/signer/sock\n"
	"       pumpgate-signerd [--home DIR] init           make the CAs that are missing\n"
	"       pumpgate-signerd [--home DIR] server-cert --csr FILE --out FILE\n"
	"                        (--radius NAME | --radsec NAME | --est NAME,...)\n"
	"                                                    certificate for one of our servers\n"
	"       pumpgate-signerd [--home DIR] server-policy --radius NAME --number N\n"
	"                        [--login ADDRESS:PORT --login-name NAME]\n"
	"                                                    print what pumps are told, signed\n"
	"       pumpgate-signerd [--home DIR] keys           where the CA keys are, in what form\n"
	"       pumpgate-signerd [--home DIR] protect NAME   NAME: device-root, device-ca,\n"
	"                        (--passphrase-file FILE | --pkcs11 URI | --plain)\n"
	"                                                    server-root, server-ca, nas-root, "
	"nas-ca or all\n"
	"       pumpgate-signerd [--home DIR] request CA     for an issuing CA under an offline "
	"root;\n"
	"                        [--pkcs11 URI] [--next]     CA: device or server; --next: of the\n"
	"                                                    one that follows\n"
	"       pumpgate-signerd [--home DIR] import CA FILE its certificate and its root's\n"
	"       pumpgate-signerd --home DIR root CA [--organization NAME]    on the offline "
	"machine:\n"
	"       pumpgate-signerd --home DIR sign CA REQUEST [--new-root]  make the root; sign a "
	"request,\n"
	"       pumpgate-signerd --home DIR retire CA        below a new root; give up the old "
	"one\n"
	"       pumpgate-signerd [--home DIR] backup FILE PEOPLE         seal HOME/ca; prints a "
	"share\n"
	"                                                    per person, any two open it\n"
	"       pumpgate-signerd [--home DIR] restore FILE SHARE SHARE\n"
	"       pumpgate-signerd [--home DIR] rollover STEP CA       another issuing CA of server "
	"or\n"
	"                        [--pkcs11 URI] [--new-root] device; STEP: start, switch, retire,\n"
	"                                                    finish, abort or status; --new-root:\n"
	"                                                    start with another root too\n"
	"       pumpgate-signerd --help | --version\n"
	"\n"
	"examples:\n"
	"  pumpgate-signerd --home /var/lib/pumpgate init\n"
	"  pumpgate-signerd --home /var/lib/pumpgate\n"
	"  pumpgate-signerd server-cert --csr radius.csr --radius radius-1.pumpgate.internal \\\n"
	"                   --out radius.pem\n"
	"\n"
	"HOME is --home, else $PUMPGATE_HOME, else /var/lib/pumpgate. See pumpgate-signerd(8).\n";

enum {
	OPT_HOME = 1,
	OPT_HELP,
	OPT_VERSION,
	OPT_CSR,
	OPT_OUT,
	OPT_RADIUS,
	OPT_EST,
	OPT_RADSEC,
	OPT_PASSPHRASE,
	OPT_PKCS11,
	OPT_PLAIN,
	OPT_ORGANIZATION,
	OPT_NUMBER,
	OPT_LOGIN,
	OPT_LOGIN_NAME,
	OPT_NEXT,
	OPT_NEW_ROOT
};

struct call {
	const char *home;
	const char *radius;
	const char *est;
	const char *radsec;
	struct server_cert_options cert;
	uint64_t number;		/* of a server policy */
	const char *login, *login_name; /* likewise */
	struct protect_options protect;
	const char *organization;
	bool next;     /* request: for the CA that follows */
	bool new_root; /* sign, rollover start: below another root */
};

static int wrong_usage(const char *why)
{
	fprintf(stderr, "pumpgate-signerd: %s\n%s", why, usage);
	return EXIT_USAGE;
}

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
		{"passphrase-file", required_argument, NULL, OPT_PASSPHRASE},
		{"pkcs11", required_argument, NULL, OPT_PKCS11},
		{"plain", no_argument, NULL, OPT_PLAIN},
		{"organization", required_argument, NULL, OPT_ORGANIZATION},
		{"radsec", required_argument, NULL, OPT_RADSEC},
		{"number", required_argument, NULL, OPT_NUMBER},
		{"login", required_argument, NULL, OPT_LOGIN},
		{"login-name", required_argument, NULL, OPT_LOGIN_NAME},
		{"next", no_argument, NULL, OPT_NEXT},
		{"new-root", no_argument, NULL, OPT_NEW_ROOT},
		{0},
	};
	unsigned n_forms = 0;
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
		case OPT_PASSPHRASE:
			call->protect.passphrase_file = optarg;
			call->protect.form = KEYSTORE_ENCRYPTED;
			n_forms++;
			break;
		case OPT_PKCS11:
			call->protect.uri = optarg;
			call->protect.form = KEYSTORE_PKCS11;
			n_forms++;
			break;
		case OPT_PLAIN:
			call->protect.form = KEYSTORE_PLAIN;
			n_forms++;
			break;
		case OPT_ORGANIZATION:
			call->organization = optarg;
			break;
		case OPT_RADSEC:
			call->radsec = optarg;
			break;
		case OPT_LOGIN:
			call->login = optarg;
			break;
		case OPT_LOGIN_NAME:
			call->login_name = optarg;
			break;
		case OPT_NUMBER:
			call->number = strtoull(optarg, NULL, 10);
			break;
		case OPT_NEXT:
			call->next = true;
			break;
		case OPT_NEW_ROOT:
			call->new_root = true;
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
	return n_forms > 1 ? wrong_usage("name one form of the key") + 1 : 0;
}

static int server_cert(struct call *call)
{
	if (!call->cert.csr || !call->cert.out)
		return wrong_usage("server-cert needs --csr and --out");
	if ((call->radius != NULL) + (call->est != NULL) + (call->radsec != NULL) != 1)
		return wrong_usage("server-cert needs --radius NAME, --radsec NAME or --est NAMES");
	call->cert.names = call->radius ? call->radius : call->radsec;
	if (call->cert.names && strpbrk(call->cert.names, ", "))
		return wrong_usage("--radius and --radsec take one name");
	if (call->est)
		call->cert.names = call->est;
	return command_server_cert(call->home, &call->cert);
}

static int server_policy(struct call *call)
{
	const struct server_policy_options o = {call->radius, call->number, call->login,
						call->login_name};

	if (!call->radius || !call->number || call->cert.out || call->cert.csr || call->est ||
	    call->radsec || !call->login != !call->login_name)
		return wrong_usage("server-policy needs --radius NAME and --number N, and --login "
				   "with --login-name");
	return command_server_policy(call->home, &o);
}

static int protect(struct call *call, const char *name)
{
	if (!call->protect.form)
		return wrong_usage("protect needs --passphrase-file, --pkcs11 or --plain");
	call->protect.name = name;
	if (!call->protect.passphrase_file)
		call->protect.passphrase_file = "";
	return command_protect(call->home, &call->protect);
}

/* request CA | import CA FILE | root CA | sign CA REQUEST | retire CA; *done_out when it was one of
 * them. */
static int offline(struct call *call, int n, char **words, bool *done_out)
{
	static const struct {
		const char *name;
		enum offline_step step;
		int words;
	} steps[] = {{"request", OFFLINE_REQUEST, 2},
		     {"import", OFFLINE_IMPORT, 3},
		     {"root", OFFLINE_ROOT, 2},
		     {"sign", OFFLINE_SIGN, 3},
		     {"retire", OFFLINE_RETIRE, 2}};

	for (size_t i = 0; n && i < sizeof(steps) / sizeof(steps[0]); i++) {
		const char *arg = n > 2				  ? words[2]
				  : steps[i].step == OFFLINE_ROOT ? call->organization
								  : call->protect.uri;

		if (strcmp(words[0], steps[i].name))
			continue;
		*done_out = true;
		if (n != steps[i].words)
			return wrong_usage("too few or too many words");
		return command_offline(call->home,
				       call->new_root ? OFFLINE_SIGN_NEW_ROOT : steps[i].step,
				       words[1], arg, call->next);
	}
	*done_out = false;
	return 0;
}

int main(int argc, char **argv)
{
	struct call call = {0};
	bool done;
	int ended, rc;

	daemon_harden();
	log_start("pumpgate-signerd", LOG_INFO);
	ended = options_read(argc, argv, &call);
	if (ended)
		return ended - 1;
	call.home = home_dir(call.home);
	if (call.next && (optind == argc || strcmp(argv[optind], "request") != 0))
		return wrong_usage("--next belongs to request");
	if (call.new_root && (optind + 3 != argc || (strcmp(argv[optind], "sign") != 0 &&
						     (strcmp(argv[optind], "rollover") != 0 ||
						      strcmp(argv[optind + 1], "start") != 0))))
		return wrong_usage("--new-root belongs to sign and to rollover start");
	if (optind < argc && !strcmp(argv[optind], "server-cert") && optind + 1 == argc)
		return server_cert(&call);
	if (optind < argc && !strcmp(argv[optind], "server-policy") && optind + 1 == argc)
		return server_policy(&call);
	if (call.cert.csr || call.cert.out || call.radius || call.radsec || call.est)
		return wrong_usage("--csr, --out, --radius, --radsec and --est belong to "
				   "server-cert");
	if (optind < argc && !strcmp(argv[optind], "protect") && optind + 2 == argc)
		return protect(&call, argv[optind + 1]);
	if (optind + 3 == argc && !strcmp(argv[optind], "backup"))
		return command_backup(call.home, argv[optind + 1],
				      (unsigned)strtoul(argv[optind + 2], NULL, 10));
	if (optind + 3 == argc && !strcmp(argv[optind], "rollover"))
		return command_rollover(call.home, argv[optind + 1], argv[optind + 2],
					&(struct rollover_start){call.protect.uri, call.new_root});
	if (optind + 4 == argc && !strcmp(argv[optind], "restore"))
		return command_restore(call.home, argv[optind + 1],
				       (const char *const *)argv + optind + 2);
	rc = offline(&call, argc - optind, argv + optind, &done);
	if (done)
		return rc;
	if (call.protect.form || call.organization)
		return wrong_usage("--passphrase-file, --pkcs11 and --plain belong to protect");
	if (optind < argc && !strcmp(argv[optind], "keys") && optind + 1 == argc)
		return command_keys(call.home);
	if (optind == argc)
		return command_serve(call.home);
	if (!strcmp(argv[optind], "init") && optind + 1 == argc)
		return command_init(call.home);
	return wrong_usage("no such command");
}
