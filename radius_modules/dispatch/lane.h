/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way to one NAS: which Disconnect-Request goes out next, what waits, what an answer means and
 * when to give up. Pure: time comes in as an argument, packets go in and out as bytes.
 *
 * - At most LANE_WINDOW_MAX requests are unanswered at once, each under an id of its own; the
 * window starts small, grows by one per answer and halves when the NAS has to be asked again.
 * - A retransmission is byte for byte the first packet: same id, timestamp and authenticator, so
 *   that the NAS knows it as a duplicate (RFC 5080 2.2.1, RFC 5176 2.3).
 * - A session that the NAS does not know by its name (NAK 503) is asked for once more by its
 * station alone, so that "no such session" means that the pump is not there.
 * - When a request ends in silence and nothing at all came from the NAS since it was first sent,
 * all that waits behind it ends too: a NAS that is gone does not hold orders for hours.
 */
#ifndef DISPATCH_LANE_H
#define DISPATCH_LANE_H

#include <sys/queue.h>

#include "base/secret.h"
#include "radius_modules/dispatch/disconnect.h"

#define LANE_TRIES 3
#define LANE_WINDOW_MAX 64
#define LANE_WINDOW_START 16
#define LANE_WINDOW_MIN 4
/* 250 ms, 500 ms, 1 s: silence is certain after 1.75 s; the registry then asks again later. */
#define LANE_FIRST_WAIT_US 250000
/* Header, Message-Authenticator, Event-Timestamp, two names of full length, and certificates. */
#define LANE_PACKET_MAX (20 + 18 + 6 + 255 + 255 + 255)

/* One order on its way. */
struct flight {
	struct dispatch_order order; /* its secret is wiped; the lane uses the one below */
	struct secret *secret;	     /* owned */
	unsigned tries;
	int64_t first_us;
	int64_t due_us; /* of the next step */
	uint8_t packet[LANE_PACKET_MAX];
	size_t packet_len;
	STAILQ_ENTRY(flight) next;
};

/* Takes a copy of the order and wipes the secret in `order`. ERR_NOMEM; ERR_INVALID as
 * disconnect_check(): then no NAS can be asked. */
int flight_new(struct dispatch_order *order, struct flight **out) MUST_USE;
void flight_free(struct flight *f); /* NULL ok */

enum lane_end { LANE_SILENT = 0, LANE_NAK, LANE_ACK };

struct lane_outcome {
	struct flight *flight; /* the caller's from now on */
	enum lane_end end;
	uint32_t error_cause; /* of a NAK: RFC 5176 3.6, 0 when it named none */
	int64_t rtt_us;	      /* since the first transmission */
	const char *detail;   /* a constant sentence */
};

struct lane {
	struct flight *by_id[256];
	STAILQ_HEAD(, flight) waiting;
	unsigned n_waiting;
	unsigned in_flight;
	unsigned window;
	uint8_t next_id;
	bool giving_up;	     /* what waits now ends in silence */
	int64_t heard_us;    /* when a verified answer came last; 0: never */
	uint64_t unverified; /* answers with a wrong signature: forged, or another secret */
	uint64_t stray;	     /* garbage, duplicates, answers to nothing that was asked */
};

void lane_init(struct lane *l);
void lane_done(struct lane *l); /* frees all flights */

void lane_add(struct lane *l, struct flight *f);
bool lane_is_idle(const struct lane *l);

/* What to send now: a first transmission or one that is due again. NULL: nothing. The packet must
 * be sent at once; a failure to send is the same as a lost packet. */
const struct flight *lane_send_next(struct lane *l, int64_t now_us, uint32_t wall_s);
/* A datagram came. True: it ended a flight. False: it was ignored, and counted, or the order is
 * asked in another way: call lane_send_next(). */
bool lane_answer(struct lane *l, const void *data, size_t len, int64_t now_us,
		 struct lane_outcome *out);
/* True: a flight ended in silence. Call until false. */
bool lane_expire_next(struct lane *l, int64_t now_us, struct lane_outcome *out);
/* When to call lane_expire_next() and lane_send_next() again; INT64_MAX: not before the next add.
 */
int64_t lane_due_us(const struct lane *l);

#endif
