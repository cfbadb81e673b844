/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two ways to a certificate, each a sequence of steps that may be cut anywhere and is begun
 * again from the top: done steps are found done. Runs on the agent's worker thread; blocks on the
 * network and the disk, at most a minute.
 */
#ifndef PUMP_AGENT_ENROL_H
#define PUMP_AGENT_ENROL_H

#include <stdatomic.h>

#include "base/err.h"
#include "pump_agent/credential.h"
#include "pump_agent/self_report.h"
#include "pump_agent/server_policy.h"
#include "pump_agent/store.h"
#include "pump_agent/wall_clock.h"

struct enrol {
	const struct store *store;
	struct wall_clock *clock;
	struct store_state state; /* as read; the functions write their own changes to disk */
	const char *bundle_path;
	enum key_kind key_kind;
	enum pumplink_infusing infusing; /* for the report of enrol_ask, as the next one */
	bool key_in_tpm;
	const atomic_bool *stop;
	bool is_bundle_kept;   /* out: it was used, but cannot be deleted */
	int64_t renew_at_s;    /* out, of enrol_ask: this pump's moment in the server's window */
	int64_t again_s;       /* out: in how many seconds the server wants to be asked again; 0: it
				  did not say */
	bool anchors_changed;  /* out, of enrol_ask: what servers are checked by is not as it was */
	struct self_told told; /* out, of enrol_ask: the server's word on this pump; state "": it
				  takes no reports */
	struct server_policy policy; /* out, of enrol_ask: verified; number 0: there is none */
	char step[24];		     /* where it ended, for logs: "bundle", "first-contact", ... */
};

/*
 * From the bundle to an enrolled pump: first contact pins the server (only the hash in the bundle
 * counts), then key, request, certificate, state.json; last the bundle with its token is deleted.
 * Errors of est_client.h, credential_check and the store; ERR_NOT_FOUND without a bundle;
 * ERR_USED when the bundle is the one that this pump was enrolled with before.
 */
int enrol_by_bundle(struct enrol *e) MUST_USE;

/* A new certificate into the slot that is not in use; state.json still names the old one. Does
 * nothing when a good one is waiting there already. */
int enrol_renew(struct enrol *e) MUST_USE;

/* Asks the EST server what time it is, and tells the clock; which CAs stand below the pinned root
 * now (docs/decisions/0152); when it wants the certificate to be renewed; for the server policy;
 * reports the pump, and is told how it stands. The pump must be enrolled. Errors of est_client.h;
 * ERR_INVALID when the server does not say what time it is; those of server_policy_verify. */
int enrol_ask(struct enrol *e) MUST_USE;

/* Hands the wipe statement over. The pump is wiped: it shows no certificate. ERR_NOT_FOUND without
 * a statement; errors of est_client.h. */
int enrol_deliver(struct enrol *e) MUST_USE;

/* SHA-256 of a bundle file as hex: tells one bundle from another. ERR_NOT_FOUND and the like. */
int enrol_bundle_hash(const char *path, char out[65]) MUST_USE;

#endif
