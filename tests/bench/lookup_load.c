/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times the packet path's question to pumpgate-registryd: the facts of one certificate. The
 * registry was filled by registry_fill.sql, so every answer is checked. Prints one JSON object.
 *
 *   lookup_load SOCKET REGISTERED LOOKUPS [PID]
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "sql/client/registry_client.h"
#include "tests/bench/latency.h"
#include "tests/bench/process_cpu.h"

#define WARM_UP 2000
#define ANSWER_MS 2000

/* One look-up of a random pump's certificate, every tenth of one that was never issued. */
static void look_up(struct ipc_client *c, uint32_t registered, struct latency *l)
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
	started = clock_mono_us();
	if (registry_pump_facts(c, &name, &facts, ANSWER_MS))
		errx(1, "pump_facts: %s", err_text());
	if (l)
		latency_add(l, clock_mono_us() - started);
	if (facts.found != known || (known && (strcmp(facts.device, want) || facts.vlan != 120)))
		errx(1, "wrong facts for %s: %s", name.cert_serial, facts.device);
}

int main(int argc, char **argv)
{
	AUTO_IPC_CLIENT c = NULL;
	struct latency l = {0};
	struct process_list pids = {0};
	uint32_t registered, lookups;
	int64_t cpu, started, wall_us;

	if (argc < 4 || argc > 5)
		errx(64, "usage: lookup_load SOCKET REGISTERED LOOKUPS [PID]");
	registered = (uint32_t)strtoul(argv[2], NULL, 10);
	lookups = (uint32_t)strtoul(argv[3], NULL, 10);
	if (!registered || !lookups)
		errx(64, "a count of 0");
	if (argc == 5)
		process_list_parse(argv[4], &pids);
	if (ipc_client_new(argv[1], "radius", &c))
		errx(1, "%s", err_text());
	for (uint32_t i = 0; i < WARM_UP; i++)
		look_up(c, registered, NULL);
	cpu = process_cpu_ns(&pids);
	started = clock_mono_us();
	for (uint32_t i = 0; i < lookups; i++)
		look_up(c, registered, &l);
	wall_us = clock_mono_us() - started;
	cpu = process_cpu_ns(&pids) - cpu;
	printf("{\"registered\":%u,\"lookups\":%u,\"mean_us\":%.1f,\"p50_us\":%u,\"p99_us\":%u,"
	       "\"cpu_us\":%.2f}\n",
	       registered, lookups, (double)wall_us / lookups, latency_percentile(&l, 50),
	       latency_percentile(&l, 99), (double)cpu / 1e3 / lookups);
	latency_done(&l);
	return 0;
}
