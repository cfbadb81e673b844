/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the count of refusals in a row, in a table of fixed size: two stations that meet in one slot
 * make each other forget, which costs nobody more than the usual second.
 */
#include "radius_modules/rlm_pump/reject_pace.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 8192 /* a power of two */
#define MEMORY_US (600LL * 1000000)
#define TIMES_FREE 3 /* that cost the usual second only */

struct slot {
	char mac[MAC_SIZE];
	uint32_t times;
	int64_t at_us;
};

struct reject_pace {
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
};

int reject_pace_new(struct reject_pace **out)
{
	struct reject_pace *p = calloc(1, sizeof(*p));

	if (!p)
		return err_set(ERR_NOMEM, "no memory for the pace of rejects");
	pthread_mutex_init(&p->lock, NULL);
	*out = p;
	return 0;
}

void reject_pace_free(struct reject_pace *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct slot *slot_of(struct reject_pace *p, const char *mac)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (; *mac; mac++)
		hash = (hash ^ (uint8_t)*mac) * 16777619U;
	return &p->slots[(hash ^ hash >> 16) & (SLOTS - 1)];
}

static uint32_t delay_s(uint32_t times)
{
	if (times <= TIMES_FREE)
		return 1;
	return times - TIMES_FREE < REJECT_PACE_MAX_S ? 1 + times - TIMES_FREE : REJECT_PACE_MAX_S;
}

uint32_t reject_pace_refused(struct reject_pace *p, const char *mac, int64_t now_us,
			     uint32_t *times_out)
{
	struct slot *s;

	*times_out = 1;
	if (!*mac)
		return delay_s(1);
	pthread_mutex_lock(&p->lock);
	s = slot_of(p, mac);
	if (strcmp(s->mac, mac) != 0 || now_us - s->at_us > MEMORY_US) {
		memset(s, 0, sizeof(*s));
		memcpy(s->mac, mac, strnlen(mac, sizeof(s->mac) - 1));
	}
	s->times += s->times < UINT32_MAX;
	s->at_us = now_us;
	*times_out = s->times;
	pthread_mutex_unlock(&p->lock);
	return delay_s(*times_out);
}

void reject_pace_accepted(struct reject_pace *p, const char *mac)
{
	struct slot *s;

	pthread_mutex_lock(&p->lock);
	s = slot_of(p, mac);
	if (!strcmp(s->mac, mac))
		memset(s, 0, sizeof(*s));
	pthread_mutex_unlock(&p->lock);
}
