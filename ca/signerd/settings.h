/* SPDX-License-Identifier: BSD-2-Clause */
/* What pumpgate-signerd takes from pumpgate.conf: [ca], the organization, and who its peers are. */
#ifndef CA_SIGNERD_SETTINGS_H
#define CA_SIGNERD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "ca/key_access.h"
#include "policies/admin_kinds.h"

#define SIGNER_ADMINS_MAX 16
#define SIGNER_URL_SIZE 129

struct signer_settings {
	int64_t device_validity_ms;
	int64_t server_validity_ms;
	int64_t nas_validity_ms;
	uint32_t issue_per_minute;
	uint32_t issue_per_hour;
	int64_t late_max_ms;	       /* [ca] expired_within, 0 when expired_return = no */
	bool unproven_queue;	       /* [ca] unproven_renewals = queue, not refuse */
	struct key_access keys;	       /* what opens the CA keys */
	uint32_t checkpoint_s;	       /* between two looks at the audit's end */
	uint32_t ocsp_per_minute;      /* signatures, not answers */
	char crl_url[SIGNER_URL_SIZE]; /* "": not in certificates */
	char ocsp_url[SIGNER_URL_SIZE];
	char organization[257];
	uid_t enroll_uids[1];
	uid_t admin_uids[SIGNER_ADMINS_MAX + 1]; /* and the signer's own user */
	size_t n_admin;
	uid_t kind_uids[ADMIN_KINDS][SIGNER_ADMINS_MAX]; /* admins who may less */
	size_t n_kind[ADMIN_KINDS];
};

/* Reads HOME/pumpgate.conf; without that file, the defaults: everybody is our own user. Blocks on
 * the disk. ERR_INVALID; ERR_NOT_FOUND (a user that does not exist); ERR_DENIED when the file says
 * that signerd runs as another user than it does. */
int signer_settings_read(const char *home, struct signer_settings *out) MUST_USE;

#endif
