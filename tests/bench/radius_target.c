/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the options that all RADIUS load generators have. */
#include "tests/bench/radius_target.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

uint64_t option_number(const char *text, uint64_t max)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || n > max)
		errx(64, "'%s' is no number up to %llu", text, (unsigned long long)max);
	return n;
}

void radius_target_parse(const char *addr_port, struct radius_target *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&out->addr;
	const char *colon = strrchr(addr_port, ':');
	char host[64];

	if (!colon || (size_t)(colon - addr_port) >= sizeof(host))
		errx(64, "'%s' is no ADDR:PORT", addr_port);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - addr_port), addr_port);
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)option_number(colon + 1, 65535));
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		errx(64, "'%s' is no IPv4 address", host);
	out->addr_len = sizeof(*in);
}

void radius_target_secret_read(const char *path, struct radius_target *out)
{
	AUTO_SECRET s = NULL;

	if (secret_read_file(path, sizeof(out->secret), &s))
		errx(1, "%s", err_text());
	out->secret_len = secret_len(s);
	memcpy(out->secret, secret_data(s), out->secret_len);
}

int radius_target_socket(const struct radius_target *t)
{
	int fd = socket(t->addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = t->source_ip};

	if (fd < 0 || (t->source_ip && bind(fd, (struct sockaddr *)&from, sizeof(from))) ||
	    connect(fd, (const struct sockaddr *)&t->addr, t->addr_len))
		err(1, "UDP socket");
	return fd;
}
