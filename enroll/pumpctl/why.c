/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the answer to "why". Never guesses: each sentence names the record that it comes from. */
#include "enroll/pumpctl/why.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "policies/standing.h"

#define WORDS_MAX 1024

void why_answer_init(struct why_answer *a)
{
	memset(a, 0, sizeof(*a));
	buf_init(&a->sentence, WORDS_MAX);
	buf_init(&a->next, WORDS_MAX);
}

void why_answer_done(struct why_answer *a)
{
	buf_done(&a->sentence);
	buf_done(&a->next);
}

/* What a person reads: seconds are enough. */
static void when(int64_t at, char out[CLOCK_TEXT_MAX])
{
	clock_format(at, out);
	if (strlen(out) > 19)
		strcpy(out + 19, "Z");
}

/* Text from outside, safe to print. */
static void safe(const char *text, char *out, size_t size)
{
	log_escape(text, strlen(text), out, size);
}

static const struct event *newest_of(const struct why_facts *f, const char *source)
{
	for (size_t i = 0; i < f->n_events; i++)
		if (!strcmp(f->events[i].source, source))
			return &f->events[i];
	return NULL;
}

/* A next step, SERIAL replaced by the pump's own. */
static int next_put(const struct why_facts *f, const char *step, struct why_answer *out)
{
	const char *at = step;

	for (;;) {
		const char *word = strstr(at, "SERIAL");
		int rc = buf_put(&out->next, at, word ? (size_t)(word - at) : strlen(at));

		if (!rc && word)
			rc = buf_put_str(&out->next, f->serial);
		if (rc || !word)
			return rc;
		at = word + strlen("SERIAL");
	}
}

static int refusal_put(const struct why_facts *f, const struct event *e, const char *what,
		       struct why_answer *out)
{
	char at[CLOCK_TEXT_MAX], detail[TEXT_SIZE], nas[NAME_SIZE * 4];
	enum reason r = reason_parse(e->reason);
	int rc;

	when(e->at, at);
	safe(e->detail, detail, sizeof(detail));
	safe(e->nas, nas, sizeof(nas));
	out->reason = r;
	rc = buf_printf(&out->sentence, "%s%s%s at %s: %s%s%s%s", what, nas[0] ? " on " : "", nas,
			at, reason_sentence(r), detail[0] ? " (" : "", detail,
			detail[0] ? ")" : "");
	return rc ? rc : next_put(f, reason_next_step(r), out);
}

static int why_unknown(const struct why_facts *f, struct why_answer *out)
{
	int rc = buf_printf(&out->sentence, "The inventory has no pump %s.", f->serial);

	out->reason = REASON_UNKNOWN_PUMP;
	return rc ? rc : next_put(f, reason_next_step(REASON_UNKNOWN_PUMP), out);
}

static int why_revoked(const struct why_facts *f, struct why_answer *out)
{
	const struct device *d = f->device;
	const struct event *auth = newest_of(f, "auth");
	char at[CLOCK_TEXT_MAX], by[LABEL_SIZE * 4], reason[TEXT_SIZE];
	int rc;

	out->reason = REASON_PUMP_REVOKED;
	when(d->state_at, at);
	safe(d->state_by, by, sizeof(by));
	safe(d->state_reason, reason, sizeof(reason));
	rc = buf_printf(&out->sentence, "Pump %s was revoked by %s at %s: %s", f->serial, by, at,
			reason);
	if (!rc && auth && auth->at >= d->state_at && !strcmp(auth->what, "reject")) {
		when(auth->at, at);
		rc = buf_printf(&out->sentence, "; it tried again at %s and was refused", at);
	}
	if (!rc && d->untold_nas)
		rc = buf_printf(
			&out->next,
			"%u NAS could not be told and may still have it on: take it off "
			"there by hand; which, says pumpctl pump revoke %s --reason again%s",
			d->untold_nas, f->serial, d->open_orders ? ". " : "");
	if (rc || !d->open_orders)
		return rc;
	return buf_printf(&out->next,
			  "%u NAS %s not confirmed that it is off; retries go on: "
			  "pumpctl pump events %s",
			  d->open_orders, d->open_orders == 1 ? "has" : "have", f->serial);
}

static int why_held(struct why_answer *out)
{
	int rc = buf_printf(&out->sentence, "%s", reason_sentence(REASON_RESTORED_GAP));

	out->reason = REASON_RESTORED_GAP;
	return rc ? rc : buf_printf(&out->next, "%s", reason_next_step(REASON_RESTORED_GAP));
}

static int why_expected(const struct why_facts *f, struct why_answer *out)
{
	const struct device *d = f->device;
	const struct event *auth = newest_of(f, "auth");
	const struct event *enroll = newest_of(f, "enroll");
	char at[CLOCK_TEXT_MAX];
	int rc;

	if (enroll && (!auth || enroll->at >= auth->at))
		return refusal_put(f, enroll, "Its last enrolment was refused", out);
	if (auth && !strcmp(auth->what, "onboard")) {
		when(auth->at, at);
		out->reason = REASON_ENROLMENT_WINDOW;
		out->on = true;
		rc = buf_printf(
			&out->sentence,
			"Let into zone %s (VLAN %u) on %s at %s to enrol; it has not done so",
			auth->zone, auth->vlan, auth->nas, at);
		return rc ? rc : next_put(f, "Look at the pump: pumpctl pump events SERIAL", out);
	}
	if (auth)
		return refusal_put(f, auth, "Refused", out);
	out->reason = REASON_NOT_ENROLLED;
	rc = buf_printf(&out->sentence, "Pump %s is expected; it has not tried to enrol yet",
			f->serial);
	if (rc || d->token_until <= f->now_ms)
		return rc ? rc : next_put(f, reason_next_step(REASON_NOT_ENROLLED), out);
	when(d->token_until, at);
	rc = buf_printf(&out->sentence, "; a token is open until %s", at);
	return rc ? rc : next_put(f, "Bring the bundle to the pump.", out);
}

/* Placed in another zone: that explains where it is, or belongs at its next attempt. */
static int why_placed(const struct why_facts *f, enum reason placed, struct why_answer *out)
{
	const struct device *d = f->device;
	const struct event *auth = newest_of(f, "auth");
	char at[CLOCK_TEXT_MAX], by[LABEL_SIZE * 4], reason[TEXT_SIZE], nas[NAME_SIZE * 4];
	int rc;

	if (auth && auth->at >= d->state_at && !strcmp(auth->what, "reject"))
		return refusal_put(f, auth, "Refused", out);
	out->reason = placed;
	when(d->state_at, at);
	safe(d->state_by, by, sizeof(by));
	safe(d->state_reason, reason, sizeof(reason));
	rc = buf_printf(&out->sentence, "Pump %s was %s by %s at %s: %s", f->serial,
			reason_name(placed), by, at, reason);
	if (!rc && auth && auth->at >= d->state_at && reason_parse(auth->reason) == placed) {
		when(auth->at, at);
		safe(auth->nas, nas, sizeof(nas));
		out->on = d->live_sessions > 0;
		rc = buf_printf(&out->sentence, "; let into zone %s (VLAN %u) on %s at %s",
				auth->zone, auth->vlan, nas[0] ? nas : "an unnamed NAS", at);
	} else if (!rc) {
		rc = buf_printf(&out->sentence, "; it has not tried to get on since");
	}
	if (!rc && d->open_orders)
		rc = buf_printf(&out->next,
				"%u NAS %s not confirmed the disconnect; retries go on: pumpctl "
				"pump events %s. ",
				d->open_orders, d->open_orders == 1 ? "has" : "have", f->serial);
	return rc ? rc : next_put(f, "To end it: pumpctl pump release SERIAL", out);
}

static int why_accepted(const struct why_facts *f, const struct event *auth, struct why_answer *out)
{
	const struct device *d = f->device;
	char at[CLOCK_TEXT_MAX], nas[NAME_SIZE * 4];
	int rc;

	when(auth->at, at);
	safe(auth->nas, nas, sizeof(nas));
	out->reason = REASON_IN_GOOD_STANDING;
	out->on = d->live_sessions > 0;
	rc = buf_printf(&out->sentence, "%s zone %s (VLAN %u) on %s %s %s",
			out->on ? "Accepted in" : "No session is open; last accepted in",
			auth->zone[0] ? auth->zone : d->zone, auth->vlan ? auth->vlan : d->vlan,
			nas[0] ? nas : "an unnamed NAS", out->on ? "since" : "at", at);
	if (!rc && !out->on)
		rc = buf_printf(&out->next,
				"Is the pump switched on and in reach? pumpctl pump events %s",
				f->serial);
	return rc;
}

/* A certificate past its end explains more than the last visit does. */
static int certificate_put(const struct why_facts *f, const struct event *auth,
			   struct why_answer *out)
{
	const struct device *d = f->device;
	const struct event *enroll = newest_of(f, "enroll");
	char at[CLOCK_TEXT_MAX];
	int rc;

	if (enroll && auth && enroll->at > auth->at) {
		when(enroll->at, at);
		rc = buf_printf(&out->sentence, "; its renewal was refused at %s: %s", at,
				reason_sentence(reason_parse(enroll->reason)));
		if (!rc && !out->next.len)
			rc = next_put(f, reason_next_step(reason_parse(enroll->reason)), out);
		return rc;
	}
	if (!d->cert_not_after || d->cert_not_after > f->now_ms ||
	    out->reason == REASON_CERTIFICATE_EXPIRED)
		return 0;
	when(d->cert_not_after, at);
	rc = buf_printf(&out->sentence, "; its certificate ended at %s", at);
	buf_reset(&out->next);
	return rc ? rc : next_put(f, reason_next_step(REASON_CERTIFICATE_EXPIRED), out);
}

/* Below its model's floor: on the network, but only where it may be cared for. */
static int why_low(const struct why_facts *f, const struct event *auth, struct why_answer *out)
{
	char at[CLOCK_TEXT_MAX], nas[NAME_SIZE * 4], detail[TEXT_SIZE];
	int rc;

	when(auth->at, at);
	safe(auth->nas, nas, sizeof(nas));
	safe(auth->detail, detail, sizeof(detail));
	out->reason = REASON_TLS_BELOW_MODEL;
	out->on = f->device->live_sessions > 0;
	rc = buf_printf(&out->sentence, "Let into zone %s (VLAN %u) only on %s at %s: %s (%s)",
			auth->zone, auth->vlan, nas[0] ? nas : "an unnamed NAS", at,
			reason_sentence(REASON_TLS_BELOW_MODEL), detail);
	return rc ? rc : next_put(f, reason_next_step(REASON_TLS_BELOW_MODEL), out);
}

static int why_enrolled(const struct why_facts *f, struct why_answer *out)
{
	const struct event *auth = newest_of(f, "auth");
	int rc;

	if (!auth) {
		rc = buf_printf(&out->sentence,
				"Pump %s has its certificate but no NAS has asked for it yet",
				f->serial);
		if (!rc)
			rc = next_put(f,
				      "Check the pump's supplicant and that its NAS is known: "
				      "pumpctl nas list",
				      out);
	} else if (!strcmp(auth->what, "accept")) {
		rc = why_accepted(f, auth, out);
	} else if (strcmp(auth->what, "reject") != 0 &&
		   reason_parse(auth->reason) == REASON_TLS_BELOW_MODEL) {
		rc = why_low(f, auth, out);
	} else {
		rc = refusal_put(f, auth, "Refused", out);
	}
	return rc ? rc : certificate_put(f, auth, out);
}

static int alarms_put(const struct why_facts *f, struct why_answer *out)
{
	unsigned n = f->device->open_alarms;
	int rc;

	if (!n)
		return 0;
	rc = buf_printf(&out->sentence, "; %u alarm%s about a copied key %s open", n,
			n == 1 ? "" : "s", n == 1 ? "is" : "are");
	return rc ? rc
		  : buf_printf(&out->next, "%sLook at the alarm: pumpctl alarm list --pump %s",
			       out->next.len ? " " : "", f->serial);
}

static int why_known(const struct why_facts *f, struct why_answer *out)
{
	switch (device_state_parse(f->device->state)) {
	case DEVICE_REVOKED:
		return why_revoked(f, out);
	case DEVICE_HELD:
		return why_held(out);
	case DEVICE_EXPECTED:
		return why_expected(f, out);
	case DEVICE_QUARANTINED:
		return why_placed(f, REASON_QUARANTINED, out);
	case DEVICE_PARKED:
		return why_placed(f, REASON_PARKED, out);
	case DEVICE_ENROLLED:
		return why_enrolled(f, out);
	case DEVICE_UNKNOWN:
		break;
	}
	return buf_printf(&out->sentence,
			  "The registry has pump %s in a state this program "
			  "does not know",
			  f->serial);
}

int why_decide(const struct why_facts *f, struct why_answer *out)
{
	int rc = f->device ? why_known(f, out) : why_unknown(f, out);

	return rc || !f->device ? rc : alarms_put(f, out);
}
