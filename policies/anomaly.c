/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the signs of a copied key and what follows from them. Pure. */
#include "policies/anomaly.h"

#include <string.h>

static const struct {
	const char *name;
	const char *sentence;
	const char *next;
} kinds[ANOMALY_COUNT] = {
#define ANOMALY_ROW(symbol, name, sentence, next) [ANOMALY_##symbol] = {name, sentence, next},
	ANOMALIES(ANOMALY_ROW)
#undef ANOMALY_ROW
};

static enum anomaly_kind known(enum anomaly_kind k)
{
	return (unsigned)k < ANOMALY_COUNT ? k : ANOMALY_NONE;
}

const char *anomaly_name(enum anomaly_kind k)
{
	return kinds[known(k)].name;
}

const char *anomaly_sentence(enum anomaly_kind k)
{
	return kinds[known(k)].sentence;
}

const char *anomaly_next_step(enum anomaly_kind k)
{
	return kinds[known(k)].next;
}

enum anomaly_kind anomaly_parse(const char *name)
{
	for (size_t i = 0; i < ANOMALY_COUNT; i++)
		if (!strcmp(kinds[i].name, name))
			return (enum anomaly_kind)i;
	return ANOMALY_NONE;
}

enum anomaly_kind anomaly_many_of(enum anomaly_kind k)
{
	return k == ANOMALY_OLD_SOFTWARE ? ANOMALY_MANY_OLD : ANOMALY_MANY_PUMPS;
}

/* A handshake, full or resumed. MAC authentication names a pump by what the NAS says. */
static bool is_handshake(const char *method)
{
	return !strcmp(method, "eap-tls") || !strcmp(method, "eap-tls-resumed");
}

/* What the verdict found after the handshake. That the EAP layer saw two names is no proof of any
 * key, and has no owner. */
static enum anomaly_kind refused_kind(const struct anomaly_facts *f)
{
	switch (f->reason) {
	case REASON_UNKNOWN_CERTIFICATE:
	case REASON_CERTIFICATE_RESERVED: /* a restored registry may have forgotten the rest */
		return f->lost ? ANOMALY_NONE : ANOMALY_UNKNOWN_CERTIFICATE;
	case REASON_NAME_MISMATCH:
		return ANOMALY_FORGED_NAME;
	case REASON_IDENTITY_MISMATCH:
		return *f->owner ? ANOMALY_IDENTITY_MISMATCH : ANOMALY_NONE;
	default:
		return ANOMALY_NONE;
	}
}

static bool macs_differ(const struct anomaly_facts *f)
{
	const struct sighting *a = &f->before, *b = &f->now;

	if (!*a->mac || !*b->mac || !strcmp(a->mac, b->mac))
		return false;
	return !a->mac_is_known || !b->mac_is_known; /* a pump may have two cards */
}

static bool sites_are_too_far(const struct anomaly_facts *f, const struct anomaly_policy *p)
{
	const struct sighting *a = &f->before, *b = &f->now;
	int64_t apart_ms = a->at_ms < b->at_ms ? b->at_ms - a->at_ms : a->at_ms - b->at_ms;

	if (!*a->site || !*b->site || !strcmp(a->site, b->site))
		return false; /* a NAS whose place nobody told accuses nobody: pumps roam */
	return apart_ms < p->site_interval_ms;
}

struct anomaly anomaly_find(const struct anomaly_facts *f, const struct anomaly_policy *p)
{
	struct anomaly found = {ANOMALY_NONE, false};

	if (!is_handshake(f->method))
		return found;
	if (!f->let_on) {
		found.kind = refused_kind(f);
		return found;
	}
	if (!*f->owner || !f->seen_before)
		return found;
	if (macs_differ(f)) {
		found.kind = f->before_goes_on ? ANOMALY_TWO_MACS : ANOMALY_MAC_CHANGED;
		found.suspect_is_before = f->now.mac_is_known && !f->before.mac_is_known;
	}
	if (found.kind != ANOMALY_TWO_MACS && sites_are_too_far(f, p))
		found = (struct anomaly){ANOMALY_TWO_SITES, found.suspect_is_before};
	return found;
}

enum anomaly_action anomaly_decide(const struct anomaly_policy *p, enum anomaly_kind kind,
				   const char *owner, const struct anomaly_history *h)
{
	if (!*owner)
		return ANOMALY_ALARM;
	if (!(p->quarantine & 1u << kind))
		return ANOMALY_ALARM;
	if (h->quarantined_already)
		return ANOMALY_ALARM;
	if (h->people_asked)
		return ANOMALY_CAPPED;
	if (h->pumps > p->pumps_per_hour)
		return ANOMALY_CAPPED;
	if (h->pumps_via_nas > p->pumps_per_nas)
		return ANOMALY_CAPPED;
	return ANOMALY_QUARANTINE;
}
