/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the answer to "who may ask what" of credd: nothing outside these tables is ever run. */
#include "sql/credd/credd.h"
#include "sql/proto/cred_verbs.h"
#include "sql/proto/glass_records.h"

#define READ(v, label, in, out)                                                  \
	{                                                                        \
		.verb = (v), .name = (label), .req = &record_##in, .req_max = 1, \
		.rep = &record_##out, .handle = verb_admin_read                  \
	}
#define WRITE(v, label, in)                                                      \
	{                                                                        \
		.verb = (v), .name = (label), .req = &record_##in, .req_max = 1, \
		.handle = verb_admin_write                                       \
	}
#define ASK_DIRECTORY(v, label, in, out)                                         \
	{                                                                        \
		.verb = (v), .name = (label), .req = &record_##in, .req_max = 1, \
		.rep = &record_##out, .handle = verb_admin_directory             \
	}

/* radiusd clinicians: one login, one contact; it can look at nothing */
static const struct ipc_verb login_verbs[] = {
	{.verb = CRED_LOGIN,
	 .name = "login",
	 .req = &record_cred_login,
	 .req_max = 1,
	 .rep = &record_cred_answer,
	 .handle = verb_login},
	{.verb = CRED_CONTACT,
	 .name = "contact",
	 .req = &record_cred_login,
	 .req_max = 1,
	 .rep = &record_cred_answer,
	 .handle = verb_login},
};

/* pumpctl */
static const struct ipc_verb admin_verbs[] = {
	{.verb = CRED_USER_ADD,
	 .name = "user_add",
	 .req = &record_user_add,
	 .req_max = CRED_USER_ADD_MAX,
	 .rep = &record_add_outcome,
	 .handle = verb_admin_write},
	READ(CRED_USER_LIST, "user_list", list_query, user),
	READ(CRED_USER_SHOW, "user_show", user_name, user),
	WRITE(CRED_USER_STATE, "user_state", user_state),
	WRITE(CRED_USER_SECRET, "user_secret", user_secret),
	WRITE(CRED_USER_ROLE, "user_role", user_role),
	READ(CRED_USER_ROLES, "user_roles", user_name, user_role),
	READ(CRED_USER_BADGES, "user_badges", user_name, user_badge),
	READ(CRED_USER_UNLOCK, "user_unlock", user_name, user_unlocked),
	READ(CRED_LOGIN_LIST, "login_list", list_query, login_session),
	READ(CRED_ROLE_LIST, "role_list", list_query, role_terms),
	WRITE(CRED_ROLE_SET, "role_set", role_terms),
	READ(CRED_STATUS, "status", list_query, cred_status),
	READ(CRED_AUDIT_TAIL, "audit_tail", list_query, audit_row),
	READ(CRED_AUDIT_VERIFY, "audit_verify", list_query, audit_check),
	{.verb = CRED_GLASS_ISSUE,
	 .name = "glass_issue",
	 .req = &record_glass_want,
	 .req_max = GLASS_WANTS_MAX,
	 .rep = &record_glass_issued,
	 .handle = verb_admin_write},
	READ(CRED_GLASS_LIST, "glass_list", list_query, glass),
	WRITE(CRED_GLASS_REVIEW, "glass_review", glass_review),
	{.verb = CRED_GLASS_VOID,
	 .name = "glass_void",
	 .req = &record_glass_void,
	 .req_max = 1,
	 .rep = &record_glass_count,
	 .handle = verb_admin_write},
	READ(CRED_GLASS_COUNT, "glass_count", list_query, glass_count),
	ASK_DIRECTORY(CRED_DIRECTORY_LIST, "directory_list", list_query, directory_entry),
	ASK_DIRECTORY(CRED_DIRECTORY_FIND, "directory_find", user_name, directory_entry),
	ASK_DIRECTORY(CRED_DIRECTORY_HEALTH, "directory_health", list_query, directory_server),
};

/* signerd: where the audit chain ends, to sign that; it learns of no person */
static const struct ipc_verb signer_verbs[] = {
	READ(CRED_AUDIT_HEAD, "audit_head", audit_head_query, audit_head),
};

#define TABLE(t) (t), sizeof(t) / sizeof((t)[0])
static const struct {
	const char *role;
	const struct ipc_verb *verbs;
	size_t n;
} tables[CRED_ROLES] = {{"login", TABLE(login_verbs)},
			{"admin", TABLE(admin_verbs)},
			{"signer", TABLE(signer_verbs)}};

const struct ipc_verb *cred_verb_table(unsigned role, const char **name_out, size_t *n_out)
{
	*name_out = tables[role].role;
	*n_out = tables[role].n;
	return tables[role].verbs;
}
