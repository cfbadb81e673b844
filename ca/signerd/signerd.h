/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of pumpgate-signerd. Each returns the exit code and says on standard error why. */
#ifndef CA_SIGNERD_SIGNERD_H
#define CA_SIGNERD_SIGNERD_H

#include <limits.h>

#include "ca/issue.h"
#include "ca/signerd/settings.h"

#define EXIT_DONE 0
#define EXIT_FAILED 1
#define EXIT_USAGE 64
#define EXIT_TRY_AGAIN 75

/* Both hierarchies below HOME/ca, their public parts below HOME/trust. Never overwrites a key; what
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

/* An issuer from HOME/ca/WHAT-ca.{key,pem} and HOME/ca/WHAT-root.pem; `what` is "device" or
 * "server". */
int issuer_load(const char *home, const char *what, struct ca_issuer *out) MUST_USE;
/* "HOME/ca/WHAT-PART", for example ("device", "ca.key"). */
int ca_path(const char *home, const char *what, const char *part, char out[PATH_MAX]) MUST_USE;

#endif
