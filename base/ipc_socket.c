/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns how a local socket is made and written to. Knows no message and no peer. */
#include "base/ipc_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "base/buf.h"

/* Sends at once what the socket takes; only the rest waits for the loop, which costs a look-up on
 * the packet path as much as the look-up itself. */
void ipc_socket_send(struct bufferevent *bev, const uint8_t *data, size_t len)
{
	ssize_t n = 0;

	if (evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		n = send(bufferevent_getfd(bev), data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		n = 0; /* full, or broken: then the loop sees that too */
	if ((size_t)n < len)
		bufferevent_write(bev, data + n, len - (size_t)n);
}

/* A descriptor goes with the first byte, or not at all. */
void ipc_socket_send_fd(struct bufferevent *bev, const uint8_t *data, size_t len, int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &part,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control.room)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	n = sendmsg(bufferevent_getfd(bev), &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		n = 0; /* then the answer comes without it, and the peer asks again */
	if ((size_t)n < len)
		bufferevent_write(bev, data + n, len - (size_t)n);
}

int ipc_socket_listen(const char *path, mode_t mode, gid_t group, int *fd_out)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int rc = str_copy(addr.sun_path, sizeof(addr.sun_path), path);
	int fd;

	if (rc)
		return err_add(rc, "socket path %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(ERR_IO, "socket");
	if (unlink(path) && errno != ENOENT)
		rc = err_errno(ERR_IO, "%s", path);
	/* bind under umask 0177: nobody else can connect before mode and group are right */
	mode_t old = umask(0177);
	if (!rc && bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		rc = err_errno(ERR_IO, "%s", path);
	umask(old);
	if (!rc && group != (gid_t)-1 && chown(path, (uid_t)-1, group))
		rc = err_errno(ERR_IO, "%s: change of group", path);
	if (!rc && (chmod(path, mode) || listen(fd, 128)))
		rc = err_errno(ERR_IO, "%s", path);
	if (rc)
		close(fd);
	else
		*fd_out = fd;
	return rc;
}
