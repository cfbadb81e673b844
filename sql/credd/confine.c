/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the list of system calls that keeping a database and asking a directory need. */
#include "sql/credd/credd.h"

#include <sys/socket.h>

#include <seccomp.h>

#include "base/cage.h"

int credd_confine(bool network)
{
	static const int calls[] = {
		/* local sockets */
		SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(read), SCMP_SYS(write),
		SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(shutdown), SCMP_SYS(getpeername),
		SCMP_SYS(getsockname), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto),
		SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(close), SCMP_SYS(getsockopt),
		SCMP_SYS(setsockopt), SCMP_SYS(fcntl), SCMP_SYS(poll), SCMP_SYS(ppoll),
		SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(ioctl), SCMP_SYS(bind),
		/* the database, names of users, certificates of a directory */
		SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(lstat),
		SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat),
		SCMP_SYS(faccessat2), SCMP_SYS(lseek), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
		SCMP_SYS(ftruncate), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(fallocate),
		SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(fchmod),
		SCMP_SYS(fchown), SCMP_SYS(getcwd), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
		SCMP_SYS(getdents64), SCMP_SYS(flock), SCMP_SYS(geteuid), SCMP_SYS(getegid),
		SCMP_SYS(getgid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(prlimit64)};
	static const struct cage_socket sockets[] = {
		{AF_UNIX, 0}, {AF_INET, 0}, {AF_INET6, 0}, {AF_NETLINK, 0}};
	const struct cage cage = {calls, sizeof(calls) / sizeof(calls[0]), sockets,
				  network ? sizeof(sockets) / sizeof(sockets[0]) : 1};

	return cage_enter(&cage);
}
