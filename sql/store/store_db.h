/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the registry store share; nobody outside sql/store includes this. */
#ifndef SQL_STORE_STORE_DB_H
#define SQL_STORE_STORE_DB_H

#include "sql/store/db.h"
#include "sql/store/store.h"

struct store {
	struct db *db;
};

/* SQL: what people made of pump `d`, under its name of policies/standing.h. Only an enrolled pump
 * is placed in another zone (placement.c). */
#define DEVICE_PLACED                                                                        \
	"CASE d.placement WHEN 'quarantine' THEN 'quarantined' WHEN 'parking' THEN 'parked'" \
	" ELSE d.state END"
/* A pump whose revocation this registry has forgotten, or every pump before the signer was heard
 * (docs/decisions/0094), is held back, wherever it was placed. What is revoked here is that first.
 */
#define DEVICE_OR_HELD(state)                               \
	"CASE WHEN d.state <> 'revoked' AND (d.held_at > 0" \
	" OR (SELECT compare_needed FROM ledger) = 1) THEN 'held' ELSE " state " END"
#define DEVICE_STATE DEVICE_OR_HELD(DEVICE_PLACED)
#define DEVICE_STANDING DEVICE_OR_HELD("d.state") /* the same, wherever it is placed */

/* The facts of a certificate c for the verdict. Whatever else they come to depend on has to be
 * known to standings.c, which says when they change. */
#define PUMP_FACTS_COLUMNS                                                       \
	"d.serial, " DEVICE_STATE ", c.state, c.not_before, c.not_after, d.mac," \
	" z.name, z.vlan, z.filter_id, z.session_s,"                             \
	" d.placement IS NOT NULL, h.name, h.vlan, h.filter_id, h.session_s,"    \
	" COALESCE(t.min, 0)"
#define PUMP_FACTS_N 16
#define PUMP_FACTS_JOINS                                                         \
	" JOIN devices d ON d.id = c.device_id JOIN zones z ON z.id = d.zone_id" \
	" LEFT JOIN zones h ON h.purpose = d.placement"                          \
	" LEFT JOIN model_tls t ON t.model = d.model"
/* A row that begins with these columns. */
void pump_facts_read(const struct query *q, struct pump_facts *out);

/* The audit row of the running transaction. */
int audit_append(struct db *db, const struct action *by, const char *action, const char *object,
		 const char *fmt, ...) PRINTF_LIKE(5, 6) MUST_USE;

/* Rows that a list call may give. ERR_LIMIT. */
int list_limit(const struct list_query *q, size_t max, size_t *out) MUST_USE;

/* Names of things: zones, NAS, pumps. ERR_INVALID says what is allowed. */
/* A NAS's address as others see it: "" for one that is known by certificate alone. */
void nas_ip_read(const struct query *q, int column, char out[IP_SIZE]);
/* Fills in, for a RadSec NAS, by which certificates it may be reached: the newest four. */
int nas_certs_reach(struct db *db, int64_t now_ms, struct dispatch_order *out) MUST_USE;
/* Fills in what certificates say of out->name. */
int nas_certs_detail(struct db *db, int64_t now_ms, struct nas_detail *out) MUST_USE;
int name_check(const char *what, const char *name) MUST_USE;
int device_serial_check(const char *serial) MUST_USE;
/* Some pump of the inventory is of it. ERR_INVALID, ERR_NOT_FOUND. */
int model_check(struct db *db, const char *model) MUST_USE;
/* Printable, without control characters. */
int label_check(const char *what, const char *text) MUST_USE;
/* Any common spelling to "aa:bb:cc:dd:ee:ff". ERR_INVALID, also for group addresses. */
int mac_normalise(const char *in, char out[MAC_SIZE]) MUST_USE;

/* Within the caller's transaction: the pump to revoke. ERR_NOT_FOUND; ERR_UNCHANGED: it is revoked
 * already, *id_out is set all the same. */
int device_for_revocation(struct db *db, const char *serial, int64_t *id_out) MUST_USE;
/* Within the caller's transaction: store_revoke() of a pump that is not revoked. */
int revoke_add(struct db *db, const struct action *by, const struct revoke *rq, int64_t device,
	       int64_t asked_at, const struct foothold *holds, size_t n) MUST_USE;
/* The newest change of the pump's standing, for orders. ERR_NOT_FOUND. */
int revocation_latest(struct db *db, int64_t device_id, int64_t *id_out) MUST_USE;
/* One change of standing with its orders, in the running transaction. */
int change_add(struct db *db, const struct action *by, const struct standing_change *rq,
	       int64_t device_id, int64_t asked_at, int64_t certificates,
	       const struct foothold *holds, size_t n) MUST_USE;
/* Within the caller's transaction: store_standing_change() of a pump that may be moved. *moved_out
 * false: it was there already. */
int placement_add(struct db *db, const struct action *by, const struct standing_change *rq,
		  int64_t asked_at, const struct foothold *holds, size_t n,
		  bool *moved_out) MUST_USE;
/* Within the caller's transaction: a pump that stays is not to be wiped. */
int decommission_cancel(struct db *db, const struct action *by, const char *device) MUST_USE;
int order_add(struct db *db, int64_t revocation, int64_t device_id, const struct foothold *hold,
	      const char *cause, int64_t now) MUST_USE;

/* Fills in what waits until the pump is idle. */
int pending_of_device(struct db *db, int64_t id, struct device *out) MUST_USE;
/* The pump as `action` of standing_change would change it, and whether that is so already. The
 * errors of store_standing_change. */
int placement_check(struct db *db, const struct standing_change *rq, int64_t *id_out,
		    bool *already_out) MUST_USE;

/* Orders `o` of the last week (since ?2) that could not be sent, and nothing that the same NAS
 * confirmed since. */
#define ORDERS_UNTOLD                                                                       \
	" FROM orders o WHERE o.state = 'unsendable' AND o.created_at >= ?2 AND NOT EXISTS" \
	" (SELECT 1 FROM orders l WHERE l.device_id = o.device_id AND l.id > o.id"          \
	"  AND l.nas = o.nas AND l.state IN ('acked', 'gone'))"
#define UNTOLD_MS (7LL * 24 * 3600 * 1000) /* by then no NAS holds a key any more */

#endif
