/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns talking to the service badly: the wrong role, an unlisted verb, bytes that mean nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ipc_frame.h"
#include "tests/support/registry_probe/probe.h"

static int dial(const char *sock)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = 5};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (str_copy(addr.sun_path, sizeof(addr.sun_path), sock) ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror(sock);
		exit(2);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

static bool send_frame(int fd, uint16_t verb, const void *body, size_t len)
{
	struct ipc_header h = {.len = (uint32_t)len, .verb = verb, .request_id = 1};
	uint8_t raw[IPC_HEADER_BYTES];

	ipc_header_build(&h, raw);
	return send(fd, raw, sizeof(raw), MSG_NOSIGNAL) == (ssize_t)sizeof(raw) &&
	       (len == 0 || send(fd, body, len, MSG_NOSIGNAL) == (ssize_t)len);
}

static bool hello(int fd, const char *role)
{
	struct ipc_hello say = {0};
	uint8_t raw[IPC_HEADER_BYTES];
	AUTO_BUF b;

	buf_init(&b, 256);
	snprintf(say.role, sizeof(say.role), "%s", role);
	return record_put(&b, &record_ipc_hello, &say) == 0 &&
	       send_frame(fd, IPC_HELLO, b.data, b.len) &&
	       recv(fd, raw, sizeof(raw), MSG_WAITALL) == (ssize_t)sizeof(raw);
}

int probe_roles(const char *sock, const char *role, unsigned verb)
{
	int fd = dial(sock);
	uint8_t raw[IPC_HEADER_BYTES];
	ssize_t n = 0;

	if (!hello(fd, role)) {
		printf("role %s refused\n", role);
		close(fd);
		return 0;
	}
	/* an empty record: right in form for every verb that takes one */
	if (send_frame(fd, (uint16_t)verb, "\0\0\0\0", 4))
		n = recv(fd, raw, sizeof(raw), MSG_WAITALL);
	close(fd);
	printf("role %s verb %u: %s\n", role, verb, n > 0 ? "answered" : "connection ended");
	return n > 0;
}

/* One connection's worth of nonsense, some of it after a proper hello. */
static void garbage_send(const char *sock, unsigned kind)
{
	static const uint16_t verbs[] = {1, 2, 3, 16, 17, 0, 9999, 64};
	int fd = dial(sock);
	uint8_t junk[600];
	size_t len = 1 + (size_t)rand() % sizeof(junk);
	uint16_t verb = verbs[(size_t)rand() % (sizeof(verbs) / sizeof(verbs[0]))];

	for (size_t i = 0; i < len; i++)
		junk[i] = (uint8_t)rand();
	if (kind % 4 && !hello(fd, "radius"))
		exit(2);
	if (kind % 4 == 1)
		(void)send_frame(fd, verb, junk, len);
	else if (kind % 4 == 2) { /* a record whose inner lengths lie */
		uint8_t lie[] = {0, 0, 0, 6, 1, 0xff, 0xff, 0xff, 0xff, 'x'};

		(void)send_frame(fd, verb, lie, sizeof(lie));
	} else if (kind % 8 == 3) { /* announces more than is allowed */
		uint8_t huge[IPC_HEADER_BYTES] = {0xff, 0xff, 0xff, 0xff, 0, 1};

		(void)send(fd, huge, sizeof(huge), MSG_NOSIGNAL);
	} else {
		(void)send(fd, junk, len, MSG_NOSIGNAL);
	}
	if (kind % 3 == 0) { /* wait to be thrown out, or leave first */
		shutdown(fd, SHUT_WR);
		while (recv(fd, junk, sizeof(junk), 0) > 0)
			;
	}
	close(fd);
}

int probe_garbage(const char *sock, unsigned seed, unsigned count)
{
	printf("seed %u\n", seed);
	srand(seed);
	for (unsigned i = 0; i < count; i++)
		garbage_send(sock, i);
	return 0;
}
