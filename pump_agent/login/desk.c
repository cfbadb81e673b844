/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the order in which a login is decided. Never falls back after the server has said no, never
 * lets anybody in on what is not on disk, never keeps what was typed.
 */
#include "pump_agent/login/desk.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "base/secret.h"
#include "pump_agent/login/answer.h"
#include "pump_agent/login/desk_offline.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

struct age_now desk_now(void)
{
	struct age_now now = {.wall_ms = clock_wall_ms()};
	AUTO_BUF text = {.max = AGE_BOOT_SIZE - 1};
	const char *s = buf_read_file(&text, BOOT_ID_PATH) ? NULL : buf_cstr(&text);
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	now.boot_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	if (s && !str_copy(now.boot, sizeof(now.boot), s))
		now.boot[strcspn(now.boot, "\n")] = '\0';
	return now;
}

/* ---- the server ---- */

static void gone_note(struct desk *d, const struct login_answer *a)
{
	for (size_t i = 0; i < a->n_tombstones; i++) {
		if (d->n_gone < sizeof(d->gone) / sizeof(d->gone[0]))
			d->gone[d->n_gone++] = a->tombstones[i];
		else
			d->is_gone_overrun = true;
	}
}

/* What every answer of a proven server brings, before what it says about a login. What cannot be
 * kept counts in memory, and comes again after a restart. */
static void answer_take(struct desk *d, const struct login_answer *a)
{
	struct offline_news news = {.tombstones = a->tombstones,
				    .n_tombstones = a->n_tombstones,
				    .terms = &a->terms,
				    .codes = a->codes,
				    .n_codes = a->n_codes,
				    .has_codes = a->has_codes};
	struct age_now now = desk_now();
	enum offline_heard heard = OFFLINE_HEARD_NOTHING;

	d->away_until_us = 0;
	d->answered_ms = now.wall_ms;
	if (a->has_terms)
		d->is_behind = a->terms.more;
	d->is_refused = a->has_refusal && !strcmp(a->refusal.result, "pump-refused");
	gone_note(d, a);
	if (a->terms.drop)
		LOG(LOG_ERROR, "login.rolled_back", LOG_S("noticed_by", "server"));
	if (a->has_terms && d->vault)
		heard = offline_hear(&d->vault->offline, &now, &news);
	if (heard)
		desk_keep(d, heard == OFFLINE_HEARD_LESS ? VAULT_FINAL : VAULT_LIGHT);
}

static int packet_exchange(struct desk *d, const struct radius_packet *p, int64_t open_by_us,
			   int64_t deadline_us, uint8_t answer[RADIUS_PACKET_MAX], size_t *len_out)
{
	bool was_open = radsec_is_open(d->radsec);
	int rc = radsec_open(d->radsec, &d->server, open_by_us);

	rc = rc ? rc : radsec_exchange(d->radsec, p, deadline_us, answer, len_out);
	if (rc == ERR_UNAVAILABLE && was_open) { /* it was closed since the last time */
		rc = radsec_open(d->radsec, &d->server, open_by_us);
		rc = rc ? rc : radsec_exchange(d->radsec, p, deadline_us, answer, len_out);
	}
	return rc;
}

static int says_build(const struct desk *d, const struct pumplink_request *rq, struct buf *out)
{
	struct login_state state = {0};
	const char *method = !rq ? "" : rq->kind == PUMPLINK_LOGIN_BADGE ? "pin" : "password";

	if (d->vault)
		offline_state(&d->vault->offline, &state);
	secret_fill_random(&state.request_id, sizeof(state.request_id));
	snprintf(state.agent_version, sizeof(state.agent_version), "%s", PUMPGATE_VERSION);
	memcpy(state.method, method, strlen(method));
	return login_says_build(d->vault ? &d->vault->offline : NULL, &state, out);
}

/* A server that was just away keeps nobody waiting for long. A contact, for which nobody waits, has
 * all its time: it finds out that a slow one is there again. */
static int64_t open_by_us(const struct desk *d, const struct pumplink_request *rq,
			  int64_t deadline_us)
{
	int64_t now_us = clock_mono_us();
	int64_t knock_us = now_us + (int64_t)DESK_KNOCK_MS * 1000;

	return rq && now_us < d->away_until_us && knock_us < deadline_us ? knock_us : deadline_us;
}

/* One question to the server, within its time, and what its answer brings besides. */
static int ask(struct desk *d, const struct pumplink_request *rq, struct login_answer *out)
{
	int wait_ms = rq && desk_can_decide(d, rq) ? DESK_BADGE_MS : DESK_PASSWORD_MS;
	int64_t deadline_us = clock_mono_us() + (int64_t)wait_ms * 1000;
	AUTO_BUF says = {.max = LOGIN_BLOB_MAX};
	struct login_question q = {.name = rq ? rq->name : "",
				   .secret = rq ? rq->secret : NULL,
				   .secret_len = rq ? rq->secret_len : 0,
				   .says = &says};
	uint8_t answer[RADIUS_PACKET_MAX];
	struct radius_packet p;
	size_t len = 0;
	int rc;

	if (!d->server.name)
		return err_set(ERR_UNAVAILABLE, "this pump knows no server for logins");
	rc = says_build(d, rq, &says);
	rc = rc ? rc : login_question_build(&q, ++d->packet_id, &p);
	if (rc)
		return rc;
	rc = packet_exchange(d, &p, open_by_us(d, rq, deadline_us), deadline_us, answer, &len);
	rc = rc ? rc : login_answer_parse(answer, len, &p, rq != NULL, out);
	secret_wipe(&p, sizeof(p));
	if (!rc) {
		answer_take(d, out);
		return 0;
	}
	radsec_close(d->radsec);
	if (rc != ERR_CONFLICT) {
		LOG(LOG_WARN, "login.server_away", LOG_S("why", err_text()));
		d->away_until_us = clock_mono_us() + (int64_t)DESK_AWAY_MS * 1000;
	}
	return rc;
}

int desk_contact(struct desk *d)
{
	struct login_answer a;
	bool had_records = d->vault && d->vault->offline.head.n_records > 0;
	int rc = ask(d, NULL, &a);

	if (rc)
		return rc;
	if (a.has_refusal && d->is_refused)
		return err_set(ERR_DENIED, "the server refuses this pump's logins");
	if (a.has_refusal)
		return err_set(ERR_UNAVAILABLE, "the server says: %s", a.refusal.result);
	return a.terms.more || (had_records && d->vault->offline.head.n_records)
		       ? err_set(ERR_BUSY, "there is more to be said")
		       : 0;
}

/* ---- a login at the server ---- */

static void accepted(const struct login_grant *g, const struct login_keeping *keeping,
		     struct pumplink_answer *out, struct desk_entry *entry)
{
	desk_outcome(out, PUMPLINK_OK, 0);
	desk_person_put(out, g->display, g->user);
	memcpy(out->role, g->role, strnlen(g->role, sizeof(out->role) - 1));
	out->session_s = g->session_s;
	out->idle_s = g->idle_s;
	memcpy(entry->user, g->user, sizeof(entry->user));
	memcpy(entry->login_id, g->login_id, sizeof(entry->login_id));
	entry->grant = *g;
	entry->has_terms = true;
	entry->keep_password = keeping->password;
}

/* True: the server has decided. */
static bool decided_online(struct desk *d, const struct pumplink_request *rq,
			   struct pumplink_answer *out, struct desk_entry *entry)
{
	struct login_answer a;

	if (ask(d, rq, &a))
		return false;
	if (a.is_accept) {
		accepted(&a.grant, &a.keeping, out, entry);
		return true;
	}
	LOG(LOG_INFO, "login.refused", LOG_S("by", "server"), LOG_S("why", a.refusal.result));
	if (!strcmp(a.refusal.result, "try-again"))
		return false;
	if (!strcmp(a.refusal.result, "throttled"))
		desk_outcome(out, PUMPLINK_TRY_AGAIN, a.refusal.retry_s ? a.refusal.retry_s : 1);
	else
		desk_outcome(out, PUMPLINK_REFUSED, 0);
	return true;
}

/* ---- by a code from the envelope ---- */

static void code_pause(struct desk *d)
{
	unsigned over = ++d->wrong_codes > DESK_TRIES_FREE ? d->wrong_codes - DESK_TRIES_FREE : 0;
	int64_t pause_s = over > 6 ? DESK_PAUSE_MAX_S : over ? (int64_t)1 << over : 0;

	pause_s = pause_s < DESK_PAUSE_MAX_S ? pause_s : DESK_PAUSE_MAX_S;
	d->codes_after_us = clock_mono_us() + pause_s * 1000000;
}

/* The number of the code in codes[], or -1. */
static int code_find(struct desk *d, const struct age_now *now,
		     const char code[BREAK_GLASS_TEXT_SIZE])
{
	const struct offline *o = &d->vault->offline;
	uint8_t hash[BREAK_GLASS_HASH];
	int found = -1;

	for (uint32_t i = 0; i < o->head.n_codes; i++) {
		const struct offline_code *k = &o->codes[i];

		if (!offline_code_is_good(o, now, i) ||
		    break_glass_hash(o->head.pump, code, k->salt.data, hash))
			continue;
		if (secret_equal(hash, sizeof(hash), k->hash.data, k->hash.len))
			found = (int)i;
	}
	secret_wipe(hash, sizeof(hash));
	return found;
}

static bool code_use(struct desk *d, const struct pumplink_request *rq, struct offline_code *used)
{
	struct offline *o = &d->vault->offline;
	char code[BREAK_GLASS_TEXT_SIZE] = "";
	struct age_now now = desk_now();
	int i = break_glass_code_parse(rq->secret, rq->secret_len, code) ? -1
									 : code_find(d, &now, code);

	secret_wipe(code, sizeof(code));
	if (i < 0 || offline_code_use(o, &now, (size_t)i) != OFFLINE_OK)
		return false;
	*used = o->codes[i];
	return desk_keep(d, VAULT_FINAL) == 0; /* used on disk, or nobody comes in */
}

static void by_code(struct desk *d, const struct pumplink_request *rq, struct pumplink_answer *out,
		    struct desk_entry *entry)
{
	int64_t wait_us = d->codes_after_us - clock_mono_us();
	struct offline_code used = {0};

	if (wait_us > 0) {
		desk_outcome(out, PUMPLINK_TRY_AGAIN, (uint32_t)(wait_us / 1000000 + 1));
		return;
	}
	if (!d->vault || !code_use(d, rq, &used)) {
		LOG(LOG_WARN, "login.refused", LOG_S("by", "pump"), LOG_S("why", "no such code"));
		code_pause(d);
		desk_outcome(out, d->vault ? PUMPLINK_REFUSED : PUMPLINK_UNAVAILABLE, 0);
		return;
	}
	LOG(LOG_WARN, "login.break_glass", LOG_U("code", used.id));
	d->wrong_codes = 0;
	desk_outcome(out, PUMPLINK_OK, 0);
	desk_person_put(out, "", BREAK_GLASS_USER);
	memcpy(out->role, used.role, strnlen(used.role, sizeof(out->role) - 1));
	out->session_s = used.session_s;
	out->idle_s = used.idle_s;
	out->is_offline = true;
	out->is_break_glass = true;
	memcpy(entry->user, BREAK_GLASS_USER, sizeof(BREAK_GLASS_USER));
}

/* ---- calls ---- */

void desk_login(struct desk *d, const struct pumplink_request *rq, struct pumplink_answer *out,
		struct desk_entry *entry)
{
	memset(entry, 0, sizeof(*entry));
	if (rq->kind == PUMPLINK_LOGIN_BREAK_GLASS)
		by_code(d, rq, out, entry);
	else if (!decided_online(d, rq, out, entry))
		desk_by_person(d, rq, out, entry);
}

int desk_note_end(struct desk *d, const struct desk_entry *entry, bool was_offline, const char *why)
{
	struct login_record r = {.what = "logout"};
	struct age_now now = desk_now();

	if (!d->vault || str_copy(r.result, sizeof(r.result), why))
		return 0;
	memcpy(r.user, entry->user, sizeof(r.user));
	memcpy(r.login_id, entry->login_id, sizeof(r.login_id));
	if (was_offline && str_copy(r.detail, sizeof(r.detail), "of an offline login"))
		return ERR_INTERNAL;
	if (d->vault->offline.head.n_records >= OFFLINE_RECORDS_MAX - OFFLINE_RECORDS_SPARE)
		return 0; /* what is left is for logins */
	(void)offline_note(&d->vault->offline, &now, &r);
	return desk_keep(d, VAULT_LIGHT);
}

static uint32_t way_of(const struct desk *d, const struct offline_person *p)
{
	bool has_tpm = d->vault->chip && !*d->vault->chip_why;

	return !p->is_password ? PUMPLINK_WAY_OFFLINE : has_tpm ? PUMPLINK_WAY_PASSWORD : 0;
}

uint32_t desk_ways(const struct desk *d)
{
	struct age_now now = desk_now();
	const struct offline *o = d->vault ? &d->vault->offline : NULL;
	uint32_t ways =
		d->answered_ms && !d->away_until_us && !d->is_refused ? PUMPLINK_WAY_ONLINE : 0;

	if (o && !o->age.is_set_back && !d->is_behind && !d->is_refused)
		for (uint32_t i = 0; i < o->head.n_people; i++)
			ways |= way_of(d, &o->people[i]);
	for (uint32_t i = 0; o && i < o->head.n_codes; i++)
		if (offline_code_is_good(o, &now, i))
			ways |= PUMPLINK_WAY_BREAK_GLASS;
	return ways;
}
