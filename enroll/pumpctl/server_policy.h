/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server policy (docs/decisions/0180): what pumps are told about the name of the RADIUS server.
 * The signer signs it, the registry keeps it, enrolld hands it out.
 */
#ifndef ENROLL_PUMPCTL_SERVER_POLICY_H
#define ENROLL_PUMPCTL_SERVER_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/ipc_client.h"
#include "enroll/pumpctl/settings.h"
#include "sql/proto/registry_records.h"

/*
 * After a compromise: renames the RADIUS or login server in pumpgate.conf to the next epoch; *s
 * follows. Nothing else is changed yet. A rename that pumps were not told of yet is not followed by
 * another. Pumps take the name they know and the next one: a second epoch within
 * SERVER_POLICY_REST_DAYS shuts out those that were away meanwhile, and wants `again`. ERR_INVALID
 * when the name carries no epoch, ERR_CONFLICT without `again`; ERR_IO; errors of the registry.
 */
#define SERVER_POLICY_REST_DAYS 30
int server_policy_rename(struct settings *s, enum epoch_name which, struct ipc_client *registry,
			 bool again) MUST_USE;

/* Sees to it that pumps are told the names in the settings and where logins go, by a new policy if
 * need be: *number_out is its number, 0 when nothing had to be done. The RADIUS server's first
 * epoch stands in each bundle and needs no policy; the login server is told once to each site.
 * Blocks on registryd and on the signer. Errors of the registry; ERR_CRYPTO. */
int server_policy_apply(const struct settings *s, struct ipc_client *registry,
			uint64_t *number_out) MUST_USE;

/* told_out: the login server that the newest policy names, when that is another than the settings'
 * (pumps with a new bundle follow it back there); else "". Errors of the registry. */
int server_policy_login_lags(const struct settings *s, struct ipc_client *registry,
			     char told_out[LABEL_SIZE]) MUST_USE;

/* Sees to it that the policy that pumps are told is signed below this CA, which is another root's:
 * pumps that know the new root alone could not check the old signature. *changed is set when it had
 * to be signed anew. Errors as of server_policy_apply. */
int server_policy_follow(const struct settings *s, struct ipc_client *registry, X509 *ca,
			 bool *changed) MUST_USE;

#endif
