/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the receipt's words. Never claims what no NAS has confirmed. */
#include "enroll/pumpctl/receipt.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "enroll/pumpctl/record_json.h"

static bool is_confirmed(const struct order_status *o)
{
	return !strcmp(o->state, "acked") || !strcmp(o->state, "gone");
}

static bool is_settled(const struct order_status *o)
{
	return is_confirmed(o) || !strcmp(o->state, "unsendable");
}

bool receipt_is_settled(const struct receipt *r)
{
	for (size_t i = 0; i < r->n_orders; i++)
		if (!is_settled(&r->orders[i]))
			return false;
	return r->n_orders >= r->revocation.orders && r->revocation.unkept == 0;
}

enum receipt_outcome receipt_outcome(const struct receipt *r)
{
	bool unsent = false;

	if (!receipt_is_settled(r))
		return RECEIPT_OPEN;
	for (size_t i = 0; i < r->n_orders; i++)
		unsent = unsent || !is_confirmed(&r->orders[i]);
	return unsent ? RECEIPT_UNSENT : RECEIPT_GREEN;
}

static void order_words(const struct order_status *o, const struct revocation *rev, char *out,
			size_t size)
{
	long long ms = (long long)(o->done_at - rev->asked_at);

	if (!strcmp(o->state, "acked"))
		snprintf(out, size, "disconnected %lld ms after asking (NAS took %u.%u ms)", ms,
			 o->rtt_us / 1000, o->rtt_us / 100 % 10);
	else if (!strcmp(o->state, "gone"))
		snprintf(out, size, "NAS knows no such session (%lld ms after asking)", ms);
	else if (!strcmp(o->state, "unsendable"))
		snprintf(out, size, "cannot be told: %s",
			 o->last_result[0] ? o->last_result : "it takes no Disconnect-Requests");
	else if (o->attempts == 0)
		snprintf(out, size, "not sent yet");
	else if (!strcmp(o->last_result, "nak"))
		snprintf(out, size,
			 "refused by the NAS (Error-Cause %u, attempt %u); retries go on",
			 o->error_cause, o->attempts);
	else
		snprintf(out, size, "no answer after %u %s; retries go on", o->attempts,
			 o->attempts == 1 ? "try" : "tries");
}

static void orders_print(FILE *to, const struct receipt *r)
{
	for (size_t i = 0; i < r->n_orders; i++) {
		const struct order_status *o = &r->orders[i];
		char words[160], session[80], label[96];

		log_escape(o->session_id, strlen(o->session_id), session, sizeof(session));
		snprintf(label, sizeof(label), "%s", session[0] ? session : "any session");
		order_words(o, &r->revocation, words, sizeof(words));
		fprintf(to, "  %-16s %s: %s\n", o->nas, label, words);
	}
}

const char *receipt_state(const struct revocation *change)
{
	static const char *const states[][2] = {
		{"quarantine", "quarantined"}, {"park", "parked"}, {"release", "released"}};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (!strcmp(change->action, states[i][0]))
			return states[i][1];
	return "revoked";
}

static void kept_print(FILE *to, const struct revocation *v)
{
	char at[CLOCK_TEXT_MAX];

	if (v->kept_at) {
		clock_format(v->kept_at, at);
		fprintf(to, "  kept by signer   at %s: a restored backup cannot bring it back\n",
			at);
	} else if (v->unkept) {
		fputs("  kept by signer   not yet: a backup restored now would not know\n", to);
	} else {
		fputs("  kept by signer   nothing to keep: it never had a certificate\n", to);
	}
}

/* What the pump got at its first attempt since. */
static void return_print(FILE *to, const struct revocation *v)
{
	char at[CLOCK_TEXT_MAX];
	bool off = !strcmp(receipt_state(v), "revoked");
	int64_t when = off ? v->return_refused_at : v->returned_at;

	fprintf(to, "  %-16s ", off ? "return refused" : "in its new zone");
	if (!when) {
		fputs(off ? "not tried yet\n" : "not seen there yet\n", to);
		return;
	}
	clock_format(when, at);
	fprintf(to, "%s %s\n", off ? "at" : "since", at);
}

void receipt_print(FILE *to, const struct receipt *r)
{
	const struct revocation *v = &r->revocation;
	char at[CLOCK_TEXT_MAX], by[LABEL_SIZE * 4], reason[TEXT_SIZE];

	log_escape(v->by, strlen(v->by), by, sizeof(by));
	log_escape(v->reason, strlen(v->reason), reason, sizeof(reason));
	clock_format(v->committed_at, at);
	fprintf(to, "pump %s %s %s by %s%s%s\n", v->device, v->already ? "was already" : "is",
		receipt_state(v), by, *reason ? ": " : "", reason);
	fprintf(to, "  committed        %s, %lld ms after asking", at,
		(long long)(v->committed_at - v->asked_at));
	if (!strcmp(receipt_state(v), "revoked"))
		fprintf(to, "; certificates: %u", v->certificates);
	fputc('\n', to);
	if (r->n_orders == 0)
		fputs("  disconnect       no NAS had it in the last 24 hours\n", to);
	orders_print(to, r);
	if (!strcmp(receipt_state(v), "revoked"))
		kept_print(to, v);
	return_print(to, v);
}

json_t *receipt_to_json(const struct receipt *r)
{
	json_t *j = record_to_json(&record_revocation, &r->revocation);
	json_t *orders = json_array();

	for (size_t i = 0; i < r->n_orders; i++)
		json_array_append_new(orders, record_to_json(&record_order_status, &r->orders[i]));
	if (!j || !orders || json_object_set_new(j, "orders", orders) ||
	    json_object_set_new(
		    j, "committed_ms",
		    json_integer(r->revocation.committed_at - r->revocation.asked_at)) ||
	    json_object_set_new(j, "confirmed", json_boolean(receipt_outcome(r) == RECEIPT_GREEN)))
		return NULL;
	return j;
}
