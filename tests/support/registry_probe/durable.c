/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns checking that what was acknowledged stays: adds pumps while the service comes and goes. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/registry_probe/probe.h"

struct adder {
	const char *sock, *prefix;
	int fd; /* acknowledged serials */
	unsigned number;
	int64_t end_us;
	unsigned long acked, failed, full;
};

static void add_once(struct ipc_client *c, struct adder *a, unsigned n)
{
	struct device d = {.maker = "M", .model = "M", .zone = "probe"};
	struct add_outcome out;
	char line[DEVICE_SERIAL_SIZE + 1];
	int rc;

	snprintf(d.serial, sizeof(d.serial), "%s-%u-%u", a->prefix, a->number, n);
	/* the MAC must be unique per prefix: hash it in */
	unsigned h = 5381;
	for (const char *p = a->prefix; *p; p++)
		h = h * 33 + (unsigned char)*p;
	snprintf(d.mac, sizeof(d.mac), "02:%02x:%02x:%02x:%02x:%02x", h & 255, a->number & 255,
		 n >> 16 & 255, n >> 8 & 255, n & 255);
	rc = registry_device_add(c, &d, 1, &out, 2000);
	if (rc == 0 && out.code == 0) {
		snprintf(line, sizeof(line), "%s\n", d.serial);
		if (write(a->fd, line, strlen(line)) < 0)
			abort();
		a->acked++;
		return;
	}
	a->failed++;
	a->full += rc == ERR_FULL;
	usleep(10000);
}

static void *adder_run(void *arg)
{
	struct adder *a = arg;
	AUTO_IPC_CLIENT c = NULL;

	if (ipc_client_new(a->sock, "admin", &c))
		abort();
	for (unsigned n = 0; clock_mono_us() < a->end_us; n++)
		add_once(c, a, n);
	return NULL;
}

int probe_add(const char *sock, const char *path, const char *prefix, unsigned ms, unsigned threads)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	unsigned long acked = 0, failed = 0, full = 0;
	struct adder a[64];
	pthread_t id[64];

	if (fd < 0 || threads < 1 || threads > 64)
		return 64;
	for (unsigned i = 0; i < threads; i++) {
		a[i] = (struct adder){.sock = sock, .prefix = prefix, .fd = fd, .number = i};
		a[i].end_us = clock_mono_us() + 1000LL * ms;
		pthread_create(&id[i], NULL, adder_run, &a[i]);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(id[i], NULL);
		acked += a[i].acked;
		failed += a[i].failed;
		full += a[i].full;
	}
	close(fd);
	printf("acked=%lu failed=%lu full=%lu\n", acked, failed, full);
	return 0;
}

int probe_expect(const char *sock, const char *path)
{
	struct list_query q = {0};
	unsigned long there = 0, missing = 0;
	AUTO_IPC_CLIENT c = NULL;
	struct device d;
	char line[128];
	FILE *f = fopen(path, "re");

	if (!f || ipc_client_new(sock, "admin", &c))
		return 64;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		snprintf(q.device, sizeof(q.device), "%.63s", line);
		if (registry_device_show(c, &q, &d, PROBE_WAIT_MS)) {
			printf("acknowledged but not there: %s (%s)\n", line, err_text());
			missing++;
		} else {
			there++;
		}
	}
	fclose(f);
	printf("there=%lu missing=%lu\n", there, missing);
	return missing || !there ? 1 : 0;
}
