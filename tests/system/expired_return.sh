#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A pump that slept in a storeroom past its certificate's end comes back once, by its registered key:
# the onboarding zone by an EAP instance
# of its own, and a renewal over EST with the expired certificate. Its certificate is replaced by one that ended, of
# the same serial number and key, in the registry too, while nothing runs.
# shellcheck disable=SC2317,SC2119,SC2015,SC2016 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh
# shellcheck source=tests/support/slept.sh
. tests/support/slept.sh

scratch_up || exit 1
site_up && pumpctl zone add quarantine --vlan 666 --quarantine >/dev/null || exit 1
N=(1 2 3 4 5)
for n in "${N[@]}"; do pump_enrol "PG-$n" "02:00:00:00:00:0$n" || exit 1; done
scratch_stop

for n in 1:30 2:400 3:30 4:30; do slept "$SCRATCH/PG-${n%:*}" "PG-${n%:*}" "${n#*:}" || exit 1; done
scratch_run || exit 1

# est NAME OPERATION REQUEST [CURL-OPTION...]: the HTTP status; the answer is in $SCRATCH/answer
est() {
	curl -sS -o "$SCRATCH/answer" -w '%{http_code}' --cacert "$TRUST" --cert "$SCRATCH/$1.pem" \
		--key "$SCRATCH/$1.key" -H 'Content-Type: application/pkcs10' \
		--data-binary "@$SCRATCH/$3" "${@:4}" "$EST_URL/$2" 2>"$SCRATCH/curl.err"
}
refused() { # STATUS REASON EST-ARGUMENT...
	local status
	status=$(est "${@:3}")
	[ "$status" = "$1" ] && { [ -z "$2" ] || grep -q "^$2" "$SCRATCH/answer"; } ||
		{ echo "status $status"; cat "$SCRATCH/answer" "$SCRATCH/curl.err"; return 1; }
}
returns() { # PUMP REQUEST FILE: gets a certificate, in FILE
	[ "$(est "$1" simplereenroll "$2")" = 200 ] || { cat "$SCRATCH/answer"; return 1; }
	tr -d '\r' <"$SCRATCH/answer" | base64 -d | openssl pkcs7 -inform DER -print_certs >"$SCRATCH/$3" &&
		openssl x509 -in "$SCRATCH/$3" -noout -checkend 86400
}
request() { # NAME PUMP: a request for a new key
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
		-keyout "$SCRATCH/$1.key" -outform DER 2>/dev/null | base64 >"$SCRATCH/$1.csr"
}
proven() { # NAME PUMP: a new key, for which the old one has signed (RFC 9763)
	openssl ecparam -name prime256v1 -genkey -noout -out "$SCRATCH/$1.key" 2>/dev/null
	openssl x509 -in "$SCRATCH/$2.pem" -outform DER -out "$SCRATCH/$2.der"
	"$PUMPGATE_BUILD/tools/signer_client" "$PUMPGATE_HOME" proof "$SCRATCH/$2.der" "$SCRATCH/$2.key" \
		"$SCRATCH/$1.key" "$SCRATCH/$1.der" && base64 <"$SCRATCH/$1.der" >"$SCRATCH/$1.csr"
}

# ---- refusals ----
request stranger PG-1
check "an_expired_certificate_alone_gets_no_first_enrolment" refused 401 '' PG-1 simpleenroll PG-1.csr
check "a_key_that_the_registered_one_has_not_signed_for_waits_for_nobody" \
	refused 403 renewal-unproven PG-1 simplereenroll stranger.csr
check "after_more_than_a_year_it_is_too_late" refused 403 certificate-expired PG-2 simplereenroll PG-2.csr
pumpctl pump revoke PG-3 --reason stolen >/dev/null 2>&1
check "a_revoked_pump_does_not_come_back" refused 403 pump-revoked PG-3 simplereenroll PG-3.csr
check "another_pump_is_not_named_by_it" refused 403 name-refused PG-1 simplereenroll PG-5.csr
check "its_standing_is_not_told_to_it" eval \
	'EST_URL=${EST_URL%/est}/pumpgate refused 403 "Show the certificate" PG-1 renewal-info PG-1.csr -X GET'
check "on_the_network_it_is_refused_as_before" eap_is_refused PG-1
check "because_its_certificate_ended" [ "$(last_attempt reason)" = certificate-expired ]

# ---- on the network, under the identity `expired`: an EAP instance of its own ----
back_as_expired() { # PUMP
	supplicant_conf late expired "$SCRATCH/$1.pem" "$SCRATCH/$1.key" tls_disable_tlsv1_3=0
	eap late
}
no_way_back() { # PUMP REASON
	! back_as_expired "$1" && grep -q Access-Reject "$SCRATCH/eap.log" &&
		[ "$(last_attempt verdict) $(last_attempt reason)" = "reject $2" ] ||
		{ grep pump.auth "$PUMPGATE_HOME/log/radiusd.log" | tail -n 2; return 1; }
}
check "a_certificate_in_force_is_no_expired_one" no_way_back PG-5 not-expired
check "one_that_ended_too_long_ago_is_refused" no_way_back PG-2 certificate-expired
check "a_revoked_pump_is_refused_there" no_way_back PG-3 pump-revoked
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=PG-1 \
	-keyout "$SCRATCH/own.key" -out "$SCRATCH/own.pem" 2>/dev/null
check "a_certificate_of_nobody_is_refused_there" no_way_back own wrong-ca
check "an_expired_one_gets_into_the_onboarding_zone" eval \
	'back_as_expired PG-1 && [ "$(accept_attribute 81)" = 3939 ]'
check "and_the_log_says_that_it_returns" [ "$(last_attempt reason) $(last_attempt method)" = \
	"returning eap-tls-return" ]
check "under_its_own_name_it_is_refused_as_before" eap_is_refused PG-1
pumpctl pump quarantine PG-4 --reason test >/dev/null 2>&1
check "a_pump_in_quarantine_stays_where_it_is" no_way_back PG-4 quarantined

# ---- the return ----
proven fresh PG-1 || exit 1
check "with_the_old_keys_signature_a_new_key_gets_a_certificate" returns PG-1 fresh.csr fresh.pem
check "the_same_request_gets_the_same_one" eval \
	'cp "$SCRATCH/fresh.pem" "$SCRATCH/first.pem" && returns PG-1 fresh.csr fresh.pem &&
	cmp "$SCRATCH/first.pem" "$SCRATCH/fresh.pem"'
proven second PG-1 || exit 1
check "another_key_gets_none_it_is_granted_once" refused 403 return-used PG-1 simplereenroll second.csr
check "not_even_the_registered_one" refused 403 return-used PG-1 simplereenroll PG-1.csr
check "the_audit_says_that_it_came_back" says 'cert.return +PG-1' pumpctl audit tail -n 50
check "once" [ "$(pumpctl audit tail -n 50 --json | grep -c cert.return)" = 1 ]
check "and_the_list_of_certificates" eval \
	'pumpctl cert list --pump PG-1 --json | jq -e "any(.[]; .method == \"return\" and .state == \"valid\")"'
supplicant_conf back PG-1 "$SCRATCH/fresh.pem" "$SCRATCH/fresh.key"
check "with_it_the_pump_is_in_its_zone" eval 'eap back && [ "$(accept_attribute 81)" = 313230 ]'
check "the_old_one_is_superseded_then" wait_until 5 refused 403 certificate-superseded PG-1 \
	simplereenroll fresh.csr
check "the_audit_is_intact" pumpctl audit verify

pumpctl pump release PG-4 --reason test >/dev/null 2>&1
check "released_it_would_come_back" eval 'back_as_expired PG-4 && [ "$(accept_attribute 81)" = 3939 ]'
# ---- a hole: the pumps' own instance takes certificates past their end too ----
scratch_stop
sed -i 's/^\(\t*\)ca_file = .*/&\n\1verify_depth = 9/' "$PUMPGATE_HOME/radius/raddb/mods/eap"
scratch_run || exit 1
refused_by_the_verdict() { # under its own name: the handshake ends well, and that is not enough
	supplicant_conf own "$1" "$SCRATCH/$1.pem" "$SCRATCH/$1.key"
	eap_is_refused own && [ "$(last_attempt reason) $(last_attempt pump)" = "certificate-expired $1" ] ||
		{ grep pump.auth "$PUMPGATE_HOME/log/radiusd.log" | tail -n 1; tail -n 4 "$SCRATCH/eap.log"; return 1; }
}
check "an_instance_that_lets_them_through_lets_nobody_on" refused_by_the_verdict PG-4

# ---- the switch ----
scratch_stop
sed -i 's/^\[ca\]$/[ca]\nexpired_return = no/' "$PUMPGATE_HOME/pumpgate.conf"
pumpctl init >/dev/null || exit 1
scratch_run || exit 1
check "where_policy_says_no_nobody_is_let_on_for_it" no_way_back PG-4 certificate-expired
check "where_policy_says_no_nobody_comes_back" refused 403 certificate-expired PG-4 simplereenroll PG-4.csr
tap_done
