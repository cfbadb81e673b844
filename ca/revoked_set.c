/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the revoked certificates in memory. Never forgets one. */
#include "ca/revoked_set.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ca/serial_index.h"

struct revoked_set {
	pthread_mutex_t lock;
	struct revoked_entry *entries;
	size_t n, max;
	struct serial_index index; /* serial -> place in entries */
};

int revoked_set_new(struct revoked_set **out)
{
	struct revoked_set *set = calloc(1, sizeof(*set));

	if (!set)
		return err_set(ERR_NOMEM, "no memory for revoked serials");
	pthread_mutex_init(&set->lock, NULL);
	*out = set;
	return 0;
}

void revoked_set_free(struct revoked_set *set)
{
	if (!set)
		return;
	serial_index_done(&set->index);
	free(set->entries);
	pthread_mutex_destroy(&set->lock);
	free(set);
}

static int room_make(struct revoked_set *set)
{
	size_t max = set->max ? set->max * 2 : 256;
	struct revoked_entry *bigger;

	if (set->n < set->max)
		return 0;
	bigger = realloc(set->entries, max * sizeof(*bigger));
	if (!bigger)
		return err_set(ERR_NOMEM, "no memory for revoked serials");
	set->entries = bigger;
	set->max = max;
	return 0;
}

int revoked_set_add(struct revoked_set *set, const struct revoked_entry *entry)
{
	int rc = 0;

	pthread_mutex_lock(&set->lock);
	if (!serial_index_has(&set->index, entry->serial)) {
		rc = room_make(set);
		if (!rc)
			rc = serial_index_add(&set->index, entry->serial, set->n);
		if (!rc)
			set->entries[set->n++] = *entry;
	}
	pthread_mutex_unlock(&set->lock);
	return rc;
}

bool revoked_entry_is_of(const struct revoked_entry *e, uint32_t ca)
{
	return !e->ca || !ca || e->ca == ca;
}

bool revoked_set_get(struct revoked_set *set, const char *serial, struct revoked_entry *out)
{
	uint64_t at;
	bool found;

	pthread_mutex_lock(&set->lock);
	found = serial_index_get(&set->index, serial, &at);
	if (found)
		*out = set->entries[at];
	pthread_mutex_unlock(&set->lock);
	return found;
}

size_t revoked_set_count(struct revoked_set *set)
{
	size_t n;

	pthread_mutex_lock(&set->lock);
	n = set->n;
	pthread_mutex_unlock(&set->lock);
	return n;
}

int revoked_set_copy(struct revoked_set *set, struct revoked_entry **out, size_t *n_out)
{
	struct revoked_entry *copy = NULL;
	size_t n;

	pthread_mutex_lock(&set->lock);
	n = set->n;
	if (n && (copy = malloc(n * sizeof(*copy))))
		memcpy(copy, set->entries, n * sizeof(*copy));
	pthread_mutex_unlock(&set->lock);
	if (n && !copy)
		return err_set(ERR_NOMEM, "no memory for a copy of the revoked serials");
	*out = copy;
	*n_out = n;
	return 0;
}
