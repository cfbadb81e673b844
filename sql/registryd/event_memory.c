/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the file of the event ring and the reader's side of its slots. The name is random and stands
 * in a link in registryd's own folder: nobody can prepare a file in its place.
 */
#include "sql/registryd/event_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/daemon.h"
#include "base/secret.h"

#define SHM_PREFIX "/dev/shm/pumpgate-events-"
#define RUN_MAX 32
#define LOOK_EVERY_US 500000 /* a writer may die between an entry and counting it */
#define SHM_PATH_SIZE (sizeof(SHM_PREFIX) + 32)

struct event_memory {
	int fd;
	char link[PATH_MAX];
	char path[SHM_PATH_SIZE];
	uint64_t finished; /* of the ring at the last take */
	bool unsettled;	   /* that take found something, or saw what is not ready */
	int64_t looked_us; /* when all words were read last */
	uint8_t run[RUN_MAX][EVENT_SLOT_SIZE];
	size_t freeing[EVENT_TAKE_MAX];
	size_t n_freeing;
	uint64_t words[EVENT_RING_SLOTS];
	struct ready {
		uint64_t number, word;
		size_t slot;
	} ready[EVENT_RING_SLOTS];
};

/* ---- the file ---- */

static int read_at(int fd, size_t offset, void *out, size_t len)
{
	ssize_t n = pread(fd, out, len, (off_t)offset);

	if (n < 0)
		return err_errno(ERR_IO, "reading the event ring");
	return (size_t)n == len ? 0 : err_set(ERR_CORRUPT, "the event ring was cut");
}

static int write_at(int fd, size_t offset, const void *data, size_t len)
{
	ssize_t n = pwrite(fd, data, len, (off_t)offset);

	if (n < 0)
		return err_errno(ERR_IO, "writing the event ring");
	return (size_t)n == len ? 0 : err_set(ERR_IO, "writing the event ring");
}

static int head_read(int fd, struct event_head *out)
{
	uint8_t bytes[EVENT_HEAD_SIZE];
	int rc = read_at(fd, 0, bytes, sizeof(bytes));

	if (rc)
		return rc;
	return event_head_parse(bytes, out) ? err_add(ERR_CORRUPT, "the event ring") : 0;
}

/* Zeroes, room for all of it (a full /dev/shm would end a writer later), the header. */
static int ring_fill(int fd)
{
	static uint64_t head[EVENT_HEAD_SIZE / sizeof(uint64_t)];
	int error;

	if (ftruncate(fd, 0) || ftruncate(fd, (off_t)event_ring_size()))
		return err_errno(ERR_IO, "the event ring in /dev/shm");
	error = posix_fallocate(fd, 0, (off_t)event_ring_size());
	if (error) {
		errno = error;
		return err_errno(ERR_IO, "%zu bytes in /dev/shm", event_ring_size());
	}
	memset(head, 0, sizeof(head));
	event_ring_init(head);
	return write_at(fd, 0, head, sizeof(head));
}

static bool is_our_name(const char *path)
{
	size_t prefix = strlen(SHM_PREFIX);

	return strlen(path) == SHM_PATH_SIZE - 1 && !strncmp(path, SHM_PREFIX, prefix) &&
	       strspn(path + prefix, "0123456789abcdef") == 32;
}

/* ERR_NOT_FOUND: there is none; ERR_CORRUPT: there was one. */
static int ring_find(struct event_memory *m)
{
	struct event_head head;
	ssize_t n = readlink(m->link, m->path, sizeof(m->path));
	struct stat st = {.st_uid = (uid_t)-1};
	int rc;

	if (n < 0)
		return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", m->link);
	if (n != SHM_PATH_SIZE - 1)
		return err_set(ERR_CORRUPT, "%s leads elsewhere", m->link);
	m->path[n] = '\0';
	if (!is_our_name(m->path))
		return err_set(ERR_CORRUPT, "%s leads elsewhere", m->link);
	m->fd = open(m->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (m->fd < 0)
		return err_set(ERR_CORRUPT, "%s is gone", m->path);
	rc = fstat(m->fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
			     st.st_mode & 077 || (size_t)st.st_size != event_ring_size()
		     ? err_set(ERR_CORRUPT, "%s is no event ring of ours", m->path)
		     : head_read(m->fd, &head);
	if (rc) {
		if (st.st_uid == geteuid())
			(void)unlink(m->path);
		close(m->fd);
		m->fd = -1;
	}
	return rc;
}

static int ring_make(struct event_memory *m)
{
	char next[PATH_MAX + 8];
	uint8_t name[16];
	int rc;

	secret_fill_random(name, sizeof(name));
	memcpy(m->path, SHM_PREFIX, strlen(SHM_PREFIX));
	hex_encode(name, sizeof(name), m->path + strlen(SHM_PREFIX), 33);
	snprintf(next, sizeof(next), "%s.new", m->link);
	m->fd = open(m->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (m->fd < 0)
		return err_errno(ERR_IO, "%s", m->path);
	rc = ring_fill(m->fd);
	(void)unlink(next);
	if (!rc && (symlink(m->path, next) || rename(next, m->link)))
		rc = err_errno(ERR_IO, "%s", m->link);
	if (rc)
		(void)unlink(m->path);
	return rc;
}

int event_memory_open(const char *home, struct event_memory **out, bool *gone_out)
{
	struct event_memory *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return err_set(ERR_NOMEM, "no memory for events");
	m->fd = -1;
	m->unsettled = true;
	*gone_out = false;
	rc = home_path(home, "registry/events.ring", m->link);
	if (!rc)
		rc = ring_find(m);
	if (rc == ERR_NOT_FOUND || rc == ERR_CORRUPT) {
		*gone_out = rc == ERR_CORRUPT;
		rc = ring_make(m);
	}
	if (rc) {
		event_memory_close(m, false);
		return rc;
	}
	*out = m;
	return 0;
}

void event_memory_close(struct event_memory *m, bool over)
{
	if (!m)
		return;
	if (m->fd >= 0) {
		event_memory_beat(m, 0);
		close(m->fd);
		if (over && !unlink(m->link))
			(void)unlink(m->path);
	}
	free(m);
}

int event_memory_fd(const struct event_memory *m)
{
	return m->fd;
}

int event_memory_head(const struct event_memory *m, struct event_head *out)
{
	return head_read(m->fd, out);
}

void event_memory_beat(struct event_memory *m, int64_t now_us)
{
	struct event_beat beat = event_beat_make(now_us);

	(void)write_at(m->fd, EVENT_BEAT_OFFSET, &beat, sizeof(beat));
}

int event_memory_repair(struct event_memory *m)
{
	m->n_freeing = 0;
	m->unsettled = true;
	return ring_fill(m->fd);
}

/* ---- entries ---- */

static int by_slot(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

/* Entries mostly lie side by side: a call for each run of them. */
static int freeing_finish(struct event_memory *m)
{
	static const uint64_t is_free[EVENT_TAKE_MAX];

	qsort(m->freeing, m->n_freeing, sizeof(m->freeing[0]), by_slot);
	while (m->n_freeing) {
		size_t n = 1, last = m->freeing[m->n_freeing - 1];
		int rc;

		while (n < m->n_freeing && m->freeing[m->n_freeing - 1 - n] == last - n)
			n++;
		rc = write_at(m->fd, event_word_offset(last + 1 - n), is_free,
			      n * sizeof(is_free[0]));
		if (rc)
			return rc;
		m->n_freeing -= n;
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct ready *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* The entries that are ready, in their order; *others_out: some are begun and not ready. */
static int ready_find(struct event_memory *m, size_t *n_out, bool *others_out)
{
	size_t n = 0;
	int rc = read_at(m->fd, event_word_offset(0), m->words, sizeof(m->words));

	*others_out = false;
	for (size_t i = 0; !rc && i < EVENT_RING_SLOTS; i++) {
		uint64_t word = m->words[i];

		if (event_word_state(word) == EVENT_READY)
			m->ready[n++] = (struct ready){event_word_number(word), word, i};
		else
			*others_out |= word != 0;
	}
	qsort(m->ready, n, sizeof(*m->ready), by_number);
	*n_out = n;
	return rc;
}

/* The first `max` of the entries that are ready, as many of them as lie side by side: *n_out. */
static int entries_read(struct event_memory *m, const struct ready *r, size_t max,
			struct event_entry *out, size_t *n_out)
{
	size_t n = 1;
	int rc;

	while (n < max && n < RUN_MAX && r[n].slot == r[0].slot + n)
		n++;
	rc = read_at(m->fd, event_slot_offset(r[0].slot), m->run, n * EVENT_SLOT_SIZE);
	for (size_t i = 0; !rc && i < n; i++) {
		out[i].slot = r[i].slot;
		out[i].number = r[i].number;
		out[i].valid = !event_slot_parse(m->run[i], r[i].word, &out[i].event);
	}
	*n_out = n;
	return rc;
}

int event_memory_take(struct event_memory *m, int64_t now_us, struct event_head *head_out,
		      struct event_entry *out, size_t *n_out)
{
	bool others;
	size_t n, ready, run;
	int rc = head_read(m->fd, head_out);

	*n_out = 0;
	if (!rc)
		rc = freeing_finish(m);
	if (rc || (head_out->finished == m->finished && !m->unsettled &&
		   now_us - m->looked_us < LOOK_EVERY_US))
		return rc;
	rc = ready_find(m, &ready, &others);
	if (ready > EVENT_TAKE_MAX)
		ready = EVENT_TAKE_MAX;
	for (n = 0; !rc && n < ready; n += run)
		rc = entries_read(m, &m->ready[n], ready - n, &out[n], &run);
	if (rc)
		return rc;
	m->finished = head_out->finished;
	m->looked_us = now_us;
	m->unsettled = others || ready > 0; /* until they are freed */
	*n_out = n;
	return 0;
}

void event_memory_free(struct event_memory *m, const struct event_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++)
		m->freeing[m->n_freeing++] = entries[i].slot;
	(void)freeing_finish(m);
}

int event_memory_forget(struct event_memory *m, const uint64_t *numbers, size_t n)
{
	size_t ready;
	bool others;
	int rc = freeing_finish(m);

	if (!rc)
		rc = ready_find(m, &ready, &others);
	for (size_t i = 0; !rc && i < ready && m->n_freeing < EVENT_TAKE_MAX; i++)
		for (size_t k = 0; k < n; k++)
			if (numbers[k] == m->ready[i].number) {
				m->freeing[m->n_freeing++] = m->ready[i].slot;
				break;
			}
	return rc ? rc : freeing_finish(m);
}

bool event_memory_is_empty(struct event_memory *m)
{
	bool others;
	size_t ready;

	return !freeing_finish(m) && !ready_find(m, &ready, &others) && !ready && !others;
}
