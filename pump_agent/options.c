/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the command line and the configuration file's keys. Never takes a secret. */
#include "pump_agent/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "pump_agent/pumplink/pumplink.h"

static const char HELP[] =
	"usage: pumpgate-agentd [OPTION...]            run on a pump\n"
	"       pumpgate-agentd [--state DIR] status [--json]\n"
	"       pumpgate-agentd [--state DIR] statement\n"
	"\n"
	"Enrols this pump with the bundle of `pumpctl pump bundle`, gives wpa_supplicant its\n"
	"network block, renews the certificate before it ends, and tells how it stands in\n"
	"DIR/status.json. `statement` prints what a wiped pump that does not reach its server has\n"
	"to say, for `pumpctl pump import-wipe`.\n"
	"\n"
	"  --state DIR       state folder (" AGENT_STATE_DEFAULT ")\n"
	"  --bundle FILE     bundle; deleted once it was used (DIR/bundle.json)\n"
	"  --interface IF    network interface, as wpa_supplicant knows it\n"
	"  --driver D        wired (default) or wifi\n"
	"  --ssid SSID       wireless network, with --driver wifi\n"
	"  --control DIR     wpa_supplicant's control sockets (/run/wpa_supplicant)\n"
	"  --key K           key of a first certificate: as the server asks (default), or p256,\n"
	"                    p384, rsa2048, rsa3072, rsa4096\n"
	"  --key-in PLACE    file (default), tpm, or auto: in the TPM if there is one\n"
	"  --tpm TCTI        how the TPM is reached, as tpm2-tss says it: device:/dev/tpmrm0\n"
	"  --renew-at N      renew after N percent of the certificate's life (66)\n"
	"  --clock C         set (default): a wrong clock is set, to the floor or by the EST\n"
	"                    server; tell: it is only told\n"
	"  --controller-user U    user of the infusion controller, which may use pumplink(3)\n"
	"  --controller-socket S  its socket (" PUMPLINK_SOCKET ")\n"
	"  --wipe PATHS      files and folders, by commas, that are wiped too when the pump is\n"
	"                    decommissioned: the controller's logs\n"
	"  --config FILE     the same settings as lines `name = value` below [agent]\n"
	"                    (" AGENT_CONFIG_DEFAULT ", if it is there)\n"
	"  --json            with status: as JSON\n"
	"  --help, --version\n"
	"\n"
	"examples:\n"
	"  pumpgate-agentd --interface eth0 --bundle /media/usb/PG-000123.json\n"
	"  pumpgate-agentd --interface wlan0 --driver wifi --ssid pumps\n"
	"  pumpgate-agentd status\n"
	"  pumpgate-agentd statement >/media/usb/PG-000123.wiped\n";

const char *options_help(void)
{
	return HELP;
}

/* In the order of `values`. */
enum setting {
	STATE,
	BUNDLE,
	INTERFACE,
	DRIVER,
	SSID,
	CONTROL,
	KEY,
	RENEW_AT,
	CLOCK,
	CONTROLLER_USER,
	CONTROLLER_SOCKET,
	WIPE,
	KEY_IN,
	TPM,
	N_SETTINGS
};

static const char *const SETTING_NAMES[N_SETTINGS] = {
	[STATE] = "state",
	[BUNDLE] = "bundle",
	[INTERFACE] = "interface",
	[DRIVER] = "driver",
	[SSID] = "ssid",
	[CONTROL] = "control",
	[KEY] = "key",
	[RENEW_AT] = "renew-at",
	[CLOCK] = "clock",
	[CONTROLLER_USER] = "controller-user",
	[CONTROLLER_SOCKET] = "controller-socket",
	[WIPE] = "wipe",
	[KEY_IN] = "key-in",
	[TPM] = "tpm",
};

enum { OPT_CONFIG = N_SETTINGS, OPT_JSON, OPT_HELP, OPT_VERSION, N_OPTIONS };

static int command_line(int argc, char **argv, struct agent_options *o,
			const char *values[N_SETTINGS], const char **config)
{
	struct option longs[N_OPTIONS + 1] = {
		[OPT_CONFIG] = {"config", required_argument, NULL, OPT_CONFIG},
		[OPT_JSON] = {"json", no_argument, NULL, OPT_JSON},
		[OPT_HELP] = {"help", no_argument, NULL, OPT_HELP},
		[OPT_VERSION] = {"version", no_argument, NULL, OPT_VERSION},
	};
	int c;

	for (int i = 0; i < N_SETTINGS; i++)
		longs[i] = (struct option){SETTING_NAMES[i], required_argument, NULL, i};
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == '?')
			return err_set(ERR_INVALID, "%s: no such option, or its value is missing",
				       argv[optind - 1]);
		if (c < N_SETTINGS)
			values[c] = optarg;
		else if (c == OPT_CONFIG)
			*config = optarg;
		else if (c == OPT_JSON)
			o->json = true;
		else
			o->command = c == OPT_HELP ? COMMAND_HELP : COMMAND_VERSION;
	}
	if (optind < argc && !strcmp(argv[optind], "status") && optind + 1 == argc)
		o->command = o->command ? o->command : COMMAND_STATUS;
	else if (optind < argc && !strcmp(argv[optind], "statement") && optind + 1 == argc)
		o->command = o->command ? o->command : COMMAND_STATEMENT;
	else if (optind < argc)
		return err_set(ERR_INVALID, "%s: no such command; `status` or `statement`",
			       argv[optind]);
	return 0;
}

static int config_values(struct agent_options *o, const char *path, const char *values[N_SETTINGS])
{
	int rc = config_read(path ? path : AGENT_CONFIG_DEFAULT, &o->config);

	if (rc == ERR_NOT_FOUND && !path)
		return 0;
	if (rc)
		return rc;
	for (int i = 0; i < N_SETTINGS; i++) {
		const char *v = config_str(o->config, "agent", SETTING_NAMES[i], NULL);

		values[i] = values[i] ? values[i] : v;
	}
	return config_check_unused(o->config, "agent");
}

/* Which of two words; `*second` keeps its value without one. */
static int choose(const char *name, const char *value, const char *no, const char *yes,
		  bool *second)
{
	if (!value)
		return 0;
	if (strcmp(value, no) && strcmp(value, yes))
		return err_set(ERR_INVALID, "%s %s: must be %s or %s", name, value, no, yes);
	*second = !strcmp(value, yes);
	return 0;
}

static int key_parse(const char *text, enum key_kind *out)
{
	static const struct {
		const char *name;
		enum key_kind kind;
	} kinds[] = {
		{"p256", KEY_P256},	  {"p384", KEY_P384},	    {"rsa2048", KEY_RSA2048},
		{"rsa3072", KEY_RSA3072}, {"rsa4096", KEY_RSA4096},
	};

	*out = KEY_AS_ASKED;
	if (!text)
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(text, kinds[i].name)) {
			*out = kinds[i].kind;
			return 0;
		}
	}
	return err_set(ERR_INVALID, "key %s: must be p256, p384, rsa2048, rsa3072 or rsa4096",
		       text);
}

static int place_parse(const char *text, enum key_place *out)
{
	static const char *const names[] = {
		[KEY_IN_FILE] = "file", [KEY_IN_TPM] = "tpm", [KEY_IN_TPM_IF_ANY] = "auto"};

	*out = KEY_IN_FILE;
	for (int i = 0; text && i <= KEY_IN_TPM_IF_ANY; i++) {
		if (strcmp(text, names[i]))
			continue;
		*out = (enum key_place)i;
		if (*out != KEY_IN_FILE && !tpm_is_possible())
			return err_set(ERR_INVALID,
				       "key-in %s: this agent is static and knows no "
				       "TPM: build it without STATIC=1",
				       text);
		return 0;
	}
	return text ? err_set(ERR_INVALID, "key-in %s: must be file, tpm or auto", text) : 0;
}

static int percent_parse(const char *text, uint32_t *out)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 1 || n > 90)
		return err_set(ERR_INVALID, "renew-at %s: must be 1 to 90 (percent)", text);
	*out = (uint32_t)n;
	return 0;
}

static int values_take(struct agent_options *o, const char *const values[N_SETTINGS])
{
	bool wifi = false;
	bool tell = false;
	int rc = choose("driver", values[DRIVER], "wired", "wifi", &wifi);

	rc = rc ? rc : key_parse(values[KEY], &o->key_kind);
	rc = rc ? rc : place_parse(values[KEY_IN], &o->key_place);
	rc = rc ? rc : choose("clock", values[CLOCK], "set", "tell", &tell);
	rc = rc ? rc : percent_parse(values[RENEW_AT] ? values[RENEW_AT] : "66", &o->renew_percent);
	if (rc)
		return rc;
	o->driver = wifi ? NET_WIFI : NET_WIRED;
	o->may_set_clock = !tell;
	o->state = values[STATE] ? values[STATE] : AGENT_STATE_DEFAULT;
	o->bundle = values[BUNDLE]; /* NULL: bundle.json in the state folder */
	o->interface = values[INTERFACE];
	o->ssid = values[SSID];
	o->controller_user = values[CONTROLLER_USER];
	o->controller_socket =
		values[CONTROLLER_SOCKET] ? values[CONTROLLER_SOCKET] : PUMPLINK_SOCKET;
	o->wipe = values[WIPE];
	o->tpm = values[TPM];
	o->control = values[CONTROL] ? values[CONTROL] : "/run/wpa_supplicant";
	if (o->command != COMMAND_RUN)
		return 0;
	if (!o->interface || !*o->interface || strchr(o->interface, '/'))
		return err_set(ERR_INVALID, "which interface? Say --interface IF");
	if (wifi != (o->ssid != NULL))
		return err_set(ERR_INVALID, wifi ? "which network? Say --ssid SSID"
						 : "--ssid goes with --driver wifi");
	if (o->ssid && (!*o->ssid || strlen(o->ssid) > SSID_MAX))
		return err_set(ERR_INVALID, "--ssid must be 1 to %d bytes", SSID_MAX);
	return 0;
}

int options_parse(int argc, char **argv, struct agent_options *out)
{
	const char *values[N_SETTINGS] = {0};
	const char *config = NULL;
	struct agent_options o = {0};
	int rc = command_line(argc, argv, &o, values, &config);

	if (!rc && o.command < COMMAND_HELP)
		rc = config_values(&o, config, values);
	rc = rc ? rc : values_take(&o, values);
	if (rc)
		options_done(&o);
	else
		*out = o;
	return rc;
}

void options_done(struct agent_options *o)
{
	config_free(o->config);
	o->config = NULL;
}
