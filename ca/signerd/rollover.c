/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the change from one issuing CA to the next. Never touches a root; certificates are signed
 * with WHAT-ca.key alone. The key of the pumps' CA before is kept for its CRL and OCSP until the
 * last of its certificates has ended.
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
#include "ca/signerd/signerd.h"

#define NAME_MAX_BYTES 256

enum rollover_state { ROLLOVER_IDLE, ROLLOVER_STARTED, ROLLOVER_SWITCHED, ROLLOVER_RETIRED };

struct rollover {
	const char *home, *what;
	enum ca_kind root_kind; /* of the hierarchy */
	char key[PATH_MAX], cert[PATH_MAX];
	char next_key[PATH_MAX], next_cert[PATH_MAX];
	char old_key[PATH_MAX], old_cert[PATH_MAX], retired_cert[PATH_MAX];
};

static int paths_fill(const char *home, const char *what, struct rollover *r)
{
	int rc;

	r->home = home;
	r->what = what;
	r->root_kind = !strcmp(what, "device")	 ? CA_KIND_DEVICE_ROOT
		       : !strcmp(what, "server") ? CA_KIND_SERVER_ROOT
						 : CA_KIND_NONE;
	if (r->root_kind == CA_KIND_NONE)
		return err_set(ERR_INVALID, "the CA is \"device\" or \"server\"");
	if ((rc = ca_path(home, what, "ca.key", r->key)) ||
	    (rc = ca_path(home, what, "ca.pem", r->cert)) ||
	    (rc = ca_path(home, what, "next.key", r->next_key)) ||
	    (rc = ca_path(home, what, "next.pem", r->next_cert)) ||
	    (rc = ca_path(home, what, "old.key", r->old_key)) ||
	    (rc = ca_path(home, what, "old.pem", r->old_cert)))
		return rc;
	return ca_path(home, what, "retired.pem", r->retired_cert);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* What was renamed or linked in HOME/ca is on the disk. */
static int folder_sync(const struct rollover *r)
{
	char path[PATH_MAX];
	int rc = home_path(r->home, "ca", path);
	int fd = rc ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (rc)
		return rc;
	rc = fd < 0 || fsync(fd) ? err_errno(ERR_IO, "%s", path) : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int move(const char *from, const char *to)
{
	return rename(from, to) ? err_errno(ERR_IO, "%s", to) : 0;
}

static enum rollover_state state_of(const struct rollover *r)
{
	if (is_there(r->next_cert))
		return ROLLOVER_STARTED;
	if (is_there(r->old_cert))
		return ROLLOVER_SWITCHED;
	return is_there(r->retired_cert) ? ROLLOVER_RETIRED : ROLLOVER_IDLE;
}

static int settle(const struct rollover *r)
{
	int rc;

	if (!is_there(r->next_cert) || is_there(r->next_key) || !is_there(r->old_cert))
		return 0;
	rc = move(r->next_cert, r->cert);
	return rc ? rc : folder_sync(r);
}

int rollover_settle(const char *home, const char *what)
{
	struct rollover r;
	int rc = paths_fill(home, what, &r);

	return rc ? rc : settle(&r);
}

/* ---- start ---- */

static int name_part(const X509_NAME *name, int nid, char out[NAME_MAX_BYTES])
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	unsigned char *utf8 = NULL;
	int len = at < 0 ? -1
			 : ASN1_STRING_to_UTF8(
				   &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	bool ok = len > 0 && len < NAME_MAX_BYTES && !memchr(utf8, '\0', (size_t)len);

	if (ok) {
		memcpy(out, utf8, (size_t)len);
		out[len] = '\0';
	}
	OPENSSL_free(utf8);
	ERR_clear_error();
	return ok ? 0 : err_set(ERR_INVALID, "the CA's name lacks its %s", OBJ_nid2sn(nid));
}

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
	char detail[PKCS11_URI_MAX + 1];
	enum keystore_form form, have;
	AUTO_PKEY key = NULL;
	int rc = keystore_key_form(r->key, &form, detail);

	if (!rc && uri)
		return next_key_in_token(r, uri, a, out);
	if (!rc)
		rc = keystore_key_form(r->next_key, &have, detail);
	if (rc)
		return rc;
	if (form == KEYSTORE_PKCS11 && have == KEYSTORE_NONE)
		return err_set(ERR_DENIED,
			       "the %s CA's key is in a token: make the next one there too, with a "
			       "label of its own, and name it: --pkcs11 URI",
			       r->what);
	if (have == KEYSTORE_NONE) {
		key = EVP_EC_gen("P-256");
		rc = key ? keystore_key_write(r->next_key, key)
			 : err_ossl(ERR_CRYPTO, "making a key");
	} else {
		rc = keystore_key_read(r->next_key, a, &key);
	}
	if (!rc && form == KEYSTORE_ENCRYPTED && have != KEYSTORE_ENCRYPTED)
		rc = keystore_key_protect(r->next_key, key, KEYSTORE_ENCRYPTED, a, NULL);
	if (!rc)
		*out = OSSL_TAKE(key);
	return rc;
}

static int root_key_read(const struct rollover *r, const struct key_access *a, EVP_PKEY **out)
{
	char path[PATH_MAX];
	int rc = ca_path(r->home, r->what, "root.key", path);

	if (!rc)
		rc = keystore_key_read(path, a, out);
	if (rc == ERR_NOT_FOUND)
		return err_set(ERR_DENIED,
			       "the key of the %s root is not here: bring %s back for this step "
			       "and take it away again afterwards, or let the root's own machine "
			       "sign: pumpctl ca request %s --next",
			       r->what, path, r->what);
	return rc;
}

static int next_terms(const struct rollover *r, X509 *root, X509 *current,
		      char organization[NAME_MAX_BYTES], char name[NAME_MAX_BYTES],
		      struct ca_terms *out)
{
	const X509_NAME *subject = X509_get_subject_name(current);
	int64_t root_end_ms;
	int rc = name_part(subject, NID_organizationName, organization);

	if (rc || (rc = name_part(subject, NID_commonName, name)) ||
	    (rc = ca_number_raise(name, NAME_MAX_BYTES)) ||
	    (rc = ossl_time_ms(X509_get0_notAfter(root), &root_end_ms)))
		return rc;
	*out = ca_terms_of_ca(ca_kind_below(r->root_kind), organization, clock_wall_ms());
	out->common_name = name;
	if (out->not_after_ms > root_end_ms)
		out->not_after_ms = root_end_ms;
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

static int start(const struct rollover *r, const char *uri)
{
	char organization[NAME_MAX_BYTES], name[NAME_MAX_BYTES];
	struct signer_settings s;
	AUTO_PKEY root_key = NULL;
	AUTO_PKEY key = NULL;
	AUTO_X509 root = NULL;
	AUTO_X509 current = NULL;
	AUTO_X509 next = NULL;
	struct ca_terms t;
	int rc;

	if ((rc = is_free(r)) || (rc = signer_settings_read(r->home, &s)) ||
	    (rc = issuer_certs_load(r->home, r->what, &root, &current)) ||
	    (rc = next_terms(r, root, current, organization, name, &t)) ||
	    (rc = root_key_read(r, &s.keys, &root_key)) ||
	    (rc = next_key_have(r, uri, &s.keys, &key)) ||
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

	if ((rc = paths_fill(home, what, &r)) || (rc = settle(&r)) || (rc = is_free(&r)) ||
	    (rc = signer_settings_read(home, &s)) || (rc = keystore_cert_read(r.cert, &current)) ||
	    (rc = next_terms(&r, current, current, organization, name, &t)) ||
	    (rc = next_key_have(&r, uri, &s.keys, &key)))
		return rc;
	return ca_request_make(&t, key, out);
}

int rollover_import(const char *home, const char *what, X509 *root, X509 *ca)
{
	char organization[NAME_MAX_BYTES], name[NAME_MAX_BYTES];
	struct signer_settings s;
	AUTO_X509 our_root = NULL;
	AUTO_X509 current = NULL;
	AUTO_X509 there = NULL;
	AUTO_X509_NAME subject = NULL;
	AUTO_PKEY key = NULL;
	struct rollover r;
	struct ca_terms t = {0};
	int rc = paths_fill(home, what, &r);

	rc = rc ? rc : settle(&r);
	if (!rc && !keystore_cert_read(r.next_cert, &there) && !X509_cmp(there, ca))
		return err_set(ERR_UNCHANGED, "that next %s CA is there already", what);
	if (rc || (rc = is_free(&r)))
		return rc == ERR_UNCHANGED
			       ? err_set(ERR_EXISTS, "another next %s CA is there already", what)
			       : rc;
	if ((rc = signer_settings_read(home, &s)) ||
	    (rc = issuer_certs_load(home, what, &our_root, &current)) ||
	    (rc = next_terms(&r, our_root, current, organization, name, &t)) ||
	    (rc = ca_subject_new(&t, &subject)))
		return rc;
	rc = keystore_key_read(r.next_key, &s.keys, &key);
	if (rc)
		return rc == ERR_NOT_FOUND
			       ? err_add(rc, "no request was made here for the next %s CA", what)
			       : rc;
	if (X509_cmp(our_root, root))
		return err_set(ERR_INVALID, "it is not from the root that pumps and servers trust");
	if (X509_NAME_cmp(subject, X509_get_subject_name(ca)))
		return err_set(ERR_INVALID, "it is not named \"%s\"", name);
	rc = ca_import_check(r.root_kind, root, ca, key, clock_wall_ms());
	return rc ? rc : keystore_certs_write(r.next_cert, 0644, &ca, 1);
}

/* ---- switch, finish, abort ---- */

static int keep_as(const char *from, const char *to)
{
	return link(from, to) && errno != EEXIST ? err_errno(ERR_IO, "%s", to) : 0;
}

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
	if ((rc = keep_as(r->key, r->old_key)) || (rc = keep_as(r->cert, r->old_cert)) ||
	    (rc = folder_sync(r)) || (rc = move(r->next_key, r->key)) ||
	    (rc = move(r->next_cert, r->cert)))
		return rc;
	return folder_sync(r);
}

/* Overwritten, as far as a disk does that; gone is fine. */
static int key_destroy(const char *path)
{
	static const uint8_t nothing[4096];
	struct stat st;
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(ERR_IO, "%s", path);
	/* a switch that was killed at its beginning has linked the key that is in use: unlink only
	 */
	if (!fstat(fd, &st) && st.st_nlink == 1 && st.st_size <= (off_t)sizeof(nothing) &&
	    fd_write_all(fd, nothing, (size_t)st.st_size) == 0)
		fsync(fd);
	close(fd);
	return unlink(path) && errno != ENOENT ? err_errno(ERR_IO, "%s", path) : 0;
}

static int cert_remove(const char *path)
{
	return unlink(path) && errno != ENOENT ? err_errno(ERR_IO, "%s", path) : 0;
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
		rc = move(r->old_cert, r->retired_cert);
		return rc ? rc : folder_sync(r);
	}
	if (state_of(r) == ROLLOVER_RETIRED)
		return err_set(ERR_UNCHANGED, "it is retired already");
	return err_set(ERR_CONFLICT, "there is no old CA of pumps to retire");
}

static int finish(const struct rollover *r)
{
	int rc;

	if (state_of(r) == ROLLOVER_IDLE)
		return err_set(ERR_UNCHANGED, "no roll-over is under way");
	if (state_of(r) == ROLLOVER_STARTED)
		return err_set(ERR_CONFLICT,
			       "it is not switched yet: pumpctl ca rollover switch %s", r->what);
	if (state_of(r) == ROLLOVER_SWITCHED && r->root_kind == CA_KIND_DEVICE_ROOT)
		return err_set(ERR_CONFLICT, "the old CA of pumps is not retired yet");
	if (state_of(r) == ROLLOVER_RETIRED && (rc = may_destroy(r)))
		return rc;
	rc = key_destroy(r->old_key);
	rc = rc ? rc : cert_remove(r->old_cert);
	rc = rc ? rc : cert_remove(r->retired_cert);
	return rc ? rc : folder_sync(r);
}

static int abandon(const struct rollover *r)
{
	int rc;

	if (state_of(r) == ROLLOVER_SWITCHED || state_of(r) == ROLLOVER_RETIRED)
		return err_set(ERR_CONFLICT,
			       "it is switched: certificates of the new CA are in use; finish it");
	if (state_of(r) == ROLLOVER_IDLE && !is_there(r->next_key))
		return err_set(ERR_UNCHANGED, "no roll-over is under way");
	/* what a switch has left that was killed before it moved anything goes first: settle() must
	 * never take the rest for a switch */
	rc = cert_remove(r->old_cert);
	rc = rc ? rc : key_destroy(r->old_key);
	rc = rc ? rc : folder_sync(r);
	rc = rc ? rc : cert_remove(r->next_cert);
	rc = rc ? rc : key_destroy(r->next_key);
	return rc ? rc : folder_sync(r);
}

static int state_print(const struct rollover *r)
{
	static const char *const names[] = {"idle", "started", "switched", "retired"};
	enum rollover_state state = state_of(r);
	AUTO_X509 root = NULL;
	AUTO_X509 current = NULL;
	AUTO_X509 other = NULL;
	int rc = issuer_certs_load(r->home, r->what, &root, &current);

	if (!rc && state != ROLLOVER_IDLE)
		rc = keystore_cert_read(state == ROLLOVER_STARTED    ? r->next_cert
					: state == ROLLOVER_SWITCHED ? r->old_cert
								     : r->retired_cert,
					&other);
	if (rc)
		return rc;
	printf("%s\n", names[state]);
	if (!PEM_write_X509(stdout, root) || !PEM_write_X509(stdout, current) ||
	    (other && !PEM_write_X509(stdout, other)) || fflush(stdout))
		return err_ossl(ERR_IO, "standard output");
	return 0;
}

static int step_run(const struct rollover *r, const char *step, const char *uri)
{
	if (!strcmp(step, "start"))
		return start(r, uri);
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

int command_rollover(const char *home, const char *step, const char *what, const char *uri)
{
	struct rollover r;
	int shown, rc;

	rc = paths_fill(home, what, &r);
	rc = rc ? rc : settle(&r);
	rc = rc ? rc : step_run(&r, step, uri);
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
