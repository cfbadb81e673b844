/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the agent's bounds and its list of system calls. */
#include "pump_agent/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/cage.h"

#define NICE 5
#define MEMORY_MAX                                                                    \
	((rlim_t)128 << 20) /* 19 MiB of it while a PIN is checked, stacks of threads \
			     */

/* A parent may be the controller itself, and its children inherit its priority. */
static int priority_drop(void)
{
	const struct sched_param none = {0};
	const struct rlimit no = {0, 0};
	int policy = sched_getscheduler(0);

	if (policy != SCHED_IDLE && policy != SCHED_BATCH &&
	    sched_setscheduler(0, SCHED_BATCH, &none))
		return err_errno(ERR_IO, "cannot leave the scheduling policy %d", policy);
	errno = 0;
	if (getpriority(PRIO_PROCESS, 0) < NICE && (errno || setpriority(PRIO_PROCESS, 0, NICE)))
		return err_errno(ERR_IO, "cannot lower the priority");
	if (setrlimit(RLIMIT_RTPRIO, &no) || setrlimit(RLIMIT_NICE, &no))
		return err_errno(ERR_IO, "cannot give up real-time priority");
	return 0;
}

/* Before others, the controller first of all. */
static int oom_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	int rc = fd < 0 || write(fd, "1000", 4) != 4 ? err_errno(ERR_IO, "/proc/self/oom_score_adj")
						     : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

int confine_bounds(void)
{
	const struct rlimit memory = {MEMORY_MAX, MEMORY_MAX};
	int rc = priority_drop();

	rc = rc ? rc : oom_first();
	if (!rc && !cage_is_sanitized() && setrlimit(RLIMIT_DATA, &memory))
		rc = err_errno(ERR_IO, "cannot bound the memory");
	return rc;
}

int confine_calls(void)
{
	static const int calls[] = {
		/* files: the state folder; certificates of TLS; libraries of name service */
		SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(readv),
		SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64),
		SCMP_SYS(lseek), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat),
		SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
		SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
		SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(flock),
		SCMP_SYS(fcntl), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate),
		SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(rename),
		SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
		SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(umask), SCMP_SYS(dup),
		SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(msync),
		/* sockets: never to listen */
		SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(sendto),
		SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
		SCMP_SYS(recvmmsg), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
		SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(shutdown), SCMP_SYS(ioctl),
		SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
		/* loop and threads */
		SCMP_SYS(epoll_create1), SCMP_SYS(eventfd2), SCMP_SYS(pipe2),
		SCMP_SYS(timerfd_create), SCMP_SYS(clone), SCMP_SYS(clone3),
		/* the wall clock */
		SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex),
		SCMP_SYS(clock_getres),
		/* what libraries ask about themselves */
		SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getppid), SCMP_SYS(getgid),
		SCMP_SYS(getegid), SCMP_SYS(prctl), SCMP_SYS(getrusage)};
	/* wpa_supplicant, the controller, a TPM's resource manager; EST, RadSec and names; the
	 * cable */
	static const struct cage_socket sockets[] = {
		{AF_UNIX, 0}, {AF_INET, 0}, {AF_INET6, 0}, {AF_NETLINK, 0}};
	const struct cage cage = {calls, sizeof(calls) / sizeof(calls[0]), sockets,
				  sizeof(sockets) / sizeof(sockets[0])};

	return cage_enter(&cage);
}
