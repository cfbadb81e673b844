/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside rlm_pump.so only: the module's instance, what all instances share, and the operations,
 * each in the file of its subject. An instance does one operation, named by its configuration.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_RLM_PUMP_H
#define RADIUS_MODULES_RLM_PUMP_RLM_PUMP_H

#include <freeradius/radiusd.h>
#include <freeradius/modules.h>
#undef PRINTF_LIKE /* base/err.h has its own */

#include "policies/verdict.h"
#include "radius_modules/rlm_pump/nas_known.h"
#include "radius_modules/rlm_pump/registry_link.h"
#include "radius_modules/rlm_pump/reject_pace.h"
#include "radius_modules/rlm_pump/session_cache.h"
#include "radius_modules/radsec/hop.h"

#define PUMP_METHOD_EAP "eap-tls"
#define PUMP_METHOD_RESUMED "eap-tls-resumed"
#define PUMP_METHOD_MAB "mab"
#define PUMP_METHOD_BIRTH "eap-tls-birth"
#define PUMP_METHOD_RETURN "eap-tls-return"
#define PUMP_METHOD_UNKNOWN "unknown"

/* One per process. */
struct pump_shared {
	struct registry_link *link;
	struct session_cache *sessions;
	struct nas_known *nas;
	struct reject_pace *pace;
	DICT_ATTR const *resumed;	     /* Pumpgate-Session-Resumed */
	char const *hold_file;		     /* NULL: nobody holds */
	char hop_token[HOP_TOKEN_CHARS + 1]; /* "": nobody may speak as radsecd */
	int64_t started_ms;
	int64_t late_max_ms; /* how long past its end a certificate may lead to a renewal */
	int users;
};

struct pump_operation;

struct pump_instance {
	char const *name;
	char const *operation_name;
	char const *socket;
	char const *hold_file;
	char const *hop_token_file;
	uint32_t session_max;
	uint32_t session_lifetime_s;
	uint32_t late_max_s;
	const struct pump_operation *operation;
	struct pump_shared *shared;
};

struct pump_operation {
	const char *name;
	rlm_components_t component; /* the only section that may call it */
	rlm_rcode_t (*run)(struct pump_shared *s, REQUEST *request);
};

/* nas_ops.c */
rlm_rcode_t pump_client(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_nas(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_hold(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_nas_preacct(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_radsec(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_radsec_preacct(struct pump_shared *s, REQUEST *request);
/* The name of the NAS that sent this packet, as far as it is known; never NULL. */
char const *pump_nas_name(REQUEST *request);
/* Where it was sent from: the NAS's own address, also when radsecd handed it on. */
void pump_source_ip(REQUEST *request, char out[IP_SIZE]);
/* auth_ops.c */
rlm_rcode_t pump_verdict(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_mab(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_birth(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_return(struct pump_shared *s, REQUEST *request);
/* answer_ops.c */
rlm_rcode_t pump_mab_gate(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_admit(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_onboard(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_onboard_birth(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_onboard_return(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_refuse(struct pump_shared *s, REQUEST *request);
/* tls_seen.c: what was negotiated; all zero while the handshake is not over. */
struct tls_seen {
	uint32_t version; /* policies/tls_profile.h */
	char cipher[NAME_SIZE];
};
void pump_tls_seen(REQUEST *request, struct tls_seen *out);
/* tls_late.c: lets certificates past their end through the handshakes of the EAP instance that is
 * for them (mods/eap_return), and of no other. ERR_CRYPTO. */
int tls_late_begin(void) MUST_USE;
void tls_late_end(void); /* before the module goes */
/* session_ops.c */
rlm_rcode_t pump_session_save(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_session_load(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_session_clear(struct pump_shared *s, REQUEST *request);
rlm_rcode_t pump_session_refresh(struct pump_shared *s, REQUEST *request);
/* acct_ops.c */
rlm_rcode_t pump_accounting(struct pump_shared *s, REQUEST *request);

/* request_text.c: attributes to text and back. A value that is missing, too long or has a NUL
 * inside reads as "". */
void pump_text(char *out, size_t size, VALUE_PAIR *list, unsigned int attribute);
#define PUMP_TEXT(out, list, attribute) pump_text((out), sizeof(out), (list), (attribute))
/* `fallback` when the attribute is missing. */
uint32_t pump_number(VALUE_PAIR *list, unsigned int attribute, uint32_t fallback);
/* NAS-Port-Id, else NAS-Port. */
void pump_nas_port(REQUEST *request, char *out, size_t size);
/* False when there is no memory. */
bool pump_reply(REQUEST *request, char const *attribute, char const *value);
bool pump_reply_number(REQUEST *request, char const *attribute, uint32_t value);
/* The answer will be silence. */
bool pump_is_silenced(REQUEST *request);
rlm_rcode_t pump_silence(REQUEST *request);
/* The reply may then say no more than EAP-Failure. */
void pump_reply_reduce_to_failure(REQUEST *request);

#endif
