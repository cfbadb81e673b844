/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the answer to "who may ask what": one table per role, and nothing outside these tables is
 * ever run. A verb that is not in the peer's table ends its connection (base/ipc_server.h).
 */
#include "sql/proto/registry_verbs.h"
#include "sql/registryd/service.h"

#define ASK(v, label, in, out, fn)                                               \
	{                                                                        \
		.verb = (v), .name = (label), .req = &record_##in, .req_max = 1, \
		.rep = &record_##out, .handle = (fn)                             \
	}
#define TELL(v, label, in, fn)                                                                  \
	{                                                                                       \
		.verb = (v), .name = (label), .req = &record_##in, .req_max = 1, .handle = (fn) \
	}
#define POST(v, label, in, fn)                                                                    \
	{                                                                                         \
		.verb = (v), .name = (label), .req = &record_##in, .req_max = 1, .one_way = true, \
		.handle = (fn)                                                                    \
	}

/* rlm_pump: the facts of one certificate, MAC or NAS; what it saw */
static const struct ipc_verb radius_verbs[] = {
	ASK(REGISTRY_PUMP_FACTS, "pump_facts", cert_name, pump_facts, verb_pump_facts),
	ASK(REGISTRY_MAC_FACTS, "mac_facts", mac_query, mac_facts, verb_mac_facts),
	ASK(REGISTRY_BIRTH_FACTS, "birth_facts", birth_query, birth_facts, verb_birth_facts),
	ASK(REGISTRY_ZONE_FACTS, "zone_facts", zone_query, zone_facts, verb_zone_facts),
	ASK(REGISTRY_NAS_FACTS, "nas_facts", nas_query, nas_facts, verb_nas_facts),
	{.verb = REGISTRY_STANDINGS, .name = "standings", .handle = verb_standings},
	{.verb = REGISTRY_EVENT_RING, .name = "event_ring", .handle = verb_event_ring},
	TELL(REGISTRY_ACCT_EVENT, "acct_event", acct_event, verb_event),
	POST(REGISTRY_NAS_EVENT, "nas_event", nas_event, verb_event),
};

/* signerd: issuing; it learns nothing but what it needs to sign, and what was revoked */
static const struct ipc_verb signer_verbs[] = {
	TELL(REGISTRY_ISSUER_SET, "issuer_set", issuer, verb_write),
	ASK(REGISTRY_CERT_FACTS, "cert_facts", cert_name, cert_facts, verb_cert_facts),
	ASK(REGISTRY_MAKER_TRUST, "maker_trust", list_query, maker, verb_query),
	ASK(REGISTRY_ISSUE_BEGIN, "issue_begin", issue_begin, issue_grant, verb_write),
	TELL(REGISTRY_ISSUE_STORE, "issue_store", issue_store, verb_write),
	ASK(REGISTRY_LEDGER_POSITION, "ledger_position", ledger_query, ledger_position, verb_write),
	{.verb = REGISTRY_LEDGER_ENTRIES,
	 .name = "ledger_entries",
	 .req = &record_ledger_entry,
	 .req_max = STORE_LEDGER_MAX,
	 .handle = verb_write},
	TELL(REGISTRY_WIPED, "wiped", wiped, verb_write),
	ASK(REGISTRY_REVOKED_TAKE, "revoked_take", revoked_take, ledger_entry, verb_write),
	ASK(REGISTRY_AUDIT_HEAD, "audit_head", audit_head_query, audit_head, verb_query),
};

/* enrolld: whose birth certificates to let into TLS, who is to renew early or to wipe; can say that
 * an attempt failed, and hand on what a pump says of itself; nothing else */
static const struct ipc_verb enroll_verbs[] = {
	ASK(REGISTRY_MAKER_TRUST, "maker_trust", list_query, maker, verb_query),
	POST(REGISTRY_ENROLL_EVENT, "enroll_event", enroll_event, verb_event),
	ASK(REGISTRY_RENEWAL_ASKED, "renewal_asked", list_query, renewal_ask, verb_query),
	ASK(REGISTRY_REPORT, "report", pump_report, report_answer, verb_write),
	ASK(REGISTRY_WIPE_ORDERS, "wipe_orders", list_query, wipe_order, verb_query),
	ASK(REGISTRY_SERVER_POLICY, "server_policy", list_query, server_policy, verb_query),
};

/* dispatchd: the orders, with the secrets of just those NAS */
static const struct ipc_verb dispatch_verbs[] = {
	ASK(REGISTRY_DISPATCH_TAKE, "dispatch_take", dispatch_take, dispatch_order, verb_write),
	{.verb = REGISTRY_DISPATCH_RESULT,
	 .name = "dispatch_result",
	 .req = &record_dispatch_result,
	 .req_max = STORE_TAKE_MAX,
	 .handle = verb_write},
};

/* credd: which pump showed a certificate, and its standing */
static const struct ipc_verb cred_verbs[] = {
	ASK(REGISTRY_LOGIN_FACTS, "login_facts", cert_name, login_facts, verb_login_facts),
};

/* pumpctl */
static const struct ipc_verb admin_verbs[] = {
	TELL(REGISTRY_ZONE_ADD, "zone_add", zone, verb_write),
	ASK(REGISTRY_ZONE_LIST, "zone_list", list_query, zone, verb_query),
	TELL(REGISTRY_NAS_ADD, "nas_add", nas, verb_write),
	ASK(REGISTRY_NAS_LIST, "nas_list", list_query, nas, verb_query),
	ASK(REGISTRY_NAS_SHOW, "nas_show", nas_name, nas_detail, verb_query),
	TELL(REGISTRY_NAS_ENABLE, "nas_enable", nas, verb_write),
	TELL(REGISTRY_NAS_SECRET, "nas_secret", nas, verb_write),
	TELL(REGISTRY_NAS_CERT_ADD, "nas_cert_add", nas_cert, verb_write),
	ASK(REGISTRY_NAS_CERT_LIST, "nas_cert_list", nas_name, nas_cert, verb_query),
	ASK(REGISTRY_NAS_PROBE, "nas_probe", nas_name, nas_probe, verb_write),
	{.verb = REGISTRY_DEVICE_ADD,
	 .name = "device_add",
	 .req = &record_device,
	 .req_max = 256,
	 .rep = &record_add_outcome,
	 .handle = verb_write},
	ASK(REGISTRY_DEVICE_LIST, "device_list", list_query, device, verb_query),
	ASK(REGISTRY_DEVICE_SHOW, "device_show", list_query, device, verb_query),
	ASK(REGISTRY_REPORT_SHOW, "report_show", list_query, pump_report, verb_query),
	ASK(REGISTRY_TOKEN_CREATE, "token_create", token_create, token, verb_write),
	ASK(REGISTRY_REVOKE, "revoke", revoke, revocation, verb_write),
	ASK(REGISTRY_STANDING_CHANGE, "standing_change", standing_change, revocation, verb_write),
	TELL(REGISTRY_MODEL_SET, "model_set", model_ports, verb_write),
	ASK(REGISTRY_MODEL_LIST, "model_list", list_query, model_ports, verb_query),
	TELL(REGISTRY_MODEL_TLS_SET, "model_tls_set", model_tls, verb_write),
	ASK(REGISTRY_MODEL_CHECK, "model_check", model_query, model_pump, verb_query),
	ASK(REGISTRY_ANCHOR_LACK, "anchor_lack", anchor_query, anchor_lack, verb_query),
	ASK(REGISTRY_ANCHOR_COUNT, "anchor_count", anchor_query, anchor_count, verb_query),
	ASK(REGISTRY_ISSUER_LACK, "issuer_lack", issuer_query, anchor_lack, verb_query),
	ASK(REGISTRY_ISSUER_COUNT, "issuer_count", issuer_query, anchor_count, verb_query),
	TELL(REGISTRY_CA_STEP, "ca_step", ca_step, verb_write),
	ASK(REGISTRY_PENDING_LIST, "pending_list", list_query, pending_change, verb_query),
	TELL(REGISTRY_PENDING_CANCEL, "pending_cancel", pump_name, verb_write),
	ASK(REGISTRY_DECOMMISSION, "decommission", standing_change, decommission, verb_write),
	ASK(REGISTRY_DECOMMISSION_SHOW, "decommission_show", list_query, decommission, verb_query),
	ASK(REGISTRY_REVOCATION, "revocation", list_query, revocation, verb_query),
	ASK(REGISTRY_ORDER_LIST, "order_list", id_query, order_status, verb_query),
	ASK(REGISTRY_EVENT_LIST, "event_list", list_query, event, verb_query),
	ASK(REGISTRY_CERT_LIST, "cert_list", list_query, cert, verb_query),
	ASK(REGISTRY_CERT_SHOW, "cert_show", cert_name, cert, verb_query),
	ASK(REGISTRY_SESSION_LIST, "session_list", list_query, session, verb_query),
	ASK(REGISTRY_AUDIT_TAIL, "audit_tail", list_query, audit_row, verb_query),
	ASK(REGISTRY_AUDIT_VERIFY, "audit_verify", list_query, audit_check, verb_slow),
	ASK(REGISTRY_STATUS, "status", list_query, status, verb_slow),
	TELL(REGISTRY_MAKER_ADD, "maker_add", maker, verb_write),
	ASK(REGISTRY_MAKER_LIST, "maker_list", list_query, maker, verb_query),
	ASK(REGISTRY_MAKER_TRUST, "maker_trust", list_query, maker, verb_query),
	ASK(REGISTRY_SERVER_POLICY, "server_policy", list_query, server_policy, verb_query),
	TELL(REGISTRY_SERVER_POLICY_SET, "server_policy_set", server_policy, verb_write),
	TELL(REGISTRY_MAKER_ENABLE, "maker_enable", maker, verb_write),
	TELL(REGISTRY_MAKER_REMOVE, "maker_remove", maker, verb_write),
	ASK(REGISTRY_APPROVAL_LIST, "approval_list", list_query, approval, verb_query),
	ASK(REGISTRY_APPROVAL_DECIDE, "approval_decide", approval_decision, approval, verb_write),
	ASK(REGISTRY_ALARM_LIST, "alarm_list", list_query, alarm, verb_query),
	ASK(REGISTRY_ALARM_SHOW, "alarm_show", id_query, alarm, verb_query),
	TELL(REGISTRY_ALARM_ACK, "alarm_ack", alarm_ack, verb_write),
	TELL(REGISTRY_NAS_SITE, "nas_site", nas, verb_write),
	TELL(REGISTRY_DEVICE_MAC, "device_mac", device_mac, verb_write),
	ASK(REGISTRY_GAP_LIST, "gap_list", list_query, gap, verb_query),
	ASK(REGISTRY_MERGE, "merge", list_query, merge, verb_write),
	ASK(REGISTRY_BACKUP, "backup", backup_query, backup_state, verb_backup),
	ASK(REGISTRY_RECALL_DRAFT, "recall_draft", recall_draft, recall, verb_write),
	{.verb = REGISTRY_RECALL_ADD,
	 .name = "recall_add",
	 .req = &record_recall_pump,
	 .req_max = REGISTRY_RECALL_ADD_MAX,
	 .handle = verb_write},
	ASK(REGISTRY_RECALL_REQUEST, "recall_request", recall_step, recall, verb_write),
	ASK(REGISTRY_RECALL_CONFIRM, "recall_confirm", recall_step, recall, verb_write),
	ASK(REGISTRY_RECALL_CHANGE, "recall_change", recall_step, recall, verb_write),
	ASK(REGISTRY_RECALL_SHOW, "recall_show", id_query, recall, verb_query),
	ASK(REGISTRY_RECALL_LIST, "recall_list", list_query, recall, verb_query),
	ASK(REGISTRY_RECALL_NAS, "recall_nas", recall_nas_query, recall_nas, verb_query),
	ASK(REGISTRY_ROTATION_START, "rotation_start", rotation_start, rotation, verb_write),
	ASK(REGISTRY_ROTATION_PREVIEW, "rotation_preview", rotation_start, rotation_wave,
	    verb_query),
	ASK(REGISTRY_ROTATION_CHANGE, "rotation_change", rotation_step, rotation, verb_write),
	ASK(REGISTRY_ROTATION_SHOW, "rotation_show", id_query, rotation, verb_query),
	ASK(REGISTRY_ROTATION_WAVES, "rotation_waves", rotation_wave_query, rotation_wave,
	    verb_query),
	{.verb = REGISTRY_DEVICE_LOOK,
	 .name = "device_look",
	 .req = &record_pump_name,
	 .req_max = REGISTRY_LOOK_MAX,
	 .rep = &record_device,
	 .handle = verb_query},
};

#define TABLE(t) (t), sizeof(t) / sizeof((t)[0])
static const struct {
	const char *role;
	const struct ipc_verb *verbs;
	size_t n;
} tables[SERVICE_ROLES] = {
	{"radius", TABLE(radius_verbs)}, {"signer", TABLE(signer_verbs)},
	{"enroll", TABLE(enroll_verbs)}, {"dispatch", TABLE(dispatch_verbs)},
	{"admin", TABLE(admin_verbs)},	 {"cred", TABLE(cred_verbs)},
};

const struct ipc_verb *verb_table(unsigned role, const char **name_out, size_t *n_out)
{
	*name_out = tables[role].role;
	*n_out = tables[role].n;
	return tables[role].verbs;
}
