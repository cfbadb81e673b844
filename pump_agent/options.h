/* SPDX-License-Identifier: BSD-2-Clause */
/* What the agent was told: command line over configuration file over defaults. */
#ifndef PUMP_AGENT_OPTIONS_H
#define PUMP_AGENT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"
#include "pump_agent/credential.h"
#include "pump_agent/netblock.h"
#include "pump_agent/tpm.h"

#define AGENT_STATE_DEFAULT "/var/lib/pumpgate-agent"
#define AGENT_CONFIG_DEFAULT "/etc/pumpgate/pumpgate-agent.conf"

enum agent_command {
	COMMAND_RUN = 0,
	COMMAND_STATUS,
	COMMAND_STATEMENT,
	COMMAND_HELP,
	COMMAND_VERSION
};

struct agent_options {
	enum agent_command command;
	const char *state;
	const char *bundle;
	const char *interface;
	const char *control; /* folder of wpa_supplicant's control sockets */
	const char *ssid;
	const char *controller_socket;
	const char *controller_user; /* NULL: no controller is served */
	const char *wipe;	     /* besides: full paths, by commas; NULL: none */
	enum net_driver driver;
	enum key_kind key_kind;
	enum key_place key_place;
	const char *tpm; /* how it is reached; NULL: the provider's default */
	uint32_t renew_percent;
	bool may_set_clock;
	bool json;
	struct config *config; /* owned; the texts above may point into it */
};

/* Texts point into argv or the configuration. ERR_INVALID with what to do about it. */
int options_parse(int argc, char **argv, struct agent_options *out) MUST_USE;
void options_done(struct agent_options *o);
const char *options_help(void);

#endif
