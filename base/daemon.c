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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

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

/*
 * sd_notify(3) without its library, which brings in six more: one datagram to the socket that the
 * supervisor names. Nobody there: nothing to say, and nothing that could be done about it.
 */
static void supervisor_tell(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct iovec text = {(char *)state, strlen(state)};
	struct msghdr message = {.msg_name = &to, .msg_iov = &text, .msg_iovlen = 1};
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (len < 2 || len > sizeof(to.sun_path) - 1 || (*path != '/' && *path != '@'))
		return;
	memcpy(to.sun_path, path, len);
	if (*path == '@') /* abstract: its name has no end but the address's */
		to.sun_path[0] = '\0';
	message.msg_namelen =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (*path == '/'));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		LOG(LOG_WARN, "daemon.supervisor_not_told", LOG_S("why", strerror(errno)));
	close(fd);
}

int daemon_loop(struct event_base *base)
{
	struct event *term = evsignal_new(base, SIGTERM, stop_loop, base);
	struct event *intr = evsignal_new(base, SIGINT, stop_loop, base);
	int rc = 0;

	if (!term || !intr || event_add(term, NULL) || event_add(intr, NULL)) {
		rc = err_set(ERR_NOMEM, "no memory for signals");
	} else {
		supervisor_tell("READY=1");
		event_base_dispatch(base);
		supervisor_tell("STOPPING=1");
	}
	if (term)
		event_free(term);
	if (intr)
		event_free(intr);
	return rc;
}
