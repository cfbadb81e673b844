/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what the controller's loop calls. Runs in the controller, which may be anything from a loop
 * of 1 ms at real-time priority to a display task. Never calls the system, takes a lock or
 * allocates: `tests/system/pumplink_mutants.sh` looks at the object's symbols. It
 * touches no page that the agent can write; what the agent said is checked before it is believed.
 */
#include "pump_agent/pumplink/pumplink.h"

#include <string.h>

#include "pump_agent/pumplink/link.h"

/* Not memset: a compiler may drop that when it sees no later read. */
static void wipe(void *data, size_t len)
{
	volatile unsigned char *at = data;

	while (len--)
		*at++ = 0;
}

static void letter_drop(struct pumplink *l)
{
	if (l->has_letter)
		pumplink_letter_wipe(l->asked);
	l->has_letter = false;
}

static void request_over(struct pumplink *l, enum pumplink_result result)
{
	letter_drop(l);
	l->result = result;
	atomic_store_explicit(&l->asked->awaited, 0, memory_order_release);
}

static void session_over(struct pumplink *l, enum pumplink_end why)
{
	if (!l->session.id)
		return;
	atomic_store_explicit(&l->asked->ended, ASKED_ENDED(l->session.id, why),
			      memory_order_release);
	l->session = (struct pumplink_session){0};
}

/* An OK that can be believed begins a session. */
static enum pumplink_result session_begin(struct pumplink *l, const struct told *t)
{
	uint32_t life_s =
		t->session_s < PUMPLINK_SESSION_MAX_S ? t->session_s : PUMPLINK_SESSION_MAX_S;

	if (!pumplink_text_is_shown_safely(t->person, sizeof(l->session.person)) ||
	    !pumplink_text_is_role(t->role, sizeof(l->session.role)) || !life_s)
		return PUMPLINK_UNAVAILABLE;
	session_over(l, PUMPLINK_END_REPLACED);
	l->session.id = l->last_request;
	memcpy(l->session.person, t->person, sizeof(l->session.person));
	memcpy(l->session.role, t->role, sizeof(l->session.role));
	l->session.idle_s = t->idle_s;
	l->session.is_offline = t->flags & TOLD_IS_OFFLINE;
	l->session.is_break_glass = t->flags & TOLD_IS_BREAK_GLASS;
	l->session_end_ms = l->now_ms + (uint64_t)life_s * 1000;
	return PUMPLINK_OK;
}

static void answer_take(struct pumplink *l, const struct told *t)
{
	enum pumplink_result result = PUMPLINK_UNAVAILABLE;

	if (l->result != PUMPLINK_PENDING || !l->last_request)
		return;
	if (t->taken == l->last_request)
		letter_drop(l);
	if (t->answered != l->last_request)
		return;
	if (t->result == PUMPLINK_OK)
		result = session_begin(l, t);
	else if (t->result == PUMPLINK_REFUSED || t->result == PUMPLINK_TRY_AGAIN)
		result = (enum pumplink_result)t->result;
	l->wait_s = result == PUMPLINK_TRY_AGAIN ? t->wait_s : 0;
	request_over(l, result);
}

/* Time that has passed, by the caller's clock: one that steps back counts as standing still. */
static void time_passes(struct pumplink *l, uint64_t now_ms)
{
	uint32_t beat = atomic_load_explicit(&l->copy.beat, memory_order_acquire);
	bool is_alive;

	if (now_ms > l->now_ms)
		l->now_ms = now_ms;
	if (beat != l->beat) {
		l->is_heard = true;
		l->beat = beat;
		l->beat_ms = l->now_ms;
	}
	is_alive = l->is_heard && l->now_ms - l->beat_ms < PUMPLINK_AGENT_GONE_MS;
	atomic_store_explicit(&l->is_alive, is_alive, memory_order_release);
	atomic_store_explicit(&l->asked->beat, ++l->own_beat, memory_order_release);
	if (!l->is_begun) {
		l->is_begun = true;
		l->request_ms = l->now_ms;
	}
}

static void deadlines(struct pumplink *l)
{
	if (l->last_request && l->result == PUMPLINK_PENDING &&
	    (!l->is_alive || l->now_ms - l->request_ms >= PUMPLINK_LOGIN_MS))
		request_over(l, PUMPLINK_NO_AGENT);
	if (l->session.id && l->now_ms >= l->session_end_ms)
		session_over(l, PUMPLINK_END_EXPIRED);
}

static void view_fill(const struct told *t, struct pumplink_view *out)
{
	uint64_t off = (uint64_t)t->clock_off_high << 32 | t->clock_off_low;

	if (t->network <= PUMPLINK_NET_DECOMMISSIONED)
		out->network = (enum pumplink_network)t->network;
	if (t->clock <= PUMPLINK_CLOCK_WRONG)
		out->clock = (enum pumplink_clock)t->clock;
	if (out->clock == PUMPLINK_CLOCK_WRONG)
		out->clock_off_ms = (int64_t)off;
	out->ways = t->ways & (PUMPLINK_WAY_ONLINE | PUMPLINK_WAY_OFFLINE |
			       PUMPLINK_WAY_BREAK_GLASS | PUMPLINK_WAY_PASSWORD);
	if (pumplink_text_is_serial(t->pump, sizeof(out->pump)))
		memcpy(out->pump, t->pump, sizeof(out->pump));
}

void pumplink_look(struct pumplink *l, uint64_t now_ms, struct pumplink_view *out)
{
	struct told t;
	bool is_told;

	memset(out, 0, sizeof(*out));
	time_passes(l, now_ms);
	is_told = l->is_alive && pumplink_told_read(&l->copy, &t);
	if (is_told) {
		answer_take(l, &t);
		if (t.ended && t.ended == l->session.id)
			session_over(l, PUMPLINK_END_AGENT);
	}
	deadlines(l);
	if (is_told)
		view_fill(&t, out);
	out->is_agent_alive = l->is_alive;
	out->agent_age_ms = UINT32_MAX;
	if (l->is_heard && l->now_ms - l->beat_ms < UINT32_MAX)
		out->agent_age_ms = (uint32_t)(l->now_ms - l->beat_ms);
	if (l->session.id)
		l->session.left_s = (uint32_t)((l->session_end_ms - l->now_ms + 999) / 1000);
	out->session = l->session;
}

void pumplink_tell_infusing(struct pumplink *l, enum pumplink_infusing infusing)
{
	atomic_store_explicit(&l->asked->infusing, (uint32_t)infusing, memory_order_release);
}

static uint32_t login(struct pumplink *l, uint32_t kind, const char *name, const char *secret)
{
	struct letter letter = {.kind = kind};
	size_t name_len = strnlen(name, PUMPLINK_NAME_MAX + 1);
	size_t secret_len = strnlen(secret, PUMPLINK_SECRET_MAX + 1);

	if (name_len > PUMPLINK_NAME_MAX || !secret_len || secret_len > PUMPLINK_SECRET_MAX)
		return 0;
	pumplink_cancel(l);
	l->last_request = l->last_request < PUMPLINK_ID_MAX ? l->last_request + 1 : 1;
	l->result = PUMPLINK_PENDING;
	l->wait_s = 0;
	l->is_begun = false;
	if (!l->is_alive) {
		l->result = PUMPLINK_NO_AGENT;
		return l->last_request;
	}
	memcpy(letter.name, name, name_len);
	memcpy(letter.secret, secret, secret_len);
	letter.secret_len = (uint32_t)secret_len;
	atomic_store_explicit(&l->asked->awaited, l->last_request, memory_order_release);
	pumplink_letter_write(l->asked, &letter, l->last_request);
	l->has_letter = true;
	wipe(&letter, sizeof(letter));
	return l->last_request;
}

uint32_t pumplink_login(struct pumplink *l, const char *name, const char *password)
{
	return *name ? login(l, PUMPLINK_LOGIN_PASSWORD, name, password) : 0;
}

uint32_t pumplink_login_badge(struct pumplink *l, const char *badge, const char *pin)
{
	return *badge ? login(l, PUMPLINK_LOGIN_BADGE, badge, pin) : 0;
}

uint32_t pumplink_login_break_glass(struct pumplink *l, const char *code)
{
	return login(l, PUMPLINK_LOGIN_BREAK_GLASS, "", code);
}

enum pumplink_result pumplink_login_poll(const struct pumplink *l, uint32_t request,
					 uint32_t *wait_s)
{
	if (wait_s)
		*wait_s = 0;
	if (!request || request != l->last_request)
		return PUMPLINK_CANCELLED;
	if (wait_s)
		*wait_s = l->wait_s;
	return l->result;
}

void pumplink_cancel(struct pumplink *l)
{
	if (l->last_request && l->result == PUMPLINK_PENDING)
		request_over(l, PUMPLINK_CANCELLED);
}

void pumplink_logout(struct pumplink *l, bool by_itself)
{
	session_over(l, by_itself ? PUMPLINK_END_IDLE : PUMPLINK_END_LOGOUT);
}

const char *pumplink_who(const struct pumplink *l)
{
	return l->session.person;
}

const char *pumplink_role(const struct pumplink *l)
{
	return l->session.role;
}

const char *pumplink_network_text(enum pumplink_network network)
{
	switch (network) {
	case PUMPLINK_NET_NO_CREDENTIAL:
		return "no network credential, standalone";
	case PUMPLINK_NET_ONBOARDING:
		return "getting its network credential";
	case PUMPLINK_NET_OFFLINE:
		return "no network";
	case PUMPLINK_NET_ONLINE:
		return "online";
	case PUMPLINK_NET_QUARANTINED:
		return "quarantined: reachable by technicians only";
	case PUMPLINK_NET_REVOKED:
		return "network credential revoked, standalone";
	case PUMPLINK_NET_DECOMMISSIONED:
		return "decommissioned, standalone";
	case PUMPLINK_NET_UNKNOWN:
		break;
	}
	return "network state unknown, standalone";
}

const char *pumplink_clock_text(enum pumplink_clock clock)
{
	switch (clock) {
	case PUMPLINK_CLOCK_RIGHT:
		return "confirmed";
	case PUMPLINK_CLOCK_GUESS:
		return "set to the earliest time that it can be";
	case PUMPLINK_CLOCK_WRONG:
		return "wrong";
	case PUMPLINK_CLOCK_UNKNOWN:
		break;
	}
	return "not compared";
}
