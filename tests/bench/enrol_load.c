/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Enrolment load: puts pumps into the inventory, makes their tokens, and enrols them over EST with
 * N clients at once, each enrolment on a TLS 1.3 connection of its own. Inventory, tokens and keys
 * come before the measured part. Leaves SERIAL.key and SERIAL.pem in a folder for eap_load. Prints
 * one JSON object; exit status 0 when every pump got its certificate.
 */
#include <err.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/client/registry_client.h"
#include "tests/bench/credential_set.h"
#include "tests/bench/enrol_client.h"
#include "tests/bench/latency.h"
#include "tests/bench/process_cpu.h"
#include "tests/bench/radius_target.h"

#define CLIENTS_MAX 64
#define BATCH 100
#define ANSWER_MS 10000
#define TOKEN_TTL_MS 3600000

static const char usage[] =
	"usage: enrol_load --est ADDR:PORT --ca FILE --registry SOCKET --out DIR --zone Z\n"
	"                  [--first N] [--count N] [--clients N] [--pids P,..]\n"
	"pumps are named BENCH-000001 and on\n";

static struct {
	struct radius_target est; /* its address only */
	const char *est_text, *ca_file, *socket, *folder, *zone;
	unsigned first, count, clients;
	struct process_list pids;
	SSL_CTX *ctx;
	struct enrolment *all;
	atomic_uint next, failed;
	pthread_mutex_t lock; /* of latency */
	struct latency latency;
} run = {.first = 1, .count = 200, .clients = 1, .lock = PTHREAD_MUTEX_INITIALIZER};

static void options_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{"est", 1, NULL, 'e'},	 {"ca", 1, NULL, 'a'},	    {"registry", 1, NULL, 'r'},
		{"out", 1, NULL, 'o'},	 {"zone", 1, NULL, 'z'},    {"first", 1, NULL, 'f'},
		{"count", 1, NULL, 'c'}, {"clients", 1, NULL, 'n'}, {"pids", 1, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 'e':
			run.est_text = optarg;
			radius_target_parse(optarg, &run.est);
			break;
		case 'a':
			run.ca_file = optarg;
			break;
		case 'r':
			run.socket = optarg;
			break;
		case 'o':
			run.folder = optarg;
			break;
		case 'z':
			run.zone = optarg;
			break;
		case 'f':
			run.first = (unsigned)option_number(optarg, 900000);
			break;
		case 'c':
			run.count = (unsigned)option_number(optarg, 100000);
			break;
		case 'n':
			run.clients = (unsigned)option_number(optarg, CLIENTS_MAX);
			break;
		case 'p':
			process_list_parse(optarg, &run.pids);
			break;
		default:
			fputs(usage, stderr);
			exit(64);
		}
	}
	if (!run.est_text || !run.ca_file || !run.socket || !run.folder || !run.zone ||
	    !run.count || !run.clients || optind != argc) {
		fputs(usage, stderr);
		exit(64);
	}
}

static void inventory_add(struct ipc_client *c, unsigned from, unsigned n)
{
	static struct device devices[BATCH];
	static struct add_outcome outcomes[BATCH];

	memset(devices, 0, sizeof(devices));
	for (unsigned i = 0; i < n; i++) {
		struct device *d = &devices[i];

		snprintf(d->serial, sizeof(d->serial), "%s", run.all[from + i].serial);
		snprintf(d->maker, sizeof(d->maker), "Bench");
		snprintf(d->model, sizeof(d->model), "One");
		snprintf(d->ward, sizeof(d->ward), "bench");
		snprintf(d->zone, sizeof(d->zone), "%s", run.zone);
		credential_mac(d->serial, ':', d->mac);
		for (char *p = d->mac; *p; p++)
			*p |= 0x20; /* lower case; digits and colons have the bit already */
	}
	if (registry_device_add(c, devices, n, outcomes, ANSWER_MS))
		errx(1, "inventory: %s", err_text());
	for (unsigned i = 0; i < n; i++)
		if (outcomes[i].code != 0)
			errx(1, "%s: %s", outcomes[i].serial, outcomes[i].text);
}

static void tokens_make(struct ipc_client *c)
{
	for (unsigned i = 0; i < run.count; i++) {
		struct token_create rq = {.ttl_ms = TOKEN_TTL_MS};
		struct token token;

		snprintf(rq.device, sizeof(rq.device), "%s", run.all[i].serial);
		if (registry_token_create(c, &rq, &token, ANSWER_MS))
			errx(1, "token of %s: %s", rq.device, err_text());
		snprintf(run.all[i].token, sizeof(run.all[i].token), "%.*s", (int)token.token.len,
			 (const char *)token.token.data);
	}
}

static void prepare(void)
{
	AUTO_IPC_CLIENT c = NULL;

	run.all = calloc(run.count, sizeof(*run.all));
	if (!run.all || ipc_client_new(run.socket, "admin", &c))
		errx(1, "%s", err_text());
	for (unsigned i = 0; i < run.count; i++) {
		snprintf(run.all[i].serial, sizeof(run.all[i].serial), "BENCH-%06u", run.first + i);
		if (enrolment_prepare(&run.all[i]))
			errx(1, "%s", err_text());
	}
	for (unsigned i = 0; i < run.count; i += BATCH)
		inventory_add(c, i, run.count - i < BATCH ? run.count - i : BATCH);
	tokens_make(c);
	run.ctx = SSL_CTX_new(TLS_client_method());
	if (!run.ctx || SSL_CTX_load_verify_file(run.ctx, run.ca_file) != 1)
		errx(1, "%s: no CA certificates", run.ca_file);
	SSL_CTX_set_min_proto_version(run.ctx, TLS1_3_VERSION);
	SSL_CTX_set_verify(run.ctx, SSL_VERIFY_PEER, NULL);
}

static void *enrol_some(void *arg)
{
	char address[64];
	uint16_t port = (uint16_t)option_number(strrchr(run.est_text, ':') + 1, 65535);
	unsigned i;

	(void)arg;
	snprintf(address, sizeof(address), "%.*s", (int)(strrchr(run.est_text, ':') - run.est_text),
		 run.est_text);
	while ((i = run.next++) < run.count) {
		int64_t started = clock_mono_us();

		if (enrolment_run(&run.all[i], run.ctx, address, port)) {
			if (run.failed++ == 0)
				warnx("%s: %s", run.all[i].serial, err_text());
			continue;
		}
		pthread_mutex_lock(&run.lock);
		latency_add(&run.latency, clock_mono_us() - started);
		pthread_mutex_unlock(&run.lock);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[CLIENTS_MAX];
	int64_t started, cpu, wall_us;
	unsigned done;

	options_parse(argc, argv);
	prepare();
	cpu = process_cpu_ns(&run.pids);
	started = clock_mono_us();
	for (unsigned i = 0; i < run.clients; i++)
		if (pthread_create(&threads[i], NULL, enrol_some, NULL))
			errx(1, "pthread_create");
	for (unsigned i = 0; i < run.clients; i++)
		pthread_join(threads[i], NULL);
	wall_us = clock_mono_us() - started;
	cpu = process_cpu_ns(&run.pids) - cpu;
	done = (unsigned)run.latency.n;
	printf("{\"enrolments\":%u,\"per_s\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"failed\":%u,"
	       "\"cpu_ms\":%.4f}\n",
	       done, done * 1e6 / (double)wall_us, latency_percentile(&run.latency, 50) / 1e3,
	       latency_percentile(&run.latency, 99) / 1e3, run.failed,
	       (double)cpu / 1e6 / (done ? done : 1));
	for (unsigned i = 0; i < run.count; i++) {
		if (run.all[i].cert && enrolment_write(&run.all[i], run.folder))
			errx(1, "%s", err_text());
		enrolment_done(&run.all[i]);
	}
	free(run.all);
	SSL_CTX_free(run.ctx);
	latency_done(&run.latency);
	return run.failed || !done ? 1 : 0;
}
