/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the history and what is held against it. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/client/registry_client.h"
#include "tests/races/races.h"

#define ORDERS_MAX 256
#define CALL_MS 5000

uint32_t dice_below(struct dice *d, uint32_t n)
{
	d->state += 0x9e3779b97f4a7c15ULL; /* splitmix64 */
	uint64_t z = d->state;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return n ? (uint32_t)((z ^ z >> 31) % n) : 0;
}

bool dice_percent(struct dice *d, uint32_t percent)
{
	return dice_below(d, 100) < percent;
}

static void *grown(void *all, size_t *max, size_t size)
{
	*max = *max ? *max * 2 : 1024;
	all = realloc(all, *max * size);
	if (!all)
		err(1, "history");
	return all;
}

void history_accept(struct history *h, const struct accept_note *a)
{
	if (h->n_accepts == h->accepts_max)
		h->accepts = grown(h->accepts, &h->accepts_max, sizeof(*h->accepts));
	h->accepts[h->n_accepts++] = *a;
}

size_t history_stay(struct history *h, const struct stay *s)
{
	if (h->n_stays == h->stays_max)
		h->stays = grown(h->stays, &h->stays_max, sizeof(*h->stays));
	h->stays[h->n_stays] = *s;
	return h->n_stays++;
}

static const char *name(const struct history *h, unsigned pump)
{
	return h->pumps[pump].tls[0]->identity;
}

/* A request that first went out when the receipt was there already can only have been decided after
 * the commit. One that was on its way before may have been decided before. A quarantined pump may
 * be on, but nowhere else. */
static unsigned accepts_check(const struct history *h)
{
	unsigned breaches = 0;

	for (size_t i = 0; i < h->n_accepts; i++) {
		const struct accept_note *a = &h->accepts[i];
		int64_t done = h->pumps[a->pump].done_us;

		bool quarantine = h->pumps[a->pump].quarantine;

		if (!done || a->asked_us <= done || (quarantine && a->quarantined))
			continue;
		breaches++;
		printf("breach: accepted-%s pump=%s nas=race-%u resumed=%d "
		       "asked_after_us=%lld\n",
		       quarantine ? "outside-quarantine" : "after-revoke", name(h, a->pump), a->nas,
		       a->resumed, (long long)(a->asked_us - done));
	}
	return breaches;
}

static unsigned stays_check(const struct history *h, int64_t now_us)
{
	unsigned breaches = 0;

	for (size_t i = 0; i < h->n_stays; i++) {
		const struct stay *s = &h->stays[i];
		int64_t from = h->pumps[s->pump].done_us, end = s->end_us ? s->end_us : now_us;

		if (!from || (h->pumps[s->pump].quarantine && s->quarantined))
			continue;
		if (s->start_us > from)
			from = s->start_us;
		from = outages_excuse(&h->outages, from, OFF_WITHIN_US);
		if (end - from <= OFF_WITHIN_US)
			continue;
		breaches++;
		printf("breach: still-on pump=%s nas=race-%u session=%s for_us=%lld%s\n",
		       name(h, s->pump), s->nas, s->session, (long long)(end - from),
		       s->end_us ? "" : " never-ended");
	}
	return breaches;
}

unsigned history_check(const struct history *h, int64_t now_us)
{
	return accepts_check(h) + stays_check(h, now_us);
}

/* NULL, or what is untrue in the receipt. `open_out`: not all orders are settled yet. */
static const char *receipt_untrue(const struct pump *p, const struct revocation *r,
				  const struct order_status *orders, size_t n, bool *open_out)
{
	*open_out = n < r->orders;
	for (size_t i = 0; i < n; i++) {
		const struct order_status *o = &orders[i];
		unsigned nas;

		if (sscanf(o->nas, "race-%u", &nas) != 1 || nas >= NAS_COUNT)
			return "names a NAS that does not exist";
		if (!strcmp(o->state, "acked")) {
			if (!p->acks[nas])
				return "claims an acknowledgement that no NAS gave";
		} else if (!strcmp(o->state, "gone")) {
			if (!p->naks[nas])
				return "claims a NAK that no NAS gave";
		} else if (!strcmp(o->state, "unsendable")) {
			return "has an order that cannot be sent";
		} else {
			*open_out = true;
		}
	}
	if (!*open_out && p->returned && !(p->quarantine ? r->returned_at : r->return_refused_at))
		return p->quarantine ? "does not show the return into quarantine"
				     : "does not show the return that was refused";
	return NULL;
}

static bool receipt_check(const struct history *h, unsigned pump, struct ipc_client *c,
			  int64_t until_us)
{
	static struct order_status orders[ORDERS_MAX];
	struct list_query q = {0};
	const char *untrue;
	bool open = true;
	size_t n = 0;

	snprintf(q.device, sizeof(q.device), "%s", name(h, pump));
	for (;;) {
		struct revocation r = {0};
		struct id_query id;
		int rc = registry_revocation(c, &q, &r, CALL_MS);

		n = 0;
		id.id = r.id;
		if (!rc)
			rc = registry_order_list(c, &id, orders, ORDERS_MAX, &n, CALL_MS);
		untrue = rc ? err_text() : receipt_untrue(&h->pumps[pump], &r, orders, n, &open);
		if (!untrue && !open)
			return true;
		if (clock_mono_us() > until_us)
			break;
		usleep(50000);
	}
	printf("breach: receipt pump=%s %s %s\n", name(h, pump),
	       h->pumps[pump].quarantine ? "quarantine" : "revoke", untrue ? untrue : "stays open");
	for (size_t i = 0; i < n; i++)
		printf("# %s session=%s %s %s attempts=%u last=%s\n", orders[i].nas,
		       orders[i].session_id, orders[i].cause, orders[i].state, orders[i].attempts,
		       orders[i].last_result);
	return false;
}

unsigned receipts_check(const struct history *h, const char *socket, int wait_ms)
{
	int64_t until_us = clock_mono_us() + 1000LL * wait_ms;
	AUTO_IPC_CLIENT c = NULL;
	unsigned breaches = 0;

	if (ipc_client_new(socket, "admin", &c))
		errx(1, "%s", err_text());
	for (unsigned i = 0; i < h->n_pumps; i++)
		if (h->pumps[i].done_us && !receipt_check(h, i, c, until_us))
			breaches++;
	return breaches;
}
