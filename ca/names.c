/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the names in certificates and what CAs may not name. Never takes one from a request. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "ca/profile_rules.h"

#define DNS_NAME_MAX 253
#define NAS_URN_PREFIX "urn:pumpgate:nas:"
#define NAS_NAME_MAX 32
_Static_assert(sizeof(NAS_URN_PREFIX) + NAS_NAME_MAX <= DEVICE_URN_SIZE, "a NAS's URN fits");

/* Text as UTF8String; checked there: valid UTF-8, at most RFC 5280's upper bound of 64. */
static int part_add(X509_NAME *name, int nid, const char *text)
{
	if (!X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)text, -1,
					-1, 0))
		return err_ossl(ERR_INVALID, "%s \"%.64s\"", OBJ_nid2sn(nid), text);
	return 0;
}

int ca_subject_new(const struct ca_terms *t, X509_NAME **out)
{
	AUTO_X509_NAME name = X509_NAME_new();
	int rc;

	if (!name)
		return err_set(ERR_NOMEM, "no memory for a name");
	if (t->organization && (rc = part_add(name, NID_organizationName, t->organization)))
		return rc;
	/* a server's CN would repeat its SAN, and longer names than 64 do not fit there */
	if (t->common_name && (rc = part_add(name, NID_commonName, t->common_name)))
		return rc;
	*out = OSSL_TAKE(name);
	return 0;
}

static int general_name_new(int type, const void *data, size_t len, GENERAL_NAME **out)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();

	if (!name || !value || !ASN1_STRING_set(value, data, (int)len)) {
		GENERAL_NAME_free(name);
		ASN1_STRING_free(value);
		return err_set(ERR_NOMEM, "no memory for a name");
	}
	GENERAL_NAME_set0_value(name, type, value);
	*out = name;
	return 0;
}

static int name_push(GENERAL_NAMES *names, int type, const void *data, size_t len)
{
	GENERAL_NAME *name;
	int rc = general_name_new(type, data, len, &name);

	if (!rc && !sk_GENERAL_NAME_push(names, name)) {
		GENERAL_NAME_free(name);
		rc = err_set(ERR_NOMEM, "no memory for a name");
	}
	return rc;
}

static bool dns_name_is_valid(const char *s)
{
	size_t len = strlen(s), label = 0;

	if (len == 0 || len > DNS_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool edge = label == 0 || i + 1 == len || s[i + 1] == '.';

		if (s[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if ((isalnum((unsigned char)s[i]) || (s[i] == '-' && !edge)) && label < 63) {
			label++;
		} else {
			return false;
		}
	}
	return label > 0;
}

static int server_name_push(GENERAL_NAMES *names, const char *text)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
	int rc;

	if (address) {
		rc = name_push(names, GEN_IPADD, ASN1_STRING_get0_data(address),
			       (size_t)ASN1_STRING_length(address));
		ASN1_OCTET_STRING_free(address);
		return rc;
	}
	ERR_clear_error();
	if (!dns_name_is_valid(text))
		return err_set(ERR_INVALID, "\"%.64s\" is neither a DNS name nor an address", text);
	return name_push(names, GEN_DNS, text, strlen(text));
}

/* "urn:pumpgate:nas:NAME"; the registry's rule for names of NAS. */
static int nas_urn_build(const char *name, char out[DEVICE_URN_SIZE])
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_.";
	size_t len = strlen(name);

	if (!len || len > NAS_NAME_MAX || *name == '-' || strspn(name, allowed) != len)
		return err_set(ERR_INVALID,
			       "a NAS's name is 1 to %d letters, digits, '-', '_', '.'",
			       NAS_NAME_MAX);
	snprintf(out, DEVICE_URN_SIZE, NAS_URN_PREFIX "%s", name);
	return 0;
}

int ca_urn_build(enum ca_kind kind, const char *name, char out[DEVICE_URN_SIZE])
{
	return kind == CA_KIND_NAS_LEAF ? nas_urn_build(name, out) : device_urn_build(name, out);
}

int ca_san_new(const struct ca_terms *t, GENERAL_NAMES **out)
{
	AUTO_GENERAL_NAMES names = sk_GENERAL_NAME_new_null();
	char urn[DEVICE_URN_SIZE];
	int rc = 0;

	if (!names)
		return err_set(ERR_NOMEM, "no memory for names");
	if (t->kind == CA_KIND_DEVICE_LEAF || t->kind == CA_KIND_NAS_LEAF) {
		rc = ca_urn_build(t->kind, t->common_name, urn);
		if (!rc)
			rc = name_push(names, GEN_URI, urn, strlen(urn));
	}
	for (size_t i = 0; !rc && t->kind == CA_KIND_SERVER_LEAF && t->names[i]; i++)
		rc = server_name_push(names, t->names[i]);
	if (rc)
		return rc;
	if (sk_GENERAL_NAME_num(names) == 0)
		return err_set(ERR_INVALID, "a certificate without a name");
	*out = OSSL_TAKE(names);
	return 0;
}

static int subtree_push(STACK_OF(GENERAL_SUBTREE) * *list, int type, const void *data, size_t len)
{
	GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();
	int rc = ERR_NOMEM;

	if (!*list)
		*list = sk_GENERAL_SUBTREE_new_null();
	if (tree) {
		GENERAL_NAME_free(tree->base);
		tree->base = NULL;
		rc = general_name_new(type, data, len, &tree->base);
	}
	if (!rc && *list && sk_GENERAL_SUBTREE_push(*list, tree))
		return 0;
	GENERAL_SUBTREE_free(tree);
	return rc ? rc : err_set(ERR_NOMEM, "no memory for name constraints");
}

/* RFC 5280 4.2.1.10. No constraint on URIs: it would apply to their host part, a pump's URN has
 * none, and OpenSSL fails the chain then; strongSwan 6 can't read one at all, strongSwan 5.9 none
 * on addresses, and both could then not verify our servers or take our anchors. What a CA may be
 * used for is the EKU's to say; names that no certificate below it has are shut out here.
 * ".invalid" never exists (RFC 6761 6.4); "" excludes all DNS names. */
int ca_name_constraints_new(int eku, NAME_CONSTRAINTS **out)
{
	static const char nowhere[] = "invalid";
	NAME_CONSTRAINTS *nc = NAME_CONSTRAINTS_new();
	int rc;

	if (!nc)
		return err_set(ERR_NOMEM, "no memory for name constraints");
	rc = subtree_push(&nc->permittedSubtrees, GEN_EMAIL, nowhere, strlen(nowhere));
	if (!rc && eku == NID_client_auth)
		rc = subtree_push(&nc->excludedSubtrees, GEN_DNS, "", 0);
	if (rc) {
		NAME_CONSTRAINTS_free(nc);
		return rc;
	}
	*out = nc;
	return 0;
}

static int uri_names_new(const char *url, GENERAL_NAMES **out)
{
	AUTO_GENERAL_NAMES names = sk_GENERAL_NAME_new_null();
	int rc = names ? name_push(names, GEN_URI, url, strlen(url))
		       : err_set(ERR_NOMEM, "no memory for names");

	if (!rc)
		*out = OSSL_TAKE(names);
	return rc;
}

int ca_crl_points_new(const char *url, CRL_DIST_POINTS **out)
{
	CRL_DIST_POINTS *points = sk_DIST_POINT_new_null();
	DIST_POINT *point = DIST_POINT_new();
	GENERAL_NAMES *names = NULL;
	int rc = points && point && (point->distpoint = DIST_POINT_NAME_new())
			 ? uri_names_new(url, &names)
			 : err_set(ERR_NOMEM, "no memory for a CRL's place");

	if (!rc) {
		point->distpoint->type = 0; /* fullName */
		point->distpoint->name.fullname = names;
		if (!sk_DIST_POINT_push(points, point))
			rc = err_set(ERR_NOMEM, "no memory for a CRL's place");
	}
	if (rc) {
		DIST_POINT_free(point);
		sk_DIST_POINT_free(points);
		return rc;
	}
	*out = points;
	return 0;
}

int ca_info_access_new(const char *ocsp_url, AUTHORITY_INFO_ACCESS **out)
{
	AUTHORITY_INFO_ACCESS *list = sk_ACCESS_DESCRIPTION_new_null();
	ACCESS_DESCRIPTION *one = ACCESS_DESCRIPTION_new();
	int rc = ERR_NOMEM;

	if (list && one) {
		GENERAL_NAME_free(one->location);
		one->location = NULL;
		one->method = OBJ_nid2obj(NID_ad_OCSP);
		rc = general_name_new(GEN_URI, ocsp_url, strlen(ocsp_url), &one->location);
	}
	if (!rc && sk_ACCESS_DESCRIPTION_push(list, one)) {
		*out = list;
		return 0;
	}
	ACCESS_DESCRIPTION_free(one);
	sk_ACCESS_DESCRIPTION_free(list);
	return err_set(ERR_NOMEM, "no memory for the responder's place");
}
