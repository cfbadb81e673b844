/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the one-second memory of NAS standings. */
#include "radius_modules/rlm_pump/nas_standing.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sql/proto/registry_records.h"

#define SLOTS 4096

struct slot {
	char ip[IP_SIZE];
	bool good;
	int64_t at_us;
};

struct nas_standing {
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
};

int nas_standing_new(struct nas_standing **out)
{
	struct nas_standing *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(ERR_NOMEM, "no memory for NAS standings");
	pthread_mutex_init(&s->lock, NULL);
	*out = s;
	return 0;
}

void nas_standing_free(struct nas_standing *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct slot *slot_of(struct nas_standing *s, const char *ip)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (const char *p = ip; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619U;
	return &s->slots[(h ^ h >> 15) % SLOTS];
}

bool nas_standing_get(struct nas_standing *s, const char *ip, int64_t now_us, bool *good_out)
{
	struct slot *slot = slot_of(s, ip);
	bool fresh;

	pthread_mutex_lock(&s->lock);
	fresh = !strcmp(slot->ip, ip) && now_us - slot->at_us < NAS_STANDING_US;
	if (fresh)
		*good_out = slot->good;
	pthread_mutex_unlock(&s->lock);
	return fresh;
}

void nas_standing_put(struct nas_standing *s, const char *ip, int64_t now_us, bool good)
{
	struct slot *slot = slot_of(s, ip);

	pthread_mutex_lock(&s->lock);
	if (!str_copy(slot->ip, sizeof(slot->ip), ip)) {
		slot->good = good;
		slot->at_us = now_us;
	}
	pthread_mutex_unlock(&s->lock);
}
