/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/registry_probe/probe.h"

static const char usage[] =
	"registry_probe SOCKET lookups PUMPS COUNT [THREADS]   time look-ups of registry_fill.sh's "
	"pumps\n"
	"registry_probe SOCKET role ROLE VERB                  0: the connection was ended\n"
	"registry_probe SOCKET garbage SEED COUNT              broken frames on COUNT connections\n"
	"registry_probe SOCKET add FILE PREFIX MS THREADS      add pumps, note the acknowledged "
	"ones\n"
	"registry_probe SOCKET expect FILE                     0: all pumps in FILE are there\n"
	"registry_probe SOCKET load PUMPS MS THREADS           events, accounting and look-ups at "
	"once\n";

void probe_pump(uint64_t n, char device[DEVICE_SERIAL_SIZE], char cert[CERT_SERIAL_SIZE])
{
	snprintf(device, DEVICE_SERIAL_SIZE, "FILL-%llu", (unsigned long long)n);
	snprintf(cert, CERT_SERIAL_SIZE, "%08llx%024llx",
		 (unsigned long long)(n * 2654435761ULL & 0xffffffffULL), (unsigned long long)n);
}

int main(int argc, char **argv)
{
	const char *sock = argc > 2 ? argv[1] : NULL, *what = argc > 2 ? argv[2] : "";
	const char *a[4] = {"", "", "", ""};
	uint64_t n[4];

	for (int i = 0; i < 4; i++) {
		if (argc > 3 + i)
			a[i] = argv[3 + i];
		n[i] = strtoull(a[i], NULL, 10);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "lookups") && argc >= 5)
		return probe_lookups(sock, n[0], (unsigned)n[1], argc > 5 ? (unsigned)n[2] : 1);
	if (!strcmp(what, "role") && argc == 5)
		return probe_roles(sock, a[0], (unsigned)n[1]);
	if (!strcmp(what, "garbage") && argc == 5)
		return probe_garbage(sock, (unsigned)n[0], (unsigned)n[1]);
	if (!strcmp(what, "add") && argc == 7)
		return probe_add(sock, a[0], a[1], (unsigned)n[2], (unsigned)n[3]);
	if (!strcmp(what, "expect") && argc == 4)
		return probe_expect(sock, a[0]);
	if (!strcmp(what, "load") && argc == 6)
		return probe_load(sock, n[0], (unsigned)n[1], (unsigned)n[2]);
	fputs(usage, stderr);
	return 64;
}
