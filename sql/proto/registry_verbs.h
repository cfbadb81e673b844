/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verbs of pumpgate-registryd. Numbers are for one release only, but never reuse one.
 *
 * Roles: radius (rlm_pump), signer, enroll, dispatch, admin (pumpctl), cred (credd). Which role may
 * use which verb stands in sql/registryd/verb_tables.c, and nowhere else.
 */
#ifndef SQL_PROTO_REGISTRY_VERBS_H
#define SQL_PROTO_REGISTRY_VERBS_H

#define REGISTRY_SOCKET "run/registry/sock" /* below the home */

/* Most records of one REGISTRY_RECALL_ADD and of one REGISTRY_DEVICE_LOOK. */
#define REGISTRY_RECALL_ADD_MAX 1000
#define REGISTRY_LOOK_MAX 256

enum registry_verb {
	/* packet path: reads only, never behind a disk write */
	REGISTRY_PUMP_FACTS = 1,    /* cert_name -> pump_facts */
	REGISTRY_MAC_FACTS = 2,	    /* mac_query -> mac_facts */
	REGISTRY_NAS_FACTS = 3,	    /* nas_query -> nas_facts */
	REGISTRY_BIRTH_FACTS = 9,   /* birth_query -> birth_facts */
	REGISTRY_ZONE_FACTS = 10,   /* zone_query -> zone_facts */
	REGISTRY_STANDINGS = 4,	    /* empty -> the map of standings, a descriptor to read from */
	REGISTRY_LOGIN_FACTS = 124, /* cert_name -> login_facts */
	/* events of the network */
	REGISTRY_ACCT_EVENT = 17, /* acct_event -> empty, after its group commit */
	REGISTRY_NAS_EVENT = 24,  /* nas_event, one-way */
	REGISTRY_EVENT_RING = 25, /* empty -> the event ring, a descriptor to map and write */
	/* issuing */
	REGISTRY_ISSUER_SET = 32,      /* issuer -> empty */
	REGISTRY_CERT_FACTS = 33,      /* cert_name -> cert_facts */
	REGISTRY_ISSUE_BEGIN = 34,     /* issue_begin -> issue_grant */
	REGISTRY_ISSUE_STORE = 35,     /* issue_store -> empty */
	REGISTRY_LEDGER_POSITION = 36, /* ledger_query -> ledger_position */
	REGISTRY_LEDGER_ENTRIES = 37,  /* ledger_entry[1..256] of one list, in order -> empty */
	REGISTRY_REVOKED_TAKE = 38,    /* revoked_take -> ledger_entry[] */
	REGISTRY_MAKER_TRUST = 39,     /* empty list_query -> maker[], enabled ones with anchors */
	REGISTRY_AUDIT_HEAD = 46,      /* audit_head_query -> audit_head */
	/* enrolment */
	REGISTRY_ENROLL_EVENT = 48,  /* enroll_event, one-way */
	REGISTRY_RENEWAL_ASKED = 49, /* list_query: after = wipe_order -> renewal_ask[] */
	/* what pumps report of themselves: docs/decisions/0150 */
	REGISTRY_REPORT = 120,	    /* pump_report -> report_answer */
	REGISTRY_REPORT_SHOW = 121, /* list_query with device -> pump_report */
	REGISTRY_MODEL_SET = 118,   /* model_ports -> empty */
	REGISTRY_MODEL_LIST = 119,  /* list_query -> model_ports[] by model */
	/* what versions of TLS pumps speak and must: docs/decisions/0215 */
	REGISTRY_MODEL_TLS_SET = 360, /* model_tls -> empty */
	REGISTRY_MODEL_CHECK = 361,   /* model_query -> model_pump[] by serial */
	REGISTRY_ANCHOR_LACK = 125,   /* anchor_query -> anchor_lack[] by serial */
	REGISTRY_ANCHOR_COUNT = 126,  /* anchor_query -> anchor_count */
	/* roll-over of the pumps' CA: docs/decisions/0190 */
	REGISTRY_ISSUER_LACK = 127, /* issuer_query -> anchor_lack[] by serial: certified by it */
	REGISTRY_ISSUER_COUNT =
		146,		/* issuer_query -> anchor_count: pumps in use; holding: others */
	REGISTRY_CA_STEP = 147, /* ca_step -> empty: for the audit */
	/* changes of standing that wait until the pump is idle: docs/decisions/0151 */
	REGISTRY_PENDING_LIST = 122,   /* list_query: after = device -> pending_change[] */
	REGISTRY_PENDING_CANCEL = 123, /* pump_name -> empty */
	/* dispatch */
	REGISTRY_DISPATCH_TAKE = 64,   /* dispatch_take -> dispatch_order[] */
	REGISTRY_DISPATCH_RESULT = 65, /* dispatch_result[] -> empty */
	/* administration */
	REGISTRY_ZONE_ADD = 128,     /* zone -> empty */
	REGISTRY_ZONE_LIST = 129,    /* list_query -> zone[] by name */
	REGISTRY_NAS_ADD = 130,	     /* nas -> empty */
	REGISTRY_NAS_LIST = 131,     /* list_query -> nas[] by name */
	REGISTRY_DEVICE_ADD = 132,   /* device[1..256] -> add_outcome[], all in one transaction */
	REGISTRY_DEVICE_LIST = 133,  /* list_query -> device[] by serial */
	REGISTRY_DEVICE_SHOW = 134,  /* list_query with device -> device */
	REGISTRY_TOKEN_CREATE = 135, /* token_create -> token */
	REGISTRY_REVOKE = 136,	     /* revoke -> revocation */
	REGISTRY_REVOCATION = 137,   /* list_query with device -> revocation (the latest) */
	REGISTRY_ORDER_LIST = 138,   /* id_query (revocation) -> order_status[] */
	REGISTRY_EVENT_LIST = 139,   /* list_query with device -> event[], newest first */
	REGISTRY_CERT_LIST = 140,    /* list_query -> cert[] by serial, without der */
	REGISTRY_CERT_SHOW = 141,    /* cert_name (issuer may be empty if unambiguous) -> cert */
	REGISTRY_SESSION_LIST = 142, /* list_query -> session[] by key */
	REGISTRY_AUDIT_TAIL = 143,   /* list_query: limit; after = seq -> audit_row[], oldest first;
					without after the newest `limit` rows */
	REGISTRY_AUDIT_VERIFY = 144, /* empty list_query -> audit_check */
	REGISTRY_STATUS = 145,	     /* empty list_query -> status */
	REGISTRY_STANDING_CHANGE = 148, /* standing_change -> revocation (its receipt) */
	REGISTRY_NAS_SHOW = 160,	/* nas_name -> nas_detail */
	REGISTRY_NAS_ENABLE = 161,	/* nas: name, enabled -> empty */
	REGISTRY_NAS_SECRET = 162,	/* nas: name, secret -> empty; secret_version goes up */
	REGISTRY_NAS_PROBE = 163,     /* nas_name -> nas_probe, once the NAS answered or did not */
	REGISTRY_NAS_CERT_ADD = 168,  /* nas_cert -> empty */
	REGISTRY_NAS_CERT_LIST = 169, /* nas_name -> nas_cert[], newest first */
	REGISTRY_APPROVAL_LIST = 192, /* list_query -> approval[] */
	REGISTRY_APPROVAL_DECIDE = 193,	  /* approval_decision -> approval */
	REGISTRY_MAKER_ADD = 256,	  /* maker -> empty */
	REGISTRY_MAKER_LIST = 257,	  /* list_query -> maker[] by name, without anchors */
	REGISTRY_MAKER_ENABLE = 258,	  /* maker: name, enabled -> empty */
	REGISTRY_MAKER_REMOVE = 259,	  /* maker: name -> empty */
	REGISTRY_SERVER_POLICY = 352,	  /* empty list_query -> server_policy[0..1] */
	REGISTRY_SERVER_POLICY_SET = 353, /* server_policy: number, radius_name, der -> empty */
	REGISTRY_GAP_LIST = 176,	  /* list_query -> gap[] */
	REGISTRY_MERGE = 177,		  /* empty list_query -> merge */
	REGISTRY_BACKUP = 178,		  /* backup_query -> backup_state */
	/* rotation of certificates: docs/decisions/0131 */
	REGISTRY_ROTATION_START = 272,	 /* rotation_start -> rotation */
	REGISTRY_ROTATION_PREVIEW = 273, /* rotation_start -> rotation_wave[], nothing stored */
	REGISTRY_ROTATION_CHANGE = 274,	 /* rotation_step -> rotation */
	REGISTRY_ROTATION_SHOW = 275,	 /* id_query, 0 the newest -> rotation */
	REGISTRY_ROTATION_WAVES = 276,	 /* rotation_wave_query -> rotation_wave[] */
	/* pumps that leave: docs/decisions/0175 */
	REGISTRY_DECOMMISSION = 288,	  /* standing_change, action decommission -> decommission */
	REGISTRY_DECOMMISSION_SHOW = 289, /* list_query with device -> decommission, the latest */
	REGISTRY_WIPE_ORDERS =
		290, /* list_query: after = cert_serial -> wipe_order[] without a statement */
	REGISTRY_WIPED = 291, /* wiped -> empty */
	/* recall of many pumps: docs/decisions/0100 */
	REGISTRY_RECALL_DRAFT = 208,   /* recall_draft -> recall */
	REGISTRY_RECALL_ADD = 209,     /* recall_pump[1..1000] of one draft -> empty */
	REGISTRY_RECALL_REQUEST = 210, /* recall_step -> recall: requested, or running at once */
	REGISTRY_RECALL_CONFIRM = 211, /* recall_step, by another uid -> recall: running */
	REGISTRY_RECALL_CHANGE = 212,  /* recall_step with state -> recall */
	REGISTRY_RECALL_SHOW = 213,    /* id_query -> recall with its order counts */
	REGISTRY_RECALL_LIST = 214,    /* list_query: after = id -> recall[], newest first */
	REGISTRY_RECALL_NAS = 215,     /* recall_nas_query -> recall_nas[] by name */
	REGISTRY_DEVICE_LOOK = 216,    /* pump_name[1..256] -> device[], serial "" if unknown */
	REGISTRY_ALARM_LIST = 224,     /* list_query -> alarm[], newest first */
	REGISTRY_ALARM_SHOW = 225,     /* id_query -> alarm */
	REGISTRY_ALARM_ACK = 226,      /* alarm_ack -> empty */
	REGISTRY_NAS_SITE = 227,       /* nas: name, site -> empty */
	REGISTRY_DEVICE_MAC = 228,     /* device_mac -> empty */
};

#endif
