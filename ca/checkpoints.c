/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns ca/checkpoints.log. Never decides what is signed. */
#include "ca/checkpoints.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define FILE_MAX_BYTES ((size_t)CHECKPOINTS_MAX * CHECKPOINT_LINE_MAX)
#define CHAINS_MAX 8 /* in one list */

struct checkpoints {
	char *path;
	int fd;
	EVP_PKEY *key; /* borrowed */
	pthread_mutex_t lock;
	struct audit_checkpoint *all; /* in order */
	size_t n, room;
	size_t fresh; /* added since they were thinned out */
	bool broken;  /* the disk refused: nothing is added until it is opened again */
};

void checkpoints_close(struct checkpoints *list)
{
	if (!list)
		return;
	if (list->fd >= 0)
		close(list->fd);
	pthread_mutex_destroy(&list->lock);
	free(list->all);
	free(list->path);
	free(list);
}

static inline void checkpoints_auto_close(struct checkpoints **list)
{
	checkpoints_close(*list);
}

static int keep(struct checkpoints *list, const struct audit_checkpoint *c)
{
	if (list->n == CHECKPOINTS_MAX)
		return err_set(ERR_LIMIT, "%s: too many checkpoints", list->path);
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		struct audit_checkpoint *more = realloc(list->all, room * sizeof(*more));

		if (!more)
			return err_set(ERR_NOMEM, "no memory for checkpoints");
		list->all = more;
		list->room = room;
	}
	list->all[list->n++] = *c;
	return 0;
}

static int line_check(struct checkpoints *list, const char *line, size_t len)
{
	struct audit_checkpoint c;
	int rc = checkpoint_line_parse(line, len, &c);

	if (!rc)
		rc = checkpoint_verify(&c, list->key);
	if (!rc && list->n && c.number <= list->all[list->n - 1].number)
		rc = err_set(ERR_CORRUPT, "the numbers do not rise");
	if (rc)
		return err_add(ERR_CORRUPT, "%s: line %zu", list->path, list->n + 1);
	return keep(list, &c);
}

static int file_check(struct checkpoints *list)
{
	AUTO_BUF text = {.max = FILE_MAX_BYTES};
	int rc = buf_read_file(&text, list->path);
	const char *at = (const char *)text.data, *end;
	size_t left = text.len;

	while (!rc && left && (end = memchr(at, '\n', left))) {
		rc = line_check(list, at, (size_t)(end - at));
		left -= (size_t)(end - at) + 1;
		at = end + 1;
	}
	/* a line without its end was never acknowledged */
	if (!rc && left && ftruncate(list->fd, (off_t)(text.len - left)))
		rc = err_errno(ERR_IO, "%s", list->path);
	return rc;
}

static int file_open(struct checkpoints *list)
{
	list->fd = open(list->path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (list->fd < 0)
		return err_errno(ERR_IO, "%s", list->path);
	if (flock(list->fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? err_set(ERR_BUSY,
						      "%s: another pumpgate-signerd is "
						      "using it",
						      list->path)
					    : err_errno(ERR_IO, "%s", list->path);
	return 0;
}

int checkpoints_open(const char *path, EVP_PKEY *key, struct checkpoints **out)
{
	__attribute__((cleanup(checkpoints_auto_close))) struct checkpoints *list =
		calloc(1, sizeof(*list));
	int rc;

	if (!list)
		return err_set(ERR_NOMEM, "no memory for %s", path);
	list->fd = -1;
	list->key = key;
	pthread_mutex_init(&list->lock, NULL);
	list->path = strdup(path);
	if (!list->path)
		return err_set(ERR_NOMEM, "no memory for %s", path);
	if ((rc = file_open(list)) || (rc = file_check(list)))
		return rc;
	*out = list;
	list = NULL;
	return 0;
}

/* The least distance from the one kept before it, by age. */
static int64_t distance_of(int64_t age_ms)
{
	return age_ms < DAY_MS ? 0 : age_ms < 30 * DAY_MS ? HOUR_MS : DAY_MS;
}

static bool is_newest(const struct audit_checkpoint *all, size_t n, size_t i)
{
	for (size_t later = i + 1; later < n; later++)
		if (!strcmp(all[later].chain, all[i].chain))
			return false;
	return true;
}

size_t checkpoints_thin(struct audit_checkpoint *all, size_t n, int64_t now_ms)
{
	struct {
		const char *chain;
		int64_t kept_ms;
	} chains[CHAINS_MAX];
	size_t n_chains = 0, kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct audit_checkpoint c = all[i];
		bool stays = c.accepted || is_newest(all, n, i);
		size_t k = 0;

		while (k < n_chains && strcmp(chains[k].chain, c.chain) != 0)
			k++;
		if (k == n_chains || c.at - chains[k].kept_ms >= distance_of(now_ms - c.at))
			stays = true;
		if (!stays)
			continue;
		all[kept] = c;
		if (k < CHAINS_MAX) {
			chains[k].chain = all[kept].chain;
			chains[k].kept_ms = c.at;
			n_chains += k == n_chains;
		}
		kept++;
	}
	return kept;
}

/* The whole list anew, in the place of the old file. */
static int file_rewrite(struct checkpoints *list)
{
	AUTO_BUF text = {.max = FILE_MAX_BYTES};
	int rc = 0, old = list->fd;

	for (size_t i = 0; !rc && i < list->n; i++)
		rc = checkpoint_line_put(&text, &list->all[i]);
	if (!rc)
		rc = buf_write_file(list->path, 0600, text.data, text.len);
	if (!rc)
		rc = file_open(list); /* the new file's lock, before the old one's goes */
	if (!rc)
		close(old);
	return rc;
}

static int line_append(struct checkpoints *list, const struct audit_checkpoint *c)
{
	AUTO_BUF line = {.max = CHECKPOINT_LINE_MAX};
	int rc = checkpoint_line_put(&line, c);

	if (!rc)
		rc = keep(list, c);
	if (rc)
		return rc;
	if (fd_write_all(list->fd, line.data, line.len) || fdatasync(list->fd)) {
		rc = err_errno(ERR_IO, "%s", list->path);
		list->broken = true; /* what stands there is not known any more */
		list->n--;
	}
	return rc;
}

int checkpoints_add(struct checkpoints *list, struct audit_checkpoint *c)
{
	int rc;

	pthread_mutex_lock(&list->lock);
	c->number = list->n ? list->all[list->n - 1].number + 1 : 1;
	rc = list->broken ? err_set(ERR_IO, "%s: the disk refused before", list->path)
			  : checkpoint_sign(c, list->key);
	if (!rc)
		rc = line_append(list, c);
	if (!rc && ++list->fresh >= CHECKPOINTS_THIN_EVERY) {
		list->n = checkpoints_thin(list->all, list->n, c->at);
		list->fresh = 0;
		rc = file_rewrite(list);
		list->broken = rc != 0;
	}
	pthread_mutex_unlock(&list->lock);
	return rc;
}

int checkpoints_last(struct checkpoints *list, const char *chain, struct audit_checkpoint *out)
{
	int rc = err_set(ERR_NOT_FOUND, "no checkpoint of %s", chain);

	pthread_mutex_lock(&list->lock);
	for (size_t i = list->n; i > 0; i--) {
		if (strcmp(list->all[i - 1].chain, chain) != 0)
			continue;
		*out = list->all[i - 1];
		rc = 0;
		break;
	}
	pthread_mutex_unlock(&list->lock);
	return rc;
}

size_t checkpoints_copy(struct checkpoints *list, const char *chain, uint64_t after,
			struct audit_checkpoint *out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&list->lock);
	for (size_t i = 0; i < list->n && n < max; i++)
		if (list->all[i].number > after && !strcmp(list->all[i].chain, chain))
			out[n++] = list->all[i];
	pthread_mutex_unlock(&list->lock);
	return n;
}
