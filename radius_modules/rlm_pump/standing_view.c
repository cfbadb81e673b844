/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the mapping of registryd's standings, which threads share and one of them replaces. */
#include "radius_modules/rlm_pump/standing_view.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/proto/standing_map.h"

struct standing_view {
	pthread_rwlock_t lock; /* held to look something up, and to put another mapping there */
	struct standing_map map;
	size_t size; /* 0: there is none */
	_Atomic int64_t next_us;
};

int standing_view_new(struct standing_view **out)
{
	struct standing_view *v = calloc(1, sizeof(*v));

	if (!v)
		return err_set(ERR_NOMEM, "no memory for standings");
	pthread_rwlock_init(&v->lock, NULL);
	*out = v;
	return 0;
}

void standing_view_free(struct standing_view *v)
{
	if (!v)
		return;
	if (v->size)
		munmap(v->map.memory, v->size);
	pthread_rwlock_destroy(&v->lock);
	free(v);
}

bool standing_view_find(struct standing_view *v, const struct cert_name *name,
			struct pump_facts *out)
{
	bool found;

	pthread_rwlock_rdlock(&v->lock);
	found = v->size && standing_map_find(&v->map, name, clock_mono_us, out);
	pthread_rwlock_unlock(&v->lock);
	return found;
}

static bool is_live(struct standing_view *v)
{
	bool live;

	pthread_rwlock_rdlock(&v->lock);
	live = v->size && standing_map_is_live(&v->map, clock_mono_us);
	pthread_rwlock_unlock(&v->lock);
	return live;
}

static int map_file(int fd, struct standing_map *map, size_t *size_out)
{
	struct stat st;
	void *memory;
	int rc;

	/* memory that can't shrink under us: a file could end this process by that */
	if ((fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK) == 0 || fstat(fd, &st))
		return err_set(ERR_INVALID, "no sealed memory");
	memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return err_errno(ERR_NOMEM, "mapping standings");
	rc = standing_map_attach(memory, (size_t)st.st_size, map);
	if (rc)
		munmap(memory, (size_t)st.st_size);
	else
		*size_out = (size_t)st.st_size;
	return rc;
}

static void replace(struct standing_view *v, const struct standing_map *map, size_t size)
{
	struct standing_map old;
	size_t old_size;

	pthread_rwlock_wrlock(&v->lock);
	old = v->map;
	old_size = v->size;
	v->map = *map;
	v->size = size;
	pthread_rwlock_unlock(&v->lock);
	if (old_size)
		munmap(old.memory, old_size);
}

void standing_view_renew(struct standing_view *v, struct ipc_client *c)
{
	int64_t next_us = atomic_load(&v->next_us), now_us = clock_mono_us();
	struct standing_map map;
	size_t size;
	int fd;

	if (now_us < next_us || is_live(v) ||
	    !atomic_compare_exchange_strong(&v->next_us, &next_us, now_us + VIEW_EVERY_US))
		return;
	if (registry_standings(c, &fd, VIEW_WAIT_MS))
		return;
	if (!map_file(fd, &map, &size))
		replace(v, &map, size);
	close(fd);
}
