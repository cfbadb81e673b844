/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the common life of a daemon. Never knows what the daemon serves. */
#include "base/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"

const char *home_dir(const char *option)
{
	const char *env = getenv("PUMPGATE_HOME");

	if (option)
		return option;
	return env && *env ? env : "/var/lib/pumpgate";
}

int home_path(const char *home, const char *rel, char out[PATH_MAX])
{
	if (snprintf(out, PATH_MAX, "%s/%s", home, rel) >= PATH_MAX)
		return err_set(ERR_LIMIT, "%.64s...: path too long", home);
	return 0;
}

void daemon_harden(void)
{
	struct rlimit none = {0, 0};

	umask(077);
	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
		LOG(LOG_ERROR, "daemon.harden_failed", LOG_S("why", strerror(errno)));
		exit(1);
	}
}

static void stop_loop(evutil_socket_t signo, short what, void *base)
{
	(void)signo;
	(void)what;
	event_base_loopbreak(base);
}

int daemon_loop(struct event_base *base)
{
	struct event *term = evsignal_new(base, SIGTERM, stop_loop, base);
	struct event *intr = evsignal_new(base, SIGINT, stop_loop, base);
	int rc = 0;

	if (!term || !intr || event_add(term, NULL) || event_add(intr, NULL)) {
		rc = err_set(ERR_NOMEM, "no memory for signals");
	} else {
		sd_notify(0, "READY=1");
		event_base_dispatch(base);
		sd_notify(0, "STOPPING=1");
	}
	if (term)
		event_free(term);
	if (intr)
		event_free(intr);
	return rc;
}
