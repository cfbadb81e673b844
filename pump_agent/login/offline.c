/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the rules for people and codes while the server is away. Never reads a clock, never keeps a
 * PIN or a code, never lets anybody in whose try was not counted before.
 */
#include "pump_agent/login/offline.h"

#include <string.h>

#include "base/secret.h"

#define GENERATION_LEAP (UINT64_C(1) << 32)

RECORD_DESCRIBE(offline_person, OFFLINE_PERSON_FIELDS)
RECORD_DESCRIBE(offline_code, OFFLINE_CODE_FIELDS)
RECORD_DESCRIBE(offline_head, OFFLINE_HEAD_FIELDS)

const char *offline_verdict_name(enum offline_verdict v)
{
	static const char *const names[] = {"unknown", "wrong",	       "clock-set-back",
					    "no-tpm",  "journal-full", "ok"};

	return (unsigned)v <= OFFLINE_OK ? names[v] : "?";
}

static void journal_new(struct offline *o)
{
	o->head.journal.len = LOGIN_JOURNAL_ID;
	secret_fill_random(o->head.journal.data, LOGIN_JOURNAL_ID);
	o->head.last_record = 0;
	for (uint32_t i = 0; i < o->head.n_records; i++)
		o->records[i].seq = ++o->head.last_record;
}

void offline_init(struct offline *o, const char *pump)
{
	memset(o, 0, sizeof(*o));
	if (str_copy(o->head.pump, sizeof(o->head.pump), pump))
		o->head.pump[0] = '\0'; /* then offline_check refuses it */
	journal_new(o);
}

int offline_check(const struct offline *o, const char *pump)
{
	const struct offline_head *h = &o->head;

	if (!*pump || strcmp(h->pump, pump))
		return err_set(ERR_CORRUPT, "the offline store is another pump's");
	if (h->n_people > OFFLINE_PEOPLE_MAX || h->n_codes > BREAK_GLASS_PER_PUMP ||
	    h->n_records > OFFLINE_RECORDS_MAX || h->journal.len != LOGIN_JOURNAL_ID)
		return err_set(ERR_CORRUPT, "the offline store contradicts itself");
	for (uint32_t i = 0; i < h->n_people; i++)
		if (o->people[i].salt.len != PIN_SALT_BYTES ||
		    o->people[i].hash.len != PIN_HASH_BYTES)
			return err_set(ERR_CORRUPT, "the offline store has an odd entry");
	for (uint32_t i = 0; i < h->n_codes; i++)
		if (o->codes[i].salt.len != BREAK_GLASS_SALT ||
		    o->codes[i].hash.len != BREAK_GLASS_HASH)
			return err_set(ERR_CORRUPT, "the offline store has an odd code");
	return 0;
}

/* ---- records ---- */

static bool has_room(const struct offline *o, uint32_t spare)
{
	return o->head.n_records < OFFLINE_RECORDS_MAX - spare;
}

bool offline_note(struct offline *o, const struct age_now *now, const struct login_record *r)
{
	struct login_record *new_record = &o->records[o->head.n_records];

	if (!has_room(o, 0))
		return false;
	*new_record = *r;
	new_record->seq = ++o->head.last_record;
	new_record->at = now->wall_ms;
	new_record->clock_unsure = o->age.is_set_back;
	o->head.n_records++;
	return true;
}

/* `what` and so on are constants of ours and fit. */
static void word_put(char *out, size_t size, const char *word)
{
	if (str_copy(out, size, word))
		out[0] = '\0';
}

static struct login_record record_of(const char *what, const char *user, const char *method,
				     const char *result)
{
	struct login_record r = {0};

	word_put(r.what, sizeof(r.what), what);
	word_put(r.user, sizeof(r.user), user);
	word_put(r.method, sizeof(r.method), method);
	word_put(r.result, sizeof(r.result), result);
	return r;
}

/* Up to number `stored` of our journal the server has them. */
static bool records_forget(struct offline *o, uint64_t stored)
{
	uint32_t n = 0;

	while (n < o->head.n_records && o->records[n].seq <= stored)
		n++;
	o->head.n_records -= n;
	memmove(o->records, o->records + n, o->head.n_records * sizeof(o->records[0]));
	return n > 0;
}

/* ---- people ---- */

static void person_drop(struct offline *o, uint32_t i)
{
	o->head.n_people--;
	memmove(o->people + i, o->people + i + 1, (o->head.n_people - i) * sizeof(o->people[0]));
	secret_wipe(&o->people[o->head.n_people], sizeof(o->people[0]));
}

static bool people_drop_all(struct offline *o)
{
	bool some = o->head.n_people > 0;

	secret_wipe(o->people, sizeof(o->people));
	o->head.n_people = 0;
	return some;
}

static bool is_alive(const struct offline *o, const struct offline_person *p)
{
	return p->epoch == o->head.epoch && p->failures < p->failures_max &&
	       o->age.age_ms - p->since_age_ms < (uint64_t)p->life_s * 1000;
}

bool offline_drop_user(struct offline *o, const char *user)
{
	bool some = false;

	for (uint32_t i = o->head.n_people; i-- > 0;) {
		if (strcmp(o->people[i].user, user))
			continue;
		person_drop(o, i);
		some = true;
	}
	return some;
}

static bool is_key_of(const struct offline_key *k, const struct offline_person *p)
{
	return *k->name && p->is_password == k->is_password && !strcmp(p->name, k->name);
}

static struct offline_person *person_of(struct offline *o, const struct offline_key *k)
{
	for (uint32_t i = 0; i < o->head.n_people; i++)
		if (is_key_of(k, &o->people[i]))
			return &o->people[i];
	return NULL;
}

const struct offline_person *offline_find(const struct offline *o, const struct offline_key *k)
{
	for (uint32_t i = 0; i < o->head.n_people; i++)
		if (is_key_of(k, &o->people[i]) && is_alive(o, &o->people[i]))
			return &o->people[i];
	return NULL;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What was there of the user by this kind of key, and who had this one before. */
static void key_drop(struct offline *o, const struct offline_key *k, const char *user)
{
	for (uint32_t i = o->head.n_people; i-- > 0;) {
		const struct offline_person *p = &o->people[i];

		if (is_key_of(k, p) || (p->is_password == k->is_password && !strcmp(p->user, user)))
			person_drop(o, i);
	}
}

static bool is_to_be_kept(const struct offline_key *k, const struct login_grant *g,
			  const struct offline_verifier *v)
{
	if (!v || !g->offline || !*k->name || !*g->role)
		return false;
	return k->is_password ? v->is_of_tpm : !g->directory;
}

void offline_grant(struct offline *o, const struct offline_key *k, const struct login_grant *g,
		   const struct offline_verifier *v)
{
	uint32_t room = least(g->offline_people, OFFLINE_PEOPLE_MAX);
	struct offline_person p = {
		.salt.len = PIN_SALT_BYTES,
		.hash.len = PIN_HASH_BYTES,
		.epoch = o->head.epoch,
		.since_age_ms = o->age.age_ms,
		.life_s = least(g->offline_s, OFFLINE_LIFE_MAX_S),
		.session_s = g->session_s,
		.idle_s = g->idle_s,
		.failures_max = least(g->offline_failures, OFFLINE_FAILURES_MAX),
		.is_password = k->is_password,
	};

	key_drop(o, k, g->user);
	if (!g->offline)
		offline_drop_user(o, g->user);
	if (!is_to_be_kept(k, g, v) || !room || !p.life_s || !p.failures_max ||
	    str_copy(p.name, sizeof(p.name), k->name))
		return;
	memcpy(p.user, g->user, sizeof(p.user));
	memcpy(p.display, g->display, sizeof(p.display));
	memcpy(p.role, g->role, sizeof(p.role));
	memcpy(p.salt.data, v->salt, PIN_SALT_BYTES);
	memcpy(p.hash.data, v->hash, PIN_HASH_BYTES);
	while (o->head.n_people >= room)
		person_drop(o, 0);
	o->people[o->head.n_people++] = p;
	secret_wipe(&p, sizeof(p));
}

/* The time by the pump's clocks, and what becomes of that. */
static bool time_step(struct offline *o, const struct age_now *now)
{
	struct login_record r;

	if (!age_step(&o->age, now))
		return false;
	r = record_of("clock-set-back", "", "", "noticed");
	(void)offline_note(o, now, &r); /* full: the doubt itself is kept */
	return true;
}

enum offline_verdict offline_try(struct offline *o, const struct age_now *now,
				 const struct offline_key *k, struct offline_person *out)
{
	struct offline_person *p;

	time_step(o, now);
	p = person_of(o, k);
	if (!p || !is_alive(o, p))
		return OFFLINE_UNKNOWN;
	if (o->age.is_set_back)
		return OFFLINE_CLOCK;
	if (!has_room(o, OFFLINE_RECORDS_SPARE))
		return OFFLINE_FULL;
	p->failures++;
	*out = *p;
	return OFFLINE_OK;
}

enum offline_verdict offline_judge(struct offline *o, const struct age_now *now,
				   const struct offline_key *k, const uint8_t hash[PIN_HASH_BYTES])
{
	struct offline_person *p = person_of(o, k);
	const char *method = k->is_password ? "password" : "pin";
	struct login_record r;

	if (!p)
		return OFFLINE_UNKNOWN;
	if (secret_equal(p->hash.data, p->hash.len, hash, PIN_HASH_BYTES)) {
		p->failures = 0;
		r = record_of("login", p->user, method, "ok");
		memcpy(r.role, p->role, sizeof(r.role));
		return offline_note(o, now, &r) ? OFFLINE_OK : OFFLINE_FULL;
	}
	if (p->failures < p->failures_max)
		return OFFLINE_WRONG;
	r = record_of("refused", p->user, method, "too-many");
	(void)offline_note(o, now, &r);
	person_drop(o, (uint32_t)(p - o->people));
	return OFFLINE_WRONG;
}

/* ---- break-glass ---- */

bool offline_code_is_good(const struct offline *o, const struct age_now *now, size_t i)
{
	int64_t latest = now->wall_ms > o->age.wall_ms ? now->wall_ms : o->age.wall_ms;

	return i < o->head.n_codes && !o->codes[i].is_used && o->codes[i].not_after > latest;
}

enum offline_verdict offline_code_use(struct offline *o, const struct age_now *now, size_t i)
{
	struct login_record r = record_of("break-glass", BREAK_GLASS_USER, "code", "ok");

	time_step(o, now);
	if (!offline_code_is_good(o, now, i))
		return OFFLINE_UNKNOWN;
	if (!has_room(o, 0))
		return OFFLINE_FULL;
	o->codes[i].is_used = true;
	memcpy(r.role, o->codes[i].role, sizeof(r.role));
	break_glass_detail_build(o->codes[i].id, r.detail);
	return offline_note(o, now, &r) ? OFFLINE_OK : OFFLINE_FULL;
}

/* All that are good come along each time: what is missing is void, what was used stays used. */
static bool codes_hear(struct offline *o, const struct login_code *codes, size_t n)
{
	struct offline_code next[BREAK_GLASS_PER_PUMP] = {0};
	bool changed = n != o->head.n_codes;

	for (size_t i = 0; i < n; i++) {
		struct offline_code *k = &next[i];

		*k = (struct offline_code){.id = codes[i].id,
					   .salt.len = codes[i].salt.len,
					   .hash.len = codes[i].hash.len,
					   .not_after = codes[i].not_after,
					   .session_s = codes[i].session_s,
					   .idle_s = codes[i].idle_s};
		memcpy(k->salt.data, codes[i].salt.data, BREAK_GLASS_SALT);
		memcpy(k->hash.data, codes[i].hash.data, BREAK_GLASS_HASH);
		memcpy(k->role, codes[i].role, sizeof(k->role));
		for (uint32_t j = 0; j < o->head.n_codes; j++)
			if (o->codes[j].id == k->id)
				k->is_used = o->codes[j].is_used;
		changed = changed || memcmp(k, &o->codes[i], sizeof(*k));
	}
	memcpy(o->codes, next, sizeof(next));
	o->head.n_codes = (uint32_t)n;
	return changed;
}

/* ---- the server ---- */

void offline_state(const struct offline *o, struct login_state *out)
{
	out->tombstone = o->head.tombstone;
	out->policy_epoch = o->head.epoch;
	out->generation = o->head.generation;
	out->journal.len = o->head.journal.len;
	memcpy(out->journal.data, o->head.journal.data, o->head.journal.len);
}

static bool tombstones_hear(struct offline *o, const struct offline_news *n)
{
	bool changed = false;

	for (size_t i = 0; i < n->n_tombstones; i++)
		changed = offline_drop_user(o, n->tombstones[i].user) || changed;
	if (n->terms->tombstone == o->head.tombstone)
		return changed;
	/* a server that was restored from before counts anew: whom it disables next we would miss
	 */
	if (n->terms->tombstone < o->head.tombstone)
		people_drop_all(o);
	o->head.tombstone = n->terms->tombstone;
	return true;
}

enum offline_heard offline_hear(struct offline *o, const struct age_now *now,
				const struct offline_news *n)
{
	bool doubted = o->age.is_set_back;
	uint32_t had = o->head.n_people;
	bool voided = n->terms->drop;
	bool changed = tombstones_hear(o, n);

	age_confirm(&o->age, now);
	if (n->terms->policy_epoch != o->head.epoch) {
		people_drop_all(o);
		o->head.epoch = n->terms->policy_epoch;
		changed = true;
	}
	if (n->terms->drop) { /* its numbers are of another copy of us: they mean nothing here */
		offline_roll_back(o, now, "server");
		changed = true;
	} else {
		changed = records_forget(o, n->terms->stored) || changed;
		/* it waits for numbers that are gone here (restored from before): begin anew */
		if (o->head.n_records && o->records[0].seq > n->terms->stored + 1) {
			journal_new(o);
			changed = true;
		}
	}
	if (n->has_codes && codes_hear(o, n->codes, n->n_codes))
		voided = true; /* another envelope: the one before is void */
	if (voided || o->head.n_people < had)
		return OFFLINE_HEARD_LESS;
	return changed || doubted ? OFFLINE_HEARD_NEWS : OFFLINE_HEARD_NOTHING;
}

void offline_roll_back(struct offline *o, const struct age_now *now, const char *noticed_by)
{
	struct login_record r = record_of("rolled-back", "", "", "noticed");

	people_drop_all(o);
	secret_wipe(o->codes, sizeof(o->codes));
	o->head.n_codes = 0;
	o->head.generation += GENERATION_LEAP;
	journal_new(o);
	word_put(r.detail, sizeof(r.detail), noticed_by);
	(void)offline_note(o, now, &r);
}

bool offline_tick(struct offline *o, const struct age_now *now)
{
	bool changed = time_step(o, now);

	for (uint32_t i = o->head.n_people; i-- > 0;) {
		if (is_alive(o, &o->people[i]))
			continue;
		person_drop(o, i);
		changed = true;
	}
	return changed;
}
