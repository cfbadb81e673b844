/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Typed calls to pumpgate-registryd over an ipc_client (base/ipc_client.h has blocking, errors and
 * thread rules). One line per verb; the verb's meaning stands in sql/proto/registry_verbs.h.
 */
#ifndef SQL_CLIENT_REGISTRY_CLIENT_H
#define SQL_CLIENT_REGISTRY_CLIENT_H

#include "base/ipc_client.h"
#include "sql/proto/registry_records.h"
#include "sql/proto/registry_verbs.h"

/* one record in, one out */
#define REGISTRY_ASK(name, VERB, req_t, rep_t)                                                    \
	static inline int MUST_USE registry_##name(struct ipc_client *c, const struct req_t *req, \
						   struct rep_t *out, int timeout_ms)             \
	{                                                                                         \
		return ipc_client_call(c, VERB, &record_##req_t, req, 1, &record_##rep_t, out, 1, \
				       NULL, timeout_ms);                                         \
	}
/* one record in, an empty answer */
#define REGISTRY_TELL(name, VERB, req_t)                                                          \
	static inline int MUST_USE registry_##name(struct ipc_client *c, const struct req_t *req, \
						   int timeout_ms)                                \
	{                                                                                         \
		return ipc_client_call(c, VERB, &record_##req_t, req, 1, NULL, NULL, 0, NULL,     \
				       timeout_ms);                                               \
	}
/* one record in, up to max out */
#define REGISTRY_LIST(name, VERB, req_t, rep_t)                                                   \
	static inline int MUST_USE registry_##name(struct ipc_client *c, const struct req_t *req, \
						   struct rep_t *out, size_t max, size_t *n_out,  \
						   int timeout_ms)                                \
	{                                                                                         \
		return ipc_client_call(c, VERB, &record_##req_t, req, 1, &record_##rep_t, out,    \
				       max, n_out, timeout_ms);                                   \
	}
/* one record, no answer, never waits */
#define REGISTRY_POST(name, VERB, req_t)                                                          \
	static inline int MUST_USE registry_##name(struct ipc_client *c, const struct req_t *req) \
	{                                                                                         \
		return ipc_client_post(c, VERB, &record_##req_t, req);                            \
	}

REGISTRY_ASK(pump_facts, REGISTRY_PUMP_FACTS, cert_name, pump_facts)
REGISTRY_ASK(login_facts, REGISTRY_LOGIN_FACTS, cert_name, login_facts)
REGISTRY_ASK(mac_facts, REGISTRY_MAC_FACTS, mac_query, mac_facts)
REGISTRY_ASK(birth_facts, REGISTRY_BIRTH_FACTS, birth_query, birth_facts)
REGISTRY_ASK(zone_facts, REGISTRY_ZONE_FACTS, zone_query, zone_facts)
REGISTRY_ASK(nas_facts, REGISTRY_NAS_FACTS, nas_query, nas_facts)
/* sql/proto/standing_map.h; the descriptor is the caller's. */
static inline int MUST_USE registry_standings(struct ipc_client *c, int *fd_out, int timeout_ms)
{
	return ipc_client_call_fd(c, REGISTRY_STANDINGS, NULL, NULL, 0, fd_out, timeout_ms);
}
/* sql/proto/event_ring.h; the descriptor is the caller's. */
static inline int MUST_USE registry_event_ring(struct ipc_client *c, int *fd_out, int timeout_ms)
{
	return ipc_client_call_fd(c, REGISTRY_EVENT_RING, NULL, NULL, 0, fd_out, timeout_ms);
}
REGISTRY_TELL(acct_event, REGISTRY_ACCT_EVENT, acct_event)

REGISTRY_POST(nas_event, REGISTRY_NAS_EVENT, nas_event)

REGISTRY_TELL(issuer_set, REGISTRY_ISSUER_SET, issuer)
REGISTRY_ASK(cert_facts, REGISTRY_CERT_FACTS, cert_name, cert_facts)
REGISTRY_ASK(issue_begin, REGISTRY_ISSUE_BEGIN, issue_begin, issue_grant)
REGISTRY_TELL(issue_store, REGISTRY_ISSUE_STORE, issue_store)

REGISTRY_ASK(ledger_position, REGISTRY_LEDGER_POSITION, ledger_query, ledger_position)
REGISTRY_LIST(revoked_take, REGISTRY_REVOKED_TAKE, revoked_take, ledger_entry)

static inline int MUST_USE registry_ledger_entries(struct ipc_client *c,
						   const struct ledger_entry *entries, size_t n,
						   int timeout_ms)
{
	return ipc_client_call(c, REGISTRY_LEDGER_ENTRIES, &record_ledger_entry, entries, n, NULL,
			       NULL, 0, NULL, timeout_ms);
}

REGISTRY_POST(enroll_event, REGISTRY_ENROLL_EVENT, enroll_event)

REGISTRY_LIST(dispatch_take, REGISTRY_DISPATCH_TAKE, dispatch_take, dispatch_order)

static inline int MUST_USE registry_dispatch_result(struct ipc_client *c,
						    const struct dispatch_result *results, size_t n,
						    int timeout_ms)
{
	return ipc_client_call(c, REGISTRY_DISPATCH_RESULT, &record_dispatch_result, results, n,
			       NULL, NULL, 0, NULL, timeout_ms);
}

REGISTRY_TELL(zone_add, REGISTRY_ZONE_ADD, zone)
REGISTRY_LIST(zone_list, REGISTRY_ZONE_LIST, list_query, zone)
REGISTRY_TELL(nas_add, REGISTRY_NAS_ADD, nas)
REGISTRY_LIST(nas_list, REGISTRY_NAS_LIST, list_query, nas)
REGISTRY_ASK(nas_show, REGISTRY_NAS_SHOW, nas_name, nas_detail)
REGISTRY_TELL(nas_enable, REGISTRY_NAS_ENABLE, nas)
REGISTRY_TELL(nas_secret, REGISTRY_NAS_SECRET, nas)
REGISTRY_TELL(nas_cert_add, REGISTRY_NAS_CERT_ADD, nas_cert)
REGISTRY_LIST(nas_cert_list, REGISTRY_NAS_CERT_LIST, nas_name, nas_cert)
REGISTRY_ASK(nas_probe, REGISTRY_NAS_PROBE, nas_name, nas_probe)

static inline int MUST_USE registry_device_add(struct ipc_client *c, const struct device *devices,
					       size_t n, struct add_outcome *out, int timeout_ms)
{
	size_t got;
	int rc = ipc_client_call(c, REGISTRY_DEVICE_ADD, &record_device, devices, n,
				 &record_add_outcome, out, n, &got, timeout_ms);

	return !rc && got != n ? err_set(ERR_INVALID, "%zu outcomes for %zu pumps", got, n) : rc;
}

REGISTRY_LIST(device_list, REGISTRY_DEVICE_LIST, list_query, device)
REGISTRY_ASK(device_show, REGISTRY_DEVICE_SHOW, list_query, device)
REGISTRY_ASK(token_create, REGISTRY_TOKEN_CREATE, token_create, token)
REGISTRY_ASK(revoke, REGISTRY_REVOKE, revoke, revocation)
REGISTRY_ASK(standing_change, REGISTRY_STANDING_CHANGE, standing_change, revocation)
REGISTRY_ASK(decommission, REGISTRY_DECOMMISSION, standing_change, decommission)
REGISTRY_ASK(decommission_show, REGISTRY_DECOMMISSION_SHOW, list_query, decommission)
REGISTRY_LIST(wipe_orders, REGISTRY_WIPE_ORDERS, list_query, wipe_order)
REGISTRY_TELL(wiped, REGISTRY_WIPED, wiped)
REGISTRY_ASK(revocation, REGISTRY_REVOCATION, list_query, revocation)
REGISTRY_LIST(order_list, REGISTRY_ORDER_LIST, id_query, order_status)
REGISTRY_LIST(event_list, REGISTRY_EVENT_LIST, list_query, event)
REGISTRY_LIST(cert_list, REGISTRY_CERT_LIST, list_query, cert)
REGISTRY_ASK(cert_show, REGISTRY_CERT_SHOW, cert_name, cert)
REGISTRY_LIST(session_list, REGISTRY_SESSION_LIST, list_query, session)
REGISTRY_LIST(audit_tail, REGISTRY_AUDIT_TAIL, list_query, audit_row)
REGISTRY_ASK(audit_verify, REGISTRY_AUDIT_VERIFY, list_query, audit_check)
REGISTRY_ASK(status, REGISTRY_STATUS, list_query, status)
REGISTRY_LIST(maker_trust, REGISTRY_MAKER_TRUST, list_query, maker)
REGISTRY_TELL(maker_add, REGISTRY_MAKER_ADD, maker)
REGISTRY_LIST(maker_list, REGISTRY_MAKER_LIST, list_query, maker)
REGISTRY_TELL(maker_enable, REGISTRY_MAKER_ENABLE, maker)
REGISTRY_TELL(maker_remove, REGISTRY_MAKER_REMOVE, maker)
REGISTRY_LIST(server_policy, REGISTRY_SERVER_POLICY, list_query, server_policy)
REGISTRY_TELL(server_policy_set, REGISTRY_SERVER_POLICY_SET, server_policy)
REGISTRY_LIST(approval_list, REGISTRY_APPROVAL_LIST, list_query, approval)
REGISTRY_ASK(approval_decide, REGISTRY_APPROVAL_DECIDE, approval_decision, approval)
REGISTRY_LIST(alarm_list, REGISTRY_ALARM_LIST, list_query, alarm)
REGISTRY_ASK(alarm_show, REGISTRY_ALARM_SHOW, id_query, alarm)
REGISTRY_TELL(alarm_ack, REGISTRY_ALARM_ACK, alarm_ack)
REGISTRY_TELL(nas_site, REGISTRY_NAS_SITE, nas)
REGISTRY_TELL(device_mac, REGISTRY_DEVICE_MAC, device_mac)
REGISTRY_LIST(gap_list, REGISTRY_GAP_LIST, list_query, gap)
REGISTRY_ASK(merge, REGISTRY_MERGE, list_query, merge)
REGISTRY_ASK(recall_draft, REGISTRY_RECALL_DRAFT, recall_draft, recall)
REGISTRY_ASK(recall_request, REGISTRY_RECALL_REQUEST, recall_step, recall)
REGISTRY_ASK(recall_confirm, REGISTRY_RECALL_CONFIRM, recall_step, recall)
REGISTRY_ASK(recall_change, REGISTRY_RECALL_CHANGE, recall_step, recall)
REGISTRY_ASK(recall_show, REGISTRY_RECALL_SHOW, id_query, recall)
REGISTRY_LIST(recall_list, REGISTRY_RECALL_LIST, list_query, recall)
REGISTRY_LIST(recall_nas, REGISTRY_RECALL_NAS, recall_nas_query, recall_nas)
REGISTRY_LIST(renewal_asked, REGISTRY_RENEWAL_ASKED, list_query, renewal_ask)
REGISTRY_ASK(rotation_start, REGISTRY_ROTATION_START, rotation_start, rotation)
REGISTRY_LIST(rotation_preview, REGISTRY_ROTATION_PREVIEW, rotation_start, rotation_wave)
REGISTRY_ASK(rotation_change, REGISTRY_ROTATION_CHANGE, rotation_step, rotation)
REGISTRY_ASK(rotation_show, REGISTRY_ROTATION_SHOW, id_query, rotation)
REGISTRY_LIST(rotation_waves, REGISTRY_ROTATION_WAVES, rotation_wave_query, rotation_wave)

static inline int MUST_USE registry_recall_add(struct ipc_client *c,
					       const struct recall_pump *pumps, size_t n,
					       int timeout_ms)
{
	return ipc_client_call(c, REGISTRY_RECALL_ADD, &record_recall_pump, pumps, n, NULL, NULL, 0,
			       NULL, timeout_ms);
}

/* out[i].serial is "" for a pump that is not in the inventory. */
static inline int MUST_USE registry_device_look(struct ipc_client *c, const struct pump_name *names,
						size_t n, struct device *out, int timeout_ms)
{
	size_t got;
	int rc = ipc_client_call(c, REGISTRY_DEVICE_LOOK, &record_pump_name, names, n,
				 &record_device, out, n, &got, timeout_ms);

	return !rc && got != n ? err_set(ERR_INVALID, "%zu answers for %zu pumps", got, n) : rc;
}
REGISTRY_TELL(model_set, REGISTRY_MODEL_SET, model_ports)
REGISTRY_LIST(model_list, REGISTRY_MODEL_LIST, list_query, model_ports)
REGISTRY_TELL(model_tls_set, REGISTRY_MODEL_TLS_SET, model_tls)
REGISTRY_LIST(model_check, REGISTRY_MODEL_CHECK, model_query, model_pump)
REGISTRY_LIST(anchor_lack, REGISTRY_ANCHOR_LACK, anchor_query, anchor_lack)
REGISTRY_ASK(anchor_count, REGISTRY_ANCHOR_COUNT, anchor_query, anchor_count)
REGISTRY_LIST(issuer_lack, REGISTRY_ISSUER_LACK, issuer_query, anchor_lack)
REGISTRY_ASK(issuer_count, REGISTRY_ISSUER_COUNT, issuer_query, anchor_count)
REGISTRY_TELL(ca_step, REGISTRY_CA_STEP, ca_step)
REGISTRY_TELL(pending_cancel, REGISTRY_PENDING_CANCEL, pump_name)
REGISTRY_LIST(pending_list, REGISTRY_PENDING_LIST, list_query, pending_change)
REGISTRY_ASK(report, REGISTRY_REPORT, pump_report, report_answer)
REGISTRY_ASK(report_show, REGISTRY_REPORT_SHOW, list_query, pump_report)
REGISTRY_ASK(backup, REGISTRY_BACKUP, backup_query, backup_state)

#endif
