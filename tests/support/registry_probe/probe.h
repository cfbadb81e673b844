/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of pumpgate-registryd for tests and measurements. */
#ifndef TESTS_SUPPORT_REGISTRY_PROBE_H
#define TESTS_SUPPORT_REGISTRY_PROBE_H

#include "sql/client/registry_client.h"
#include "sql/proto/event_ring.h"

#define PROBE_WAIT_MS 10000
#define PROBE_ISSUER "/CN=Probe CA" /* as registry_fill.sh writes it */

/* The n-th pump of registry_fill.sh, from 1: its serial, and that of its certificate. */
void probe_pump(uint64_t n, char device[DEVICE_SERIAL_SIZE], char cert[CERT_SERIAL_SIZE]);

int probe_lookups(const char *sock, uint64_t pumps, unsigned count, unsigned threads);
int probe_roles(const char *sock, const char *role, unsigned verb);
int probe_garbage(const char *sock, unsigned seed, unsigned count);
int probe_add(const char *sock, const char *path, const char *prefix, unsigned ms,
	      unsigned threads);
int probe_expect(const char *sock, const char *path);
int probe_load(const char *sock, uint64_t pumps, unsigned ms, unsigned threads);

#endif
