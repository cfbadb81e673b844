/* SPDX-License-Identifier: BSD-2-Clause */
/* What conn.c and conn_ops.c share. */
#ifndef SQL_DIRECTORY_CONN_STATE_H
#define SQL_DIRECTORY_CONN_STATE_H

#include "sql/directory/conn.h"

struct conn {
	LDAP *ld; /* owns the socket */
	const struct ldap_address *server;
	struct watch *watch;
	int slot;
	int fd; /* the LDAP's; for conn_is_stale */
	int64_t until_us;
	uint32_t answer_ms;
};

/* What libldap said of a request that was to be sent: 0 or ERR_UNAVAILABLE, ERR_TIMEOUT. */
int conn_sent(struct conn *c, int code) MUST_USE;
/* The next message (LDAP_MSG_ONE) or all of them; the caller frees it. ERR_UNAVAILABLE,
 * ERR_TIMEOUT. */
int conn_answer(struct conn *c, int id, int all, LDAPMessage **out) MUST_USE;

#endif
