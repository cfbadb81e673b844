/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpgate-radsecd: the TLS end of RadSec (RFC 6614) for access points and switches. It takes their
 * packets out of TLS and hands them to radiusd on this machine, with the serial number of the
 * certificate that it has verified; and it brings dispatchd's Disconnect-Requests to them over the
 * connection that they opened. It knows no pump, no NAS and no database. One thread.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "base/config.h"
#include "base/daemon.h"
#include "base/daemon_options.h"
#include "base/log.h"
#include "base/secret.h"
#include "radius_modules/radsec/confine.h"
#include "radius_modules/radsec/link.h"
#include "radius_modules/radsec/tls.h"

#define BACKLOG 512
#define READS_PER_WAKE 128
#define DESCRIPTORS (3 * GATE_CONNECTIONS_MAX + 64)

struct radsecd {
	char address[IP_SIZE];
	uint32_t port;	     /* 0: RadSec is off */
	uint32_t inner_port; /* radiusd's authentication; accounting and our own follow */
	struct links links;
	struct evconnlistener *listener;
	struct event *orders;
};

static const char usage[] =
	"usage: pumpgate-radsecd [--home DIR]\n"
	"Speaks RADIUS over TLS (RadSec) with access points and switches. Started by "
	"`pumpctl\n"
	"run` or a service manager; settings, key and trust are those of DIR (default\n"
	"$PUMPGATE_HOME, else /var/lib/pumpgate).\n"
	"\n"
	"  pumpgate-radsecd --home /var/lib/pumpgate\n"
	"  pumpgate-radsecd --version\n"
	"  pumpctl nas add ap-1 --radsec    # who may connect\n";

static int settings_take(const char *home, struct radsecd *d)
{
	AUTO_CONFIG c = NULL;
	char path[PATH_MAX];
	int rc = home_path(home, "pumpgate.conf", path);

	if (rc || (rc = config_read(path, &c)) ||
	    (rc = str_copy(d->address, sizeof(d->address),
			   config_str(c, "listen", "radius_address", "127.0.0.1"))) ||
	    (rc = config_u32(c, "listen", "radsec_port", 22083, 0, 65535, &d->port)))
		return rc;
	return config_u32(c, "listen", "radsec_inner_port", 22084, 1, 65533, &d->inner_port);
}

static int tokens_take(const char *home, struct links *l)
{
	char path[PATH_MAX];
	int rc = home_path(home, HOP_TOKEN_OF_RADIUS, path);

	if (rc || (rc = hop_token_read(path, l->radius_token)) ||
	    (rc = home_path(home, HOP_TOKEN_OF_DISPATCH, path)))
		return rc;
	return hop_token_read(path, l->dispatch_token);
}

static struct sockaddr_in inner(const struct radsecd *d, uint32_t offset)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)(d->inner_port + offset)),
				    .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
		      int from_len, void *ctx)
{
	struct radsecd *d = ctx;

	(void)listener;
	(void)from_len;
	link_accept(&d->links, fd, from);
}

static int listen_start(struct radsecd *d)
{
	struct sockaddr_storage at = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&at;

	if (inet_pton(AF_INET, d->address, &v4->sin_addr) == 1) {
		at.ss_family = AF_INET;
		v4->sin_port = htons((uint16_t)d->port);
	} else if (inet_pton(AF_INET6, d->address, &v6->sin6_addr) == 1) {
		at.ss_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)d->port);
	} else {
		return err_set(ERR_INVALID, "radius_address '%s' is no IP address", d->address);
	}
	d->listener = evconnlistener_new_bind(
		d->links.base, on_accept, d,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
		(struct sockaddr *)(void *)&at,
		at.ss_family == AF_INET ? (int)sizeof(*v4) : (int)sizeof(*v6));
	return d->listener ? 0 : err_errno(ERR_IO, "%s port %u", d->address, d->port);
}

static void on_order(evutil_socket_t fd, short what, void *ctx)
{
	struct radsecd *d = ctx;
	uint8_t data[RADIUS_PACKET_MAX];

	(void)what;
	for (int i = 0; i < READS_PER_WAKE; i++) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, data, sizeof(data), MSG_DONTWAIT,
				     (struct sockaddr *)(void *)&from, &from_len);

		if (n < 0)
			return;
		link_disconnect(&d->links, data, (size_t)n, &from);
	}
}

static int orders_start(struct radsecd *d)
{
	const struct sockaddr_in at = inner(d, HOP_DISPATCH_OFFSET);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)(const void *)&at, sizeof(at)))
		return err_errno(ERR_IO, "127.0.0.1 port %u", d->inner_port + HOP_DISPATCH_OFFSET);
	d->links.dispatch_fd = fd;
	d->orders = event_new(d->links.base, fd, EV_READ | EV_PERSIST, on_order, d);
	return d->orders && !event_add(d->orders, NULL) ? 0 : err_set(ERR_NOMEM, "no event loop");
}

static void descriptors_raise(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= DESCRIPTORS)
		return;
	r.rlim_cur = r.rlim_max < DESCRIPTORS ? r.rlim_max : DESCRIPTORS;
	if (setrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur < DESCRIPTORS)
		LOG(LOG_WARN, "radsec.few_descriptors", LOG_U("limit", r.rlim_cur));
}

static int radsecd_start(const char *home, struct radsecd *d)
{
	int rc = settings_take(home, d);

	d->links.base = event_base_new();
	if (rc || !d->links.base)
		return rc ? rc : err_set(ERR_NOMEM, "no event loop");
	LIST_INIT(&d->links.all);
	d->links.auth = inner(d, 0);
	d->links.acct = inner(d, HOP_ACCT_OFFSET);
	if (d->port &&
	    ((rc = tokens_take(home, &d->links)) || (rc = radsec_tls_new(home, &d->links.tls)) ||
	     (rc = orders_start(d)) || (rc = listen_start(d))))
		return rc;
	return radsec_confine();
}

static int radsecd_run(const char *home)
{
	static struct radsecd d;
	int rc = radsecd_start(home, &d);

	if (!rc) {
		LOG(LOG_INFO, "radsec.started", LOG_S("address", d.address), LOG_U("port", d.port));
		rc = daemon_loop(d.links.base);
	}
	links_done(&d.links);
	secret_wipe(d.links.radius_token, sizeof(d.links.radius_token));
	secret_wipe(d.links.dispatch_token, sizeof(d.links.dispatch_token));
	return rc;
}

int main(int argc, char **argv)
{
	const char *home;
	int status;

	if (!daemon_options_only(argc, argv, "pumpgate-radsecd", usage, &home, &status))
		return status;
	log_start("pumpgate-radsecd", LOG_INFO);
	daemon_harden();
	descriptors_raise();
	if (radsecd_run(home)) {
		LOG(LOG_ERROR, "radsec.failed", LOG_S("why", err_text()));
		return 1;
	}
	return 0;
}
