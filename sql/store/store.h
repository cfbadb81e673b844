/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry: what was issued and is in force. Typed; no database type is visible here.
 *
 * A store is one connection and belongs to one thread. Readers never wait for the writer. Every
 * mutation is one transaction with its audit row and is on the disk when the call returns 0; it is
 * idempotent, since a failed commit does not mean that nothing was done. All calls block on the
 * disk. Besides what is listed each may return ERR_FULL, ERR_IO, ERR_CORRUPT, ERR_NOMEM.
 */
#ifndef SQL_STORE_STORE_H
#define SQL_STORE_STORE_H

#include <stdbool.h>

#include "sql/proto/registry_records.h"
#include "sql/proto/standing_map.h"

struct store;

/* STORE_LOOKUP reads too, from a mapped file: for the packet path. */
enum store_access { STORE_READ, STORE_LOOKUP, STORE_WRITE };

/* Rows that one list call gives at most; a larger limit is ERR_LIMIT, 0 means this. */
#define STORE_LIST_MAX 1000

/* Who does it, and when: for the audit row. */
struct action {
	const char *actor; /* Unix user or role */
	int64_t at;
};

/* Creates or upgrades the registry at `path`. from_out: the version found, 0 for none.
 * ERR_NEWER (nothing is touched). */
int store_upgrade(const char *path, unsigned *from_out, unsigned *to_out) MUST_USE;
/* ERR_NOT_FOUND, ERR_NEWER, ERR_CONFLICT when an upgrade is needed. */
int store_open(const char *path, enum store_access access, struct store **out) MUST_USE;
void store_close(struct store *st); /* NULL ok */

static inline void store_auto_close(struct store **st)
{
	store_close(*st);
}
#define AUTO_STORE __attribute__((cleanup(store_auto_close))) struct store *

/* ---- several mutations on one commit ---- */
/* Until store_group_commit what a mutation does is neither on the disk nor to be acknowledged, and
 * neither is a refusal: it may rest on what the group has yet to commit. One that fails leaves the
 * others as they are. */
int store_group_begin(struct store *st) MUST_USE;
/* False: the disk has failed the group as a whole. Go no further; store_group_commit says so. */
bool store_group_is_whole(const struct store *st);
/* On 0 all of the group is on the disk; else it must be answered with this failure, each of it. */
int store_group_commit(struct store *st) MUST_USE;

/* ---- facts for the packet path: one indexed look-up each; found=false is success ---- */
int store_pump_facts(struct store *st, const char *issuer, const char *cert_serial,
		     struct pump_facts *out) MUST_USE;
int store_login_facts(struct store *st, const char *issuer, const char *cert_serial,
		      struct login_facts *out) MUST_USE;
int store_mac_facts(struct store *st, const char *mac, struct mac_facts *out) MUST_USE;
int store_birth_facts(struct store *st, const char *device, struct birth_facts *out) MUST_USE;
int store_zone_facts(struct store *st, const char *purpose, struct zone_facts *out) MUST_USE;
int store_nas_facts(struct store *st, const char *ip, struct nas_facts *out) MUST_USE;
/* By the certificate of a RadSec NAS. */
int store_nas_facts_by_cert(struct store *st, const char *cert_serial, int64_t now_ms,
			    struct nas_facts *out) MUST_USE;
int store_cert_facts(struct store *st, const char *issuer, const char *cert_serial,
		     struct cert_facts *out) MUST_USE;

/* ---- pumps in good standing, for the map that radiusd reads (docs/decisions/0083) ---- */
struct standing_watch {
	/* The facts of this certificate, of all of this device's, or of all certificates may
	 * change with the running transaction. Called inside it. */
	void (*certificate)(void *ctx, int64_t id);
	void (*device)(void *ctx, int64_t id);
	void (*all)(void *ctx);
	/* The signer's list moves on: whether store_standings_hold may change. */
	void (*ledger)(void *ctx);
	void *ctx;
};
/* Watches what this connection changes. ERR_INTERNAL: facts depend on a table that the watch does
 * not know. `w` must outlive the store. */
int store_standings_watch(struct store *st, const struct standing_watch *w) MUST_USE;
/* Nobody is to be believed in good standing: a copy that was not held against the signer's lists.
 */
int store_standings_hold(struct store *st, bool *hold_out) MUST_USE;
/* Certificates in force, and the highest id of certificates and devices. */
int store_standings_count(struct store *st, uint64_t *valid_out, int64_t *max_id_out) MUST_USE;
/* Another number when another connection has changed the registry: registryd has only this one to
 * write with, but somebody with its rights may open the file. */
int store_standings_version(struct store *st, int64_t *version_out) MUST_USE;
enum standing_pick { STANDING_CERTIFICATE, STANDING_DEVICE, STANDING_AFTER };
/* The facts of certificate `id`, of all certificates of device `id`, or of the certificates after
 * `id` in their order; good and bad. ERR_BUSY inside a transaction. */
int store_standings(struct store *st, enum standing_pick pick, int64_t id, struct standing *out,
		    size_t max, size_t *n_out) MUST_USE;

/* ---- zones and NAS ---- */
/* ERR_INVALID; ERR_UNCHANGED: just so there already; ERR_EXISTS: there, and differs. */
int store_zone_add(struct store *st, const struct action *by, const struct zone *z) MUST_USE;
int store_zone_list(struct store *st, const struct list_query *q, struct zone *out, size_t max,
		    size_t *n_out) MUST_USE;
/* As store_zone_add. The address is brought to its canonical form; a RadSec NAS needs none. */
int store_nas_add(struct store *st, const struct action *by, const struct nas *nas) MUST_USE;
/* last_seen stays 0; no secret. */
int store_nas_list(struct store *st, const struct list_query *q, struct nas *out, size_t max,
		   size_t *n_out) MUST_USE;

/* ERR_NOT_FOUND, ERR_UNCHANGED. */
int store_nas_enable(struct store *st, const struct action *by, const char *name,
		     bool enabled) MUST_USE;
/* Another secret; its version goes up by one. ERR_NOT_FOUND, ERR_UNCHANGED (the same secret),
 * ERR_INVALID. */
int store_nas_secret(struct store *st, const struct action *by, const struct nas *nas) MUST_USE;
/* What the registry knows; last_seen and the session members stay zero. ERR_NOT_FOUND. */
int store_nas_show(struct store *st, const char *name, int64_t now_ms,
		   struct nas_detail *out) MUST_USE;
/* One more certificate by which a RadSec NAS is known; `sole`: the others end. ERR_NOT_FOUND,
 * ERR_CONFLICT (it speaks no RadSec), ERR_UNCHANGED, ERR_EXISTS (the serial is another's, or
 * revoked), ERR_INVALID. */
int store_nas_cert_add(struct store *st, const struct action *by,
		       const struct nas_cert *c) MUST_USE;
#define STORE_NAS_CERTS_MAX 16
/* Newest first. ERR_NOT_FOUND, ERR_CONFLICT. */
int store_nas_cert_list(struct store *st, const char *name, struct nas_cert *out, size_t max,
			size_t *n_out) MUST_USE;
/* Address, DAS port and secret, or certificates, as for an order. ERR_NOT_FOUND. */
int store_nas_reach(struct store *st, const char *name, int64_t now_ms,
		    struct dispatch_order *out) MUST_USE;
/* Whether another NAS than `nas` has this address or this name: its name, else "". */
int store_nas_claimed(struct store *st, const char *nas, const char *ip, const char *id,
		      char other_out[NAME_SIZE]) MUST_USE;

/* Where it stands, "" for nobody knows. ERR_NOT_FOUND, ERR_UNCHANGED, ERR_INVALID. */
int store_nas_site_set(struct store *st, const struct action *by, const char *name,
		       const char *site) MUST_USE;
/* "" also for a NAS that is not there. */
int store_nas_site(struct store *st, const char *name, char site_out[NAME_SIZE]) MUST_USE;

/* ---- inventory ---- */
/* All pumps in one transaction; out[i] says what became of devices[i], which does not fail the
 * call: 0 or why not (-ERR_INVALID, -ERR_EXISTS, -ERR_NOT_FOUND for its zone, -ERR_UNCHANGED). */
int store_device_add(struct store *st, const struct action *by, const struct device *devices,
		     size_t n, struct add_outcome *out) MUST_USE;
/* What the registry knows; the session members stay zero. ERR_NOT_FOUND. */
int store_device_show(struct store *st, const char *serial, int64_t now,
		      struct device *out) MUST_USE;
int store_device_list(struct store *st, const struct list_query *q, int64_t now, struct device *out,
		      size_t max, size_t *n_out) MUST_USE;

/* A further network card of the pump, or it is the pump's no more. ERR_NOT_FOUND, ERR_INVALID,
 * ERR_EXISTS (another pump's), ERR_UNCHANGED, ERR_LIMIT. */
int store_device_mac(struct store *st, const struct action *by,
		     const struct device_mac *rq) MUST_USE;
/* Whether the inventory or an admin says that the pump has it. */
int store_device_mac_is_known(struct store *st, const char *device, const char *mac,
			      bool *known_out) MUST_USE;

/* ---- issuing ---- */
/* Voids the pump's older unused tokens. ERR_NOT_FOUND, ERR_CONFLICT (revoked; or a wired window for
 * a pump that has a certificate), ERR_INVALID (times out of bounds). */
int store_token_create(struct store *st, const struct action *by, const struct token_create *rq,
		       struct token *out) MUST_USE;
/* ERR_UNCHANGED, ERR_EXISTS: another certificate under this name. */
int store_issuer_set(struct store *st, const struct action *by, const struct issuer *is) MUST_USE;
/* Enrolled pumps with a certificate of this CA that is neither revoked nor superseded, by serial;
 * last_seen and active are the caller's to fill in. ERR_LIMIT. */
int store_issuer_lack(struct store *st, const struct issuer_query *q, struct anchor_lack *out,
		      size_t max, size_t *n_out) MUST_USE;
/* pumps: enrolled ones; holding: those of them without such a certificate. */
int store_issuer_count(struct store *st, const struct issuer_query *q,
		       struct anchor_count *out) MUST_USE;
/* Keeps the step in the audit, once: ERR_UNCHANGED when it is the last that stands there of this
 * CA, or there is nothing that it could end. ERR_INVALID. */
int store_ca_step(struct store *st, const struct action *by, const struct ca_step *rq) MUST_USE;
/* Method "token": ERR_DENIED (no such pump or wrong token, not told apart; a key of another pump),
 * ERR_EXPIRED, ERR_USED, ERR_CONFLICT (pump revoked). Method "renewal": ERR_NOT_FOUND, ERR_CONFLICT
 * (not in force), ERR_EXPIRED, ERR_DENIED, ERR_LIMIT (too many renewals of one certificate); and
 * when unproven, unless a person approved this key: ERR_BUSY (approval-pending: now in the queue),
 * ERR_DENIED (approval-denied), ERR_LIMIT (the queue is full).
 * Both: ERR_INVALID, ERR_EXISTS (the serial is taken: ask again with another). */
int store_issue_begin(struct store *st, const struct action *by, const struct issue_begin *rq,
		      struct issue_grant *out) MUST_USE;
/* The pump becomes enrolled, its wired window closes. ERR_UNCHANGED: stored before;
 * ERR_NOT_FOUND: not reserved; ERR_EXISTS: another one is stored; ERR_CONFLICT: the pump was
 * revoked meanwhile (the certificate is kept as revoked: do not hand it out). */
int store_issue_store(struct store *st, const struct action *by,
		      const struct issue_store *rq) MUST_USE;
int store_cert_list(struct store *st, const struct list_query *q, struct cert *out, size_t max,
		    size_t *n_out) MUST_USE;
/* ERR_NOT_FOUND; ERR_CONFLICT: no issuer was named and two have this serial. */
int store_cert_show(struct store *st, const struct cert_name *name, struct cert *out) MUST_USE;
/* Certificates of the pump that are older than the named one and still valid become superseded.
 * ERR_UNCHANGED: there were none. */
int store_supersede(struct store *st, const struct action *by, const char *issuer,
		    const char *cert_serial) MUST_USE;

/* ---- makers whose birth certificates stand for a token ---- */
/* ERR_UNCHANGED; ERR_EXISTS (another of that name, or an anchor that is another maker's);
 * ERR_INVALID (name, models, anchors); ERR_LIMIT. */
int store_maker_add(struct store *st, const struct action *by, const struct maker *m) MUST_USE;
/* In force with the next enrolment. ERR_NOT_FOUND, ERR_UNCHANGED. Pumps that are enrolled stay so.
 */
int store_maker_enable(struct store *st, const struct action *by, const char *name,
		       bool enabled) MUST_USE;
int store_maker_remove(struct store *st, const struct action *by, const char *name) MUST_USE;
int store_maker_list(struct store *st, const struct list_query *q, struct maker *out, size_t max,
		     size_t *n_out) MUST_USE;
/* The enabled ones with their anchors. */
int store_maker_trust(struct store *st, struct maker *out, size_t max, size_t *n_out) MUST_USE;

/* ---- what pumps are told about our servers ---- */
/* Takes the place of the one before. ERR_CONFLICT when that has this number or a higher one. */
int store_server_policy_set(struct store *st, const struct action *by,
			    const struct server_policy *p) MUST_USE;
/* The newest; none: *n_out is 0. */
int store_server_policy(struct store *st, struct server_policy *out, size_t max,
			size_t *n_out) MUST_USE;

/* ---- renewals that wait for a person ---- */
/* live_only: those that wait now. */
int store_approval_list(struct store *st, const struct list_query *q, int64_t now,
			struct approval *out, size_t max, size_t *n_out) MUST_USE;
/* For just the named key; may be changed until it was used. ERR_UNCHANGED; ERR_NOT_FOUND;
 * ERR_INVALID (fewer than 16 digits); ERR_CONFLICT (two keys begin so; the pump is not enrolled);
 * ERR_EXPIRED; ERR_USED. */
int store_approval_decide(struct store *st, const struct action *by,
			  const struct approval_decision *d, struct approval *out) MUST_USE;

/* ---- revocation ---- */
/* A place that may still let the pump on, from the session database. */
struct foothold {
	char nas[NAME_SIZE];
	char session_id[SESSION_ID_SIZE]; /* "": no live session, but the NAS may hold a key */
	char calling_station[LABEL_SIZE];
	int64_t at; /* of the session's last news, or of an Accept without one; 0: neither */
};
/* Every NAS that takes Disconnect-Requests, for when the session database can't be read: the pump
 * is named by its MAC address. Only the first `max` by name. */
int store_footholds_everywhere(struct store *st, const char *device, struct foothold *out,
			       size_t max, size_t *n_out) MUST_USE;
/* Pump, certificates, tokens, audit row, revocation and one order per foothold in one transaction.
 * `asked_at`: when the request came in. out->already: it was revoked before, this is that receipt.
 * ERR_NOT_FOUND. */
int store_revoke(struct store *st, const struct action *by, const struct revoke *rq,
		 int64_t asked_at, const struct foothold *holds, size_t n,
		 struct revocation *out) MUST_USE;
/* Quarantine, park or release an enrolled pump; all else as store_revoke. Certificates and tokens
 * stay as they are. ERR_NOT_FOUND; ERR_INVALID; ERR_CONFLICT: the pump is revoked or not enrolled,
 * or there is no zone for it; ERR_UNCHANGED: a release of a pump that was always in its own zone.
 */
int store_standing_change(struct store *st, const struct action *by,
			  const struct standing_change *rq, int64_t asked_at,
			  const struct foothold *holds, size_t n, struct revocation *out) MUST_USE;
/* The zone that the pump belongs into as things stand: its own, or that for its placement; "":
 * there is none. ERR_NOT_FOUND. */
struct zone_due {
	char zone[NAME_SIZE]; /* "": there is none */
	char low[NAME_SIZE];  /* or this one, for what is below its model's floor; "": no other */
};
int store_zone_due(struct store *st, const char *device, struct zone_due *out) MUST_USE;
/* A session of a pump came up after all, against its latest change of standing: one more order,
 * cause "late", unless one that will still be sent is open for it, or (`settled`) one was answered
 * in the last ten seconds, or made after hold->at. ERR_UNCHANGED; ERR_CONFLICT: its standing was
 * never changed. */
int store_order_late(struct store *st, const struct action *by, const char *device,
		     const struct foothold *hold, bool settled) MUST_USE;
/* The pump's first attempt after the latest change of its standing that got what the new standing
 * gives: after a revocation a refusal, else its zone. ERR_UNCHANGED. */
int store_return_noted(struct store *st, const char *device, int64_t at) MUST_USE;
/* The pump's latest. ERR_NOT_FOUND. */
int store_revocation(struct store *st, const char *device, struct revocation *out) MUST_USE;
/* The latest change of each pump's standing, if committed since `since`, id above `after`, in that
 * order: id, device and asked_at alone. */
int store_standing_changes_since(struct store *st, int64_t since, uint64_t after,
				 struct revocation *out, size_t max, size_t *n_out) MUST_USE;

/* ---- the signer's lists (docs/decisions/0094) ---- */
#define STORE_LEDGER_MAX 256
int store_ledger_position(struct store *st, struct ledger_position *out) MUST_USE;
/* Entries of one list in their order. A revoked serial that is in force here holds its pump back;
 * an issued one that is unknown here is noted, and the pump's open tokens are void, since one of
 * them may be the one that was used. The position moves behind the last entry. *found_out: how many
 * of either kind were news. ERR_INVALID (two lists in one call). */
int store_ledger_entries(struct store *st, int64_t now, const struct ledger_entry *entries,
			 size_t n, size_t *found_out) MUST_USE;
/* The signer has told everything. ERR_UNCHANGED: that was so before. */
int store_ledger_compared(struct store *st, int64_t now) MUST_USE;
/* Revoked certificates that the signer has not written down yet, oldest first. */
int store_unkept(struct store *st, struct ledger_entry *out, size_t max, size_t *n_out) MUST_USE;
int store_gap_list(struct store *st, const struct list_query *q, struct gap *out, size_t max,
		   size_t *n_out) MUST_USE;
/* Whether the registry was restored and knows that it lacks this certificate, or does not know yet
 * what it lacks. */
int store_cert_is_lost(struct store *st, const char *cert_serial, bool *lost_out) MUST_USE;
/* Pumps that are held back, at most `max`. */
int store_held(struct store *st, char (*out)[DEVICE_SERIAL_SIZE], size_t max,
	       size_t *n_out) MUST_USE;
/* The pump's revocation is in the registry again (store_revoke came before): nothing is held. */
int store_held_settle(struct store *st, const char *device, int64_t now) MUST_USE;
/* The operator has seen which certificates were lost. */
int store_lost_settle(struct store *st, const struct action *by, uint32_t *n_out) MUST_USE;
/* Writes into a copy that it is one: open tokens are void, recalls that ran are paused, and nobody
 * is let on before the signer was heard. `action` is the audit row's. */
int store_mark_copy(struct store *st, const struct action *by, const char *action,
		    const char *detail) MUST_USE;

/* ---- orders ---- */
#define STORE_TAKE_MAX 256
/* Leases due orders for five seconds; `fresh` first frees all leases. next_due_out: when the next
 * one is due, INT64_MAX if none is open. */
int store_orders_take(struct store *st, int64_t now, bool fresh, struct dispatch_order *out,
		      size_t max, size_t *n_out, int64_t *next_due_out) MUST_USE;
int store_orders_result(struct store *st, const struct action *by,
			const struct dispatch_result *results, size_t n) MUST_USE;
/* The NAS restarted at `at`: it holds no key any more, its older orders are settled. */
int store_orders_nas_restarted(struct store *st, const char *nas, int64_t at) MUST_USE;
int store_order_list(struct store *st, uint64_t revocation, struct order_status *out, size_t max,
		     size_t *n_out) MUST_USE;

/* ---- what an event means for the registry ---- */
/* Many looks at one state of the registry, as it is at the first look; cheaper than one by one. */
int store_look_begin(struct store *st) MUST_USE;
void store_look_end(struct store *st); /* safe without a beginning */
struct event_standing {
	char state[STATE_SIZE]; /* what people made of it; "" when it is not in the inventory */
	bool revoked;		/* that state is "revoked" */
	bool changed;		/* its standing was changed at least once */
	bool return_unnoted;	/* store_return_noted has not been called since the last change */
	bool superseding;	/* older certificates of the pump are still valid */
};
/* All false and empty for a pump that is not in the inventory. */
int store_event_standing(struct store *st, const char *device, const char *issuer,
			 const char *cert_serial, struct event_standing *out) MUST_USE;
bool store_has_open_orders(struct store *st, const char *nas);

/* ---- alarms ---- */
#define STORE_ALARM_HOUR_MS (3600LL * 1000)
#define STORE_ALARM_DAY_MS (24 * STORE_ALARM_HOUR_MS)
struct anomaly_history;
/* Opens an alarm, with an audit row, or counts up (by in->count) the one that is open for this kind
 * and pump, or without a pump for this kind and NAS. Beyond 1,000 open ones it becomes part of one
 * alarm "overflow". out: the row as it is now. */
int store_alarm_raise(struct store *st, const struct action *by, const struct alarm *in,
		      struct alarm *out, bool *opened_out) MUST_USE;
/* What was done because of it: "quarantined", "capped" or "failed". */
int store_alarm_acted(struct store *st, uint64_t id, const char *action, int64_t at) MUST_USE;
/* What policies/anomaly.h wants to know before it decides about the pump of `a`. */
int store_alarm_history(struct store *st, const struct alarm *a, int64_t now,
			struct anomaly_history *out) MUST_USE;
/* ERR_NOT_FOUND, ERR_UNCHANGED, ERR_INVALID. */
int store_alarm_ack(struct store *st, const struct action *by, const struct alarm_ack *rq) MUST_USE;
int store_alarm_show(struct store *st, uint64_t id, struct alarm *out) MUST_USE;
/* Newest first; q: device, nas (either one), live_only (open), after = key. */
int store_alarm_list(struct store *st, const struct list_query *q, struct alarm *out, size_t max,
		     size_t *n_out) MUST_USE;

/* ---- audit and state of the whole ---- */
/* An audit row by itself, for what changes nothing here. */
int store_note(struct store *st, const struct action *by, const char *action, const char *object,
	       const char *detail) MUST_USE;
/* Who the admins are, if it is not what the last such row said; nothing while it is the default. */
int store_admins_note(struct store *st, const struct action *by, const char *text) MUST_USE;
int store_audit_tail(struct store *st, const struct list_query *q, struct audit_row *out,
		     size_t max, size_t *n_out) MUST_USE;
/* The chain's last row, and the hash of row `seq` ("" when there is none, or seq is 0). */
int store_audit_head(struct store *st, uint64_t seq, struct audit_head *out) MUST_USE;
/* Reads everything. A broken chain is a finding (out->intact), not a failure. */
int store_audit_verify(struct store *st, struct audit_check *out) MUST_USE;
/* Brings two runs, each newest first and one behind the other in `rows`, into one order. */
void events_merge(struct event *rows, size_t n_first, size_t n_second);
/* The pump's lines of audit and dispatch before `before` (ms; 0: now), newest first. */
int store_events(struct store *st, const char *device, int64_t before, struct event *out,
		 size_t max, size_t *n_out) MUST_USE;
/* Fills in what the registry knows. */
int store_status(struct store *st, int64_t now, struct status *out) MUST_USE;

#endif
