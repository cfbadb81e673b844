/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends rubbish at a fixed pace for some seconds, from a generator whose start value is printed:
 * random bytes, and messages that are right up to a point. Nothing that comes back is looked at.
 *
 *   garbage udp ADDR:PORT SECONDS PER-SECOND [SEED]     RADIUS and near it
 *   garbage unix PATH SECONDS PER-SECOND [SEED]         local messages, a connection each
 *   garbage tcp ADDR:PORT SECONDS PER-SECOND [SEED]     TLS and HTTP, a connection each
 *
 * Prints how many it sent. Exit status 1 when it could send none.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ipc_frame.h"
#include "radius_modules/packet/radius_packet.h"
#include "tests/bench/radius_target.h"

#define OPEN_MAX_AT_ONCE 24 /* connections left open, half a message in */

static uint64_t state;

/* xorshift64* */
static uint32_t next_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)(state * 0x2545f4914f6cdd1dULL >> 32);
}

static void random_fill(uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)next_random();
}

static void flip_some(uint8_t *data, size_t len)
{
	for (uint32_t n = next_random() % 4; n > 0; n--)
		data[next_random() % len] = (uint8_t)next_random();
}

/* An Access- or Accounting-Request signed with another secret, whole or broken. */
static size_t radius_rubbish(uint8_t *out)
{
	uint8_t eap[300], random[RADIUS_AUTHENTICATOR_BYTES];
	struct radius_packet p;
	enum radius_code code =
		next_random() % 3 ? RADIUS_ACCESS_REQUEST : RADIUS_ACCOUNTING_REQUEST;

	random_fill(random, sizeof(random));
	random_fill(eap, sizeof(eap));
	radius_begin(&p, code, (uint8_t)next_random());
	if (radius_put_str(&p, RADIUS_USER_NAME, "BENCH-000001") ||
	    radius_put_eap(&p, eap, 1 + next_random() % sizeof(eap)) ||
	    (code == RADIUS_ACCESS_REQUEST
		     ? radius_sign_access_request(&p, random, "not the secret", 14)
		     : radius_sign_request(&p, "not the secret", 14)))
		errx(1, "%s", err_text());
	memcpy(out, p.data, p.len);
	flip_some(out, p.len);
	return next_random() % 4 ? p.len : next_random() % p.len;
}

static size_t ipc_rubbish(uint8_t *out)
{
	struct ipc_header h = {.len = next_random() % 3 ? next_random() % 64 : next_random(),
			       .verb = next_random() % 200,
			       .status = (int16_t)(next_random() % 2 ? 0 : next_random()),
			       .request_id = next_random()};

	ipc_header_build(&h, out);
	random_fill(out + IPC_HEADER_BYTES, 64);
	return next_random() % (IPC_HEADER_BYTES + 64);
}

static size_t http_rubbish(uint8_t *out)
{
	static const char *const starts[] = {
		"POST /.well-known/est/simpleenroll HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"\x16\x03\x01\xff\xff",
		"\x15\x03\x03\x00\x02\x02\x28",
	};
	const char *start = starts[next_random() % (sizeof(starts) / sizeof(starts[0]))];
	size_t len = start[0] == 0x16 ? 5 : strlen(start);

	memcpy(out, start, len);
	random_fill(out + len, 200);
	flip_some(out, len);
	return len + next_random() % 200;
}

static size_t rubbish(const char *kind, uint8_t out[RADIUS_PACKET_MAX])
{
	if (next_random() % 4 == 0) {
		size_t len = 1 + next_random() % 1500;

		random_fill(out, len);
		return len;
	}
	if (!strcmp(kind, "udp"))
		return radius_rubbish(out);
	return strcmp(kind, "unix") ? http_rubbish(out) : ipc_rubbish(out);
}

static int stream_open(const char *kind, const char *where, const struct radius_target *t)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd, rc;

	if (!strcmp(kind, "unix")) {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", where);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		rc = connect(fd, (struct sockaddr *)&un, sizeof(un));
	} else {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		rc = connect(fd, (const struct sockaddr *)&t->addr, t->addr_len);
	}
	if (rc == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	close(fd);
	return -1;
}

int main(int argc, char **argv)
{
	int open_fds[OPEN_MAX_AT_ONCE], udp = -1;
	struct radius_target target = {0};
	uint8_t bytes[RADIUS_PACKET_MAX];
	int64_t end;
	unsigned pace, slot = 0;
	uint64_t sent = 0;

	if (argc < 5 || argc > 6)
		errx(64, "usage: garbage udp|unix|tcp WHERE SECONDS PER-SECOND [SEED]");
	memset(open_fds, -1, sizeof(open_fds));
	state = argc == 6 ? strtoull(argv[5], NULL, 0)
			  : (uint64_t)clock_wall_ms() ^ (uint64_t)getpid();
	fprintf(stderr, "garbage %s: seed %llu\n", argv[1], (unsigned long long)state);
	state = state ? state : 1;
	end = clock_mono_us() + (int64_t)option_number(argv[3], 3600) * 1000000;
	pace = (unsigned)option_number(argv[4], 100000);
	if (strcmp(argv[1], "unix"))
		radius_target_parse(argv[2], &target);
	if (!strcmp(argv[1], "udp"))
		udp = radius_target_socket(&target);
	while (pace && clock_mono_us() < end) {
		size_t len = rubbish(argv[1], bytes);
		int fd = udp >= 0 ? udp : stream_open(argv[1], argv[2], &target);

		sent += fd >= 0 && send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
		if (udp < 0 && fd >= 0) {
			if (open_fds[slot] >= 0)
				close(open_fds[slot]);
			open_fds[slot] = fd;
			slot = (slot + 1) % OPEN_MAX_AT_ONCE;
		}
		usleep(1000000 / pace);
	}
	printf("%llu\n", (unsigned long long)sent);
	return sent ? 0 : 1;
}
