/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Revocations and quarantines raced against authentications. The main thread plays the NAS and
 * their pumps, a second one the person who orders them; both write one history with times of one
 * clock, which is held against the promise afterwards. Never decides anything about the server from
 * the server's word alone.
 */
#ifndef TESTS_RACES_RACES_H
#define TESTS_RACES_RACES_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "sql/client/registry_client.h"
#include "tests/bench/credential_set.h"
#include "tests/bench/eap_slot.h"

#define NAS_COUNT 5
#define SLOTS_PER_NAS 3
#define PUMPS_MAX 4096
#define OFF_WITHIN_US 2000000 /* the promise */

/* How a NAS reports what it does; each is met in the field. */
enum nas_kind {
	NAS_EXACT = 0,	     /* accounting at once */
	NAS_LATE,	     /* accounting late, or never */
	NAS_NO_ACCOUNTING,   /* Acct-Session-Id in Access-Request only */
	NAS_NAMELESS,	     /* neither accounting nor Acct-Session-Id */
	NAS_NAMED_AFTERWARDS /* Acct-Session-Id in accounting only */
};

/* ---- random numbers from the seed ---- */
struct dice {
	uint64_t state;
};
uint32_t dice_below(struct dice *d, uint32_t n); /* 0..n-1 */
bool dice_percent(struct dice *d, uint32_t percent);

/* ---- kills ---- */
#define OUTAGES_MAX 16
struct outages {
	long supervisor; /* whose children are killed; 0: nobody is */
	struct dice dice;
	pthread_t thread;
	unsigned n;
	struct outage {
		int64_t from_us, to_us;
	} all[OUTAGES_MAX];
};

/* Kills each server process once, one after the other, from a thread of its own. */
void outages_begin(struct outages *o, uint64_t seed);
void outages_end(struct outages *o); /* waits for the thread */
/* From when on something must be done within `within_us` that would be due at `from_us`: a process
 * that is away is waited for. */
int64_t outages_excuse(const struct outages *o, int64_t from_us, int64_t within_us);

/* ---- history ---- */
struct accept_note {
	unsigned pump, nas;
	int64_t asked_us; /* its last Access-Request first went out */
	int64_t got_us;
	bool resumed, quarantined; /* into the quarantine zone */
};

struct stay { /* a pump on a NAS */
	unsigned pump, nas;
	char session[32]; /* "": the NAS names none */
	char class_text[RADIUS_ATTR_MAX + 1];
	int64_t start_us, end_us; /* end 0: still on */
	bool quarantined;	  /* in the quarantine zone */
};

struct pump {
	const struct credential *tls[2]; /* TLS 1.2, 1.3 */
	SSL_SESSION *session;		 /* of TLS 1.2 */
	bool busy[NAS_COUNT];
	bool deaf[NAS_COUNT]; /* its last Disconnect-Request there was not heard */
	bool quarantine;      /* what is ordered for it: this, or its revocation */
	unsigned returns;     /* attempts it still makes after that */
	unsigned returned;    /* attempts begun after the receipt that were rejected, as it wants,
				 or led into quarantine */
	atomic_uint acks[NAS_COUNT], naks[NAS_COUNT];
	int64_t asked_us;	 /* revoker's: the request went out */
	_Atomic int64_t done_us; /* the receipt was there: the commit came before */
	int64_t gap_us;		 /* the revoker waits before it asks */
};

struct history {
	struct outages outages;
	struct pump *pumps;
	unsigned n_pumps;
	const char *quarantine_vlan;
	struct accept_note *accepts;
	size_t n_accepts, accepts_max;
	struct stay *stays;
	size_t n_stays, stays_max;
	uint64_t rejects, resumed, lost, broken, dropped;
};

void history_accept(struct history *h, const struct accept_note *a);
/* The index of a new stay. */
size_t history_stay(struct history *h, const struct stay *s);
/* Prints each breach; their number. `now_us`: until when stays that have not ended lasted. */
unsigned history_check(const struct history *h, int64_t now_us);
/* What the registry says of each order against what the NAS did. Waits at most `wait_ms`. */
unsigned receipts_check(const struct history *h, const char *socket, int wait_ms);

/* ---- the NAS ---- */
struct ward {
	struct history *history;
	struct dice *dice;
	struct eap_slot_options options[NAS_COUNT];
	int das[NAS_COUNT], acct[NAS_COUNT];
	uint8_t acct_id;
	struct report *reports; /* accounting that is still to be sent */
	size_t n_reports, reports_max;
};

/* DAS and accounting sockets of NET.1 to NET.5; `options[0].target` has server and secret. */
void ward_open(struct ward *w, const char *net, uint16_t das_port, uint16_t acct_port);
void ward_close(struct ward *w);
/* A Disconnect-Request may be there. */
void ward_das_hear(struct ward *w, unsigned nas);
/* An Accept has come for `pump`. */
void ward_admit(struct ward *w, unsigned nas, unsigned pump, const struct eap_slot *slot);
void ward_tick(struct ward *w, int64_t now_us);

/* Revokes the pump by a recall of it alone; returns once that is done. Errors of the calls. */
int race_recall(struct ipc_client *c, const struct revoke *rq) MUST_USE;

#endif
