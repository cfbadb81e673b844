/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the way from an authentication event to an alarm. An event without anything odd costs one
 * indexed read; the registry is asked only where MAC address or NAS changed.
 */
#include "sql/registryd/anomalies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define TOLD_SLOTS 256
#define TELL_EVERY_US (10LL * 1000000)
#define GOES_ON_MS (24LL * 3600 * 1000) /* a session that nobody renewed for so long is history */

/* What was told last, and what came since. */
struct told {
	struct alarm alarm; /* count: not told yet */
	int64_t at_us;	    /* 0: free */
};

struct anomalies {
	struct service *service;
	struct store *registry;
	struct session_store *sessions;
	struct told told[TOLD_SLOTS];
	size_t n_waiting; /* slots whose count is not 0 */
};

int anomalies_new(struct service *s, struct store *registry, struct session_store *sessions,
		  struct anomalies **out)
{
	struct anomalies *a = calloc(1, sizeof(*a));

	if (!a)
		return err_set(ERR_NOMEM, "no memory for anomalies");
	a->service = s;
	a->registry = registry;
	a->sessions = sessions;
	*out = a;
	return 0;
}

void anomalies_free(struct anomalies *a)
{
	free(a);
}

/* ---- facts ---- */

/* What policies/anomaly.h points into. */
struct look {
	struct seen seen;
	char site[NAME_SIZE];
	char seen_site[NAME_SIZE];
	struct anomaly_facts f;
};

static int sites_read(struct anomalies *a, const struct auth_event *e, struct look *l)
{
	int rc = store_nas_site(a->registry, e->nas, l->site);

	return rc ? rc : store_nas_site(a->registry, l->seen.nas, l->seen_site);
}

static int macs_read(struct anomalies *a, const struct auth_event *e, struct look *l)
{
	int rc = store_device_mac_is_known(a->registry, e->device, e->mac, &l->f.now.mac_is_known);

	return rc ? rc
		  : store_device_mac_is_known(a->registry, e->device, l->seen.mac,
					      &l->f.before.mac_is_known);
}

/* What the certificate's last use says; only an attempt that let the pump on is held against it. */
static int before_read(struct anomalies *a, const struct auth_event *e, struct look *l)
{
	bool macs, roamed;
	int rc = session_store_seen(a->sessions, e->device, &l->seen);

	if (rc || !l->seen.at)
		return rc;
	l->f.seen_before = true;
	l->f.before = (struct sighting){
		.at_ms = l->seen.at, .mac = l->seen.mac, .nas = l->seen.nas, .site = l->seen_site};
	macs = *e->mac && *l->seen.mac && strcmp(e->mac, l->seen.mac) != 0;
	roamed = strcmp(e->nas, l->seen.nas) != 0;
	if (macs && *l->seen.mac_session && l->f.now.at_ms - l->seen.at < GOES_ON_MS)
		rc = session_store_goes_on(a->sessions, e->device, l->seen.mac_nas,
					   l->seen.mac_session, &l->f.before_goes_on);
	if (rc)
		return rc;
	if ((macs && macs_read(a, e, l)) || (roamed && sites_read(a, e, l))) {
		LOG(LOG_ERROR, "anomaly.check_failed", LOG_S("object", e->device),
		    LOG_S("why", err_text()));
		l->f.seen_before = false;
	}
	return 0;
}

/* Only an attempt that was refused for its certificate asks. What can't be read accuses. */
static void lost_read(struct anomalies *a, const struct auth_event *e, struct look *l)
{
	if (l->f.let_on || l->f.reason != REASON_UNKNOWN_CERTIFICATE)
		return;
	if (store_cert_is_lost(a->registry, e->cert_serial, &l->f.lost))
		LOG(LOG_ERROR, "anomaly.check_failed", LOG_S("object", e->cert_serial),
		    LOG_S("why", err_text()));
}

/* ---- findings ---- */

static void detail_put(const struct auth_event *e, const struct look *l, enum anomaly_kind kind,
		       char out[TEXT_SIZE])
{
	char claimed[4 * 48];

	switch (kind) {
	case ANOMALY_TWO_MACS:
	case ANOMALY_MAC_CHANGED:
		snprintf(out, TEXT_SIZE, "%s through %s, and before %s through %s", e->mac, e->nas,
			 l->seen.mac, l->seen.mac_nas);
		return;
	case ANOMALY_TWO_SITES:
		snprintf(out, TEXT_SIZE, "through %s (%s), %lld s after %s (%s)", e->nas, l->site,
			 (long long)(llabs(l->f.now.at_ms - l->seen.at) / 1000), l->seen.nas,
			 l->seen_site);
		return;
	default:
		log_escape(e->identity, strnlen(e->identity, 47), claimed, sizeof(claimed));
		snprintf(out, TEXT_SIZE, "certificate %s, claimed name '%.*s', through %s",
			 e->cert_serial, (int)sizeof(claimed) - 1, claimed, e->nas);
	}
}

static struct alarm *alarm_make(const struct auth_event *e, const struct look *l, struct anomaly f)
{
	struct alarm *a = calloc(1, sizeof(*a));
	bool macs = f.kind == ANOMALY_TWO_MACS || f.kind == ANOMALY_MAC_CHANGED;

	if (!a)
		return NULL;
	snprintf(a->kind, sizeof(a->kind), "%s", anomaly_name(f.kind));
	memcpy(a->device, e->device, sizeof(a->device));
	memcpy(a->cert_serial, e->cert_serial, sizeof(a->cert_serial));
	memcpy(a->nas, e->nas, sizeof(a->nas));
	memcpy(a->mac, e->mac, sizeof(a->mac));
	if (l->f.seen_before) {
		memcpy(a->other_nas, macs ? l->seen.mac_nas : l->seen.nas, sizeof(a->other_nas));
		memcpy(a->other_mac, l->seen.mac, sizeof(a->other_mac));
	}
	if (f.suspect_is_before) {
		memcpy(a->other_nas, a->nas, sizeof(a->other_nas));
		memcpy(a->other_mac, a->mac, sizeof(a->other_mac));
		memcpy(a->nas, macs ? l->seen.mac_nas : l->seen.nas, sizeof(a->nas));
		memcpy(a->mac, l->seen.mac, sizeof(a->mac));
	}
	detail_put(e, l, f.kind, a->detail);
	a->count = 1;
	a->first_at = a->last_at = l->f.now.at_ms;
	return a;
}

int anomalies_look(struct anomalies *a, const struct auth_event *e, int64_t now,
		   struct alarm **odd_out)
{
	struct look l = {.f = {.method = e->method,
			       .reason = reason_parse(e->reason),
			       .let_on = strcmp(e->verdict, "reject") != 0,
			       .owner = e->device,
			       .now = {.at_ms = e->at ? e->at : now,
				       .mac = e->mac,
				       .nas = e->nas,
				       .site = l.site}}};
	struct anomaly found;
	int rc = l.f.let_on && *e->device ? before_read(a, e, &l) : 0;

	if (rc)
		return rc;
	lost_read(a, e, &l);
	found = anomaly_find(&l.f, &a->service->anomaly_policy);
	if (found.kind == ANOMALY_NONE)
		return 0;
	*odd_out = alarm_make(e, &l, found);
	if (!*odd_out)
		return err_set(ERR_NOMEM, "no memory for an alarm");
	return session_store_anomaly(a->sessions, *odd_out, l.f.now.at_ms);
}

/* ---- to the writer ---- */

static bool same(const struct alarm *a, const struct alarm *b)
{
	return !strcmp(a->kind, b->kind) && !strcmp(a->device, b->device) &&
	       (*a->device || !strcmp(a->nas, b->nas));
}

static struct told *slot_of(struct anomalies *a, const struct alarm *odd)
{
	const char *texts[] = {odd->kind, odd->device, *odd->device ? "" : odd->nas};
	size_t at = 5381;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (const char *p = texts[i]; *p; p++)
			at = at * 33 + (unsigned char)*p;
	return &a->told[at % TOLD_SLOTS];
}

static void hand_on(struct anomalies *a, const struct alarm *alarm)
{
	struct followup f = {.kind = FOLLOWUP_ALARM, .at = alarm->last_at, .alarm = *alarm};

	memcpy(f.device, alarm->device, sizeof(f.device));
	writer_follow_up(a->service, &f);
}

static void slot_flush(struct anomalies *a, struct told *t, int64_t now_us)
{
	if (t->alarm.count) {
		hand_on(a, &t->alarm);
		t->alarm.count = 0;
		a->n_waiting--;
	}
	t->at_us = now_us;
}

void anomalies_tell(struct anomalies *a, const struct alarm *odd, int64_t now_us)
{
	struct told *t = slot_of(a, odd);
	bool wait = t->at_us && same(&t->alarm, odd) && now_us - t->at_us < TELL_EVERY_US;
	uint64_t count = 0;

	if (wait)
		count = t->alarm.count;
	else if (t->at_us)
		slot_flush(a, t, now_us);
	if (wait && !count)
		a->n_waiting++;
	t->alarm = *odd;
	t->alarm.count = wait ? count + odd->count : 0;
	if (wait)
		return;
	hand_on(a, odd);
	t->at_us = now_us;
}

int64_t anomalies_tell_rest(struct anomalies *a, int64_t now_us)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; a->n_waiting && i < TOLD_SLOTS; i++) {
		struct told *t = &a->told[i];

		if (!t->alarm.count)
			continue;
		if (now_us - t->at_us >= TELL_EVERY_US)
			slot_flush(a, t, now_us);
		else if (t->at_us + TELL_EVERY_US < next)
			next = t->at_us + TELL_EVERY_US;
	}
	return next;
}
