/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many NAS in one program, for tests and measurements: NAS i listens at 127.77.(i / 250).(i % 250 +
 * 1) and one port, and holds the sessions FARM-n with n % NAS == i, as tests/support/farm_fill.sh
 * writes them down. It answers Disconnect-Requests as a NAS does: Message-Authenticator demanded,
 * ACK for a session that it has, the same answer to a retransmission, NAK 503 for one that it has
 * not (any more). At SIGTERM it prints one JSON object. Never for a real network.
 *
 *   nas_farm --secret-file F --port N [--nas N (50)] [--deaf N (0): the last N never answer]
 */
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "base/secret.h"
#include "radius_modules/packet/radius_packet.h"

#define NAS_MAX 1000
#define SESSIONS_MAX 200000
#define EVENTS 64

struct session {
	bool ended;
	uint8_t authenticator[RADIUS_AUTHENTICATOR_BYTES]; /* of the request that ended it */
};

static struct {
	int fds[NAS_MAX];
	unsigned n_nas, n_deaf;
	struct secret *secret;
	struct session sessions[SESSIONS_MAX];
	uint64_t requests, acked, again, unknown, not_genuine, retransmitted, unanswered;
} farm = {.n_nas = 50};

/* ACK or NAK; no answer to what is not signed as it must be. */
static bool judge(unsigned nas, const struct radius_view *rq, bool *ack_out)
{
	char name[64] = "";
	unsigned long n;
	struct session *s;
	char *end;

	if (rq->code != RADIUS_DISCONNECT_REQUEST ||
	    radius_verify_request(rq, secret_data(farm.secret), secret_len(farm.secret), true)) {
		farm.not_genuine++;
		return false;
	}
	*ack_out = false;
	radius_attr_str(rq, RADIUS_ACCT_SESSION_ID, name, sizeof(name));
	n = strncmp(name, "FARM-", 5) ? 0 : strtoul(name + 5, &end, 10);
	if (!n || *end || n >= SESSIONS_MAX || n % farm.n_nas != nas) {
		farm.unknown++;
		return true;
	}
	s = &farm.sessions[n];
	if (s->ended && !memcmp(s->authenticator, rq->authenticator, sizeof(s->authenticator))) {
		farm.retransmitted++;
		*ack_out = true;
		return true;
	}
	farm.again += s->ended;
	farm.acked += !s->ended;
	*ack_out = !s->ended;
	s->ended = true;
	memcpy(s->authenticator, rq->authenticator, sizeof(s->authenticator));
	return true;
}

static void answer(int fd, const struct radius_view *rq, bool ack, const struct sockaddr_in *to)
{
	struct radius_packet p;
	int rc = 0;

	radius_begin(&p, ack ? RADIUS_DISCONNECT_ACK : RADIUS_DISCONNECT_NAK, rq->id);
	if (!ack)
		rc = radius_put_u32(&p, RADIUS_ERROR_CAUSE, RADIUS_CAUSE_NO_SESSION);
	if (!rc)
		rc = radius_sign_reply(&p, rq->authenticator, secret_data(farm.secret),
				       secret_len(farm.secret));
	if (!rc)
		(void)!sendto(fd, p.data, p.len, 0, (const struct sockaddr *)to, sizeof(*to));
}

static void hear(unsigned nas)
{
	uint8_t data[RADIUS_PACKET_MAX];
	struct sockaddr_in from;
	struct radius_view rq;
	bool ack;

	for (;;) {
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(farm.fds[nas], data, sizeof(data), MSG_DONTWAIT,
				     (struct sockaddr *)&from, &from_len);

		if (n < 0)
			return;
		farm.requests++;
		if (nas >= farm.n_nas - farm.n_deaf)
			farm.unanswered++;
		else if (radius_view_parse(data, (size_t)n, &rq))
			farm.not_genuine++;
		else if (judge(nas, &rq, &ack))
			answer(farm.fds[nas], &rq, ack, &from);
	}
}

static void nas_open(unsigned i, unsigned long port, int epoll)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int bytes = 1 << 20;

	at.sin_addr.s_addr = htonl(0x7f4d0000 | i / 250 << 8 | (i % 250 + 1));
	farm.fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(farm.fds[i], SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (farm.fds[i] < 0 || bind(farm.fds[i], (struct sockaddr *)&at, sizeof(at)) ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, farm.fds[i], &e))
		err(1, "NAS %u, port %lu", i, port);
}

static void report(void)
{
	printf("{\"requests\": %" PRIu64 ", \"acked\": %" PRIu64 ", \"again\": %" PRIu64
	       ", \"unknown\": %" PRIu64 ", \"not_genuine\": %" PRIu64
	       ", \"retransmitted\": %" PRIu64 ", \"unanswered\": %" PRIu64 "}\n",
	       farm.requests, farm.acked, farm.again, farm.unknown, farm.not_genuine,
	       farm.retransmitted, farm.unanswered);
}

static void serve(unsigned long port)
{
	struct epoll_event events[EVENTS], e = {.events = EPOLLIN, .data.u32 = NAS_MAX};
	int epoll = epoll_create1(EPOLL_CLOEXEC), signals;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (epoll < 0 || signals < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, signals, &e))
		err(1, "epoll");
	for (unsigned i = 0; i < farm.n_nas; i++)
		nas_open(i, port, epoll);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == NAS_MAX)
				return;
			hear(events[i].data.u32);
		}
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"secret-file", 1, NULL, 's'},
		{"port", 1, NULL, 'p'},
		{"nas", 1, NULL, 'n'},
		{"deaf", 1, NULL, 'd'},
		{0},
	};
	const char *secret_file = NULL;
	unsigned long port = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			secret_file = optarg;
		else if (c == 'p')
			port = strtoul(optarg, NULL, 10);
		else if (c == 'n')
			farm.n_nas = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'd')
			farm.n_deaf = (unsigned)strtoul(optarg, NULL, 10);
		else
			return 64;
	}
	if (!secret_file || !port || port > 65535 || !farm.n_nas || farm.n_nas > NAS_MAX ||
	    farm.n_deaf > farm.n_nas)
		return 64;
	if (secret_read_file(secret_file, 128, &farm.secret))
		errx(1, "%s", err_text());
	serve(port);
	report();
	return 0;
}
