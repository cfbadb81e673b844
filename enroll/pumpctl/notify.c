/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the readiness socket. Never believes what the kernel did not attest. */
#include "enroll/pumpctl/notify.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

#define MESSAGE_MAX 4096

int notify_open(const char *path, int *fd_out)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int on = 1, fd;
	int rc = str_copy(addr.sun_path, sizeof(addr.sun_path), path);

	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(ERR_IO, "socket");
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || chmod(path, 0666) ||
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on))) {
		rc = err_errno(ERR_IO, "%s", path);
		close(fd);
		return rc;
	}
	*fd_out = fd;
	return 0;
}

bool notify_is_ready(const char *text, size_t len)
{
	static const char word[] = "READY=1";

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		if (n == sizeof(word) - 1 && !memcmp(text, word, n))
			return true;
		n += end != NULL;
		text += n;
		len -= n;
	}
	return false;
}

/* The sender by SCM_CREDENTIALS; descriptors that came along are closed. */
static pid_t sender_of(struct msghdr *m)
{
	pid_t pid = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;

			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			pid = cred.pid;
		} else if (c->cmsg_type == SCM_RIGHTS) {
			size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

			for (size_t i = 0; i < n; i++) {
				int fd;

				memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
				close(fd);
			}
		}
	}
	return pid;
}

int notify_read(int fd, pid_t *pid_out, bool *ready_out)
{
	char text[MESSAGE_MAX];
	_Alignas(struct cmsghdr) char control[512];
	struct iovec iov = {text, sizeof(text)};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? ERR_NOT_FOUND
							 : err_errno(ERR_IO, "notify socket");
	*pid_out = sender_of(&m);
	*ready_out = !(m.msg_flags & MSG_TRUNC) && notify_is_ready(text, (size_t)n);
	return 0;
}
