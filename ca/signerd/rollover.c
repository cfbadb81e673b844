/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the change from one issuing CA to the next, with its root or without. Certificates are
 * signed with WHAT-ca.key alone. The key of the pumps' CA before is kept for its CRL and OCSP until
 * the last of its certificates has ended.
 */
#include "ca/signerd/rollover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "ca/ca_number.h"
#include "ca/crl_state.h"
#include "ca/keystore.h"
#include "ca/offline.h"
#include "ca/pkcs11.h"
#include "ca/profile_rules.h"
#include "ca/signerd/issuer_files.h"
#include "ca/signerd/root_rollover.h"
#include "ca/signerd/signerd.h"

#define NAME_MAX_BYTES 256

enum rollover_state { ROLLOVER_IDLE, ROLLOVER_STARTED, ROLLOVER_SWITCHED, ROLLOVER_RETIRED };

static enum rollover_state state_of(const struct rollover *r)
{
	if (file_is_there(r->next_cert))
		return ROLLOVER_STARTED;
	if (file_is_there(r->old_cert))
		return ROLLOVER_SWITCHED;
	return file_is_there(r->retired_cert) ? ROLLOVER_RETIRED : ROLLOVER_IDLE;
}

static int settle(const struct rollover *r)
{
	int rc;

	if (!file_is_there(r->next_cert) || file_is_there(r->next_key) ||
	    !file_is_there(r->old_cert))
		return 0;
	rc = root_replace(r);
	rc = rc ? rc : file_move(r->next_cert, r->cert);
	return rc ? rc : rollover_files_sync(r);
}

int rollover_settle(const char *home, const char *what)
{
	struct rollover r;
	int rc = rollover_files(home, what, &r);

	return rc ? rc : settle(&r);
}

int rollover_cross_read(const char *home, const char *what, X509 **out)
{
	struct rollover r;
	int rc = rollover_files(home, what, &r);

	if (!rc && (state_of(&r) != ROLLOVER_SWITCHED || !file_is_there(r.old_root_cert)))
		rc = err_set(ERR_NOT_FOUND, "no root is being replaced");
	return rc ? rc : keystore_cert_read(r.new_with_old, out);
}

/* ---- start ---- */

/* A key that was made in the token: its file holds the URI. */
static int next_key_in_token(const struct rollover *r, const char *uri, const struct key_access *a,
			     EVP_PKEY **out)
{
	AUTO_BUF line = {.max = PKCS11_URI_MAX + 2};
	AUTO_PKEY key = NULL;
	AUTO_X509 current = NULL;
	int rc = pkcs11_key_load(uri, a, &key);

	if (rc || (rc = keystore_cert_read(r->cert, &current)))
		return rc;
	if (EVP_PKEY_eq(key, X509_get0_pubkey(current)) == 1)
		return err_set(ERR_CONFLICT,
			       "that is the key of the CA in use: make another one in the token, "
			       "with a label of its own");
	ERR_clear_error();
	rc = buf_printf(&line, "%s\n", uri);
	if (!rc)
		rc = buf_write_file(r->next_key, 0600, line.data, line.len);
	if (!rc)
		*out = OSSL_TAKE(key);
	return rc;
}

/* The next CA's key in the form of the present one's; what a killed start left is used. */
static int next_key_have(const struct rollover *r, const char *uri, const struct key_access *a,
			 EVP_PKEY **out)
{
	return uri ? next_key_in_token(r, uri, a, out) : key_have_like(r->key, r->next_key, a, out);
}

static int root_key_read(const struct rollover *r, const struct key_access *a, EVP_PKEY **out)
{
	int rc = keystore_key_read(r->root_key, a, out);

	if (rc == ERR_NOT_FOUND)
		return err_set(ERR_DENIED,
			       "the key of the %s root is not here: bring %s back for this step "
			       "and take it away again afterwards, or let the root's own machine "
			       "sign: pumpctl ca request %s --next",
			       r->what, r->root_key, r->what);
	return rc;
}

static int next_terms(const struct rollover *r, X509 *root, X509 *current,
		      char organization[NAME_MAX_BYTES], char name[NAME_MAX_BYTES],
		      struct ca_terms *out)
{
	const X509_NAME *subject = X509_get_subject_name(current);
	int64_t root_begin_ms, root_end_ms;
	int rc = ossl_name_value(subject, NID_organizationName, organization, NAME_MAX_BYTES);

	if (rc || (rc = ossl_name_value(subject, NID_commonName, name, NAME_MAX_BYTES)) ||
	    (rc = ca_number_raise(name, NAME_MAX_BYTES)) ||
	    (rc = ossl_time_ms(X509_get0_notBefore(root), &root_begin_ms)) ||
	    (rc = ossl_time_ms(X509_get0_notAfter(root), &root_end_ms)))
		return rc;
	*out = ca_terms_of_ca(ca_kind_below(r->root_kind), organization, clock_wall_ms());
	out->common_name = name;
	if (out->not_after_ms > root_end_ms)
		out->not_after_ms = root_end_ms;
	if (out->not_before_ms < root_begin_ms)
		out->not_before_ms = root_begin_ms;
	return 0;
}

/* Nothing is under way that another CA would be one too many for. */
static int is_free(const struct rollover *r)
{
	switch (state_of(r)) {
	case ROLLOVER_IDLE:
		return 0;
	case ROLLOVER_STARTED:
		return err_set(ERR_UNCHANGED, "it has been started");
	case ROLLOVER_SWITCHED:
		return err_set(ERR_CONFLICT,
			       "the last roll-over is not finished: pumpctl ca "
			       "rollover finish %s",
			       r->what);
	default:
		return err_set(ERR_CONFLICT,
			       "the CA before still has certificates in force: pumpctl ca rollover "
			       "status %s says until when",
			       r->what);
	}
}

/* What a finish leaves that was killed after it had taken effect. */
static int leftovers_clear(const struct rollover *r)
{
	int rc = key_destroy(r->old_key);

	rc = rc ? rc : root_finish(r);
	rc = rc ? rc : rollover_files_tidy(r);
	return rc ? rc : rollover_files_sync(r);
}

/* The root that the next CA stands below: the one there is, or its successor, made here. */
static int root_for_next(const struct rollover *r, const struct rollover_start *how,
			 const struct key_access *a, X509 **root, EVP_PKEY **root_key)
{
	AUTO_PKEY next_key = NULL;
	AUTO_X509 next = NULL;
	int rc = root_key_read(r, a, root_key);

	if (rc || !how->new_root)
		return rc ? rc : root_abandon(r); /* what a start that was killed has left */
	rc = root_next_make(r, r->root_kind, *root, *root_key, a, &next, &next_key);
	if (rc)
		return rc;
	X509_free(*root);
	EVP_PKEY_free(*root_key);
	*root = OSSL_TAKE(next);
	*root_key = OSSL_TAKE(next_key);
	return 0;
}

static int start(const struct rollover *r, const struct rollover_start *how)
{
	char organization[NAME_MAX_BYTES], name[NAME_MAX_BYTES];
	struct signer_settings s;
	AUTO_PKEY root_key = NULL;
	AUTO_PKEY key = NULL;
	AUTO_X509 root = NULL;
	AUTO_X509 current = NULL;
	AUTO_X509 next = NULL;
	struct ca_terms t;
	int rc = is_free(r);

	if (rc == ERR_UNCHANGED && how->new_root && !root_is_changing(r))
		return err_set(ERR_CONFLICT,
			       "a roll-over has been started that keeps the root: pumpctl ca "
			       "rollover abort %s",
			       r->what);
	if (!rc && how->new_root && r->root_kind != CA_KIND_SERVER_ROOT)
		return err_set(ERR_INVALID, "the pumps' root can't be replaced yet");
	if (rc || (rc = leftovers_clear(r)) || (rc = signer_settings_read(r->home, &s)) ||
	    (rc = issuer_certs_load(r->home, r->what, &root, &current)) ||
	    (rc = root_for_next(r, how, &s.keys, &root, &root_key)) ||
	    (rc = next_terms(r, root, current, organization, name, &t)) ||
	    (rc = next_key_have(r, how->uri, &s.keys, &key)) ||
	    (rc = ca_certify(&t, key, root, root_key, &next)))
		return rc;
	return keystore_certs_write(r->next_cert, 0644, &next, 1);
}

/* ---- the same with a root that is on another machine ---- */

int rollover_request(const char *home, const char *what, const char *uri, X509_REQ **out)
{
	char organization[NAME_MAX_BYTES], name[NAME_MAX_BYTES];
	struct signer_settings s;
	AUTO_X509 current = NULL;
	AUTO_PKEY key = NULL;
	struct rollover r;
	struct ca_terms t = {0};
	int rc;

	if ((rc = rollover_files(home, what, &r)) || (rc = settle(&r)) || (rc = is_free(&r)) ||
	    (rc = signer_settings_read(home, &s)) || (rc = keystore_cert_read(r.cert, &current)) ||
	    (rc = next_terms(&r, current, current, organization, name, &t)) ||
	    (rc = next_key_have(&r, uri, &s.keys, &key)))
		return rc;
	return ca_request_make(&t, key, out);
}

/* The next issuing CA's certificate against what was asked for; with another root than ours that
 * too, if ours and it speak for each other. */
static int import_take(const struct rollover *r, X509 *our_root, const struct ca_terms *t,
		       X509 *const *certs, size_t n)
{
	X509 *ca = certs[0], *root = certs[1];
	AUTO_X509_NAME subject = NULL;
	int rc = ca_subject_new(t, &subject);

	if (rc)
		return rc;
	if (n != 2 && (n != 2 + ROOT_CHANGE_CERTS - 1 || r->root_kind != CA_KIND_SERVER_ROOT))
		return err_set(ERR_INVALID,
			       "it is not two certificates, nor the four of a new root "
			       "of the servers");
	if (n == 2 && X509_cmp(our_root, root))
		return err_set(ERR_INVALID, "it is not from the root that pumps and servers trust");
	if (X509_NAME_cmp(subject, X509_get_subject_name(ca)))
		return err_set(ERR_INVALID, "it is not named \"%s\"", t->common_name);
	rc = n == 2 ? root_abandon(r) : root_next_take(r, r->root_kind, our_root, certs + 1);
	return rc ? rc : keystore_certs_write(r->next_cert, 0644, &ca, 1);
}

int rollover_import(const char *home, const char *what, X509 *const *certs, size_t n)
{
	char organization[NAME_MAX_BYTES], name[NAME_MAX_BYTES];
	struct signer_settings s;
	AUTO_X509 our_root = NULL;
	AUTO_X509 current = NULL;
	AUTO_X509 there = NULL;
	AUTO_PKEY key = NULL;
	struct rollover r;
	struct ca_terms t = {0};
	int rc = rollover_files(home, what, &r);

	rc = rc ? rc : settle(&r);
	if (!rc && !keystore_cert_read(r.next_cert, &there) && !X509_cmp(there, certs[0]))
		return err_set(ERR_UNCHANGED, "that next %s CA is there already", what);
	if (rc || (rc = is_free(&r)))
		return rc == ERR_UNCHANGED
			       ? err_set(ERR_EXISTS, "another next %s CA is there already", what)
			       : rc;
	if ((rc = signer_settings_read(home, &s)) ||
	    (rc = issuer_certs_load(home, what, &our_root, &current)) ||
	    (rc = next_terms(&r, our_root, current, organization, name, &t)))
		return rc;
	rc = keystore_key_read(r.next_key, &s.keys, &key);
	if (rc)
		return rc == ERR_NOT_FOUND
			       ? err_add(rc, "no request was made here for the next %s CA", what)
			       : rc;
	rc = ca_import_check(r.root_kind, certs[1], certs[0], key, clock_wall_ms());
	return rc ? rc : import_take(&r, our_root, &t, certs, n);
}

/* ---- switch, finish, abort ---- */

static int switch_over(const struct rollover *r)
{
	AUTO_X509 next = NULL;
	AUTO_PKEY key = NULL;
	struct signer_settings s;
	int rc;

	if (state_of(r) == ROLLOVER_SWITCHED)
		return err_set(ERR_UNCHANGED, "it has been switched");
	if (state_of(r) != ROLLOVER_STARTED)
		return err_set(ERR_CONFLICT, "nothing to switch to: pumpctl ca rollover start %s",
			       r->what);
	/* nothing is moved unless the new pair can be used */
	if ((rc = signer_settings_read(r->home, &s)) ||
	    (rc = keystore_key_read(r->next_key, &s.keys, &key)) ||
	    (rc = keystore_cert_read(r->next_cert, &next)))
		return rc;
	if (X509_check_private_key(next, key) != 1)
		return err_ossl(ERR_CRYPTO, "%s is not the key of %s", r->next_key, r->next_cert);
	if ((rc = root_keep(r)) || (rc = file_keep_as(r->key, r->old_key)) ||
	    (rc = file_keep_as(r->cert, r->old_cert)) || (rc = rollover_files_sync(r)) ||
	    (rc = file_move(r->next_key, r->key))) /* from here on there is no way back */
		return rc;
	return settle(r);
}

/* Whether nobody can ask about a certificate of the old CA any more: all of them have ended, and a
 * revocation list was made after that (RFC 5280 3.3). */
static int may_destroy(const struct rollover *r)
{
	struct crl_state crl = {0};
	char path[PATH_MAX], at[CLOCK_TEXT_MAX];
	AUTO_X509 old = NULL;
	int64_t until_ms = 0;
	int rc = home_path(r->home, "ca/crl.state", path);

	if (rc || (rc = keystore_cert_read(r->retired_cert, &old)) ||
	    (rc = issued_until(r->home, old, &until_ms)))
		return rc;
	if (!until_ms)
		return 0;
	clock_format(until_ms, at);
	if (until_ms >= clock_wall_ms())
		return err_set(
			ERR_BUSY,
			"certificates of it are in force until %s: its key still signs their "
			"CRL and OCSP answers",
			at);
	rc = crl_state_read(path, &crl);
	if (rc || crl.this_update_ms <= until_ms)
		return rc ? rc
			  : err_set(ERR_BUSY,
				    "its last certificate ended at %s, and no CRL was made since: "
				    "signerd makes one within a day",
				    at);
	return 0;
}

/* The pumps' old CA: no longer believed from here on, its key stays as long as it has to. */
static int retire(const struct rollover *r)
{
	int rc;

	if (state_of(r) == ROLLOVER_SWITCHED && r->root_kind == CA_KIND_DEVICE_ROOT) {
		rc = file_move(r->old_cert, r->retired_cert);
		return rc ? rc : rollover_files_sync(r);
	}
	if (state_of(r) == ROLLOVER_RETIRED)
		return err_set(ERR_UNCHANGED, "it is retired already");
	return err_set(ERR_CONFLICT, "there is no old CA of pumps to retire");
}

static int finish(const struct rollover *r)
{
	bool left = file_is_there(r->old_key) || file_is_there(r->old_root_cert);
	int rc;

	if (state_of(r) == ROLLOVER_IDLE && !left)
		return err_set(ERR_UNCHANGED, "no roll-over is under way");
	if (state_of(r) == ROLLOVER_STARTED)
		return err_set(ERR_CONFLICT,
			       "it is not switched yet: pumpctl ca rollover switch %s", r->what);
	if (state_of(r) == ROLLOVER_SWITCHED && r->root_kind == CA_KIND_DEVICE_ROOT)
		return err_set(ERR_CONFLICT, "the old CA of pumps is not retired yet");
	if (state_of(r) == ROLLOVER_RETIRED && (rc = may_destroy(r)))
		return rc;
	rc = cert_remove(r->old_cert); /* it is finished from here on */
	rc = rc ? rc : cert_remove(r->retired_cert);
	rc = rc ? rc : rollover_files_sync(r);
	return rc ? rc : leftovers_clear(r);
}

static int abandon(const struct rollover *r)
{
	int rc;

	if (state_of(r) == ROLLOVER_SWITCHED || state_of(r) == ROLLOVER_RETIRED)
		return err_set(ERR_CONFLICT,
			       "it is switched: certificates of the new CA are in use; finish it");
	if (state_of(r) == ROLLOVER_IDLE && !file_is_there(r->next_key) && !root_is_changing(r))
		return err_set(ERR_UNCHANGED, "no roll-over is under way");
	/* what a switch has left that was killed before it moved anything goes first: settle() must
	 * never take the rest for a switch */
	rc = cert_remove(r->old_cert);
	rc = rc ? rc : key_destroy(r->old_key);
	rc = rc ? rc : rollover_files_sync(r);
	rc = rc ? rc : cert_remove(r->next_cert);
	rc = rc ? rc : root_abandon(r);
	rc = rc ? rc : key_destroy(r->next_key);
	rc = rc ? rc : rollover_files_tidy(r);
	return rc ? rc : rollover_files_sync(r);
}

static const char *other_cert(const struct rollover *r)
{
	switch (state_of(r)) {
	case ROLLOVER_STARTED:
		return r->next_cert;
	case ROLLOVER_SWITCHED:
		return r->old_cert;
	default:
		return r->retired_cert;
	}
}

static int state_print(const struct rollover *r)
{
	static const char *const names[] = {"idle", "started", "switched", "retired"};
	enum rollover_state state = state_of(r);
	bool of_root = state != ROLLOVER_IDLE && root_is_changing(r);
	X509 *certs[3 + ROOT_CHANGE_CERTS] = {NULL};
	size_t n = 2, more = 0;
	int rc = issuer_certs_load(r->home, r->what, &certs[0], &certs[1]);

	if (!rc && state != ROLLOVER_IDLE)
		rc = keystore_cert_read(other_cert(r), &certs[n++]);
	if (!rc && of_root)
		rc = root_others_read(r, certs + n, &more);
	if (!rc)
		printf("%s%s\n", names[state], of_root ? " root" : "");
	for (size_t i = 0; !rc && i < n + more; i++)
		if (!PEM_write_X509(stdout, certs[i]))
			rc = err_ossl(ERR_IO, "standard output");
	if (!rc && fflush(stdout))
		rc = err_errno(ERR_IO, "standard output");
	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		X509_free(certs[i]);
	return rc;
}

static int step_run(const struct rollover *r, const char *step, const struct rollover_start *how)
{
	if (!strcmp(step, "start"))
		return start(r, how);
	if (!strcmp(step, "switch"))
		return switch_over(r);
	if (!strcmp(step, "retire"))
		return retire(r);
	if (!strcmp(step, "finish"))
		return finish(r);
	if (!strcmp(step, "abort"))
		return abandon(r);
	return strcmp(step, "status") ? err_set(ERR_INVALID, "no step \"%.32s\"", step) : 0;
}

int command_rollover(const char *home, const char *step, const char *what,
		     const struct rollover_start *how)
{
	struct rollover r;
	int shown, rc;

	rc = rollover_files(home, what, &r);
	rc = rc ? rc : settle(&r);
	rc = rc ? rc : step_run(&r, step, how);
	if (rc && rc != ERR_UNCHANGED) {
		fprintf(stderr, "pumpgate-signerd rollover: %s\n", err_text());
		return rc == ERR_INVALID ? EXIT_USAGE
		       : rc == ERR_BUSY	 ? EXIT_TRY_AGAIN
					 : EXIT_FAILED;
	}
	shown = state_print(&r);
	if (shown)
		fprintf(stderr, "pumpgate-signerd rollover: %s\n", err_text());
	return shown ? EXIT_FAILED : rc ? EXIT_NOTHING : EXIT_DONE;
}
