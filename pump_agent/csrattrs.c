/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading /csrattrs. Never lets a server choose the pump's name or a weak key. */
#include "pump_agent/csrattrs.h"

#include "pump_agent/anchors.h"

#define ATTRS_MAX 64

typedef STACK_OF(ASN1_TYPE) type_list;

static void list_auto_free(type_list **list)
{
	sk_ASN1_TYPE_pop_free(*list, ASN1_TYPE_free);
}
static void attribute_auto_free(X509_ATTRIBUTE **a)
{
	X509_ATTRIBUTE_free(*a);
}
#define AUTO_LIST __attribute__((cleanup(list_auto_free))) type_list *
#define AUTO_ATTRIBUTE __attribute__((cleanup(attribute_auto_free))) X509_ATTRIBUTE *

static enum key_kind kind_of_rsa(const ASN1_TYPE *bits)
{
	int64_t n = 0;

	if (ASN1_TYPE_get(bits) != V_ASN1_INTEGER ||
	    !ASN1_INTEGER_get_int64(&n, bits->value.integer))
		return KEY_AS_ASKED;
	return n == 2048   ? KEY_RSA2048
	       : n == 3072 ? KEY_RSA3072
	       : n == 4096 ? KEY_RSA4096
			   : KEY_AS_ASKED;
}

static enum key_kind kind_of_curve(const ASN1_TYPE *curve)
{
	if (ASN1_TYPE_get(curve) != V_ASN1_OBJECT)
		return KEY_AS_ASKED;
	switch (OBJ_obj2nid(curve->value.object)) {
	case NID_X9_62_prime256v1:
		return KEY_P256;
	case NID_secp384r1:
		return KEY_P384;
	default:
		return KEY_AS_ASKED;
	}
}

/* The first value of several that this pump can make counts. */
static void attribute_take(X509_ATTRIBUTE *attr, struct csr_wishes *w)
{
	int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attr));

	if (nid == NID_pkcs9_challengePassword)
		w->wants_binding = true;
	for (int i = 0; w->key == KEY_AS_ASKED && i < X509_ATTRIBUTE_count(attr); i++) {
		const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attr, i);

		if (value && nid == NID_X9_62_id_ecPublicKey)
			w->key = kind_of_curve(value);
		else if (value && nid == NID_rsaEncryption)
			w->key = kind_of_rsa(value);
	}
}

/* AttrOrOID ::= CHOICE { oid OBJECT IDENTIFIER, attribute Attribute } */
static int element_take(const ASN1_TYPE *element, struct csr_wishes *w)
{
	AUTO_ATTRIBUTE attr = NULL;
	const uint8_t *at;
	int len;

	if (ASN1_TYPE_get(element) == V_ASN1_OBJECT) {
		if (OBJ_obj2nid(element->value.object) == NID_pkcs9_challengePassword)
			w->wants_binding = true;
		return 0;
	}
	if (ASN1_TYPE_get(element) != V_ASN1_SEQUENCE)
		return err_set(ERR_INVALID, "csrattrs: neither an OID nor an attribute");
	at = ASN1_STRING_get0_data(element->value.sequence);
	len = ASN1_STRING_length(element->value.sequence);
	attr = d2i_X509_ATTRIBUTE(NULL, &at, len);
	if (!attr)
		return err_ossl(ERR_INVALID, "csrattrs: an attribute can't be read");
	attribute_take(attr, w);
	return 0;
}

int csrattrs_parse(const uint8_t *der, size_t len, struct csr_wishes *out)
{
	struct csr_wishes w = {.key = KEY_AS_ASKED};
	AUTO_LIST list = NULL;
	const uint8_t *at = der;

	if (len > EST_ANSWER_MAX)
		return err_set(ERR_LIMIT, "csrattrs: larger than %d bytes", EST_ANSWER_MAX);
	list = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)len);
	if (!list || at != der + len)
		return err_ossl(ERR_INVALID, "csrattrs: can't be read");
	if (sk_ASN1_TYPE_num(list) > ATTRS_MAX)
		return err_set(ERR_INVALID, "csrattrs: more than %d entries", ATTRS_MAX);
	for (int i = 0; i < sk_ASN1_TYPE_num(list); i++) {
		int rc = element_take(sk_ASN1_TYPE_value(list, i), &w);

		if (rc)
			return rc;
	}
	*out = w;
	return 0;
}

int csrattrs_decode(const void *body, size_t len, struct csr_wishes *out)
{
	AUTO_BUF der = {.max = EST_ANSWER_MAX};
	int rc = est_body_decode(body, len, &der);

	if (rc)
		return rc;
	if (der.len == 0) {
		*out = (struct csr_wishes){.key = KEY_AS_ASKED};
		return 0;
	}
	return csrattrs_parse(der.data, der.len, out);
}
