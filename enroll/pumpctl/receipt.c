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

void receipt_print(FILE *to, const struct receipt *r)
{
	const struct revocation *v = &r->revocation;
	char at[CLOCK_TEXT_MAX], by[LABEL_SIZE * 4], reason[TEXT_SIZE];

	log_escape(v->by, strlen(v->by), by, sizeof(by));
	log_escape(v->reason, strlen(v->reason), reason, sizeof(reason));
	clock_format(v->committed_at, at);
	fprintf(to, "pump %s %s revoked by %s: %s\n", v->device, v->already ? "was already" : "is",
		by, reason);
	fprintf(to, "  committed        %s, %lld ms after asking; certificates: %u\n", at,
		(long long)(v->committed_at - v->asked_at), v->certificates);
	if (r->n_orders == 0)
		fputs("  disconnect       no NAS had it in the last 24 hours\n", to);
	orders_print(to, r);
	if (v->kept_at) {
		clock_format(v->kept_at, at);
		fprintf(to, "  kept by signer   at %s: a restored backup cannot bring it back\n",
			at);
	} else if (v->unkept) {
		fputs("  kept by signer   not yet: a backup restored now would not know\n", to);
	} else {
		fputs("  kept by signer   nothing to keep: it never had a certificate\n", to);
	}
	if (v->return_refused_at) {
		clock_format(v->return_refused_at, at);
		fprintf(to, "  return refused   at %s\n", at);
	} else {
		fputs("  return refused   not tried yet\n", to);
	}
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
