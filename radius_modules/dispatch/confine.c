/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the list of system calls that sending Disconnect-Requests needs. */
#include "radius_modules/dispatch/confine.h"

#include <sys/socket.h>

#include <seccomp.h>

#include "base/cage.h"

int dispatch_confine(void)
{
	static const int calls[] = {SCMP_SYS(connect),	  SCMP_SYS(read),    SCMP_SYS(write),
				    SCMP_SYS(recvfrom),	  SCMP_SYS(recvmsg), SCMP_SYS(sendto),
				    SCMP_SYS(sendmsg),	  SCMP_SYS(close),   SCMP_SYS(getsockopt),
				    SCMP_SYS(setsockopt), SCMP_SYS(fcntl),   SCMP_SYS(poll),
				    SCMP_SYS(ppoll)};
	/* UDP to NAS; local sockets to the registry and the supervisor */
	static const struct cage_socket sockets[] = {
		{AF_UNIX, 0},
		{AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK},
		{AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK}};
	const struct cage cage = {calls, sizeof(calls) / sizeof(calls[0]), sockets,
				  sizeof(sockets) / sizeof(sockets[0])};

	return cage_enter(&cage);
}
