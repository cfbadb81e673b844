/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verbs of pumpgate-credd. Roles: login (radiusd clinicians), admin (pumpctl),
 * signer (signerd). Which role may
 * use which verb stands in sql/credd/verb_tables.c, and nowhere else. Numbers 64 to 95 are for
 * audit and directory, 96 to 127 for break-glass.
 */
#ifndef SQL_PROTO_CRED_VERBS_H
#define SQL_PROTO_CRED_VERBS_H

#define CRED_SOCKET "run/cred/sock" /* below the home */

#define CRED_USER_ADD_MAX 64

enum cred_verb {
	CRED_LOGIN = 1,	  /* cred_login -> cred_answer */
	CRED_CONTACT = 2, /* cred_login without name and password -> cred_answer */
	/* people */
	CRED_USER_ADD = 16,    /* user_add[1..64] -> add_outcome[], all in one transaction */
	CRED_USER_LIST = 17,   /* list_query -> user[] by name */
	CRED_USER_SHOW = 18,   /* user_name -> user */
	CRED_USER_STATE = 19,  /* user_state -> empty */
	CRED_USER_SECRET = 20, /* user_secret -> empty */
	CRED_USER_ROLE = 21,   /* user_role -> empty */
	CRED_USER_ROLES = 22,  /* user_name ("" all) -> user_role[] */
	CRED_USER_BADGES = 23, /* user_name -> user_badge[] */
	CRED_USER_UNLOCK = 24, /* user_name -> user_unlocked */
	CRED_LOGIN_LIST = 25, /* list_query: device; after = key -> login_session[], newest first */
	CRED_ROLE_LIST = 26,  /* list_query -> role_terms[] by name */
	CRED_ROLE_SET = 27,   /* role_terms -> empty; makes or changes the role */
	CRED_STATUS = 28,     /* empty list_query -> cred_status */
	/* audit of logins */
	CRED_AUDIT_TAIL = 64,	/* as REGISTRY_AUDIT_TAIL */
	CRED_AUDIT_VERIFY = 65, /* as REGISTRY_AUDIT_VERIFY */
	CRED_AUDIT_HEAD = 66,	/* as REGISTRY_AUDIT_HEAD; role signer */
	/* break-glass codes: sql/proto/glass_records.h */
	CRED_GLASS_ISSUE = 96,	/* glass_want[1..16] -> glass_issued[], all in one transaction */
	CRED_GLASS_LIST = 97,	/* list_query: device, ward, state -> glass[], newest first */
	CRED_GLASS_REVIEW = 98, /* glass_review -> empty */
	CRED_GLASS_VOID = 99,	/* glass_void -> glass_count */
	CRED_GLASS_COUNT = 100, /* empty list_query -> glass_count */
	/* the hospital's directory; ERR_NOT_FOUND when none is set */
	CRED_DIRECTORY_LIST = 72, /* list_query: after = name, "" asks anew -> directory_entry[] */
	CRED_DIRECTORY_FIND = 73, /* user_name -> directory_entry */
	CRED_DIRECTORY_HEALTH = 74, /* empty list_query -> directory_server[] */
};

#endif
