/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accounting load: sessions that start, report once and stop (RFC 2866), N at once, each answer's
 * authenticator checked. Prints one JSON object; exit status 0 when every packet was answered.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "radius_modules/packet/radius_packet.h"
#include "tests/bench/credential_set.h"
#include "tests/bench/latency.h"
#include "tests/bench/process_cpu.h"
#include "tests/bench/radius_target.h"

#define SLOTS_MAX 256
#define LOST_MAX 64
#define SETTLE_US 150000
#define PACKETS_PER_SESSION 3

static const char usage[] =
	"usage: acct_load --server ADDR:PORT --secret-file F [--count PACKETS] [--in-flight N]\n"
	"                 [--pumps N] [--prefix TEXT] [--retry-ms N] [--tries N] [--pids P,..]\n"
	"pumps are named PREFIX000001 and on (BENCH-, 200)\n";

enum { ACCT_START = 1, ACCT_STOP = 2, ACCT_INTERIM = 3 };

struct acct_slot {
	int fd;
	unsigned number;
	unsigned step; /* packets of the session answered so far */
	uint32_t session;
	uint8_t id;
	struct radius_packet packet;
	bool waiting;
	int64_t begun_us, sent_us;
	unsigned tries;
};

static struct {
	struct radius_target target;
	struct acct_slot slots[SLOTS_MAX];
	struct pollfd polls[SLOTS_MAX];
	unsigned in_flight, tries, pumps;
	const char *prefix;
	int64_t retry_us;
	uint64_t count, begun, answered, lost, retransmissions;
	struct process_list pids;
	struct latency latency;
} run = {
	.in_flight = 8,
	.tries = 3,
	.pumps = 200,
	.prefix = "BENCH-",
	.retry_us = 2000000,
	.count = 3000,
};

static void transmit(struct acct_slot *s)
{
	s->sent_us = clock_mono_us();
	s->tries++;
	if (send(s->fd, s->packet.data, s->packet.len, 0) < 0 && errno != ECONNREFUSED)
		err(1, "send");
}

static void packet_begin(struct acct_slot *s)
{
	static const uint32_t types[PACKETS_PER_SESSION] = {ACCT_START, ACCT_INTERIM, ACCT_STOP};
	struct radius_packet *p = &s->packet;
	char pump[64], mac[18], session[32], port[32];
	unsigned n = (s->session * run.in_flight + s->number) % run.pumps + 1;

	snprintf(pump, sizeof(pump), "%s%06u", run.prefix, n);
	credential_mac(pump, '-', mac);
	snprintf(session, sizeof(session), "%08X-%08X", s->number, s->session);
	snprintf(port, sizeof(port), "port-%u", s->number);
	radius_begin(p, RADIUS_ACCOUNTING_REQUEST, ++s->id);
	if (radius_put_u32(p, RADIUS_ACCT_STATUS_TYPE, types[s->step]) ||
	    radius_put_str(p, RADIUS_USER_NAME, pump) ||
	    radius_put_u32(p, RADIUS_NAS_IP_ADDRESS, 0x7f000001) ||
	    radius_put_str(p, RADIUS_CALLING_STATION_ID, mac) ||
	    radius_put_str(p, RADIUS_NAS_PORT_ID, port) ||
	    radius_put_u32(p, RADIUS_NAS_PORT_TYPE, 15) ||
	    radius_put_str(p, RADIUS_ACCT_SESSION_ID, session) ||
	    radius_put_u32(p, RADIUS_ACCT_SESSION_TIME, s->step * 300) ||
	    radius_put_u32(p, RADIUS_ACCT_INPUT_OCTETS, s->step * 123456) ||
	    radius_put_u32(p, RADIUS_ACCT_OUTPUT_OCTETS, s->step * 654321) ||
	    (s->step == 2 && radius_put_u32(p, RADIUS_ACCT_TERMINATE_CAUSE, 1)) ||
	    radius_sign_request(p, run.target.secret, run.target.secret_len))
		errx(1, "%s", err_text());
	s->tries = 0;
	s->waiting = true;
	s->begun_us = clock_mono_us();
	run.begun++;
	transmit(s);
}

static void slot_next(struct acct_slot *s)
{
	s->waiting = false;
	if (++s->step == PACKETS_PER_SESSION) {
		s->step = 0;
		s->session++;
	}
	if (run.begun < run.count)
		packet_begin(s);
}

static void slot_receive(struct acct_slot *s)
{
	uint8_t raw[RADIUS_PACKET_MAX];
	struct radius_view v;
	ssize_t n = recv(s->fd, raw, sizeof(raw), 0);

	if (n < 0 || !s->waiting || radius_view_parse(raw, (size_t)n, &v) || v.id != s->id)
		return;
	if (v.code != RADIUS_ACCOUNTING_RESPONSE ||
	    radius_verify_reply(&v, s->packet.data + 4, run.target.secret, run.target.secret_len,
				false))
		errx(1, "an answer of code %u that does not verify", v.code);
	run.answered++;
	run.retransmissions += s->tries - 1;
	latency_add(&run.latency, clock_mono_us() - s->begun_us);
	slot_next(s);
}

static void slot_tick(struct acct_slot *s, int64_t now)
{
	if (!s->waiting || now - s->sent_us < run.retry_us)
		return;
	if (s->tries < run.tries) {
		transmit(s);
		return;
	}
	if (++run.lost == LOST_MAX)
		errx(1, "%d packets lost: giving up", LOST_MAX);
	slot_next(s);
}

static void options_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{"server", 1, NULL, 's'},   {"secret-file", 1, NULL, 'S'},
		{"count", 1, NULL, 'c'},    {"in-flight", 1, NULL, 'n'},
		{"pumps", 1, NULL, 'u'},    {"prefix", 1, NULL, 'x'},
		{"retry-ms", 1, NULL, 'R'}, {"tries", 1, NULL, 'y'},
		{"pids", 1, NULL, 'p'},	    {NULL, 0, NULL, 0},
	};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 's':
			radius_target_parse(optarg, &run.target);
			break;
		case 'S':
			radius_target_secret_read(optarg, &run.target);
			break;
		case 'c':
			run.count = option_number(optarg, 100000000);
			break;
		case 'n':
			run.in_flight = (unsigned)option_number(optarg, SLOTS_MAX);
			break;
		case 'u':
			run.pumps = (unsigned)option_number(optarg, 10000000);
			break;
		case 'x':
			run.prefix = optarg;
			break;
		case 'R':
			run.retry_us = (int64_t)option_number(optarg, 60000) * 1000;
			break;
		case 'y':
			run.tries = (unsigned)option_number(optarg, 100);
			break;
		case 'p':
			process_list_parse(optarg, &run.pids);
			break;
		default:
			fputs(usage, stderr);
			exit(64);
		}
	}
	if (!run.target.addr_len || !run.target.secret_len || !run.in_flight || !run.pumps ||
	    optind != argc) {
		fputs(usage, stderr);
		exit(64);
	}
}

int main(int argc, char **argv)
{
	int64_t started, cpu, wall_us;

	options_parse(argc, argv);
	for (unsigned i = 0; i < run.in_flight; i++) {
		run.slots[i] = (struct acct_slot){.fd = radius_target_socket(&run.target),
						  .number = i,
						  .session = (uint32_t)getpid() << 8};
		run.polls[i] = (struct pollfd){.fd = run.slots[i].fd, .events = POLLIN};
	}
	cpu = process_cpu_ns(&run.pids);
	started = clock_mono_us();
	for (unsigned i = 0; i < run.in_flight && run.begun < run.count; i++)
		packet_begin(&run.slots[i]);
	while (run.answered + run.lost < run.begun) {
		int n = poll(run.polls, run.in_flight, 50);
		int64_t now = clock_mono_us();

		for (unsigned i = 0; i < run.in_flight; i++) {
			if (n > 0 && run.polls[i].revents)
				slot_receive(&run.slots[i]);
			slot_tick(&run.slots[i], now);
		}
	}
	wall_us = clock_mono_us() - started;
	usleep(SETTLE_US);
	cpu = process_cpu_ns(&run.pids) - cpu;
	printf("{\"packets\":%llu,\"per_s\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
	       "\"retransmissions\":%llu,\"lost\":%llu,\"cpu_ms\":%.4f}\n",
	       (unsigned long long)run.answered, (double)run.answered * 1e6 / (double)(wall_us + 1),
	       latency_percentile(&run.latency, 50) / 1e3,
	       latency_percentile(&run.latency, 99) / 1e3, (unsigned long long)run.retransmissions,
	       (unsigned long long)run.lost,
	       (double)cpu / 1e6 / (run.answered ? (double)run.answered : 1));
	latency_done(&run.latency);
	return run.lost || !run.answered ? 1 : 0;
}
