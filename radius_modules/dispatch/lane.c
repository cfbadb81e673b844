/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns retransmission, identifiers and the judgement of answers for one NAS. Never knows a socket
 * or a clock. */
#include "radius_modules/dispatch/lane.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(LANE_WINDOW_MAX < 256, "an id must be free when the window is open");
_Static_assert(SESSION_ID_SIZE - 1 <= RADIUS_ATTR_MAX && LABEL_SIZE - 1 <= RADIUS_ATTR_MAX,
	       "names fit their attributes");

int flight_new(struct dispatch_order *order, struct flight **out)
{
	struct flight *f;
	int rc = disconnect_check(order);

	if (rc)
		return rc;
	f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(ERR_NOMEM, "no memory for an order");
	rc = secret_new(order->secret.data, order->secret.len, &f->secret);
	if (rc) {
		free(f);
		return rc;
	}
	secret_wipe(&order->secret, sizeof(order->secret));
	f->order = *order;
	*out = f;
	return 0;
}

void flight_free(struct flight *f)
{
	if (!f)
		return;
	secret_free(f->secret);
	free(f);
}

void lane_init(struct lane *l)
{
	memset(l, 0, sizeof(*l));
	STAILQ_INIT(&l->waiting);
	l->window = LANE_WINDOW_START;
}

void lane_done(struct lane *l)
{
	struct flight *f;

	while ((f = STAILQ_FIRST(&l->waiting))) {
		STAILQ_REMOVE_HEAD(&l->waiting, next);
		flight_free(f);
	}
	for (size_t id = 0; id < 256; id++)
		flight_free(l->by_id[id]);
	lane_init(l);
}

void lane_add(struct lane *l, struct flight *f)
{
	STAILQ_INSERT_TAIL(&l->waiting, f, next);
	l->n_waiting++;
}

bool lane_is_idle(const struct lane *l)
{
	return !l->n_waiting && !l->in_flight;
}

static struct flight *waiting_pop(struct lane *l)
{
	struct flight *f = STAILQ_FIRST(&l->waiting);

	if (f) {
		STAILQ_REMOVE_HEAD(&l->waiting, next);
		l->n_waiting--;
	}
	return f;
}

/* Ids go round, so a late answer rarely meets a new request under the same id; if it does, its
 * authenticator does not fit. */
static uint8_t id_free(struct lane *l)
{
	while (l->by_id[l->next_id])
		l->next_id++;
	return l->next_id++;
}

static const struct flight *send_first(struct lane *l, int64_t now_us, uint32_t wall_s)
{
	struct flight *f = STAILQ_FIRST(&l->waiting);
	struct radius_packet p;
	uint8_t id;

	if (!f || l->giving_up || l->in_flight >= l->window)
		return NULL;
	id = id_free(l);
	/* Can't fail: flight_new() checked the parts, the sizes are bounded above. */
	if (disconnect_build(&f->order, id, wall_s, secret_data(f->secret), secret_len(f->secret),
			     &p) ||
	    p.len > sizeof(f->packet))
		return NULL;
	waiting_pop(l);
	memcpy(f->packet, p.data, p.len);
	f->packet_len = p.len;
	f->tries = 1;
	f->first_us = now_us;
	f->due_us = now_us + LANE_FIRST_WAIT_US;
	l->by_id[id] = f;
	l->in_flight++;
	return f;
}

const struct flight *lane_send_next(struct lane *l, int64_t now_us, uint32_t wall_s)
{
	for (size_t id = 0; id < 256; id++) {
		struct flight *f = l->by_id[id];

		if (!f || f->due_us > now_us || f->tries >= LANE_TRIES)
			continue;
		f->due_us = now_us + ((int64_t)LANE_FIRST_WAIT_US << f->tries);
		f->tries++;
		l->window = l->window / 2 > LANE_WINDOW_MIN ? l->window / 2 : LANE_WINDOW_MIN;
		return f;
	}
	return send_first(l, now_us, wall_s);
}

static void outcome_set(struct lane_outcome *out, struct flight *f, enum lane_end end,
			int64_t now_us, const char *detail)
{
	*out = (struct lane_outcome){.flight = f,
				     .end = end,
				     .rtt_us = f->tries ? now_us - f->first_us : 0,
				     .detail = detail};
}

static struct flight *land(struct lane *l, uint8_t id)
{
	struct flight *f = l->by_id[id];

	l->by_id[id] = NULL;
	l->in_flight--;
	return f;
}

/* The NAS does not know the session by its name. The station may be there all the same, in a
 * session that the registry has not heard of yet: asked once more, for the station alone. */
static bool ask_for_station(struct lane *l, struct flight *f)
{
	if (!f->order.session_id[0] || !f->order.calling_station[0])
		return false;
	f->order.session_id[0] = '\0';
	STAILQ_INSERT_HEAD(&l->waiting, f, next);
	l->n_waiting++;
	return true;
}

bool lane_answer(struct lane *l, const void *data, size_t len, int64_t now_us,
		 struct lane_outcome *out)
{
	struct radius_view v;
	struct flight *f;
	uint32_t error_cause = 0;

	if (radius_view_parse(data, len, &v) || !l->by_id[v.id] ||
	    (v.code != RADIUS_DISCONNECT_ACK && v.code != RADIUS_DISCONNECT_NAK)) {
		l->stray++;
		return false;
	}
	f = l->by_id[v.id];
	if (radius_verify_reply(&v, f->packet + 4, secret_data(f->secret), secret_len(f->secret),
				false)) {
		l->unverified++;
		return false;
	}
	land(l, v.id);
	l->heard_us = now_us;
	if (l->window < LANE_WINDOW_MAX)
		l->window++;
	if (v.code == RADIUS_DISCONNECT_NAK)
		radius_attr_u32(&v, RADIUS_ERROR_CAUSE, &error_cause);
	if (error_cause == RADIUS_CAUSE_NO_SESSION && ask_for_station(l, f))
		return false;
	outcome_set(out, f, v.code == RADIUS_DISCONNECT_ACK ? LANE_ACK : LANE_NAK, now_us, "");
	out->error_cause = error_cause;
	return true;
}

bool lane_expire_next(struct lane *l, int64_t now_us, struct lane_outcome *out)
{
	for (size_t id = 0; id < 256; id++) {
		struct flight *f = l->by_id[id];

		if (!f || f->due_us > now_us || f->tries < LANE_TRIES)
			continue;
		land(l, (uint8_t)id);
		if (l->heard_us <= f->first_us)
			l->giving_up = true;
		outcome_set(out, f, LANE_SILENT, now_us,
			    l->unverified ? "only answers with a wrong signature" : "no answer");
		return true;
	}
	if (l->giving_up && l->n_waiting) {
		outcome_set(out, waiting_pop(l), LANE_SILENT, now_us,
			    "not sent: the NAS does not answer");
		return true;
	}
	l->giving_up = false;
	return false;
}

int64_t lane_due_us(const struct lane *l)
{
	int64_t due = INT64_MAX;

	for (size_t id = 0; id < 256; id++)
		if (l->by_id[id] && l->by_id[id]->due_us < due)
			due = l->by_id[id]->due_us;
	return due;
}
