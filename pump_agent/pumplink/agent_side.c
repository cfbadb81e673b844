/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the socket that controllers hand their memory to, and that memory while it is mapped here.
 * What the controller wrote is copied once and checked. Never writes where the controller asks,
 * never reads where it tells.
 */
#include "pump_agent/pumplink/agent_side.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/secret.h"

#define CONTROLLER_GONE_MS 3000
#define HANDED 2 /* memory files in a datagram: told, asked */

struct agent_side {
	int socket;
	struct sockaddr_un address;
	uid_t controller;

	struct told_area *told; /* both NULL: nobody is attached */
	const struct asked_area *asked;
	dev_t device; /* of `told`, to know it again */
	ino_t inode;
	uint32_t number; /* of the last snapshot */
	uint32_t beat;
	struct told now; /* what was told last */

	uint32_t asked_ended;
	uint32_t controller_beat;
	uint64_t controller_ms; /* when it was seen to change, by the caller's clock */
};

int agent_side_open(const char *path, uid_t controller, struct agent_side **out)
{
	struct agent_side *s = calloc(1, sizeof(*s));
	const int yes = 1;
	int rc;

	if (!s)
		return err_set(ERR_NOMEM, "no memory for the link to the controller");
	s->socket = -1;
	s->controller = controller;
	s->address.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(s->address.sun_path)) {
		rc = err_set(ERR_LIMIT, "%s: too long for a socket", path);
		s->address.sun_path[0] = '\0';
	} else {
		strcpy(s->address.sun_path, path);
		s->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		unlink(path);
		rc = s->socket < 0 ||
				     setsockopt(s->socket, SOL_SOCKET, SO_PASSCRED, &yes,
						sizeof(yes)) ||
				     bind(s->socket, (struct sockaddr *)&s->address,
					  sizeof(s->address)) ||
				     chmod(path, 0660)
			     ? err_errno(ERR_IO, "%s", path)
			     : 0;
	}
	if (rc)
		agent_side_close(s);
	else
		*out = s;
	return rc;
}

static void detach(struct agent_side *s)
{
	if (s->told)
		munmap(s->told, PUMPLINK_AREA_BYTES);
	if (s->asked)
		munmap((void *)(uintptr_t)s->asked, PUMPLINK_AREA_BYTES);
	s->told = NULL;
	s->asked = NULL;
}

void agent_side_close(struct agent_side *s)
{
	if (!s)
		return;
	detach(s);
	if (s->socket >= 0) {
		close(s->socket);
		unlink(s->address.sun_path);
	}
	free(s);
}

int agent_side_fd(const struct agent_side *s)
{
	return s->socket;
}

bool agent_side_is_attached(const struct agent_side *s)
{
	return s->told;
}

/* ---- attaching ---- */

struct handed {
	uint32_t version;
	ssize_t len;
	uid_t uid;
	bool has_uid;
	int fds[HANDED];
	size_t n_fds;
};

static void handed_close(struct handed *h)
{
	for (size_t i = 0; i < h->n_fds; i++)
		close(h->fds[i]);
}

static void control_take(const struct cmsghdr *c, struct handed *h)
{
	struct ucred who;

	if (c->cmsg_level != SOL_SOCKET)
		return;
	if (c->cmsg_type == SCM_RIGHTS && !h->n_fds) {
		h->n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		h->n_fds = h->n_fds < HANDED ? h->n_fds : HANDED;
		memcpy(h->fds, CMSG_DATA(c), h->n_fds * sizeof(int));
	} else if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len >= CMSG_LEN(sizeof(who))) {
		memcpy(&who, CMSG_DATA(c), sizeof(who));
		h->uid = who.uid;
		h->has_uid = true;
	}
}

/* The kernel closes descriptors for which there is no room here. */
static int handed_read(int fd, struct handed *h)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * HANDED) + CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec io = {.iov_base = &h->version, .iov_len = sizeof(h->version)};
	struct msghdr m = {
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};

	h->len = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (h->len < 0)
		return err_set(ERR_NOT_FOUND, "nobody hands over memory");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		control_take(c, h);
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return err_set(ERR_INVALID, "more than a controller has to say");
	return 0;
}

/* Memory of our size that its maker can't shrink under us. */
static int memory_check(int fd, struct stat *st)
{
	int seals = fcntl(fd, F_GET_SEALS);

	if (fstat(fd, st) || !S_ISREG(st->st_mode) || st->st_size != PUMPLINK_AREA_BYTES)
		return err_set(ERR_INVALID, "memory of another size");
	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return err_set(ERR_INVALID, "memory that can shrink");
	return 0;
}

static int handed_check(const struct agent_side *s, const struct handed *h, struct stat *told)
{
	struct stat asked;
	int rc;

	if (!h->has_uid || (h->uid != s->controller && h->uid != 0))
		return err_set(ERR_DENIED, "it came from user %u, not from the controller's",
			       (unsigned)h->uid);
	if (h->len != sizeof(h->version) || h->version != PUMPLINK_VERSION)
		return err_set(ERR_INVALID, "another version of pumplink");
	if (!h->n_fds && s->told)
		return 0;
	if (h->n_fds != HANDED)
		return err_set(ERR_INVALID, "no memory in it");
	rc = memory_check(h->fds[0], told);
	return rc ? rc : memory_check(h->fds[1], &asked);
}

static int map(struct agent_side *s, const struct handed *h)
{
	void *told =
		mmap(NULL, PUMPLINK_AREA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, h->fds[0], 0);
	void *asked = mmap(NULL, PUMPLINK_AREA_BYTES, PROT_READ, MAP_SHARED, h->fds[1], 0);

	if (told == MAP_FAILED || asked == MAP_FAILED) {
		int rc = err_errno(ERR_IO, "mapping the controller's memory");

		if (told != MAP_FAILED)
			munmap(told, PUMPLINK_AREA_BYTES);
		if (asked != MAP_FAILED)
			munmap(asked, PUMPLINK_AREA_BYTES);
		return rc;
	}
	madvise(asked, PUMPLINK_AREA_BYTES, MADV_DONTDUMP);
	detach(s);
	s->told = told;
	s->asked = asked;
	return 0;
}

static uint32_t word(const pumplink_word *w)
{
	return atomic_load_explicit(w, memory_order_acquire);
}

static void tell(struct agent_side *s)
{
	if (s->told)
		pumplink_told_write(s->told, &s->now, &s->number);
}

static void begin(struct agent_side *s)
{
	s->now.taken = s->now.ended = s->now.answered = 0;
	secret_wipe(s->now.person, sizeof(s->now.person));
	s->asked_ended = word(&s->asked->ended);
	s->controller_beat = word(&s->asked->beat);
	s->controller_ms = 0;
	tell(s);
	agent_side_beat(s);
}

int agent_side_attach(struct agent_side *s)
{
	__attribute__((cleanup(handed_close))) struct handed h = {0};
	struct stat st;
	int rc = handed_read(s->socket, &h);

	rc = rc ? rc : handed_check(s, &h, &st);
	if (rc)
		return rc;
	if (s->told && (!h.n_fds || (st.st_dev == s->device && st.st_ino == s->inode)))
		return 0;
	rc = map(s, &h);
	if (rc)
		return rc;
	s->device = st.st_dev;
	s->inode = st.st_ino;
	begin(s);
	return 1;
}

/* ---- telling ---- */

void agent_side_tell(struct agent_side *s, const struct pumplink_standing *st)
{
	s->now.network = st->network;
	s->now.clock = st->clock;
	s->now.clock_off_low = (uint32_t)st->clock_off_ms;
	s->now.clock_off_high = (uint32_t)((uint64_t)st->clock_off_ms >> 32);
	s->now.ways = st->ways;
	memset(s->now.pump, 0, sizeof(s->now.pump));
	memcpy(s->now.pump, st->pump, strnlen(st->pump, PUMPLINK_PUMP_MAX));
	tell(s);
}

void agent_side_beat(struct agent_side *s)
{
	if (s->told)
		atomic_store_explicit(&s->told->beat, ++s->beat, memory_order_release);
}

int agent_side_answer(struct agent_side *s, uint32_t request, const struct pumplink_answer *a)
{
	if (a->result < PUMPLINK_OK || a->result > PUMPLINK_UNAVAILABLE)
		return err_set(ERR_INVALID, "%d: no answer to a login", (int)a->result);
	if (a->result == PUMPLINK_OK &&
	    (!pumplink_text_is_shown_safely(a->person, sizeof(a->person)) ||
	     !pumplink_text_is_role(a->role, sizeof(a->role)) || !a->session_s))
		return err_set(ERR_INVALID,
			       "a person, role or time that the controller would not show");
	memset(s->now.person, 0, sizeof(s->now.person));
	memset(s->now.role, 0, sizeof(s->now.role));
	s->now.answered = request;
	s->now.result = a->result;
	s->now.wait_s = a->wait_s;
	s->now.session_s = s->now.idle_s = s->now.flags = 0;
	if (a->result == PUMPLINK_OK) {
		memcpy(s->now.person, a->person, sizeof(a->person));
		memcpy(s->now.role, a->role, sizeof(a->role));
		s->now.session_s = a->session_s;
		s->now.idle_s = a->idle_s;
		s->now.flags = (a->is_offline ? TOLD_IS_OFFLINE : 0) |
			       (a->is_break_glass ? TOLD_IS_BREAK_GLASS : 0);
	}
	tell(s);
	return 0;
}

void agent_side_end_session(struct agent_side *s, uint32_t session)
{
	s->now.ended = session;
	tell(s);
}

/* ---- hearing ---- */

enum pumplink_infusing agent_side_infusing(struct agent_side *s, uint64_t now_ms)
{
	uint32_t infusing;
	uint32_t beat;

	if (!s->asked)
		return PUMPLINK_INFUSING_UNKNOWN;
	beat = word(&s->asked->beat);
	if (beat != s->controller_beat || !s->controller_ms) {
		s->controller_beat = beat;
		s->controller_ms = now_ms;
	}
	infusing = word(&s->asked->infusing);
	if (now_ms - s->controller_ms >= CONTROLLER_GONE_MS ||
	    (infusing != PUMPLINK_IDLE && infusing != PUMPLINK_INFUSING))
		return PUMPLINK_INFUSING_UNKNOWN;
	return (enum pumplink_infusing)infusing;
}

void pumplink_request_wipe(struct pumplink_request *rq)
{
	secret_wipe(rq, sizeof(*rq));
}

static bool letter_is_sound(const struct letter *l)
{
	if (l->kind < PUMPLINK_LOGIN_PASSWORD || l->kind > PUMPLINK_LOGIN_BREAK_GLASS)
		return false;
	if (l->kind == PUMPLINK_LOGIN_BREAK_GLASS
		    ? *l->name
		    : !pumplink_text_is_shown_safely(l->name, PUMPLINK_NAME_MAX + 1))
		return false;
	return l->secret_len >= 1 && l->secret_len <= PUMPLINK_SECRET_MAX &&
	       strnlen(l->secret, PUMPLINK_SECRET_MAX + 1) == l->secret_len;
}

bool agent_side_next(struct agent_side *s, struct pumplink_request *out)
{
	static const struct pumplink_answer refused = {.result = PUMPLINK_REFUSED};
	struct letter l;
	uint32_t id = s->asked ? pumplink_letter_read(s->asked, &l) : 0;
	bool is_sound;

	if (!id || id == s->now.taken || id > PUMPLINK_ID_MAX)
		return false;
	is_sound = letter_is_sound(&l);
	if (is_sound) {
		memset(out, 0, sizeof(*out));
		out->id = id;
		out->kind = (enum pumplink_kind)l.kind;
		memcpy(out->name, l.name, PUMPLINK_NAME_MAX);
		memcpy(out->secret, l.secret, l.secret_len);
		out->secret_len = l.secret_len;
	}
	secret_wipe(&l, sizeof(l));
	s->now.taken = id;
	if (is_sound)
		tell(s);
	else if (agent_side_answer(s, id, &refused))
		return false;
	return is_sound;
}

bool agent_side_is_void(const struct agent_side *s, uint32_t request)
{
	return !s->asked || word(&s->asked->awaited) != request;
}

bool agent_side_ended(struct agent_side *s, uint32_t *session_out, enum pumplink_end *why_out)
{
	uint32_t ended = s->asked ? word(&s->asked->ended) : 0;
	uint32_t why = ended & 7;

	if (!ended || ended == s->asked_ended)
		return false;
	s->asked_ended = ended;
	if (why < PUMPLINK_END_LOGOUT || why > PUMPLINK_END_AGENT)
		return false;
	*session_out = ended >> 3;
	*why_out = (enum pumplink_end)why;
	return true;
}
