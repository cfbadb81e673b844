/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is taken off a pump: what lets people log in, once it is revoked; everything, once it is
 * decommissioned. Every function may be cut anywhere and is begun again from the top. Blocks on the
 * disk and, with a key in a TPM, on that.
 */
#ifndef PUMP_AGENT_WIPE_H
#define PUMP_AGENT_WIPE_H

#include <stdbool.h>

#include "base/err.h"
#include "pump_agent/store.h"

/* In the state folder. Who keeps what lets a clinician log in without the server keeps it here. */
#define WIPE_PEOPLE_FOLDER "login" /* login/vault.h */
#define WIPE_LOG_FOLDER "log"

/* Anything was kept there since the last wipe. */
bool wipe_has_people(const struct store *s);
/* What WIPE_PEOPLE_FOLDER holds. 0 also when there is none. ERR_IO. */
int wipe_people(const struct store *s) MUST_USE;

struct wipe_order {
	const struct store *store;
	const char *more;   /* full paths of files and folders, by commas; NULL: none */
	const char *bundle; /* a bundle that was not used; NULL: none */
	int64_t now_ms;
};

/*
 * Carries out state->wipe: people's data, logs and `more`, the slot that is not in use, a bundle;
 * then the statement is signed and written; then key and certificate are destroyed, and that is
 * written into state.json (and *state). What is left: settings and server anchors, which the
 * delivery needs. A key that cannot sign any more is destroyed without a statement:
 * *unsigned_out. ERR_IO, ERR_FULL: not complete, the key is there yet.
 */
int wipe_run(const struct wipe_order *o, struct store_state *state, bool *unsigned_out) MUST_USE;

/* Where the statement for an order is, until it was delivered. */
int wipe_statement_path(const struct store *s, const char *order, char out[PATH_MAX]) MUST_USE;
/* The server has it; or there is none. */
bool wipe_is_delivered(const struct store *s, const char *order);
/* The statement that waits in `dir` for its server, as pumpctl pump import-wipe takes it. Beside a
 * running agent too. ERR_NOT_FOUND when none waits, ERR_IO. */
int wipe_statement_read(const char *dir, struct buf *out) MUST_USE;

/* Removes the statement: it is where it belongs. */
int wipe_delivered(const struct store *s, const char *order) MUST_USE;

/* The rest: anchors and state.json. The folder is as if nothing had ever been enrolled. */
int wipe_finish(const struct store *s) MUST_USE;

#endif
