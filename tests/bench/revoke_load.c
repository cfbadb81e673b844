/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times single revocations: from asking pumpgate-registryd to the NAS's Disconnect-ACK at the
 * dispatcher, one pump after the other, each with one session at a NAS of tests/support/nas_farm.
 * Prints one JSON object; exit status 1 when a disconnect was not acknowledged.
 *
 *   revoke_load SOCKET FIRST COUNT PAUSE_MS
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "sql/client/registry_client.h"
#include "tests/bench/latency.h"

#define ANSWER_MS 10000
#define ORDERS_MAX 16
#define SETTLE_US 30000000

struct asked {
	uint64_t revocation;
	int64_t at_ms;
};

static void pause_ms(long ms)
{
	const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

static struct asked revoke(struct ipc_client *c, unsigned long n, struct latency *commit)
{
	struct revoke rq = {.reason = "bench"};
	struct asked a = {.at_ms = clock_wall_ms()};
	int64_t started = clock_mono_us();
	struct revocation receipt;

	snprintf(rq.device, sizeof(rq.device), "FARM-%lu", n);
	if (registry_revoke(c, &rq, &receipt, ANSWER_MS))
		errx(1, "%s: %s", rq.device, err_text());
	if (receipt.already || receipt.orders != 1)
		errx(1, "%s: not one fresh order, but %u", rq.device, receipt.orders);
	latency_add(commit, clock_mono_us() - started);
	a.revocation = receipt.id;
	return a;
}

/* When the pump's one order was acknowledged; 0: not yet. */
static int64_t acknowledged_at(struct ipc_client *c, uint64_t revocation)
{
	const struct id_query q = {.id = revocation};
	struct order_status orders[ORDERS_MAX];
	size_t n;

	if (registry_order_list(c, &q, orders, ORDERS_MAX, &n, ANSWER_MS))
		errx(1, "order_list: %s", err_text());
	return n && !strcmp(orders[0].state, "acked") ? orders[0].done_at : 0;
}

int main(int argc, char **argv)
{
	AUTO_IPC_CLIENT c = NULL;
	struct latency commit = {0}, ack = {0};
	unsigned long first, count, open = 0;
	struct asked *asked;
	int64_t deadline;

	if (argc != 5)
		errx(64, "usage: revoke_load SOCKET FIRST COUNT PAUSE_MS");
	first = strtoul(argv[2], NULL, 10);
	count = strtoul(argv[3], NULL, 10);
	asked = calloc(count ? count : 1, sizeof(*asked));
	if (!count || !asked || ipc_client_new(argv[1], "admin", &c))
		errx(1, "cannot start: %s", err_text());
	for (unsigned long i = 0; i < count; i++) {
		asked[i] = revoke(c, first + i, &commit);
		pause_ms(strtol(argv[4], NULL, 10));
	}
	deadline = clock_mono_us() + SETTLE_US;
	for (unsigned long i = 0; i < count; i++) {
		int64_t at = acknowledged_at(c, asked[i].revocation);

		while (!at && clock_mono_us() < deadline) {
			pause_ms(20);
			at = acknowledged_at(c, asked[i].revocation);
		}
		open += !at;
		if (at)
			latency_add(&ack, 1000 * (at - asked[i].at_ms));
	}
	printf("{\"revocations\": %lu, \"open\": %lu, \"p50_ms\": %" PRIu32 ", \"p99_ms\": %" PRIu32
	       ", \"commit_p50_ms\": %.1f, \"commit_p99_ms\": %.1f}\n",
	       count, open, latency_percentile(&ack, 50) / 1000,
	       latency_percentile(&ack, 99) / 1000, latency_percentile(&commit, 50) / 1000.0,
	       latency_percentile(&commit, 99) / 1000.0);
	latency_done(&ack);
	latency_done(&commit);
	free(asked);
	return open ? 1 : 0;
}
