/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the list of system calls that serving EST needs. */
#include "enroll/enrolld/confine.h"

#include <sys/socket.h>

#include <seccomp.h>

#include "base/cage.h"

int confine(void)
{
	static const int calls[] = {
		SCMP_SYS(accept4),     SCMP_SYS(connect),    SCMP_SYS(read),
		SCMP_SYS(readv),       SCMP_SYS(recvfrom),   SCMP_SYS(recvmsg),
		SCMP_SYS(write),       SCMP_SYS(writev),     SCMP_SYS(sendto),
		SCMP_SYS(sendmsg),     SCMP_SYS(shutdown),   SCMP_SYS(close),
		SCMP_SYS(getsockopt),  SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
		SCMP_SYS(getpeername), SCMP_SYS(fcntl),	     SCMP_SYS(poll),
		SCMP_SYS(ppoll),       SCMP_SYS(listen)};
	/* to signerd, registryd and the supervisor */
	static const struct cage_socket sockets[] = {{AF_UNIX, 0}};
	const struct cage cage = {calls, sizeof(calls) / sizeof(calls[0]), sockets,
				  sizeof(sockets) / sizeof(sockets[0])};

	return cage_enter(&cage);
}
