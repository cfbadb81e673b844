/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times the packet path's question: the facts of one certificate, as rlm_pump gets them (from
 * registryd's map of standings, or asked for where that does not say) and always asked for. The
 * registry was filled by registry_fill.sql, so every answer is checked. Prints one JSON object.
 *
 *   lookup_load SOCKET REGISTERED LOOKUPS [PID]
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/secret.h"
#include "radius_modules/rlm_pump/registry_link.h"
#include "tests/bench/latency.h"
#include "tests/bench/process_cpu.h"

#define WARM_UP 2000
#define ANSWER_MS 2000

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct registry_link *linked;
static struct ipc_client *asked;

/* One look-up of a random pump's certificate, every tenth of one that was never issued. In ns, for
 * what the map says takes about one microsecond. */
static void look_up(bool ask, uint32_t registered, struct latency *l)
{
	struct cert_name name = {.issuer = "/CN=bench"};
	struct pump_facts facts;
	char want[DEVICE_SERIAL_SIZE];
	uint32_t n;
	int64_t started;
	bool known;

	secret_fill_random(&n, sizeof(n));
	known = n % 10 != 0;
	n = n / 10 % registered + 1;
	snprintf(name.cert_serial, sizeof(name.cert_serial), "%08" PRIx32 "%024" PRIx32,
		 (uint32_t)(n * UINT32_C(2654435761)), known ? n : n + registered);
	snprintf(want, sizeof(want), "BENCH-%07" PRIu32, n);
	started = now_ns();
	if (ask ? registry_pump_facts(asked, &name, &facts, ANSWER_MS)
		: registry_link_pump_facts(linked, &name, &facts))
		errx(1, "pump_facts: %s", err_text());
	if (l)
		latency_add(l, now_ns() - started);
	if (facts.found != known || (known && (strcmp(facts.device, want) || facts.vlan != 120)))
		errx(1, "wrong facts for %s: %s", name.cert_serial, facts.device);
}

static void measure(bool ask, uint32_t registered, uint32_t lookups,
		    const struct process_list *pids, const char *prefix)
{
	struct latency l = {0};
	int64_t cpu, started, wall_us;

	for (uint32_t i = 0; i < WARM_UP; i++)
		look_up(ask, registered, NULL);
	cpu = process_cpu_ns(pids);
	started = clock_mono_us();
	for (uint32_t i = 0; i < lookups; i++)
		look_up(ask, registered, &l);
	wall_us = clock_mono_us() - started;
	cpu = process_cpu_ns(pids) - cpu;
	printf(",\"%smean_us\":%.1f,\"%sp50_us\":%.1f,\"%sp99_us\":%.1f,\"%scpu_us\":%.2f", prefix,
	       (double)wall_us / lookups, prefix, latency_percentile(&l, 50) / 1e3, prefix,
	       latency_percentile(&l, 99) / 1e3, prefix, (double)cpu / 1e3 / lookups);
	latency_done(&l);
}

int main(int argc, char **argv)
{
	struct process_list pids = {0};
	uint32_t registered, lookups;

	if (argc < 4 || argc > 5)
		errx(64, "usage: lookup_load SOCKET REGISTERED LOOKUPS [PID]");
	registered = (uint32_t)strtoul(argv[2], NULL, 10);
	lookups = (uint32_t)strtoul(argv[3], NULL, 10);
	if (!registered || !lookups)
		errx(64, "a count of 0");
	if (argc == 5)
		process_list_parse(argv[4], &pids);
	if (ipc_client_new(argv[1], "radius", &asked) || registry_link_new(argv[1], &linked))
		errx(1, "%s", err_text());
	printf("{\"registered\":%u,\"lookups\":%u", registered, lookups);
	measure(false, registered, lookups, &pids, "");
	measure(true, registered, lookups, &pids, "asked_");
	puts("}");
	registry_link_free(linked);
	ipc_client_free(asked);
	return 0;
}
