/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether an authentication looks like a copied key, and what follows from it. Pure: what is known
 * of this attempt and of the certificate's last one comes in as arguments.
 *
 * Evidence against a pump is only what proves the possession of its key: a TLS handshake that came
 * to a verdict, full or resumed. Names, addresses and accounting are claims of a NAS; they describe
 * a proven attempt, and accuse nobody by themselves (docs/decisions/0105).
 */
#ifndef POLICIES_ANOMALY_H
#define POLICIES_ANOMALY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "policies/reason.h"

/* X(symbol, stable name, sentence, next step) */
#define ANOMALIES(X)                                                                              \
	X(NONE, "none", "Nothing.", "")                                                           \
	X(TWO_MACS, "two-macs",                                                                   \
	  "One certificate was used from two MAC addresses at the same time.",                    \
	  "If both are this pump's: pumpctl pump mac SERIAL ADDR. Else its key was copied: "      \
	  "pumpctl pump revoke SERIAL.")                                                          \
	X(MAC_CHANGED, "mac-changed",                                                             \
	  "The certificate is used from another MAC address than before.",                        \
	  "Was its network card replaced, or is it the pump's other one: pumpctl pump mac "       \
	  "SERIAL ADDR. Else look for a copied key.")                                             \
	X(TWO_SITES, "two-sites",                                                                 \
	  "One certificate was used at two sites sooner than a pump can travel.",                 \
	  "Where is the pump? If it stands at one of them, its key was copied: pumpctl pump "     \
	  "revoke SERIAL.")                                                                       \
	X(IDENTITY_MISMATCH, "identity-mismatch",                                                 \
	  "A device that holds this pump's key gave another name.",                               \
	  "Look at the pump and at the access point: who changes the name on the way?")           \
	X(UNKNOWN_CERTIFICATE, "unknown-certificate",                                             \
	  "A certificate is signed by our CA but was never handed out according to the "          \
	  "registry.",                                                                            \
	  "Was the registry restored from a backup (pumpctl backup gap)? Else the CA key may "    \
	  "be in other hands.")                                                                   \
	X(FORGED_NAME, "forged-name", "A certificate names another pump than the registry does.", \
	  "The CA key may be in other hands, or the registry was changed: pumpctl audit verify.") \
	X(ONE_NAS, "one-nas",                                                                     \
	  "Anomalies of several pumps came through one access point or switch.",                  \
	  "Is it ours, and where it should be? If in doubt: pumpctl nas disable NAS, then "       \
	  "pumpctl nas secret NAS.")                                                              \
	X(MANY_PUMPS, "many-pumps", "Anomalies of many pumps came within an hour.",               \
	  "Nothing more is quarantined by itself: look at pumpctl alarm list.")                   \
	X(OLD_SOFTWARE, "old-software",                                                           \
	  "The pump reports software older than [report] min_version allows.",                    \
	  "Update its agent. To let it back until then: pumpctl pump release SERIAL.")            \
	X(MANY_OLD, "many-old", "Many pumps reported software that is too old within an hour.",   \
	  "Nothing more is quarantined for it: is [report] min_version right? See pumpctl alarm " \
	  "list.")                                                                                \
	X(OPEN_PORT, "open-port", "The pump has ports open that its model may not have.",         \
	  "Close them on the pump, or allow them for all of its model: pumpctl model ports "      \
	  "MODEL --allow LIST.")                                                                  \
	X(OVERFLOW, "overflow", "More alarms are open than are kept apart.",                      \
	  "Look at pumpctl alarm list, and acknowledge what is settled.")

enum anomaly_kind {
#define ANOMALY_SYMBOL(symbol, name, sentence, next) ANOMALY_##symbol,
	ANOMALIES(ANOMALY_SYMBOL)
#undef ANOMALY_SYMBOL
		ANOMALY_COUNT
};

/* "two-macs"; never NULL. */
const char *anomaly_name(enum anomaly_kind k);
/* ANOMALY_NONE for a name that does not exist. */
enum anomaly_kind anomaly_parse(const char *name);
/* The kind that asks people because too many of `k` came. */
enum anomaly_kind anomaly_many_of(enum anomaly_kind k);
const char *anomaly_sentence(enum anomaly_kind k);
const char *anomaly_next_step(enum anomaly_kind k); /* SERIAL and NAS stand for the alarm's own */

/* One authentication that proved the key. Strings non-NULL; "" means not known. */
struct sighting {
	int64_t at_ms;
	const char *mac;
	bool mac_is_known; /* the inventory or an admin says that it is this pump's */
	const char *nas;
	const char *site; /* of that NAS */
};

struct anomaly_facts {
	const char *method;  /* as in the event */
	enum reason reason;  /* of the verdict */
	bool let_on;	     /* it was not rejected */
	bool lost;	     /* a restored registry knows that it lacks this certificate */
	const char *owner;   /* the pump that the registry lists for the certificate; "": none */
	struct sighting now; /* this attempt */
	bool seen_before;    /* else `before` counts for nothing */
	struct sighting before;
	bool before_goes_on; /* the session that was let on with before.mac has not ended */
};

struct anomaly_policy {
	uint32_t quarantine; /* kinds whose pump is quarantined, 1u << kind */
	int64_t site_interval_ms;
	uint32_t pumps_per_hour; /* caps: more pumps than that are for people to judge */
	uint32_t pumps_per_nas;
};

struct anomaly {
	enum anomaly_kind kind;
	bool suspect_is_before; /* the earlier sighting is the stranger, not this one */
};
/* At most one finding per attempt, the gravest. */
struct anomaly anomaly_find(const struct anomaly_facts *f, const struct anomaly_policy *p);

/* Alarms of pumps (each once) in the last hour, this one included. */
struct anomaly_history {
	uint64_t pumps;
	uint64_t pumps_via_nas;	  /* through the NAS of this one */
	bool people_asked;	  /* an alarm about too many is open: nobody has answered yet */
	bool quarantined_already; /* by itself, in the last day; people may have released it */
};

enum anomaly_action {
	ANOMALY_ALARM = 0, /* zero is the safe value: nothing but the alarm */
	ANOMALY_QUARANTINE,
	ANOMALY_CAPPED, /* would be quarantined, but too many are: people decide */
};
/* What to do with `owner`, whose certificate was presented; "" can only be an alarm. */
enum anomaly_action anomaly_decide(const struct anomaly_policy *p, enum anomaly_kind kind,
				   const char *owner, const struct anomaly_history *h);

/* The section [anomaly] of pumpgate.conf; what is not there, or everything without a file (c NULL),
 * has its default: alarms only. ERR_INVALID names the key. */
int anomaly_policy_read(struct config *c, struct anomaly_policy *out) MUST_USE;

#endif
