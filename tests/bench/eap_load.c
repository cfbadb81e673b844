/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EAP-TLS load: many pumps authenticating at a RADIUS server, N at once, every answer checked. A
 * warm-up round comes first and is not counted. Prints one JSON object; exit status 0 when nothing
 * was lost and every answer was the expected one.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/bench/eap_slot.h"
#include "tests/bench/latency.h"
#include "tests/bench/process_cpu.h"

#define SLOTS_MAX 512
#define TICK_MS 50
#define LOST_MAX 64
#define SETTLE_US 150000 /* until what the servers do afterwards has been done */

static const char usage[] =
	"usage: eap_load --server ADDR:PORT --secret-file F --certs DIR --ca FILE [options]\n"
	"  --server-name NAME   in the server's certificate (radius-1.pumpgate.internal)\n"
	"  --count N | --seconds S   how long (1000 authentications)\n"
	"  --in-flight N        at once (8)         --warmup N   not counted, first (in-flight)\n"
	"  --certs-max N        certificates used   --tls 1.2|1.3 (1.2)\n"
	"  --resume             offer the last session; every slot keeps to one certificate\n"
	"  --expect accept|reject (accept)          --vlan V     expected in every Accept\n"
	"  --retry-ms N (2000)  --tries N (3)       --pids P,..  processes whose CPU is measured,\n"
	"                       together and the last also alone\n";

struct totals {
	uint64_t done, accepted, rejected, lost, wrong, resumed, round_trips, retransmissions;
	struct latency latency;
	char first_wrong[320];
};

static struct {
	struct eap_slot_options slot;
	struct credential_set certs;
	struct eap_slot slots[SLOTS_MAX];
	unsigned in_flight;
	uint64_t count, warmup;
	int64_t seconds;
	const char *folder, *ca_file, *vlan;
	int tls;
	size_t certs_max;
	bool expect_reject;
	struct process_list pids;
	int epoll;
	size_t next_cert;
} run = {
	.slot = {.server_name = "radius-1.pumpgate.internal", .retry_us = 2000000, .tries = 3},
	.in_flight = 8,
	.count = 1000,
	.warmup = UINT64_MAX,
	.tls = TLS1_2_VERSION,
	.certs_max = 100000,
};

static void options_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{"server", 1, NULL, 's'},    {"secret-file", 1, NULL, 'S'},
		{"certs", 1, NULL, 'd'},     {"ca", 1, NULL, 'a'},
		{"count", 1, NULL, 'c'},     {"seconds", 1, NULL, 't'},
		{"warmup", 1, NULL, 'w'},    {"in-flight", 1, NULL, 'n'},
		{"tls", 1, NULL, 'T'},	     {"server-name", 1, NULL, 'N'},
		{"resume", 0, NULL, 'r'},    {"expect", 1, NULL, 'e'},
		{"vlan", 1, NULL, 'v'},	     {"retry-ms", 1, NULL, 'R'},
		{"tries", 1, NULL, 'y'},     {"pids", 1, NULL, 'p'},
		{"certs-max", 1, NULL, 'm'}, {NULL, 0, NULL, 0},
	};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 's':
			radius_target_parse(optarg, &run.slot.target);
			break;
		case 'S':
			radius_target_secret_read(optarg, &run.slot.target);
			break;
		case 'd':
			run.folder = optarg;
			break;
		case 'a':
			run.ca_file = optarg;
			break;
		case 'c':
			run.count = option_number(optarg, 100000000);
			break;
		case 't':
			run.seconds = (int64_t)option_number(optarg, 86400);
			break;
		case 'w':
			run.warmup = option_number(optarg, 100000000);
			break;
		case 'n':
			run.in_flight = (unsigned)option_number(optarg, SLOTS_MAX);
			break;
		case 'T':
			run.tls = strcmp(optarg, "1.3") ? TLS1_2_VERSION : TLS1_3_VERSION;
			break;
		case 'N':
			run.slot.server_name = optarg;
			break;
		case 'r':
			run.slot.resume = true;
			break;
		case 'e':
			run.expect_reject = !strcmp(optarg, "reject");
			break;
		case 'v':
			run.vlan = optarg;
			break;
		case 'R':
			run.slot.retry_us = (int64_t)option_number(optarg, 60000) * 1000;
			break;
		case 'y':
			run.slot.tries = (unsigned)option_number(optarg, 100);
			break;
		case 'p':
			process_list_parse(optarg, &run.pids);
			break;
		case 'm':
			run.certs_max = option_number(optarg, 1000000);
			break;
		default:
			fputs(usage, stderr);
			exit(64);
		}
	}
	if (!run.slot.target.addr_len || !run.slot.target.secret_len || !run.folder ||
	    !run.ca_file || !run.in_flight || optind != argc) {
		fputs(usage, stderr);
		exit(64);
	}
	if (run.warmup == UINT64_MAX)
		run.warmup = run.in_flight;
}

static void wrong_note(struct totals *t, const struct eap_slot *s, const char *what)
{
	t->wrong++;
	if (!t->first_wrong[0])
		snprintf(t->first_wrong, sizeof(t->first_wrong), "%s: %s (after %u round trips)",
			 s->who->identity, what, s->round_trips);
}

static void outcome_count(struct totals *t, const struct eap_slot *s)
{
	t->done++;
	t->round_trips += s->round_trips;
	t->retransmissions += s->retransmissions;
	t->resumed += s->resumed;
	latency_add(&t->latency, s->took_us);
	switch (s->state) {
	case SLOT_ACCEPTED:
		t->accepted++;
		if (run.expect_reject)
			wrong_note(t, s, "accepted");
		else if (run.vlan && strcmp(run.vlan, s->vlan))
			wrong_note(t, s, s->vlan[0] ? s->vlan : "accepted without a VLAN");
		break;
	case SLOT_REJECTED:
		t->rejected++;
		if (!run.expect_reject)
			wrong_note(t, s, "rejected");
		break;
	case SLOT_LOST:
		if (++t->lost == LOST_MAX)
			errx(1, "%d authentications lost: giving up", LOST_MAX);
		break;
	default:
		wrong_note(t, s, s->why);
	}
}

static const struct credential *credential_next(const struct eap_slot *s)
{
	if (run.slot.resume)
		return &run.certs.all[s->number % run.certs.n];
	return &run.certs.all[run.next_cert++ % run.certs.n];
}

/* Takes in what ended, and starts the next while there is one to start. */
static void slot_turn(struct eap_slot *s, struct totals *t, uint64_t *begun, uint64_t count,
		      int64_t end_us)
{
	for (;;) {
		if (s->state == SLOT_WAITING)
			return;
		if (s->state != SLOT_IDLE)
			outcome_count(t, s);
		s->state = SLOT_IDLE;
		if (*begun == count || (end_us && clock_mono_us() >= end_us))
			return;
		++*begun;
		eap_slot_begin(s, &run.slot, credential_next(s));
	}
}

/* Authenticates `count` times, or until `seconds` are over. */
static void phase(struct totals *t, uint64_t count, int64_t seconds)
{
	int64_t end_us = seconds ? clock_mono_us() + seconds * 1000000 : 0;
	int64_t tick_us = clock_mono_us();
	struct epoll_event ready[64];
	uint64_t begun = 0;

	for (unsigned i = 0; i < run.in_flight; i++)
		slot_turn(&run.slots[i], t, &begun, count, end_us);
	while (t->done < begun) {
		int n = epoll_wait(run.epoll, ready, 64, TICK_MS);
		int64_t now = clock_mono_us();

		for (int i = 0; i < n; i++) {
			struct eap_slot *s = ready[i].data.ptr;

			eap_slot_receive(s, &run.slot);
			slot_turn(s, t, &begun, count, end_us);
		}
		if (n > 0 && now - tick_us < TICK_MS * 1000)
			continue;
		tick_us = now;
		for (unsigned i = 0; i < run.in_flight; i++) {
			eap_slot_tick(&run.slots[i], &run.slot, now);
			slot_turn(&run.slots[i], t, &begun, count, end_us);
		}
	}
}

static void report(struct totals *t, int64_t wall_us, int64_t cpu_ns, int64_t cpu_last_ns)
{
	double done = t->done ? (double)t->done : 1;
	double trips = (double)t->round_trips / done;

	printf("{\"auths\":%llu,\"per_s\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
	       "\"round_trips\":%.2f,\"resumed\":%llu,\"accepted\":%llu,\"rejected\":%llu,"
	       "\"retransmissions\":%llu,\"lost\":%llu,\"wrong\":%llu,\"cpu_ms\":%.4f,"
	       "\"cpu_last_ms\":%.4f}\n",
	       (unsigned long long)t->done, done * 1e6 / (double)wall_us,
	       latency_percentile(&t->latency, 50) / 1e3, latency_percentile(&t->latency, 99) / 1e3,
	       trips, (unsigned long long)t->resumed, (unsigned long long)t->accepted,
	       (unsigned long long)t->rejected, (unsigned long long)t->retransmissions,
	       (unsigned long long)t->lost, (unsigned long long)t->wrong,
	       (double)cpu_ns / 1e6 / done, (double)cpu_last_ns / 1e6 / done);
	if (t->wrong)
		fprintf(stderr, "eap_load: %llu wrong, the first: %s\n",
			(unsigned long long)t->wrong, t->first_wrong);
}

int main(int argc, char **argv)
{
	struct totals warm = {0}, t = {0};
	int64_t started, cpu, cpu_last, wall_us;
	bool bad;

	options_parse(argc, argv);
	credential_set_load(run.folder, run.ca_file, run.tls, run.certs_max, &run.certs);
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < run.in_flight; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = &run.slots[i]};

		eap_slot_open(&run.slots[i], i, &run.slot);
		if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, run.slots[i].fd, &e))
			err(1, "epoll_ctl");
	}
	phase(&warm, run.warmup, 0);
	usleep(SETTLE_US);
	cpu = process_cpu_ns(&run.pids);
	cpu_last = process_cpu_last_ns(&run.pids);
	started = clock_mono_us();
	phase(&t, run.seconds ? UINT64_MAX : run.count, run.seconds);
	wall_us = clock_mono_us() - started;
	usleep(SETTLE_US);
	cpu = process_cpu_ns(&run.pids) - cpu;
	cpu_last = process_cpu_last_ns(&run.pids) - cpu_last;
	report(&t, wall_us ? wall_us : 1, cpu, cpu_last);
	bad = t.lost || t.wrong || t.done == 0;
	for (unsigned i = 0; i < run.in_flight; i++)
		eap_slot_close(&run.slots[i]);
	credential_set_done(&run.certs);
	latency_done(&warm.latency);
	latency_done(&t.latency);
	return bad ? 1 : 0;
}
