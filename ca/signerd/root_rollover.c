/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns a root's way out and its successor's way in. Never lets a root's key lie under the other
 * root's certificate.
 */
#include "ca/signerd/root_rollover.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "ca/offline.h"
#include "ca/root_change.h"

bool root_is_changing(const struct rollover *r)
{
	return file_is_there(r->next_root_cert) || file_is_there(r->old_root_cert);
}

/* The next root's certificate that is there, if it is one of this key. */
static bool next_is_of(const struct rollover *r, EVP_PKEY *key, X509 **out)
{
	AUTO_X509 cert = NULL;

	if (keystore_cert_read(r->next_root_cert, &cert) || X509_check_private_key(cert, key) != 1)
		return false;
	*out = OSSL_TAKE(cert);
	return true;
}

int root_next_make(const struct rollover *r, enum ca_kind kind, X509 *root, EVP_PKEY *root_key,
		   const struct key_access *a, X509 **next_out, EVP_PKEY **next_key_out)
{
	int64_t now_ms = clock_wall_ms();
	AUTO_X509 new_with_old = NULL;
	AUTO_X509 old_with_new = NULL;
	AUTO_X509 next = NULL;
	AUTO_PKEY key = NULL;
	int rc = key_have_like(r->root_key, r->next_root_key, a, &key);

	if (!rc && !next_is_of(r, key, &next))
		rc = ca_root_succeed(kind, root, key, now_ms, &next);
	if (rc || (rc = ca_root_cross(kind, next, root, root_key, now_ms, &new_with_old)) ||
	    (rc = ca_root_cross(kind, root, next, key, now_ms, &old_with_new)) ||
	    (rc = keystore_certs_write(r->new_with_old, 0644, &new_with_old, 1)) ||
	    (rc = keystore_certs_write(r->old_with_new, 0644, &old_with_new, 1)) ||
	    (rc = keystore_certs_write(r->next_root_cert, 0644, &next, 1)))
		return rc;
	*next_out = OSSL_TAKE(next);
	*next_key_out = OSSL_TAKE(key);
	return 0;
}

int root_next_take(const struct rollover *r, enum ca_kind kind, X509 *root,
		   X509 *const certs[ROOT_CHANGE_CERTS])
{
	X509 *next = certs[0], *new_with_old = certs[1], *old_with_new = certs[2];
	int rc;

	/* pumps take no root back that is older than the one they hold */
	if (ASN1_TIME_compare(X509_get0_notBefore(next), X509_get0_notBefore(root)) <= 0)
		return err_set(ERR_INVALID,
			       "the new root is not younger than the present one (look "
			       "at the clocks of both machines)");
	if ((rc = ca_cert_check(kind, next, NULL)) ||
	    (rc = ca_root_cross_check(kind, next, root, new_with_old)) ||
	    (rc = ca_root_cross_check(kind, root, next, old_with_new)) ||
	    (rc = key_destroy(r->next_root_key)) || /* of another, which was begun here */
	    (rc = keystore_certs_write(r->new_with_old, 0644, &new_with_old, 1)) ||
	    (rc = keystore_certs_write(r->old_with_new, 0644, &old_with_new, 1)))
		return rc;
	return keystore_certs_write(r->next_root_cert, 0644, &next, 1);
}

int root_keep(const struct rollover *r)
{
	int rc;

	if (!file_is_there(r->next_root_cert))
		return 0;
	rc = file_keep_as(r->root_key, r->old_root_key);
	return rc ? rc : file_keep_as(r->root_cert, r->old_root_cert);
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int root_replace(const struct rollover *r)
{
	int rc = 0;

	if (!file_is_there(r->next_root_cert))
		return 0;
	if (file_is_there(r->next_root_key))
		rc = file_move(r->next_root_key, r->root_key);
	else if (is_same_file(r->root_key, r->old_root_key)) /* the next one's is kept elsewhere */
		rc = cert_remove(r->root_key);
	return rc ? rc : file_move(r->next_root_cert, r->root_cert);
}

int root_finish(const struct rollover *r)
{
	int rc = key_destroy(r->old_root_key);

	rc = rc ? rc : cert_remove(r->new_with_old);
	rc = rc ? rc : cert_remove(r->old_with_new);
	return rc ? rc : cert_remove(r->old_root_cert);
}

int root_abandon(const struct rollover *r)
{
	int rc = cert_remove(r->next_root_cert);

	rc = rc ? rc : key_destroy(r->next_root_key);
	return rc ? rc : root_finish(r);
}

int root_others_read(const struct rollover *r, X509 *out[ROOT_CHANGE_CERTS], size_t *n_out)
{
	const char *const paths[ROOT_CHANGE_CERTS] = {
		file_is_there(r->next_root_cert) ? r->next_root_cert : r->old_root_cert,
		r->new_with_old, r->old_with_new};
	int rc = 0;

	*n_out = 0;
	for (size_t i = 0; !rc && i < ROOT_CHANGE_CERTS; i++) {
		if (!file_is_there(paths[i]))
			continue;
		rc = keystore_cert_read(paths[i], &out[*n_out]);
		*n_out += !rc;
	}
	return rc;
}
