/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pesters a pump's agent and its controller, until it is killed:
 *
 *	pester datagrams PATH    random datagrams, as fast as they are taken
 *	pester supplicant PATH   a wpa_supplicant that answers nonsense and floods with events
 *	pester agent PATH        an agent that takes the controller's memory and scribbles in it,
 *	                         punches holes into it, and tries to take it away
 *	pester holder PATH       an agent that stops in the middle of a word, for good
 *	pester server PORT       on 127.0.0.1: takes connections and sends noise
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "pump_agent/pumplink/layout.h"

static unsigned seed = 20261122;

static void noise(void *data, size_t len)
{
	unsigned char *at = data;

	while (len--)
		*at++ = (unsigned char)rand_r(&seed);
}

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static int bound(const char *path)
{
	struct sockaddr_un at = address(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	unlink(path);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || chmod(path, 0666)) {
		perror(path);
		exit(1);
	}
	return fd;
}

static void datagrams(const char *path)
{
	struct sockaddr_un to = address(path);
	unsigned char bytes[4096];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (;;) {
		size_t len = (size_t)rand_r(&seed) % sizeof(bytes);

		noise(bytes, len < 64 ? len : 64);
		if (sendto(fd, bytes, len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0)
			usleep(200);
	}
}

static void supplicant(const char *path)
{
	static const char *const lines[] = {
		"OK\n",
		"FAIL\n",
		"PONG\n",
		"<3>CTRL-EVENT-EAP-SUCCESS EAP authentication completed",
		"<3>CTRL-EVENT-EAP-FAILURE EAP authentication failed",
		"<3>CTRL-EVENT-DISCONNECTED bssid=00:00:00:00:00:00",
		"<3>CTRL-EVENT-CONNECTED - Connection to",
		"<3>CTRL-EVENT-TERMINATING",
		"network id / ssid / bssid / flags\n0\t\tany\t[CURRENT]\n"};
	struct sockaddr_un from = {0};
	unsigned char bytes[4096];
	int fd = bound(path);

	for (;;) {
		socklen_t len = sizeof(from);
		unsigned what = (unsigned)rand_r(&seed) % 12;
		const char *line = what < 9 ? lines[what] : (char *)bytes;

		recvfrom(fd, bytes, sizeof(bytes), from.sun_path[0] ? MSG_DONTWAIT : 0,
			 (struct sockaddr *)&from, &len);
		noise(bytes, 32);
		if (sendto(fd, line, what < 9 ? strlen(line) : 32, MSG_DONTWAIT,
			   (struct sockaddr *)&from, sizeof(from)) < 0)
			usleep(200);
		if (errno == ECONNREFUSED || errno == ENOENT)
			memset(&from, 0, sizeof(from));
	}
}

static void memory_take(const char *path, int fds[2])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 2)];
	} control;
	uint32_t version;
	struct iovec io = {&version, sizeof(version)};
	struct msghdr m = {.msg_iov = &io,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};

	if (recvmsg(bound(path), &m, 0) < 0 || !CMSG_FIRSTHDR(&m))
		exit(1);
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int) * 2);
}

static void agent(const char *path)
{
	struct told_area *told;
	int fds[2];

	memory_take(path, fds);
	told = mmap(NULL, PUMPLINK_AREA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	if (told == MAP_FAILED)
		exit(1);
	puts("scribbling");
	fflush(stdout);
	for (;;) {
		pumplink_word *words = (pumplink_word *)told;

		for (int i = 0; i < 512; i++)
			words[(size_t)rand_r(&seed) % (PUMPLINK_AREA_BYTES / 4)] =
				(uint32_t)rand_r(&seed) % 9;
		told->beat++;
		fallocate(fds[0], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			  PUMPLINK_AREA_BYTES);
		madvise(told, PUMPLINK_AREA_BYTES, MADV_REMOVE);
		if (!ftruncate(fds[0], 0) || !ftruncate(fds[1], 0)) {
			puts("taken away");
			fflush(stdout);
		}
	}
}

/* An agent that is stopped in the middle of a word. */
static void holder(const char *path)
{
	struct told_area *told;
	int fds[2];

	memory_take(path, fds);
	told = mmap(NULL, PUMPLINK_AREA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	if (told == MAP_FAILED)
		exit(1);
	told->slots[1].number = 0;
	told->latest = 1;
	told->beat++;
	puts("holding");
	fflush(stdout);
	raise(SIGSTOP);
}

static void server(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	unsigned char bytes[65536];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8)) {
		perror("server");
		exit(1);
	}
	puts("listening");
	fflush(stdout);
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		noise(bytes, sizeof(bytes));
		for (int i = 0; i < 256; i++)
			if (send(peer, bytes, sizeof(bytes), MSG_NOSIGNAL) < 0)
				break;
		close(peer);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(const char *);
	} ways[] = {{"datagrams", datagrams},
		    {"supplicant", supplicant},
		    {"agent", agent},
		    {"holder", holder},
		    {"server", server}};

	for (size_t i = 0; argc == 3 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(argv[1], ways[i].name))
			ways[i].run(argv[2]);
	fprintf(stderr,
		"usage: pester datagrams|supplicant|agent|holder PATH | pester server PORT\n");
	return 64;
}
