/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the forms of LDAP texts. Escaping and the syntax of names are libldap's. */
#include "sql/directory/ldap_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lber.h>
#include <ldap.h>

/* The length of the well-formed sequence at `s`; 0: none. RFC 3629 section 4. */
static size_t utf8_sequence(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0; /* also the NUL at the end */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

bool ldap_text_is_clean(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		size_t len = utf8_sequence(s);

		if (!len || *s < 0x20 || *s == 0x7f || (len == 2 && *s == 0xc2 && s[1] < 0xa0))
			return false;
		s += len;
	}
	return true;
}

static int put_escaped(struct buf *out, const char *value)
{
	struct berval in = {.bv_len = strlen(value), .bv_val = (char *)(uintptr_t)value};
	struct berval escaped = {0};
	int rc;

	if (ldap_bv2escaped_filter_value(&in, &escaped))
		return err_set(ERR_NOMEM, "no memory for a filter");
	rc = buf_put(out, escaped.bv_val, escaped.bv_len);
	ber_memfree(escaped.bv_val);
	return rc;
}

int filter_build(const char *template, const struct filter_values *values, struct buf *out)
{
	int rc = 0;

	for (const char *at = template; !rc && *at; at++) {
		if (*at != '%') {
			rc = buf_put_u8(out, (uint8_t)*at);
			continue;
		}
		at++;
		if (*at == 'u' && values->anybody)
			rc = buf_put_u8(out, '*');
		else if (*at == 'u' && values->user)
			rc = put_escaped(out, values->user);
		else if (*at == 'd' && values->dn)
			rc = put_escaped(out, values->dn);
		else
			return err_set(ERR_INVALID, "a filter with %%%.1s, which it can't have",
				       at);
	}
	return rc;
}

/* Reads one filter; false when there is none. RFC 4515 section 3, as far as a template can be
 * wrong: brackets, operators, an attribute and an equals sign in each item. */
static bool filter_skip(const char **at, int depth)
{
	const char *c = *at;

	if (*c++ != '(' || depth == 0)
		return false;
	if (*c == '!') {
		c++;
		if (!filter_skip(&c, depth - 1))
			return false;
	} else if (*c == '&' || *c == '|') {
		c++;
		do {
			if (!filter_skip(&c, depth - 1))
				return false;
		} while (*c == '(');
	} else {
		size_t name = strcspn(c, "=()"), value;

		if (!name || c[name] != '=')
			return false;
		value = strcspn(c + name + 1, "()");
		c += name + 1 + value;
	}
	*at = c + 1;
	return *c == ')';
}

bool filter_is_valid(const char *filter)
{
	return filter_skip(&filter, 20) && !*filter;
}

int dn_normal(const char *dn, char *out, size_t size)
{
	LDAPDN parsed = NULL;
	char *text = NULL;
	int rc = 0;

	/* libldap takes the empty name; an entry always has one */
	if (!dn[0] || ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) || !parsed)
		return err_set(ERR_INVALID, "not a distinguished name: %.200s", dn);
	if (ldap_dn2str(parsed, &text, LDAP_DN_FORMAT_LDAPV3))
		rc = err_set(ERR_INVALID, "not a distinguished name: %.200s", dn);
	else
		rc = str_copy(out, size, text);
	for (char *c = out; !rc && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	ldap_memfree(text);
	ldap_dnfree(parsed);
	return rc;
}

bool authzid_is(const char *authzid, const char *dn, const char *account)
{
	char ours[1024], theirs[1024];

	if (!strncasecmp(authzid, "dn:", 3))
		return !dn_normal(dn, ours, sizeof(ours)) &&
		       !dn_normal(authzid + 3, theirs, sizeof(theirs)) && !strcmp(ours, theirs);
	if (!strncasecmp(authzid, "u:", 2)) {
		const char *name = strchr(authzid, '\\');

		return name && account[0] && !strcasecmp(name + 1, account);
	}
	return false;
}

static bool host_is_valid(const char *host, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)host[i]) && !strchr(".-:", host[i]))
			return false;
	return len > 0;
}

int ldap_address_parse(const char *text, struct ldap_address *out)
{
	struct ldap_address a = {.tls_first = !strncmp(text, "ldaps://", 8)};
	const char *host = text + (a.tls_first ? 8 : 7), *port;
	bool bracket;
	size_t len;
	long number;
	char *end;

	if (!a.tls_first && strncmp(text, "ldap://", 7))
		return err_set(ERR_INVALID, "%.100s: write ldaps://HOST or ldap://HOST", text);
	bracket = *host == '[';
	host += bracket;
	len = strcspn(host, bracket ? "]" : ":/");
	port = host + len + (bracket && host[len] == ']');
	if (len >= sizeof(a.host) || !host_is_valid(host, len) || (bracket && host[len] != ']'))
		return err_set(ERR_INVALID, "%.100s: no host name or address in it", text);
	memcpy(a.host, host, len);
	number = *port == ':' ? strtol(port + 1, &end, 10) : a.tls_first ? 636 : 389;
	if (*port == ':' && (!isdigit((unsigned char)port[1]) || *end))
		number = 0;
	if ((*port && *port != ':') || number < 1 || number > 65535)
		return err_set(ERR_INVALID, "%.100s: write ldaps://HOST:PORT, nothing more", text);
	snprintf(a.port, sizeof(a.port), "%ld", number);
	snprintf(a.url, sizeof(a.url), bracket ? "%s[%s]:%s" : "%s%s:%s",
		 a.tls_first ? "ldaps://" : "ldap://", a.host, a.port);
	*out = a;
	return 0;
}
