/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the profiles: what each kind may do, and its names. Within ca/ only. Pure. */
#ifndef CA_PROFILE_RULES_H
#define CA_PROFILE_RULES_H

#include <stdbool.h>

#include "ca/profile.h"

struct ca_profile_rules {
	bool ca;
	int pathlen; /* of a CA: how many CAs may follow */
	int eku; /* NID_client_auth or NID_server_auth, on CAs too: a hierarchy serves one purpose;
		  * NID_OCSP_sign and NID_code_sign for the leaves that are for neither */
	bool nameless; /* no subjectAltName: speaks for its issuer, to nobody by name */
};

/* NULL for a kind that does not exist. */
const struct ca_profile_rules *ca_profile_rules_of(enum ca_kind kind);

/* The caller frees. ERR_INVALID (a name that can't be one), ERR_NOMEM, ERR_CRYPTO. */
int ca_subject_new(const struct ca_terms *t, X509_NAME **out) MUST_USE;
int ca_san_new(const struct ca_terms *t, GENERAL_NAMES **out) MUST_USE;
/* The URN of a pump or a NAS of this name. ERR_INVALID. */
int ca_urn_build(enum ca_kind kind, const char *name, char out[DEVICE_URN_SIZE]) MUST_USE;
/* Where the issuer's CRL is; where its OCSP responder is. ERR_NOMEM. */
int ca_crl_points_new(const char *url, CRL_DIST_POINTS **out) MUST_USE;
int ca_info_access_new(const char *ocsp_url, AUTHORITY_INFO_ACCESS **out) MUST_USE;
/* What nobody below a CA of this purpose may be called. */
int ca_name_constraints_new(int eku, NAME_CONSTRAINTS **out) MUST_USE;

#endif
