/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns measuring: look-ups alone, and look-ups among events and accounting. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/registry_probe/probe.h"

struct lookups {
	const char *sock;
	uint64_t pumps, seed;
	unsigned count;
	uint32_t *ns; /* one per look-up */
	unsigned wrong;
};

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *lookups_run(void *arg)
{
	struct lookups *l = arg;
	struct cert_name q = {.issuer = PROBE_ISSUER};
	char device[DEVICE_SERIAL_SIZE];
	struct pump_facts facts;
	AUTO_IPC_CLIENT c = NULL;

	if (ipc_client_new(l->sock, "radius", &c)) {
		l->wrong = l->count;
		return NULL;
	}
	for (unsigned i = 0; i < l->count; i++) {
		int64_t before;

		probe_pump(1 + next_random(&l->seed) % l->pumps, device, q.cert_serial);
		before = now_ns();
		l->wrong += registry_pump_facts(c, &q, &facts, PROBE_WAIT_MS) || !facts.found ||
			    strcmp(facts.device, device) || strcmp(facts.cert_state, "valid");
		l->ns[i] = (uint32_t)(now_ns() - before);
	}
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int probe_lookups(const char *sock, uint64_t pumps, unsigned count, unsigned threads)
{
	struct lookups l[64];
	pthread_t id[64];
	uint32_t *ns = calloc((size_t)count * threads, sizeof(*ns));
	size_t n = (size_t)count * threads;
	unsigned wrong = 0;
	double mean = 0;
	int64_t began;

	if (!ns || !count || !pumps || threads < 1 || threads > 64)
		return 64;
	began = now_ns();
	for (unsigned i = 0; i < threads; i++) {
		l[i] = (struct lookups){.sock = sock,
					.pumps = pumps,
					.seed = 88172645463325252ULL + i,
					.count = count,
					.ns = ns + (size_t)i * count};
		pthread_create(&id[i], NULL, lookups_run, &l[i]);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(id[i], NULL);
		wrong += l[i].wrong;
	}
	began = now_ns() - began;
	for (size_t i = 0; i < n; i++)
		mean += ns[i] / 1000.0 / (double)n;
	qsort(ns, n, sizeof(*ns), by_value);
	printf("{\"lookups\":%zu,\"pumps\":%llu,\"threads\":%u,\"wrong\":%u,\"per_s\":%.0f,"
	       "\"mean_us\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n",
	       n, (unsigned long long)pumps, threads, wrong, (double)n * 1e9 / (double)began, mean,
	       ns[n / 2] / 1000.0, ns[n * 99 / 100] / 1000.0, ns[n - 1] / 1000.0);
	free(ns);
	return wrong ? 1 : 0;
}

struct load {
	const char *sock;
	uint64_t pumps;
	int64_t end_us;
	unsigned number;
	unsigned long lookups, events, dropped, records, failed;
	uint32_t worst_us;
};

/* One authentication's worth: look up, post the event, account for it. */
static void load_once(struct ipc_client *c, struct event_ring *ring, struct load *l, uint64_t *seed)
{
	struct cert_name q = {.issuer = PROBE_ISSUER};
	struct auth_event e = {.method = "eap-tls",
			       .verdict = "accept",
			       .nas = "probe-nas",
			       .issuer = PROBE_ISSUER,
			       .zone = "fill",
			       .vlan = 100};
	struct acct_event a = {.type = "start", .nas = "probe-nas"};
	struct pump_facts facts;
	int64_t before;
	uint32_t took;

	probe_pump(1 + next_random(seed) % l->pumps, e.device, q.cert_serial);
	memcpy(e.cert_serial, q.cert_serial, sizeof(e.cert_serial));
	memcpy(a.device, e.device, sizeof(a.device));
	snprintf(e.session_id, sizeof(e.session_id), "%u-%lu", l->number, l->lookups);
	memcpy(a.session_id, e.session_id, sizeof(a.session_id));
	before = clock_mono_us();
	l->failed += registry_pump_facts(c, &q, &facts, PROBE_WAIT_MS) != 0 || !facts.found;
	took = (uint32_t)(clock_mono_us() - before);
	if (took > l->worst_us)
		l->worst_us = took;
	l->lookups++;
	if (event_ring_put(ring, &e))
		l->dropped++;
	else
		l->events++;
	if (registry_acct_event(c, &a, PROBE_WAIT_MS))
		l->failed++;
	else
		l->records++;
}

static void *load_run(void *arg)
{
	struct load *l = arg;
	uint64_t seed = 88172645463325252ULL + l->number;
	AUTO_IPC_CLIENT c = NULL;
	struct event_ring ring;
	int fd = -1;

	if (ipc_client_new(l->sock, "radius", &c) || registry_event_ring(c, &fd, PROBE_WAIT_MS) ||
	    event_ring_map(fd, &ring)) {
		l->failed++;
		return NULL;
	}
	close(fd);
	while (clock_mono_us() < l->end_us)
		load_once(c, &ring, l, &seed);
	event_ring_unmap(&ring);
	return NULL;
}

int probe_load(const char *sock, uint64_t pumps, unsigned ms, unsigned threads)
{
	struct load l[64] = {0}, sum = {0};
	pthread_t id[64];

	if (threads < 1 || threads > 64 || !pumps)
		return 64;
	for (unsigned i = 0; i < threads; i++) {
		l[i] = (struct load){.sock = sock, .pumps = pumps, .number = i};
		l[i].end_us = clock_mono_us() + 1000LL * ms;
		pthread_create(&id[i], NULL, load_run, &l[i]);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(id[i], NULL);
		sum.lookups += l[i].lookups;
		sum.events += l[i].events;
		sum.dropped += l[i].dropped;
		sum.records += l[i].records;
		sum.failed += l[i].failed;
		if (l[i].worst_us > sum.worst_us)
			sum.worst_us = l[i].worst_us;
	}
	printf("{\"lookups\":%lu,\"events\":%lu,\"dropped\":%lu,\"records\":%lu,\"failed\":%lu,"
	       "\"worst_lookup_us\":%u,\"ms\":%u}\n",
	       sum.lookups, sum.events, sum.dropped, sum.records, sum.failed, sum.worst_us, ms);
	return sum.failed ? 1 : 0;
}
