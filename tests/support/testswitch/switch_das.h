/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch's ear for Disconnect-Requests (RFC 5176): sessions of MAC authentication are the
 * switch's own, everything else is handed to hostapd's DAS unchanged and its answer handed back.
 */
#ifndef TESTSWITCH_SWITCH_DAS_H
#define TESTSWITCH_SWITCH_DAS_H

#include <stdbool.h>

#include "base/secret.h"

struct event_base;
struct switch_das;

/* Is this a session of the switch's own? Then end it and say true. `session_id` and `station`
 * ("AA-BB-CC-DD-EE-FF") are "" when the request does not have them; one of them is there. */
typedef bool (*switch_das_end)(const char *session_id, const char *station, void *ctx);

/* Listens on `listen_at`, hands on to `hostapd` (both "ADDRESS:PORT"); the secret must stay valid.
 * ERR_INVALID, ERR_IO, ERR_NOMEM. */
int switch_das_new(struct event_base *base, const char *listen_at, const char *hostapd,
		   const struct secret *secret, switch_das_end end, void *ctx,
		   struct switch_das **out) MUST_USE;
void switch_das_free(struct switch_das *d); /* NULL ok */

#endif
