/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to one server: TCP, TLS with the server's name and chain checked, then bind,
 * search and whoami, each within a deadline. A connection that failed in any way is closed by its
 * owner and never used again: libldap would otherwise connect anew by itself, without TLS for
 * ldap://.
 */
#ifndef SQL_DIRECTORY_CONN_H
#define SQL_DIRECTORY_CONN_H

#include <ldap.h>

#include "sql/directory/settings.h"
#include "sql/directory/watch.h"

struct conn;

/* Blocks until `until_us` at most (of clock_mono_us), name resolution excepted.
 * ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_CRYPTO (chain, name, TLS version), ERR_BUSY, ERR_NOMEM. */
int conn_open(const struct directory_settings *s, const struct ldap_address *server,
	      struct watch *w, int64_t until_us, struct conn **out) MUST_USE;
void conn_close(struct conn *c); /* NULL ok */

static inline void conn_auto_close(struct conn **c)
{
	conn_close(*c);
}
#define AUTO_CONN __attribute__((cleanup(conn_auto_close))) struct conn *

/* The deadline of what follows. INT64_MAX: none, for a connection that rests. */
void conn_limit(struct conn *c, int64_t until_us);
/* Has the server closed it, or said something unasked, while it rested? */
bool conn_is_stale(const struct conn *c);

struct bind_outcome {
	int code;	  /* LDAP result code, RFC 4511 appendix A */
	int policy_error; /* LDAPPasswordPolicyError; PP_noError when it says nothing */
	char diagnostic[256];
};

/* Simple bind. *sent_out is set as soon as the server may have seen the password. The empty
 * password is never sent: ERR_INTERNAL. ERR_UNAVAILABLE, ERR_TIMEOUT; 0 with the server's answer.
 */
int conn_bind(struct conn *c, const char *dn, const void *password, size_t len, bool *sent_out,
	      struct bind_outcome *out) MUST_USE;

/* RFC 4532. "" for nobody. ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_INVALID, ERR_LIMIT. */
int conn_whoami(struct conn *c, char *out, size_t size) MUST_USE;

/* Called for each entry; another value than 0 ends the search and is returned by it. */
typedef int conn_entry(void *user, LDAP *ld, LDAPMessage *entry);

struct conn_question {
	const char *base;
	int scope;
	const char *filter;
	const char *const *attributes; /* NULL at the end */
	size_t max;		       /* entries; ERR_LIMIT beyond */
	uint32_t page;		       /* entries a page (RFC 2696); 0: all at once */
};

/* Each answer within answer_ms, referrals are not followed. A base that does not exist gives no
 * entry when the scope is the base itself, else ERR_NOT_FOUND. ERR_UNAVAILABLE, ERR_TIMEOUT,
 * ERR_DENIED, ERR_LIMIT, ERR_INVALID. */
int conn_search(struct conn *c, const struct conn_question *q, conn_entry *each,
		void *user) MUST_USE;

#endif
