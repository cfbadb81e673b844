/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpgate-agentd: runs on the pump, beside the infusion controller and never in its way. Listens
 * on no port; nothing waits for it.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/thread.h>
#include <openssl/crypto.h>

#include "base/daemon.h"
#include "base/log.h"
#include "pump_agent/agent.h"
#include "pump_agent/confine.h"
#include "pump_agent/wipe.h"

#define EXIT_USAGE 64

/* What the file openssl.cnf names would be loaded, which a static program cannot. */
static int openssl_begin(void)
{
#ifdef PUMPGATE_STATIC
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return err_set(ERR_CRYPTO, "OpenSSL cannot start");
#endif
	return 0;
}

/* Errors have words of ours; a name server that is away is not worth a line on each try. */
static void libevent_says(int severity, const char *text)
{
	if (severity >= EVENT_LOG_WARN)
		LOG(LOG_WARN, "agent.libevent", LOG_S("says", text));
}

static int run(struct agent_options *o)
{
	static struct agent agent;
	char bundle[PATH_MAX];
	struct event_base *base;
	int rc;

	rc = confine_bounds(); /* before /proc/self is closed to us */
	daemon_harden();
	unsetenv("SSLKEYLOGFILE"); /* some builds of OpenSSL write session keys there */
	snprintf(bundle, sizeof(bundle), "%s/bundle.json", o->state);
	o->bundle = o->bundle ? o->bundle : bundle;
	rc = rc ? rc : openssl_begin();
	event_set_log_callback(libevent_says);
	if (!rc && evthread_use_pthreads()) /* loops of their own for what waits for the network */
		rc = err_set(ERR_NOMEM, "no memory for locks");
	base = event_base_new();
	if (!rc && !base)
		rc = err_set(ERR_NOMEM, "no memory for an event loop");
	if (!rc)
		tpm_use(o->key_place, o->tpm); /* loads libraries */
	rc = rc ? rc : confine_calls();
	rc = rc ? rc : agent_start(base, o, &agent);
	if (rc) {
		LOG(LOG_ERROR, "agent.cannot_start", LOG_S("why", err_text()));
	} else {
		rc = daemon_loop(base);
		agent_stop(&agent);
		LOG(LOG_INFO, "agent.end");
	}
	if (base)
		event_base_free(base);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int status(const struct agent_options *o)
{
	if (!status_print(o->state, o->json, stdout) && !fflush(stdout))
		return EXIT_SUCCESS;
	fprintf(stderr, "pumpgate-agentd: %s\n", err_text());
	return EXIT_FAILURE;
}

static int statement(const struct agent_options *o)
{
	AUTO_BUF text = {.max = WIPE_ENVELOPE_MAX};
	int rc = wipe_statement_read(o->state, &text);

	if (!rc && fwrite(text.data, 1, text.len, stdout) == text.len && !fflush(stdout))
		return EXIT_SUCCESS;
	fprintf(stderr, "pumpgate-agentd: %s\n", rc ? err_text() : "cannot write it");
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct agent_options o;
	int rc = EXIT_SUCCESS;

	log_start("pumpgate-agentd", LOG_INFO);
	if (options_parse(argc, argv, &o)) {
		fprintf(stderr, "pumpgate-agentd: %s\nTry pumpgate-agentd --help\n", err_text());
		return EXIT_USAGE;
	}
	switch (o.command) {
	case COMMAND_HELP:
		fputs(options_help(), stdout);
		break;
	case COMMAND_VERSION:
		puts("pumpgate-agentd " PUMPGATE_VERSION);
		break;
	case COMMAND_STATUS:
		rc = status(&o);
		break;
	case COMMAND_STATEMENT:
		rc = statement(&o);
		break;
	case COMMAND_RUN:
		rc = run(&o);
		break;
	}
	options_done(&o);
	return rc;
}
