/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts of LDAP: names from outside, filters (RFC 4515), distinguished names (RFC 4514),
 * authorization identities (RFC 4513 5.2.1.8), server URLs. Pure: no server, no clock.
 */
#ifndef SQL_DIRECTORY_LDAP_TEXT_H
#define SQL_DIRECTORY_LDAP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Well-formed UTF-8 (RFC 3629) without control characters. */
bool ldap_text_is_clean(const char *text);

/* What stands for %u and %d in a filter template; NULL where a template may not ask for it. */
struct filter_values {
	const char *user; /* %u */
	const char *dn;	  /* %d */
	bool anybody;	  /* %u becomes a lone "*": for lists */
};

/* `out` (empty, bounded by the caller) becomes the filter: values are escaped, so that nothing in
 * them can be taken for filter syntax. ERR_INVALID: another % than these; ERR_LIMIT, ERR_NOMEM. */
int filter_build(const char *template, const struct filter_values *values,
		 struct buf *out) MUST_USE;
/* Is it one filter, whole? Tells a mistyped template; the server checks attributes and values. */
bool filter_is_valid(const char *filter);

/* One spelling for names that mean the same entry: escapes and spaces as RFC 4514 writes them,
 * ASCII letters in lower case (all naming attributes in use ignore case). ERR_INVALID, ERR_LIMIT.
 */
int dn_normal(const char *dn, char *out, size_t size) MUST_USE;

/* Did the server take us for this entry? "dn:..." must name it; Active Directory answers
 * "u:DOMAIN\account", which must end in its account. An empty text (anonymous) never fits. */
bool authzid_is(const char *authzid, const char *dn, const char *account);

struct ldap_address {
	bool tls_first; /* ldaps: TLS from the first byte; else StartTLS */
	char host[256]; /* without brackets */
	char port[6];
	char url[288]; /* "ldaps://host:port" */
};

/* "ldaps://HOST[:PORT]" or "ldap://HOST[:PORT]", an IPv6 address in brackets. ERR_INVALID. */
int ldap_address_parse(const char *text, struct ldap_address *out) MUST_USE;

#endif
