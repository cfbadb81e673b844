/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Enrolment load: puts pumps into the inventory, makes their tokens, and enrols them over EST with
 * N clients at once, each enrolment on a TLS 1.3 connection of its own (--keep-alive: all of a
 * client over one). --at-once: every pump is a client with an address of its own, they all begin in
 * the same moment, and who is turned away tries again as the agent does. Inventory, tokens and keys
 * come before the measured part. Leaves SERIAL.key and SERIAL.pem in a folder for eap_load. Prints
 * one JSON object; exit status 0 when every pump got its certificate.
 */
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
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
#define AT_ONCE_MAX 6000
#define TRIES_MAX 60
#define RETRY_MS 2000
#define STACK_BYTES 131072
#define BATCH 100
#define ANSWER_MS 10000
#define TOKEN_TTL_MS 3600000

static const char usage[] =
	"usage: enrol_load --est ADDR:PORT --ca FILE --registry SOCKET --out DIR --zone Z\n"
	"                  [--first N] [--count N] [--clients N | --at-once] [--keep-alive]\n"
	"                  [--pids P,..]\n"
	"pumps are named BENCH-000001 and on\n";

static struct {
	struct radius_target est; /* its address only */
	const char *est_text, *ca_file, *socket, *folder, *zone;
	unsigned first, count, clients;
	bool keep_alive, at_once;
	struct process_list pids;
	SSL_CTX *ctx;
	struct enrolment *all;
	atomic_uint next, failed, retries;
	pthread_barrier_t start;
	pthread_mutex_t lock; /* of latency */
	struct latency latency;
} run = {.first = 1, .count = 200, .clients = 1, .lock = PTHREAD_MUTEX_INITIALIZER};

static void options_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{"est", 1, NULL, 'e'},	      {"ca", 1, NULL, 'a'},	 {"registry", 1, NULL, 'r'},
		{"out", 1, NULL, 'o'},	      {"zone", 1, NULL, 'z'},	 {"first", 1, NULL, 'f'},
		{"count", 1, NULL, 'c'},      {"clients", 1, NULL, 'n'}, {"pids", 1, NULL, 'p'},
		{"keep-alive", 0, NULL, 'k'}, {"at-once", 0, NULL, 'A'}, {NULL, 0, NULL, 0},
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
		case 'k':
			run.keep_alive = true;
			break;
		case 'A':
			run.at_once = true;
			break;
		default:
			fputs(usage, stderr);
			exit(64);
		}
	}
	if (run.at_once)
		run.clients = run.count;
	if (run.clients > (run.at_once ? AT_ONCE_MAX : CLIENTS_MAX))
		errx(64, "too many clients");
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

/* A pump's own address: one source may have a limited number of connections. */
static uint32_t source_of(unsigned i)
{
	return run.at_once ? htonl(0x7f0a0001 + i) : 0; /* 127.10.0.1 and on */
}

static void retry_wait(unsigned i, unsigned tries)
{
	unsigned seed = i * 7919 + tries;

	run.retries++;
	usleep((unsigned)rand_r(&seed) % (RETRY_MS * 1000U));
}

/* One enrolment, over `link` if that is open; tried again as the agent would. */
static int enrol_one(unsigned i, struct enrol_link *link, const char *address, uint16_t port)
{
	unsigned tries_max = run.at_once ? TRIES_MAX : 1;
	int rc = ERR_UNAVAILABLE;

	for (unsigned tries = 0; rc && tries < tries_max; tries++) {
		if (tries)
			retry_wait(i, tries);
		rc = link->ssl ? 0 : enrol_link_open(link, run.ctx, address, port, source_of(i));
		rc = rc ? rc : enrolment_run(&run.all[i], link, run.keep_alive);
		if (rc || !run.keep_alive)
			enrol_link_close(link);
		if (rc == ERR_DENIED || rc == ERR_INVALID)
			break;
	}
	return rc;
}

static void *enrol_some(void *arg)
{
	char address[64];
	uint16_t port = (uint16_t)option_number(strrchr(run.est_text, ':') + 1, 65535);
	struct enrol_link link = {.fd = -1};
	unsigned i;

	(void)arg;
	snprintf(address, sizeof(address), "%.*s", (int)(strrchr(run.est_text, ':') - run.est_text),
		 run.est_text);
	pthread_barrier_wait(&run.start);
	while ((i = run.next++) < run.count) {
		int64_t started = clock_mono_us();

		if (enrol_one(i, &link, address, port)) {
			if (run.failed++ == 0)
				warnx("%s: %s", run.all[i].serial, err_text());
			continue;
		}
		pthread_mutex_lock(&run.lock);
		latency_add(&run.latency, clock_mono_us() - started);
		pthread_mutex_unlock(&run.lock);
	}
	enrol_link_close(&link);
	return NULL;
}

static void clients_run(void)
{
	pthread_t *threads = calloc(run.clients, sizeof(*threads));
	pthread_attr_t attr;

	if (!threads || pthread_barrier_init(&run.start, NULL, run.clients) ||
	    pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, STACK_BYTES))
		errx(1, "no memory for clients");
	for (unsigned i = 0; i < run.clients; i++)
		if (pthread_create(&threads[i], &attr, enrol_some, NULL))
			errx(1, "pthread_create");
	for (unsigned i = 0; i < run.clients; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attr);
	free(threads);
}

int main(int argc, char **argv)
{
	int64_t started, cpu, wall_us;
	unsigned done;

	options_parse(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	prepare();
	cpu = process_cpu_ns(&run.pids);
	started = clock_mono_us();
	clients_run();
	wall_us = clock_mono_us() - started;
	cpu = process_cpu_ns(&run.pids) - cpu;
	done = (unsigned)run.latency.n;
	printf("{\"enrolments\":%u,\"per_s\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"failed\":%u,"
	       "\"retries\":%u,\"seconds\":%.2f,\"cpu_ms\":%.4f}\n",
	       done, done * 1e6 / (double)wall_us, latency_percentile(&run.latency, 50) / 1e3,
	       latency_percentile(&run.latency, 99) / 1e3, run.failed, run.retries,
	       (double)wall_us / 1e6, (double)cpu / 1e6 / (done ? done : 1));
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
