/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the making of the shared memory and its way to the agent. Runs in the controller, outside
 * its loop. No call here waits for the agent.
 *
 * The memory is made here, and not by the agent, so that it can't be taken away. Seals keep either
 * side from shrinking it, and the agent from writing, or making holes, where the controller tells.
 * The page that the agent writes is not even mapped here.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pump_agent/pumplink/link.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif
#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

static int memory_make(const char *name, int *fd_out)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) /* an older kernel */
		fd = memfd_create(name, flags);
	if (fd < 0)
		return -errno;
	*fd_out = fd;
	return ftruncate(fd, PUMPLINK_AREA_BYTES) ? -errno : 0;
}

/* All of it is there from the start. */
static int memory_map(int fd, void **out)
{
	void *at = mmap(NULL, PUMPLINK_AREA_BYTES, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_POPULATE, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	mlock(at, PUMPLINK_AREA_BYTES); /* may be refused: then it is only likely to stay */
	madvise(at, PUMPLINK_AREA_BYTES, MADV_DONTDUMP);
	*out = at;
	return 0;
}

static int memory_open(struct pumplink *l)
{
	void *asked = NULL;
	int rc = memory_make("pumplink-told", &l->told_fd);

	rc = rc ? rc : memory_make("pumplink-asked", &l->asked_fd);
	rc = rc ? rc : memory_map(l->asked_fd, &asked);
	l->asked = asked;
	if (rc)
		return rc;
	if (fcntl(l->told_fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_SEAL))
		return -errno;
	/* without it the agent could punch a hole under the loop's feet: Linux 5.1 is needed */
	if (fcntl(l->asked_fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL))
		return -ENOSYS;
	return 0;
}

static int address_set(struct pumplink *l, const char *path)
{
	size_t len = strlen(path);

	if (!len || len >= sizeof(l->agent.sun_path))
		return -ENAMETOOLONG;
	l->agent.sun_family = AF_UNIX;
	memcpy(l->agent.sun_path, path, len + 1);
	l->agent_len = sizeof(l->agent);
	l->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return l->socket < 0 ? -errno : 0;
}

int pumplink_open(const char *agent_socket, struct pumplink **out)
{
	struct pumplink *l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int rc;

	if (l == MAP_FAILED)
		return -errno;
	mlock(l, sizeof(*l));
	madvise(l, sizeof(*l), MADV_DONTFORK); /* else a fork makes the loop's next write a fault */
	l->socket = l->told_fd = l->asked_fd = -1;
	rc = address_set(l, agent_socket);
	rc = rc ? rc : memory_open(l);
	if (rc)
		pumplink_close(l);
	else
		*out = l;
	return rc;
}

void pumplink_close(struct pumplink *l)
{
	if (!l)
		return;
	if (l->asked) {
		pumplink_letter_wipe(l->asked);
		munmap(l->asked, PUMPLINK_AREA_BYTES);
	}
	if (l->told_fd >= 0)
		close(l->told_fd);
	if (l->asked_fd >= 0)
		close(l->asked_fd);
	if (l->socket >= 0)
		close(l->socket);
	munmap(l, sizeof(*l));
}

/*
 * From the agent's page to memory that is the controller's alone. By pread, not by a mapping: the
 * agent can punch a hole into its page, and a read of a hole gives zeroes, where a mapping would
 * need a new page, and memory for it. The snapshot is whole if its number still stands afterwards.
 */
static void copy(struct pumplink *l)
{
	struct told_area page;
	struct told_area again;
	struct told t;
	uint32_t number;

	if (pread(l->told_fd, &page, sizeof(page), 0) != sizeof(page) ||
	    pread(l->told_fd, &again, sizeof(again), 0) != sizeof(again))
		return;
	number = page.latest;
	if (again.slots[number % TOLD_SLOTS].number == number && pumplink_told_read(&page, &t))
		pumplink_told_write(&l->copy, &t, &l->copied);
	atomic_store_explicit(&l->copy.beat, page.beat, memory_order_release);
}

/* One datagram; with the memory in it, or only to say that there is something to look at. */
static int send_word(const struct pumplink *l, bool with_memory)
{
	uint32_t version = PUMPLINK_VERSION;
	const int fds[2] = {l->told_fd, l->asked_fd};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(fds))];
	} control = {0};
	struct iovec io = {.iov_base = &version, .iov_len = sizeof(version)};
	struct msghdr m = {
		.msg_name = (void *)(uintptr_t)&l->agent,
		.msg_namelen = l->agent_len,
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = with_memory ? control.bytes : NULL,
		.msg_controllen = with_memory ? sizeof(control.bytes) : 0,
	};

	if (with_memory) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fds));
		memcpy(CMSG_DATA(c), fds, sizeof(fds));
	}
	return sendmsg(l->socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int pumplink_tend(struct pumplink *l)
{
	copy(l);
	if (!atomic_load_explicit(&l->is_alive, memory_order_acquire))
		return send_word(l, true);
	/* the agent looks twice a second by itself: somebody at the keypad waits */
	return atomic_load_explicit(&l->asked->letter, memory_order_acquire) ? send_word(l, false)
									     : 0;
}
