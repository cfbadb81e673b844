/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the change of a pinned root. Never takes one that no pinned root has signed for, never goes
 * back to an older one, never drops the one that the server has just used.
 */
#include "pump_agent/succession.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/secret.h"
#include "pump_agent/anchors.h"

static int refuse(const char *why)
{
	ERR_clear_error();
	return err_set(ERR_CRYPTO, "a new root of the servers: %s", why);
}

/* A successor may do what the root may that vouches for it: nothing more, nothing else. */
static bool has_the_powers_of(X509 *x, X509 *of)
{
	static const int powers[] = {NID_basic_constraints, NID_key_usage, NID_ext_key_usage,
				     NID_name_constraints};

	for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
		X509_EXTENSION *a = X509_get_ext(x, X509_get_ext_by_NID(x, powers[i], -1));
		X509_EXTENSION *b = X509_get_ext(of, X509_get_ext_by_NID(of, powers[i], -1));

		if (!a != !b)
			return false;
		if (a &&
		    (X509_EXTENSION_get_critical(a) != X509_EXTENSION_get_critical(b) ||
		     ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(a), X509_EXTENSION_get_data(b))))
			return false;
	}
	return true;
}

static bool is_in_force(const X509 *x, int64_t now_s)
{
	time_t now = (time_t)now_s;

	return X509_cmp_time(X509_get0_notBefore(x), &now) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(x), &now) > 0;
}

static bool is_signed_with_sha2(const X509 *x)
{
	int md = NID_undef, key = NID_undef;

	return OBJ_find_sigid_algs(X509_get_signature_nid(x), &md, &key) &&
	       (md == NID_sha256 || md == NID_sha384 || md == NID_sha512);
}

static bool is_signed_by(X509 *x, X509 *by)
{
	bool yes = X509_check_issued(by, x) == X509_V_OK && is_signed_with_sha2(x) &&
		   X509_verify(x, X509_get0_pubkey(by)) == 1;

	ERR_clear_error();
	return yes;
}

int succession_check(X509 *old, X509 *with_old, X509 *fresh, int64_t now_s)
{
	const X509_NAME *name = X509_get_subject_name(old);
	EVP_PKEY *key = X509_get0_pubkey(fresh);

	if (!key || EVP_PKEY_get_security_bits(key) < 112)
		return refuse("its key is weak or of no known kind");
	if (X509_NAME_cmp(X509_get_subject_name(fresh), name) ||
	    X509_NAME_cmp(X509_get_subject_name(with_old), name))
		return refuse("it has another name");
	if (EVP_PKEY_eq(X509_get0_pubkey(with_old), key) != 1 ||
	    EVP_PKEY_eq(X509_get0_pubkey(old), key) == 1)
		return refuse("the certificate by the pinned root is for another key");
	if (X509_check_ca(fresh) != 1 || X509_check_ca(with_old) != 1 ||
	    !has_the_powers_of(fresh, old) || !has_the_powers_of(with_old, old))
		return refuse("it is not the kind of CA that the pinned root is");
	if (!is_signed_by(fresh, fresh))
		return refuse("it is not signed by itself");
	if (!is_signed_by(with_old, old))
		return refuse("the pinned root has not signed for it");
	/* "old with new" would lead back to a root that was left, perhaps for a reason */
	if (ASN1_TIME_compare(X509_get0_notBefore(fresh), X509_get0_notBefore(old)) <= 0)
		return refuse("it is not younger than the pinned root");
	return is_in_force(fresh, now_s) && is_in_force(with_old, now_s)
		       ? 0
		       : refuse("it is not in force");
}

static bool is_root(X509 *x)
{
	return X509_check_ca(x) == 1 && is_signed_by(x, x);
}

static bool contains(const STACK_OF(X509) * certs, X509 *x)
{
	for (int i = 0; i < sk_X509_num(certs); i++)
		if (X509_cmp(sk_X509_value(certs, i), x) == 0)
			return true;
	return false;
}

struct roots {
	X509 *at[ANCHOR_ROOTS_MAX]; /* borrowed */
	size_t n;
};

static int roots_add(struct roots *r, X509 *x)
{
	if (r->n == ANCHOR_ROOTS_MAX)
		return err_set(ERR_LIMIT, "the server names more than %d roots", ANCHOR_ROOTS_MAX);
	r->at[r->n++] = x;
	return 0;
}

static bool is_vouched_for(const struct roots *held, size_t n_held, const STACK_OF(X509) * all,
			   X509 *fresh, int64_t now_s)
{
	for (size_t h = 0; h < n_held; h++)
		for (int i = 0; i < sk_X509_num(all); i++)
			if (!succession_check(held->at[h], sk_X509_value(all, i), fresh, now_s))
				return true;
	return false;
}

/* First those that are held and named, then those that they vouch for. */
static int roots_choose(const STACK_OF(X509) * held, const STACK_OF(X509) * all, int64_t now_s,
			struct roots *out, size_t *n_held_out)
{
	int rc = 0;

	for (int i = 0; !rc && i < sk_X509_num(held); i++) {
		X509 *x = sk_X509_value(held, i);

		if (is_root(x) && contains(all, x))
			rc = roots_add(out, x);
	}
	*n_held_out = out->n;
	for (int i = 0; !rc && i < sk_X509_num(all); i++) {
		X509 *x = sk_X509_value(all, i);

		if (is_root(x) && !contains(held, x) &&
		    is_vouched_for(out, *n_held_out, all, x, now_s))
			rc = roots_add(out, x);
	}
	ERR_clear_error();
	return rc;
}

/* Is one of these roots what a chain stands on that ended with this held certificate: the root
 * itself, or a CA below it? */
static bool is_proven(const struct roots *r, size_t n, const STACK_OF(X509) * held,
		      const uint8_t end[ANCHOR_HASH_BYTES])
{
	for (int i = 0; i < sk_X509_num(held); i++) {
		X509 *x = sk_X509_value(held, i);
		uint8_t md[EVP_MAX_MD_SIZE];
		unsigned len = 0;

		if (!X509_digest(x, EVP_sha256(), md, &len) ||
		    !secret_equal(md, len, end, ANCHOR_HASH_BYTES))
			continue;
		for (size_t k = 0; k < n; k++)
			if (X509_cmp(x, r->at[k]) == 0 || anchor_is_below(x, r->at[k]))
				return true;
	}
	return false;
}

static int push(STACK_OF(X509) * to, X509 *x)
{
	if (sk_X509_num(to) >= ANCHORS_MAX)
		return err_set(ERR_LIMIT, "the server names more than %d CAs of its own",
			       ANCHORS_MAX);
	if (!X509_up_ref(x))
		return err_ossl(ERR_CRYPTO, "certificate");
	if (sk_X509_push(to, x))
		return 0;
	X509_free(x);
	return err_set(ERR_NOMEM, "no memory for certificates");
}

int anchors_follow(const STACK_OF(X509) * held, const STACK_OF(X509) * all,
		   const uint8_t proven[ANCHOR_HASH_BYTES], int64_t now_s, STACK_OF(X509) * *out)
{
	AUTO_X509S chosen = sk_X509_new_null();
	struct roots roots = {.n = 0};
	size_t n_held = 0;
	int rc = chosen ? roots_choose(held, all, now_s, &roots, &n_held)
			: err_set(ERR_NOMEM, "no memory for certificates");

	if (!rc && !is_proven(&roots, n_held, held, proven))
		rc = err_set(ERR_CRYPTO, "the server does not name the root that it has just "
					 "proven itself by");
	for (size_t r = 0; !rc && r < roots.n; r++) {
		rc = push(chosen, roots.at[r]);
		for (int i = 0; !rc && i < sk_X509_num(all); i++)
			if (anchor_is_below(sk_X509_value(all, i), roots.at[r]))
				rc = push(chosen, sk_X509_value(all, i));
	}
	if (!rc)
		*out = OSSL_TAKE(chosen);
	return rc;
}
