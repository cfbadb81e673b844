/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a pump was let on, kept off or not enrolled: stable codes for programs and logs, and for
 * people a sentence with the next step. Pure.
 */
#ifndef POLICIES_REASON_H
#define POLICIES_REASON_H

#include "base/err.h"

/* X(symbol, stable name, sentence, next step) */
#define REASONS(X)                                                                                 \
	X(NONE, "none", "No reason was recorded.", "Look at the log of the RADIUS server.")        \
	/* accepted */                                                                             \
	X(IN_GOOD_STANDING, "in-good-standing", "The certificate and the pump are in force.", "")  \
	X(ENROLMENT_WINDOW, "enrolment-window",                                                    \
	  "The pump is expected and its wired enrolment window is open.",                          \
	  "It reaches enrolment and time only, until it has its certificate.")                     \
	X(QUARANTINED, "quarantined",                                                              \
	  "The pump is in quarantine: let on, but into the quarantine zone only.",                 \
	  "pumpctl pump show SERIAL says by whom and why; to end it: pumpctl pump release "        \
	  "SERIAL.")                                                                               \
	X(PARKED, "parked", "The pump is parked: let on, but into the parking zone only.",         \
	  "pumpctl pump show SERIAL says by whom and why; to end it: pumpctl pump release "        \
	  "SERIAL.")                                                                               \
	X(TLS_BELOW_MODEL, "tls-below-model",                                                      \
	  "The pump speaks a lower version of TLS than its model must, so it gets on in the "      \
	  "quarantine zone at most.",                                                              \
	  "Update the pump's software, or lower the floor: pumpctl model tls MODEL --min V; who "  \
	  "else is concerned: pumpctl model check MODEL.")                                         \
	X(BORN_PUMP, "birth-certificate",                                                          \
	  "The pump is expected and a registered maker vouches for it.",                           \
	  "It reaches enrolment and time only, until it has its certificate.")                     \
	/* certificate */                                                                          \
	X(NO_CERTIFICATE, "no-certificate", "The pump showed no certificate.",                     \
	  "Check that the pump's supplicant is set to EAP-TLS with its certificate.")              \
	X(NO_SERIAL, "no-serial", "The serial number of the certificate could not be read.",       \
	  "Let the pump authenticate again; if it repeats, look at the RADIUS log.")               \
	X(UNKNOWN_CERTIFICATE, "unknown-certificate",                                              \
	  "The certificate is signed by our CA but not in the registry.",                          \
	  "Treat it as an alarm: was the registry restored from a backup, or a CA key copied?")    \
	X(WRONG_CA, "wrong-ca", "The certificate is not from our device CA.",                      \
	  "Enrol the pump: pumpctl pump bundle SERIAL.")                                           \
	X(CERTIFICATE_EXPIRED, "certificate-expired", "The certificate is past its end.",          \
	  "Our agent renews once by itself ([ca] expired_return); else pumpctl pump bundle "       \
	  "SERIAL.")                                                                               \
	X(NOT_EXPIRED, "not-expired",                                                              \
	  "The certificate is in force, and the pump says that it has ended.",                     \
	  "Check the pump's clock; it gets on with its own identity.")                             \
	X(RETURNING, "returning",                                                                  \
	  "The pump's certificate has ended; from the onboarding zone it may renew once more.",    \
	  "pumpctl pump events SERIAL says whether it did.")                                       \
	X(CERTIFICATE_NOT_YET_VALID, "certificate-not-yet-valid",                                  \
	  "The certificate begins in the future.", "Check this server's clock.")                   \
	X(CERTIFICATE_REVOKED, "certificate-revoked", "The certificate was revoked.",              \
	  "pumpctl pump show SERIAL says by whom and why.")                                        \
	X(CERTIFICATE_SUPERSEDED, "certificate-superseded",                                        \
	  "The pump has used a newer certificate since.",                                          \
	  "If the pump did not go back to an old image, look for a copied key.")                   \
	X(CERTIFICATE_RESERVED, "certificate-reserved",                                            \
	  "The certificate was never handed out according to the registry.",                       \
	  "Treat it as an alarm; enrol the pump again.")                                           \
	X(TLS_FAILED, "tls-failed", "The TLS handshake failed.",                                   \
	  "The detail says where; often a pump that does not trust this server or a wrong clock.") \
	/* identity */                                                                             \
	X(IDENTITY_MISMATCH, "identity-mismatch",                                                  \
	  "The claimed name is not the name in the certificate.",                                  \
	  "Find out which device holds this certificate: the key may have been copied.")           \
	X(NAME_MISMATCH, "name-mismatch",                                                          \
	  "The certificate's name is not the name that the registry holds for it.",                \
	  "Treat it as an alarm: a certificate was forged or the registry was changed.")           \
	/* pump */                                                                                 \
	X(UNKNOWN_PUMP, "unknown-pump", "The inventory has no such pump.",                         \
	  "Add it if it is yours: pumpctl pump add SERIAL ...")                                    \
	X(NOT_ENROLLED, "not-enrolled", "The pump is in the inventory but was never enrolled.",    \
	  "Enrol it: pumpctl pump bundle SERIAL.")                                                 \
	X(PUMP_REVOKED, "pump-revoked", "The pump was revoked.",                                   \
	  "pumpctl pump show SERIAL says by whom and why.")                                        \
	X(RESTORED_GAP, "restored-gap",                                                            \
	  "The registry was restored from a backup; the signer has not confirmed this pump or "    \
	  "knows that it was revoked since.",                                                      \
	  "pumpctl status; then pumpctl backup merge.")                                            \
	X(WINDOW_CLOSED, "window-closed", "The pump's enrolment window is not open.",              \
	  "Open it: pumpctl pump token SERIAL --mab-window 30m.")                                  \
	X(ALREADY_ENROLLED, "already-enrolled",                                                    \
	  "The pump has its certificate and must not get on by MAC address.",                      \
	  "Check the pump's supplicant; if it lost its key, revoke and add it again.")             \
	X(NOT_WIRED, "not-wired", "MAC authentication is for wired ports only.",                   \
	  "Enrol this pump at the bench or by a cable.")                                           \
	/* network */                                                                              \
	X(NO_ZONE, "no-zone", "The pump's zone does not exist or has no VLAN.",                    \
	  "pumpctl zone list; pumpctl zone add.")                                                  \
	X(NO_ONBOARDING_ZONE, "no-onboarding-zone", "There is no onboarding zone.",                \
	  "pumpctl zone add NAME --vlan N --onboarding.")                                          \
	X(NO_QUARANTINE_ZONE, "no-quarantine-zone",                                                \
	  "The pump is in quarantine and there is no quarantine zone.",                            \
	  "pumpctl zone add NAME --vlan N --quarantine.")                                          \
	X(NO_PARKING_ZONE, "no-parking-zone", "The pump is parked and there is no parking zone.",  \
	  "pumpctl zone add NAME --vlan N --parking.")                                             \
	X(METHOD_NOT_ALLOWED, "method-not-allowed", "Only EAP-TLS is allowed.",                    \
	  "Set the pump's supplicant to EAP-TLS.")                                                 \
	X(REGISTRY_AWAY, "registry-away", "The registry did not answer.",                          \
	  "pumpctl status; the pump is let on by itself once the registry is back.")               \
	/* enrolment */                                                                            \
	X(TOKEN_WRONG, "token-wrong", "The enrolment token is wrong.",                             \
	  "Make a new one: pumpctl pump token SERIAL.")                                            \
	X(TOKEN_EXPIRED, "token-expired", "The enrolment token is past its time.",                 \
	  "Make a new one: pumpctl pump token SERIAL.")                                            \
	X(RETURN_USED, "return-used",                                                              \
	  "The pump came back with this expired certificate before; that is granted once.",        \
	  "Enrol it at the bench: pumpctl pump bundle SERIAL.")                                    \
	X(TOKEN_USED, "token-used", "The enrolment token was used before.",                        \
	  "If the pump was not enrolled by you, revoke it; else make a new token.")                \
	X(REQUEST_MALFORMED, "request-malformed", "The certificate request could not be read.",    \
	  "Check the pump's enrolment client; the detail says what was wrong.")                    \
	X(PROOF_FAILED, "proof-failed", "The certificate request is not signed by its own key.",   \
	  "Check the pump's enrolment client.")                                                    \
	X(KEY_REFUSED, "key-refused",                                                              \
	  "The pump's key is too weak, of a wrong kind or not its own.",                           \
	  "The detail says which rule it broke.")                                                  \
	X(NAME_REFUSED, "name-refused", "The request asks for another pump's name.",               \
	  "Check the serial set in the pump; names come from the inventory only.")                 \
	X(CHANNEL_UNBOUND, "channel-unbound",                                                      \
	  "The request does not name the TLS connection that it came over.",                       \
	  "Its challengePassword must be tls-unique (TLS 1.2) or tls-exporter (RFC 9266).")        \
	X(MAKER_REFUSED, "maker-refused",                                                          \
	  "No maker that is registered here may vouch for this pump with that birth certificate.", \
	  "pumpctl maker list; compare maker and model with pumpctl pump show SERIAL.")            \
	X(IDEVID_UNPROVEN, "idevid-unproven",                                                      \
	  "The request is not signed by the key of the birth certificate (RFC 9763).",             \
	  "Enrol with the Pumpgate agent, or with a token: pumpctl pump bundle SERIAL.")           \
	X(IDEVID_USED, "idevid-used",                                                              \
	  "The pump was enrolled before: a birth certificate stands for the first time only.",     \
	  "If it lost its key, give it a token: pumpctl pump bundle SERIAL.")                      \
	X(RENEWAL_UNPROVEN, "renewal-unproven",                                                    \
	  "The renewal is signed neither by the registered key nor with proof of it.",             \
	  "Enrol the pump again with a token.")                                                    \
	X(APPROVAL_PENDING, "approval-pending",                                                    \
	  "The pump asks for a certificate for a new key without proof; a person must approve.",   \
	  "pumpctl enroll list; compare the key with the pump's; pumpctl enroll approve or deny.") \
	X(APPROVAL_DENIED, "approval-denied", "A person denied a certificate for this key.",       \
	  "pumpctl enroll list --all says who and why; or enrol the pump again with a token.")     \
	X(SIGNER_AWAY, "signer-away", "The signing service did not answer.",                       \
	  "pumpctl status; the pump tries again by itself.")

enum reason {
#define REASON_SYMBOL(symbol, name, sentence, next) REASON_##symbol,
	REASONS(REASON_SYMBOL)
#undef REASON_SYMBOL
		REASON_COUNT
};

/* "unknown-certificate"; never NULL. */
const char *reason_name(enum reason r);
/* One sentence, and the next step ("" when there is none to take); never NULL. */
const char *reason_sentence(enum reason r);
const char *reason_next_step(enum reason r);
/* REASON_NONE for a name that does not exist. */
enum reason reason_parse(const char *name);

#endif
