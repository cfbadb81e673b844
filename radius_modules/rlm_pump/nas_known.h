/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What radiusd knows of each NAS by its address: what registryd said and when, whether anything
 * that was signed with its secret came, and what of it was told already. Bounded: an address shares
 * its slot with others and the later one takes it. Thread-safe; no I/O, time comes in.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_NAS_KNOWN_H
#define RADIUS_MODULES_RLM_PUMP_NAS_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sql/proto/registry_records.h"

/* So old may an answer be, so that the four packets of one authentication do not ask four times. */
#define NAS_FRESH_US 1000000
/* Of one NAS, wrong secrets and claims are told so often at most. */
#define NAS_TELL_US 10000000
/* The same claim again after this. */
#define NAS_CLAIM_AGAIN_US (3600LL * 1000000)

struct nas_known;

int nas_known_new(struct nas_known **out) MUST_USE; /* ERR_NOMEM */
void nas_known_free(struct nas_known *k);	    /* NULL ok; wipes */

/* What registryd said about `ip` at now_us. */
void nas_known_put(struct nas_known *k, const char *ip, int64_t now_us, const struct nas_facts *f);
/* True when that is known, and not older than max_age_us (INT64_MAX: however old); *out holds a
 * secret: wipe it. */
bool nas_known_get(struct nas_known *k, const char *ip, int64_t now_us, int64_t max_age_us,
		   struct nas_facts *out);
/* True when the answer for `ip` is fresh; then *good_out: it is in force and has this secret. */
bool nas_known_standing(struct nas_known *k, const char *ip, int64_t now_us, const char *secret,
			bool *good_out);

/* FreeRADIUS has made a client for `ip`: packets will be held against its secret. */
void nas_known_client(struct nas_known *k, const char *ip, int64_t now_us);
/* One of them bore the right signature. */
void nas_known_heard(struct nas_known *k, const char *ip);

/* FreeRADIUS only counts packets with a wrong signature: `bad` in all so far. They are laid at the
 * door of the addresses that had a client lately and from which no packet was right. One of them in
 * *out when it is time to tell; call until false. What can't be laid at anybody's door is in
 * *unknown_out. */
bool nas_known_wrong_secret(struct nas_known *k, uint64_t bad, int64_t now_us,
			    struct nas_event *out, uint32_t *unknown_out);
/* A packet of `ip` names itself so ("": as registered). True when that is worth telling now. */
bool nas_known_claim(struct nas_known *k, const char *ip, int64_t now_us, const char *claimed_ip,
		     const char *claimed_id);

#endif
