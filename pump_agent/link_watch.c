/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the netlink socket. Only listens: never changes an interface. */
#include "pump_agent/link_watch.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "base/buf.h"

#define DATAGRAM_MAX 32768

/* So long it must be up without a break: a loose plug must not make a storm of attempts. */
static const struct timeval STEADY = {.tv_usec = 200000};

struct link_watch {
	int fd;
	struct event *event;
	struct event *steady;
	char interface[IFNAMSIZ];
	bool is_down; /* as last told; one that is not there counts as up */
	link_watch_change change;
	void *ctx;
};

static bool is_named(const struct nlmsghdr *h, const char *interface)
{
	const struct ifinfomsg *info = NLMSG_DATA(h);
	const struct rtattr *a = IFLA_RTA(info);
	size_t left = IFLA_PAYLOAD(h);

	/* RTA_OK wants a signed length; a datagram is far below INT_MAX */
	for (; RTA_OK(a, (int)left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_IFNAME &&
		    strnlen(RTA_DATA(a), RTA_PAYLOAD(a)) == strlen(interface) &&
		    !memcmp(RTA_DATA(a), interface, strlen(interface)))
			return true;
	return false;
}

enum link_news link_news_parse(const void *datagram, size_t len, const char *interface)
{
	const struct nlmsghdr *h = datagram;
	enum link_news news = LINK_NO_NEWS;

	for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
		const struct ifinfomsg *info = NLMSG_DATA(h);

		if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(*info)) ||
		    !is_named(h, interface))
			continue;
		news = (info->ifi_flags & IFF_RUNNING) ? LINK_UP : LINK_DOWN;
	}
	return news;
}

static void tell(struct link_watch *w, bool is_down)
{
	if (is_down == w->is_down)
		return;
	w->is_down = is_down;
	w->change(w->ctx, !is_down);
}

/* Down is told at once, up when it lasts. */
static void take(struct link_watch *w, enum link_news news)
{
	if (news == LINK_DOWN) {
		evtimer_del(w->steady);
		tell(w, true);
	} else if (news == LINK_UP && w->is_down) {
		evtimer_add(w->steady, &STEADY);
	}
}

static void lasted(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tell(arg, false);
}

/* How it stands before the first change is told, or when changes were lost. */
static bool is_down_now(const struct link_watch *w)
{
	struct ifreq rq = {0};

	memcpy(rq.ifr_name, w->interface, sizeof(rq.ifr_name));
	return ioctl(w->fd, SIOCGIFFLAGS, &rq) == 0 && !(rq.ifr_flags & IFF_RUNNING);
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct link_watch *w = arg;
	union {
		struct nlmsghdr align;
		uint8_t bytes[DATAGRAM_MAX];
	} in;
	struct sockaddr_nl from = {0};
	socklen_t from_len = sizeof(from);
	ssize_t n =
		recvfrom(fd, &in, sizeof(in), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);

	(void)what;
	if (n > 0 && from.nl_pid == 0) /* the kernel, no other process */
		take(w, link_news_parse(&in, (size_t)n, w->interface));
	else if (n < 0 && errno == ENOBUFS) /* more than the socket holds: some are lost */
		take(w, is_down_now(w) ? LINK_DOWN : LINK_UP);
}

int link_watch_new(struct event_base *base, const char *interface, link_watch_change change,
		   void *ctx, struct link_watch **out)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	struct link_watch *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return err_set(ERR_NOMEM, "no memory to watch %s", interface);
	w->change = change;
	w->ctx = ctx;
	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	rc = str_copy(w->interface, sizeof(w->interface), interface);
	if (!rc && (w->fd < 0 || bind(w->fd, (struct sockaddr *)&to, sizeof(to))))
		rc = err_errno(ERR_IO, "watching %s", interface);
	if (!rc) {
		w->is_down = is_down_now(w);
		w->event = event_new(base, w->fd, EV_READ | EV_PERSIST, readable, w);
		w->steady = evtimer_new(base, lasted, w);
		if (!w->event || !w->steady || event_add(w->event, NULL))
			rc = err_set(ERR_NOMEM, "no memory to watch %s", interface);
	}
	if (rc)
		link_watch_free(w);
	else
		*out = w;
	return rc;
}

bool link_watch_is_down(const struct link_watch *w)
{
	return w->is_down;
}

void link_watch_free(struct link_watch *w)
{
	if (!w)
		return;
	if (w->event)
		event_free(w->event);
	if (w->steady)
		event_free(w->steady);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}
