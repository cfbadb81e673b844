/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the meters of wrong tries. Never a clock, a lock or a name. */
#include "sql/credd/throttle.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define PAIRS_KNOWN 16 /* per pump: users who logged in there; a ward's shift */
#define PAIRS_OTHER 16
#define PAIRS (PAIRS_KNOWN + PAIRS_OTHER)
#define TELL_EVERY_MS 60000

struct meter_rule {
	uint32_t free; /* charges without delay */
	int64_t base_ms;
	int64_t max_ms;
	int64_t fade_ms; /* one charge less each */
};
static const struct meter_rule pair_rule = {4, 1000, 60000, 600000};
static const struct meter_rule pump_rule = {20, 1000, 30000, 10000};
static const struct meter_rule source_rule = {200, 500, 10000, 200};

struct meter {
	uint32_t charges;
	int64_t at_ms;	  /* when charges last faded */
	int64_t until_ms; /* not before */
};

struct pair {
	uint64_t user; /* 0: the place is free */
	struct meter meter;
};

struct place {
	TAILQ_ENTRY(place) age; /* quietest first */
	LIST_ENTRY(place) chain;
	uint64_t key;
	struct meter meter;
	unsigned in_flight;
	int64_t told_ms;
	struct pair *pairs; /* PAIRS of a pump; the known ones first; NULL of a source */
};
TAILQ_HEAD(places, place);
LIST_HEAD(chain, place);

struct table {
	struct place *all;
	struct pair *pairs; /* of all of them; NULL: sources */
	struct chain *chains;
	size_t n_chains;
	struct places ages;
};

struct throttle {
	struct table pumps;
	struct table sources;
};

static int table_init(struct table *t, size_t max, bool with_pairs)
{
	TAILQ_INIT(&t->ages);
	t->n_chains = max;
	t->all = calloc(max, sizeof(*t->all));
	t->chains = calloc(max, sizeof(*t->chains));
	t->pairs = with_pairs ? calloc(max, PAIRS * sizeof(*t->pairs)) : NULL;
	if (!t->all || !t->chains || (with_pairs && !t->pairs))
		return err_set(ERR_NOMEM, "no memory for meters");
	for (size_t i = 0; i < max; i++) {
		struct place *p = &t->all[i];

		p->pairs = with_pairs ? &t->pairs[i * PAIRS] : NULL;
		p->key = i; /* any: found in a chain, used by nobody */
		LIST_INSERT_HEAD(&t->chains[i % max], p, chain);
		TAILQ_INSERT_TAIL(&t->ages, p, age);
	}
	return 0;
}

static void table_done(struct table *t)
{
	free(t->all);
	free(t->chains);
	free(t->pairs);
}

int throttle_new(size_t max_pumps, size_t max_sources, struct throttle **out)
{
	struct throttle *t = calloc(1, sizeof(*t));
	int rc = t ? 0 : err_set(ERR_NOMEM, "no memory for meters");

	if (!rc)
		rc = table_init(&t->pumps, max_pumps, true);
	if (!rc)
		rc = table_init(&t->sources, max_sources, false);
	if (rc) {
		throttle_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

void throttle_free(struct throttle *t)
{
	if (!t)
		return;
	table_done(&t->pumps);
	table_done(&t->sources);
	free(t);
}

static struct place *place_find(struct table *t, uint64_t key)
{
	struct place *p;

	LIST_FOREACH (p, &t->chains[key % t->n_chains], chain)
		if (p->key == key)
			return p;
	return NULL;
}

/* The place of this key; the quietest one's when there was none. Never one that is being worked
 * for: NULL when there are no others. */
static struct place *place_get(struct table *t, uint64_t key)
{
	struct place *p = place_find(t, key);

	if (!p) {
		TAILQ_FOREACH (p, &t->ages, age)
			if (p->in_flight == 0)
				break;
		if (!p)
			return NULL;
		LIST_REMOVE(p, chain);
		p->key = key;
		p->meter = (struct meter){0};
		p->told_ms = 0;
		if (p->pairs)
			memset(p->pairs, 0, PAIRS * sizeof(*p->pairs));
		LIST_INSERT_HEAD(&t->chains[key % t->n_chains], p, chain);
	}
	TAILQ_REMOVE(&t->ages, p, age);
	TAILQ_INSERT_TAIL(&t->ages, p, age);
	return p;
}

static void meter_fade(struct meter *m, const struct meter_rule *rule, int64_t now_ms)
{
	int64_t less = (now_ms - m->at_ms) / rule->fade_ms;

	if (m->charges == 0 || less >= (int64_t)m->charges) {
		m->charges = 0;
		m->at_ms = now_ms;
		return;
	}
	m->charges -= (uint32_t)less;
	m->at_ms += less * rule->fade_ms;
}

static int64_t meter_wait(const struct meter *m, int64_t now_ms)
{
	return m->until_ms > now_ms ? m->until_ms - now_ms : 0;
}

static void meter_charge(struct meter *m, const struct meter_rule *rule, int64_t now_ms)
{
	uint32_t over;
	int64_t delay;

	meter_fade(m, rule, now_ms);
	if (m->charges < UINT32_MAX)
		m->charges++;
	if (m->charges <= rule->free)
		return;
	over = m->charges - rule->free - 1;
	delay = over < 16 ? rule->base_ms << over : rule->max_ms;
	m->until_ms = now_ms + (delay < rule->max_ms ? delay : rule->max_ms);
}

/* A try that is given back takes its delay along, if it is what made it. */
static void meter_give_back(struct meter *m, const struct meter_rule *rule)
{
	if (m->charges > 0)
		m->charges--;
	if (m->charges <= rule->free)
		m->until_ms = 0;
}

static struct pair *pair_find(struct place *pump, uint64_t user)
{
	for (int i = 0; i < PAIRS; i++)
		if (pump->pairs[i].user == user)
			return &pump->pairs[i];
	return NULL;
}

/* The place among n that is free, or was quiet longest and makes nobody wait if there is such a
 * one. */
static struct pair *pair_oldest(struct pair *pairs, int n, int64_t now_ms)
{
	struct pair *best = NULL;

	for (int i = 0; i < n; i++) {
		struct pair *p = &pairs[i];
		bool waits, best_waits;

		if (p->user == 0)
			return p;
		waits = p->meter.until_ms > now_ms;
		best_waits = best && best->meter.until_ms > now_ms;
		if (!best || (best_waits && !waits) ||
		    (best_waits == waits && p->meter.at_ms < best->meter.at_ms))
			best = p;
	}
	return best;
}

static struct pair *pair_get(struct place *pump, uint64_t user, int64_t now_ms)
{
	struct pair *p = pair_find(pump, user);

	if (p)
		return p;
	p = pair_oldest(pump->pairs + PAIRS_KNOWN, PAIRS_OTHER, now_ms);
	*p = (struct pair){.user = user, .meter = {.at_ms = now_ms}};
	return p;
}

static bool pair_is_known(const struct place *pump, const struct pair *p)
{
	return p && p - pump->pairs < PAIRS_KNOWN;
}

static uint64_t user_key(const struct throttle_who *who)
{
	return who->user ? who->user : 1;
}

enum throttle_verdict throttle_begin(struct throttle *t, const struct throttle_who *who,
				     int64_t now_ms, int64_t *wait_ms, bool *tell)
{
	struct place *pump = place_get(&t->pumps, who->pump);
	struct place *source = place_get(&t->sources, who->source);
	struct pair *pair;
	int64_t wait = 0;

	*tell = false;
	*wait_ms = 0;
	if (!pump || !source || pump->in_flight >= THROTTLE_PUMP_IN_FLIGHT)
		return THROTTLE_BUSY;
	pair = pair_find(pump, user_key(who));
	if (pair)
		wait = meter_wait(&pair->meter, now_ms);
	if (!pair_is_known(pump, pair)) {
		int64_t pump_wait = meter_wait(&pump->meter, now_ms);
		int64_t source_wait = meter_wait(&source->meter, now_ms);

		wait = wait > pump_wait ? wait : pump_wait;
		wait = wait > source_wait ? wait : source_wait;
	}
	if (wait > 0) {
		*wait_ms = wait;
		*tell = pump->told_ms == 0 || now_ms - pump->told_ms >= TELL_EVERY_MS;
		if (*tell)
			pump->told_ms = now_ms;
		return THROTTLE_WAIT;
	}
	pair = pair_get(pump, user_key(who), now_ms);
	meter_charge(&pair->meter, &pair_rule, now_ms);
	meter_charge(&pump->meter, &pump_rule, now_ms);
	meter_charge(&source->meter, &source_rule, now_ms);
	pump->in_flight++;
	source->in_flight++;
	return THROTTLE_GO;
}

static void pair_becomes_known(struct place *pump, struct pair *p, int64_t now_ms)
{
	struct pair *known;

	if (pair_is_known(pump, p))
		known = p;
	else
		known = pair_oldest(pump->pairs, PAIRS_KNOWN, now_ms);
	if (known != p) {
		known->user = p->user;
		*p = (struct pair){0};
	}
	known->meter = (struct meter){.at_ms = now_ms};
}

void throttle_end(struct throttle *t, const struct throttle_who *who, enum throttle_end how,
		  int64_t now_ms)
{
	/* what is in flight is not forgotten */
	struct place *pump = place_find(&t->pumps, who->pump);
	struct place *source = place_find(&t->sources, who->source);
	struct pair *pair;

	if (!pump || !source || pump->in_flight == 0 || source->in_flight == 0)
		return;
	pump->in_flight--;
	source->in_flight--;
	if (how == THROTTLE_FAILED)
		return;
	meter_give_back(&pump->meter, &pump_rule);
	meter_give_back(&source->meter, &source_rule);
	pair = how == THROTTLE_SUCCEEDED ? pair_get(pump, user_key(who), now_ms)
					 : pair_find(pump, user_key(who));
	if (pair && how == THROTTLE_SUCCEEDED)
		pair_becomes_known(pump, pair, now_ms);
	else if (pair)
		meter_give_back(&pair->meter, &pair_rule);
}

unsigned throttle_unlock(struct throttle *t, uint64_t user, int64_t now_ms)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->pumps.n_chains; i++) {
		struct pair *p = pair_find(&t->pumps.all[i], user ? user : 1);

		if (!p)
			continue;
		n += p->meter.until_ms > now_ms;
		p->meter = (struct meter){.at_ms = now_ms};
	}
	return n;
}
