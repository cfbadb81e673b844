/* SPDX-License-Identifier: BSD-2-Clause */
/* Where load goes: a RADIUS server's address and the secret shared with it. */
#ifndef TESTS_BENCH_RADIUS_TARGET_H
#define TESTS_BENCH_RADIUS_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct radius_target {
	struct sockaddr_storage addr;
	socklen_t addr_len; /* 0: not given yet */
	uint32_t source_ip; /* IPv4, network order, to send from; 0: whichever */
	uint8_t secret[128];
	size_t secret_len; /* 0: not given yet */
};

/* For options; each ends the program with status 64 (1 for the file) when the text is wrong. */
uint64_t option_number(const char *text, uint64_t max);
void radius_target_parse(const char *addr_port, struct radius_target *out);
void radius_target_secret_read(const char *path, struct radius_target *out);

/* A connected, non-blocking UDP socket. Ends the program when there is none to be had. */
int radius_target_socket(const struct radius_target *t);

#endif
