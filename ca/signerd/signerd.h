/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of pumpgate-signerd. Each returns the exit code and says on standard error why. */
#ifndef CA_SIGNERD_SIGNERD_H
#define CA_SIGNERD_SIGNERD_H

#include <limits.h>
#include <stdint.h>

#include "ca/issue.h"
#include "ca/keystore.h"
#include "ca/signerd/settings.h"

#define EXIT_DONE 0
#define EXIT_FAILED 1
#define EXIT_NOTHING 2
#define EXIT_USAGE 64
#define EXIT_TRY_AGAIN 75

/* All hierarchies below HOME/ca, their public parts below HOME/trust. Never overwrites a key; what
 * is there already stays. EXIT_DONE also when nothing was to do. */
int command_init(const char *home);

/* Serves HOME/run/signer/sock until SIGTERM. */
int command_serve(const char *home);

struct server_cert_options {
	const char *csr;   /* a file: PKCS#10 in PEM or DER */
	const char *out;   /* the certificate in PEM */
	const char *names; /* DNS names and addresses, by commas */
};
int command_server_cert(const char *home, const struct server_cert_options *o);

struct server_policy_options {
	const char *radius_name;
	uint64_t number;
	const char *login_server; /* NULL: none, nor a name */
	const char *login_name;
};
/* Prints it in PEM ("CMS"). */
int command_server_policy(const char *home, const struct server_policy_options *o);

/* Prints "NAME TAB FORM TAB WHERE" for each of the six keys, and for those of a roll-over. */
int command_keys(const char *home);

struct protect_options {
	const char *name; /* device-root, device-ca, server-..., nas-..., all */
	enum keystore_form form;
	const char *passphrase_file; /* KEYSTORE_ENCRYPTED: "" for the settings' */
	const char *uri;	     /* KEYSTORE_PKCS11 */
};
/* Gives a key another form; EXIT_NOTHING when it has it. */
int command_protect(const char *home, const struct protect_options *o);

/* Steps around an offline root; `what` is "device" or "server". Certificates and requests go to
 * standard output in PEM, fingerprints to standard error.
 *   REQUEST  for the issuing CA, whose key is made when there is none; arg: a token's URI, or NULL;
 *            next: for the one that follows it (ca/signerd/rollover.h)
 *   IMPORT   arg: a file with its certificate and its root's, both checked; EXIT_NOTHING again.
 *            Where a next one was requested, it is that one, and with four certificates (as
 *            SIGN_NEW_ROOT prints them) its new root too
 *   ROOT     (offline machine) makes it; arg: the organization, or NULL; EXIT_NOTHING when there
 *   SIGN     (offline machine) arg: the request's file; prints issuing CA and root
 *   SIGN_NEW_ROOT  the same below the next root, which is made unless it is there; prints issuing
 *            CA, next root, new with old, old with new (RFC 4210 4.4)
 *   RETIRE   (offline machine) the next root takes the root's place, whose key is destroyed;
 *            EXIT_NOTHING when there is no next one */
enum offline_step {
	OFFLINE_REQUEST,
	OFFLINE_IMPORT,
	OFFLINE_ROOT,
	OFFLINE_SIGN,
	OFFLINE_SIGN_NEW_ROOT,
	OFFLINE_RETIRE
};
int command_offline(const char *home, enum offline_step step, const char *what, const char *arg,
		    bool next);

/* Seals keys, certificates and lists of HOME/ca into the new `file`, opens it again with the
 * shares, and prints these: one line per person, any two open it. */
int command_backup(const char *home, const char *file, unsigned people);
/* Puts them back by two share files (closed to others). Refused where a CA's key or certificate is
 * there; of each list the longer one stays. */
int command_restore(const char *home, const char *file, const char *const share_files[2]);

/* HOME/ca, mode 0700. */
int ca_folder_have(const char *home) MUST_USE;

/* An issuer from HOME/ca/WHAT-ca.{key,pem} and HOME/ca/WHAT-root.pem; `what` is "device",
 * "server" or "nas". */
int issuer_load(const char *home, const char *what, const struct key_access *access,
		struct ca_issuer *out) MUST_USE;
/* Its certificates alone: the key may need a passphrase or a token. The caller frees both. */
int issuer_certs_load(const char *home, const char *what, X509 **root, X509 **cert) MUST_USE;
/* SHA-256 of the public keys of the CAs whose certificates are below HOME/ca, at most `max`; those
 * that are not there (a root may be elsewhere) are left out. */
int ca_keys_load(const char *home, uint8_t (*spki_sha256_out)[32], size_t max,
		 size_t *n_out) MUST_USE;
/* "HOME/ca/WHAT-PART", for example ("device", "ca.key"). */
int ca_path(const char *home, const char *what, const char *part, char out[PATH_MAX]) MUST_USE;

#endif
