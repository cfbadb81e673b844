/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the memory of NAS. Never asks registryd: nas_ops.c does. */
#include "radius_modules/rlm_pump/nas_known.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define SLOTS 4096
/* A worker checks a packet's signature a moment after the receiver found its client. */
#define SETTLE_US 200000
/* A client is good for a second (policies/raddb/clients.conf), and a bit. */
#define CLIENT_US 1500000
#define SCAN_US 1000000
#define SCAN_SOON_US 50000
#define PENDING_US 2000000

struct slot {
	char ip[IP_SIZE];
	struct nas_facts facts;
	int64_t said_us; /* when registryd said so */
	int64_t client_us;
	bool heard; /* something right came since the client was made */
	uint32_t bad;
	int64_t bad_told_us;
	uint32_t claim; /* hash of what was told last */
	int64_t claim_told_us;
};

struct nas_known {
	pthread_mutex_t lock;
	uint64_t bad_seen;
	int64_t pending_us; /* since when more were counted than laid at a door; 0: none */
	int64_t scanned_us;
	int64_t assigned_us;
	struct slot slots[SLOTS];
};

int nas_known_new(struct nas_known **out)
{
	struct nas_known *k = calloc(1, sizeof(*k));

	if (!k)
		return err_set(ERR_NOMEM, "no memory for what is known of NAS");
	pthread_mutex_init(&k->lock, NULL);
	*out = k;
	return 0;
}

void nas_known_free(struct nas_known *k)
{
	if (!k)
		return;
	pthread_mutex_destroy(&k->lock);
	secret_wipe(k, sizeof(*k));
	free(k);
}

/* FNV-1a */
static uint32_t hash_add(uint32_t h, const char *text)
{
	for (const char *p = text; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619U;
	return h;
}
#define HASH_START 2166136261U

/* The slot that holds `ip`; NULL when another address has it. */
static struct slot *slot_of(struct nas_known *k, const char *ip)
{
	uint32_t h = hash_add(HASH_START, ip);
	struct slot *s = &k->slots[(h ^ h >> 15) % SLOTS];

	return !strcmp(s->ip, ip) ? s : NULL;
}

static struct slot *slot_take(struct nas_known *k, const char *ip)
{
	uint32_t h = hash_add(HASH_START, ip);
	struct slot *s = &k->slots[(h ^ h >> 15) % SLOTS];

	if (strcmp(s->ip, ip) != 0) {
		secret_wipe(s, sizeof(*s));
		if (str_copy(s->ip, sizeof(s->ip), ip))
			s->ip[0] = '\0';
	}
	return s;
}

void nas_known_put(struct nas_known *k, const char *ip, int64_t now_us, const struct nas_facts *f)
{
	struct slot *s;

	pthread_mutex_lock(&k->lock);
	s = slot_take(k, ip);
	s->facts = *f;
	s->said_us = now_us;
	pthread_mutex_unlock(&k->lock);
}

bool nas_known_get(struct nas_known *k, const char *ip, int64_t now_us, int64_t max_age_us,
		   struct nas_facts *out)
{
	const struct slot *s;
	bool known;

	pthread_mutex_lock(&k->lock);
	s = slot_of(k, ip);
	known = s && s->said_us && now_us - s->said_us < max_age_us;
	if (known)
		*out = s->facts;
	pthread_mutex_unlock(&k->lock);
	return known;
}

bool nas_known_standing(struct nas_known *k, const char *ip, int64_t now_us, const char *secret,
			bool *good_out)
{
	const struct slot *s;
	bool known;

	pthread_mutex_lock(&k->lock);
	s = slot_of(k, ip);
	known = s && s->said_us && now_us - s->said_us < NAS_FRESH_US;
	if (known)
		*good_out = s->facts.found && s->facts.enabled &&
			    secret_equal(s->facts.secret.data, s->facts.secret.len, secret,
					 strlen(secret));
	pthread_mutex_unlock(&k->lock);
	return known;
}

void nas_known_client(struct nas_known *k, const char *ip, int64_t now_us)
{
	struct slot *s;

	pthread_mutex_lock(&k->lock);
	s = slot_take(k, ip);
	s->client_us = now_us;
	s->heard = false;
	pthread_mutex_unlock(&k->lock);
}

void nas_known_heard(struct nas_known *k, const char *ip)
{
	struct slot *s;

	pthread_mutex_lock(&k->lock);
	s = slot_of(k, ip);
	if (s)
		s->heard = true;
	pthread_mutex_unlock(&k->lock);
}

/* Its client was in use since the last look, and nothing right came. */
static bool is_suspect(const struct nas_known *k, const struct slot *s, int64_t now_us)
{
	return *s->ip && s->client_us && !s->heard && now_us - s->client_us >= SETTLE_US &&
	       s->client_us + CLIENT_US >= k->assigned_us;
}

/* All of them to each suspect: with two it is "at most". What nobody is suspect of may be a
 * client's that is too young to tell, so it waits a little. How many are nobody's. */
static uint32_t bad_assign(struct nas_known *k, uint64_t bad, int64_t now_us)
{
	uint32_t n = (uint32_t)(bad - k->bad_seen);
	bool any = false;

	for (size_t i = 0; i < SLOTS; i++) {
		if (!is_suspect(k, &k->slots[i], now_us))
			continue;
		k->slots[i].bad += n;
		any = true;
	}
	if (!k->pending_us)
		k->pending_us = now_us;
	if (!any && now_us - k->pending_us < PENDING_US)
		return 0;
	k->bad_seen = bad;
	k->pending_us = 0;
	k->assigned_us = now_us;
	return any ? 0 : n;
}

static bool bad_tell(struct slot *s, int64_t now_us, struct nas_event *out)
{
	if (!s->bad || (s->bad_told_us && now_us - s->bad_told_us < NAS_TELL_US))
		return false;
	*out = (struct nas_event){.kind = "wrong-secret", .count = s->bad};
	memcpy(out->nas, s->facts.name, sizeof(out->nas));
	memcpy(out->nas_ip, s->ip, sizeof(out->nas_ip));
	s->bad = 0;
	s->bad_told_us = now_us;
	return true;
}

bool nas_known_wrong_secret(struct nas_known *k, uint64_t bad, int64_t now_us,
			    struct nas_event *out, uint32_t *unknown_out)
{
	bool told = false;

	*unknown_out = 0;
	pthread_mutex_lock(&k->lock);
	if (now_us - k->scanned_us >= (bad > k->bad_seen ? SCAN_SOON_US : SCAN_US)) {
		if (bad > k->bad_seen)
			*unknown_out = bad_assign(k, bad, now_us);
		for (size_t i = 0; i < SLOTS && !told; i++)
			told = bad_tell(&k->slots[i], now_us, out);
		if (!told)
			k->scanned_us = now_us;
	}
	pthread_mutex_unlock(&k->lock);
	return told;
}

bool nas_known_claim(struct nas_known *k, const char *ip, int64_t now_us, const char *claimed_ip,
		     const char *claimed_id)
{
	uint32_t claim = hash_add(hash_add(HASH_START, claimed_ip) + 1, claimed_id);
	struct slot *s;
	bool tell;

	if (!*claimed_ip && !*claimed_id)
		return false;
	pthread_mutex_lock(&k->lock);
	s = slot_of(k, ip);
	tell = s && (!s->claim_told_us || now_us - s->claim_told_us >= NAS_CLAIM_AGAIN_US ||
		     (s->claim != claim && now_us - s->claim_told_us >= NAS_TELL_US));
	if (tell) {
		s->claim = claim;
		s->claim_told_us = now_us;
	}
	pthread_mutex_unlock(&k->lock);
	return tell;
}
