/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the files of the signer's lists. Never rewrites or removes a whole line. */
#include "ca/issued_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/issued_line.h"
#include "ca/serial_index.h"

#define REVOKED_CHAIN_START 'R'

struct issued_log {
	char *path;
	int fd;
	pthread_mutex_t lock; /* everything below */
	uint64_t size;	      /* bytes of whole lines */
	uint64_t count;
	uint8_t chain[ISSUED_CHAIN_BYTES];
	struct serial_index index;
	uint64_t *places; /* where each line begins, by number */
	uint64_t n_places_max;
	bool broken; /* the disk refused: nothing is certain until the file is read again */
	pthread_mutex_t sync_lock; /* taken without `lock` held; so several lines share one sync */
	uint64_t synced;
};

void issued_log_close(struct issued_log *log)
{
	if (!log)
		return;
	if (log->fd >= 0)
		close(log->fd);
	serial_index_done(&log->index);
	free(log->places);
	pthread_mutex_destroy(&log->lock);
	pthread_mutex_destroy(&log->sync_lock);
	free(log->path);
	free(log);
}

static inline void issued_log_auto_close(struct issued_log **log)
{
	issued_log_close(*log);
}

static int place_reserve(struct issued_log *log)
{
	uint64_t max = log->n_places_max ? log->n_places_max * 2 : 1024;
	uint64_t *bigger;

	if (log->count < log->n_places_max)
		return 0;
	bigger = realloc(log->places, max * sizeof(*bigger));
	if (!bigger)
		return err_set(ERR_NOMEM, "no memory for %s", log->path);
	log->places = bigger;
	log->n_places_max = max;
	return 0;
}

/* Checks every line of `text` and fills the index. */
static int lines_check(struct issued_log *log, const char *text, size_t len)
{
	const char *end;

	while ((end = memchr(text + log->size, '\n', len - log->size))) {
		const char *line = text + log->size;
		char serial[33];
		int rc = issued_line_check(line, (size_t)(end - line), log->count + 1, log->chain,
					   serial);

		if (!rc)
			rc = serial_index_add(&log->index, serial, log->size);
		if (!rc)
			rc = place_reserve(log);
		if (rc)
			return err_add(rc, "%s: line %llu", log->path,
				       (unsigned long long)log->count + 1);
		log->places[log->count++] = log->size;
		log->size = (uint64_t)(end + 1 - text);
	}
	return 0;
}

static int file_check(struct issued_log *log, size_t *torn_bytes_out)
{
	struct stat st;
	char *text;
	int rc;

	if (fstat(log->fd, &st))
		return err_errno(ERR_IO, "%s", log->path);
	if (st.st_size == 0)
		return 0;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, log->fd, 0);
	if (text == MAP_FAILED)
		return err_errno(ERR_IO, "%s", log->path);
	rc = lines_check(log, text, (size_t)st.st_size);
	munmap(text, (size_t)st.st_size);
	*torn_bytes_out = (size_t)st.st_size - log->size;
	if (rc || *torn_bytes_out == 0)
		return rc;
	if (ftruncate(log->fd, (off_t)log->size) || fsync(log->fd))
		return err_errno(ERR_IO, "%s: cutting off an incomplete last line", log->path);
	return 0;
}

/* A new file's name must be on the disk before its first line counts. */
static int folder_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	int fd = folder ? open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int rc = fd < 0 || fsync(fd) ? err_errno(ERR_IO, "%s", path) : 0;

	if (fd >= 0)
		close(fd);
	free(folder);
	return rc;
}

static int list_open(const char *path, uint8_t chain_start, struct issued_log **out,
		     size_t *torn_bytes_out)
{
	__attribute__((cleanup(issued_log_auto_close))) struct issued_log *log =
		calloc(1, sizeof(*log));
	size_t torn = 0;
	int rc;

	if (!log)
		return err_set(ERR_NOMEM, "no memory for %s", path);
	log->fd = -1;
	memset(log->chain, chain_start, sizeof(log->chain));
	pthread_mutex_init(&log->lock, NULL);
	pthread_mutex_init(&log->sync_lock, NULL);
	if (!(log->path = strdup(path)))
		return err_set(ERR_NOMEM, "no memory for %s", path);
	log->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (log->fd < 0)
		return err_errno(ERR_IO, "%s", path);
	if (flock(log->fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK
			       ? err_set(ERR_BUSY, "%s: another pumpgate-signerd is using it", path)
			       : err_errno(ERR_IO, "%s", path);
	if ((rc = folder_sync(path)) || (rc = file_check(log, &torn)))
		return rc;
	log->synced = log->size;
	*torn_bytes_out = torn;
	*out = log;
	log = NULL;
	return 0;
}

int issued_log_open(const char *path, struct issued_log **out, size_t *torn_bytes_out)
{
	return list_open(path, 0, out, torn_bytes_out);
}

int revoked_log_open(const char *path, struct issued_log **out, size_t *torn_bytes_out)
{
	return list_open(path, REVOKED_CHAIN_START, out, torn_bytes_out);
}

/* Under the lock. On failure the file is as before, or the list is broken. */
static int line_write(struct issued_log *log, const struct buf *line)
{
	size_t done = 0;
	int rc;

	while (done < line->len) {
		ssize_t n = write(log->fd, line->data + done, line->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = err_errno(ERR_IO, "%s", log->path);
			if (ftruncate(log->fd, (off_t)log->size))
				log->broken = true;
			return rc;
		}
		done += (size_t)n;
	}
	return 0;
}

static int list_is_broken(const struct issued_log *log)
{
	return err_set(ERR_IO, "%s: the disk failed before; restart pumpgate-signerd", log->path);
}

/* Under the lock: the built line, whose chain is `chain`. */
static int line_add(struct issued_log *log, const struct buf *line, const char *serial,
		    const uint8_t chain[ISSUED_CHAIN_BYTES])
{
	int rc = serial_index_reserve(&log->index);

	if (rc || (rc = place_reserve(log)) || (rc = line_write(log, line)))
		return rc;
	rc = serial_index_add(&log->index, serial, log->size);
	memcpy(log->chain, chain, sizeof(log->chain));
	log->places[log->count++] = log->size;
	log->size += line->len;
	return rc;
}

/* Under the lock. */
static int line_append(struct issued_log *log, const struct issued_entry *entry)
{
	AUTO_BUF line = {.max = ISSUED_LINE_MAX};
	uint8_t chain[ISSUED_CHAIN_BYTES];
	int rc;

	if (log->broken)
		return list_is_broken(log);
	if (serial_index_has(&log->index, entry->serial))
		return err_set(ERR_EXISTS, "serial %s was issued before", entry->serial);
	memcpy(chain, log->chain, sizeof(chain));
	rc = issued_line_build(entry, log->count + 1, chain, &line);
	return rc ? rc : line_add(log, &line, entry->serial, chain);
}

/* Under the lock. */
static int revoked_append(struct issued_log *log, const struct list_place *entry)
{
	AUTO_BUF line = {.max = ISSUED_LINE_MAX};
	uint8_t chain[ISSUED_CHAIN_BYTES], bytes[16];
	size_t n;
	int rc;

	if (log->broken)
		return list_is_broken(log);
	if (hex_decode(entry->serial, sizeof(bytes), bytes, &n) || n == 0)
		return err_set(ERR_INVALID, "\"%s\" is no serial", entry->serial);
	if (serial_index_has(&log->index, entry->serial))
		return 0;
	memcpy(chain, log->chain, sizeof(chain));
	rc = revoked_line_build(entry, log->count + 1, chain, &line);
	return rc ? rc : line_add(log, &line, entry->serial, chain);
}

/* The kernel tells of a failed write once: after that the next sync says that all is well. So
 * whoever waited for the one that failed must not ask again. */
static int sync_up_to(struct issued_log *log, uint64_t end)
{
	uint64_t size;
	bool broken;
	int rc = 0;

	pthread_mutex_lock(&log->sync_lock);
	if (log->synced < end) {
		pthread_mutex_lock(&log->lock);
		size = log->size;
		broken = log->broken;
		pthread_mutex_unlock(&log->lock);
		if (broken) {
			rc = list_is_broken(log);
		} else if (fdatasync(log->fd)) {
			rc = err_errno(ERR_IO, "%s", log->path);
			pthread_mutex_lock(&log->lock);
			log->broken = true; /* what the kernel kept of it is unknown from now on */
			pthread_mutex_unlock(&log->lock);
		} else {
			log->synced = size;
		}
	}
	pthread_mutex_unlock(&log->sync_lock);
	return rc;
}

int issued_log_append(struct issued_log *log, const struct issued_entry *entry)
{
	uint64_t end;
	int rc;

	pthread_mutex_lock(&log->lock);
	rc = line_append(log, entry);
	end = log->size;
	pthread_mutex_unlock(&log->lock);
	return rc ? rc : sync_up_to(log, end);
}

int revoked_log_append(struct issued_log *log, const struct list_place *entries, size_t n)
{
	uint64_t end;
	int rc = 0;

	pthread_mutex_lock(&log->lock);
	for (size_t i = 0; !rc && i < n; i++)
		rc = revoked_append(log, &entries[i]);
	end = log->size;
	pthread_mutex_unlock(&log->lock);
	return rc ? rc : sync_up_to(log, end);
}

int issued_log_at(struct issued_log *log, uint64_t seq, struct list_place *out)
{
	char line[512];
	uint64_t at = 0;
	ssize_t n;
	bool found;

	pthread_mutex_lock(&log->lock);
	found = seq > 0 && seq <= log->count;
	if (found)
		at = log->places[seq - 1];
	pthread_mutex_unlock(&log->lock);
	if (!found)
		return err_set(ERR_NOT_FOUND, "%s has no entry %llu", log->path,
			       (unsigned long long)seq);
	n = pread(log->fd, line, sizeof(line), (off_t)at);
	if (n < 0)
		return err_errno(ERR_IO, "%s", log->path);
	return list_line_place(line, (size_t)n, out);
}

static int line_read(struct issued_log *log, uint64_t at, struct buf *store,
		     struct issued_entry *out)
{
	char line[ISSUED_LINE_MAX];
	ssize_t n = pread(log->fd, line, sizeof(line), (off_t)at);
	const char *end = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;

	if (n < 0)
		return err_errno(ERR_IO, "%s", log->path);
	if (!end)
		return err_set(ERR_CORRUPT, "%s: no line where one was", log->path);
	return issued_line_parse(line, (size_t)(end - line), store, out);
}

int issued_log_find(struct issued_log *log, const char *serial, struct buf *store,
		    struct issued_entry *out)
{
	struct issued_entry e;
	uint64_t at;
	bool found;
	int rc;

	pthread_mutex_lock(&log->lock);
	found = serial_index_get(&log->index, serial, &at);
	pthread_mutex_unlock(&log->lock);
	if (!found)
		return err_set(ERR_NOT_FOUND, "serial %s was not issued here", serial);
	rc = sync_up_to(log,
			at + 1); /* lines go to the disk whole; this one may still be on its way */
	if (!rc)
		rc = line_read(log, at, store, &e);
	if (rc)
		return rc;
	if (strcmp(e.serial, serial))
		return err_set(ERR_CORRUPT, "%s: another serial where %s was", log->path, serial);
	*out = e;
	return 0;
}

bool issued_log_has(struct issued_log *log, const char *serial)
{
	bool found;

	pthread_mutex_lock(&log->lock);
	found = serial_index_has(&log->index, serial);
	pthread_mutex_unlock(&log->lock);
	return found;
}

uint64_t issued_log_count(struct issued_log *log)
{
	uint64_t n;

	pthread_mutex_lock(&log->lock);
	n = log->count;
	pthread_mutex_unlock(&log->lock);
	return n;
}
