#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who gets on and who does not, at a real FreeRADIUS with rlm_pump, seen from a supplicant.
# shellcheck disable=SC2317,SC2119,SC2015,SC2016 # functions are called by check, some by eval
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

scratch_up && rejects_at_once || exit 1
site_up || exit 1
pump_enrol PG-1 || exit 1
tls13='tls_disable_tlsv1_3=0'
log=$PUMPGATE_HOME/log/radiusd.log

# attempt_was VERDICT REASON METHOD
attempt_was() {
	[ "$(last_attempt verdict) $(last_attempt reason) $(last_attempt method)" = "$1 $2 $3" ] ||
		{ grep pump.auth "$log" | tail -n 2; return 1; }
}

# refused_because REASON NAME [OPTION...]: a Reject, and the reason in log and registry
refused_because() {
	local reason=$1
	shift
	eap_is_refused "$@" && [ "$(last_attempt verdict) $(last_attempt reason)" = "reject $reason" ] ||
		{ tail -n 5 "$SCRATCH/eap.log"; grep pump.auth "$log" | tail -n 2; return 1; }
}

# sign NAME SUBJECT CA-CERT CA-KEY [X509-OPTION...]: a pump-like certificate from whatever CA
sign() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
		-keyout "$SCRATCH/$1.key" -out "$SCRATCH/$1.csr" 2>/dev/null
	printf 'subjectAltName=URI:urn:pumpgate:pump:%s\nextendedKeyUsage=clientAuth\n' "$2" \
		>"$SCRATCH/$1.ext"
	openssl x509 -req -in "$SCRATCH/$1.csr" -CA "$3" -CAkey "$4" -extfile "$SCRATCH/$1.ext" \
		-out "$SCRATCH/$1.pem" "${@:5}" 2>/dev/null
	supplicant_conf "$1" "$2" "$SCRATCH/$1.pem" "$SCRATCH/$1.key"
}

# ---- refusals ----
ca=$PUMPGATE_HOME/ca
serial=$(openssl x509 -in "$SCRATCH/PG-1.pem" -noout -serial | cut -d= -f2)
issuer=$(openssl x509 -in "$ca/device-ca.pem" -noout -subject -nameopt compat | sed 's/^subject=//')
# somebody else's CA with our issuing CA's name: the maker's double of PG-1, to the serial
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "$issuer" \
	-keyout "$SCRATCH/maker.key" -out "$SCRATCH/maker.pem" 2>/dev/null
sign double PG-1 "$SCRATCH/maker.pem" "$SCRATCH/maker.key" -days 30 -set_serial "0x$serial"
sign unknown PG-1 "$ca/device-ca.pem" "$ca/device-ca.key" -days 30
sign expired PG-1 "$ca/device-ca.pem" "$ca/device-ca.key" -days 0 -set_serial "0x$serial"
sign root PG-1 "$ca/device-root.pem" "$ca/device-root.key" -days 30 -set_serial "0x$serial"
supplicant_conf mismatch PG-2 "$SCRATCH/PG-1.pem" "$SCRATCH/PG-1.key"
supplicant_conf lower pg-1 "$SCRATCH/PG-1.pem" "$SCRATCH/PG-1.key"
printf 'network={\n key_mgmt=IEEE8021X\n eap=MD5\n eapol_flags=0\n identity="PG-1"\n password="x"\n}\n' \
	>"$SCRATCH/md5.conf"

check "a_certificate_of_another_ca_with_the_same_names_is_refused" refused_because wrong-ca double
check "a_certificate_of_our_ca_that_the_registry_does_not_know_is_refused" \
	refused_because unknown-certificate unknown
check "a_certificate_signed_by_our_root_itself_is_refused" refused_because unknown-certificate root
check "an_expired_certificate_is_refused" refused_because certificate-expired expired
check "a_claimed_identity_of_another_pump_is_refused" refused_because identity-mismatch mismatch
check "an_identity_that_differs_in_case_is_refused" refused_because identity-mismatch lower
check "another_eap_method_is_refused" refused_because method-not-allowed md5
check "the_reason_of_a_mismatch_stands_in_the_events_of_the_certificate_s_owner" \
	wait_until 5 says identity-mismatch pumpctl pump events PG-1 --json

# ---- silence ----
answers_raw() { # BYTES: whether a datagram gets an answer
	local got
	exec 3<>"/dev/udp/127.0.0.1/$RADIUS_AUTH_PORT"
	printf '%b' "$1" >&3
	got=$(timeout 1 head -c 1 <&3 | wc -c)
	exec 3>&-
	[ "$got" = 1 ]
}

is_unanswered() { ! answers_raw "$1"; }

wrong_secret() { EAP_SECRET=not-the-secret eap_is_silent PG-1; }

new_nas() {
	pumpctl nas add ap2 --ip 127.0.0.2 --secret-file "$SCRATCH/nas.secret" &&
		eap PG-1 -A 127.0.0.2
}

garbage() {
	local i
	exec 3<>"/dev/udp/127.0.0.1/$RADIUS_AUTH_PORT"
	for i in 1 2 19 20 21 100 1000 4000; do
		head -c "$i" /dev/urandom >&3
		printf '\x01\x05\x00\x40AAAAAAAAAAAAAAAA\x01\xff' >&3
		printf '\x04\x05\x00\x14AAAAAAAAAAAAAAAA' >&3
	done
	exec 3>&-
	eap PG-1
}
check "a_request_without_message_authenticator_gets_silence" is_unanswered \
	'\x01\x07\x00\x1aAAAAAAAAAAAAAAAA\x01\x06PG-1'
check "a_wrong_secret_gets_silence" wrong_secret
check "an_unknown_nas_gets_silence" eap_is_silent PG-1 -A 127.0.0.2
check "a_nas_added_while_running_works_at_once" new_nas
check "garbage_is_survived" garbage

check "a_disabled_nas_gets_silence_though_it_was_known" eval \
	'pumpctl nas disable ap2 && sleep 1 && eap_is_silent PG-1 -A 127.0.0.2'
check "enabled_again_it_is_answered" eval \
	'pumpctl nas enable ap2 && sleep 1 && eap PG-1 -A 127.0.0.2'
check "a_nas_whose_secret_was_changed_gets_silence_with_the_old_one" eval \
	'pumpctl nas secret ap2 --secret-out "$SCRATCH/ap2.secret" && sleep 1 &&
		eap_is_silent PG-1 -A 127.0.0.2'

# ---- accepted ----
accepted_with() { # NAME ATTRIBUTE=VALUE-PATTERN...
	local pair
	eap "$1" -N 44:s:session-1 || { tail -n 5 "$SCRATCH/eap.log"; return 1; }
	for pair in "${@:2}"; do
		accept_attribute "${pair%%=*}" | grep -qE "^(${pair#*=})$" ||
			{ echo "$pair: $(accept_attribute "${pair%%=*}")"; return 1; }
	done
}
supplicant_conf tls13 PG-1 "$SCRATCH/PG-1.pem" "$SCRATCH/PG-1.key" "$tls13"
class=$(printf 'pg1.PG-1.%s' "$(tr A-F a-f <<<"$serial")" | od -An -v -tx1 | tr -d ' \n')

# 64 Tunnel-Type VLAN, 65 Tunnel-Medium-Type IEEE-802, 81 Tunnel-Private-Group-Id "120",
# 27 Session-Timeout, 29 Termination-Action RADIUS-Request, 25 Class, 80 Message-Authenticator
check "a_pump_in_good_standing_gets_its_zone" accepted_with PG-1 64=0000000d 65=00000006 \
	81=313230 27='[0-9]+' 29=1 "25=$class" 80='[0-9a-f]{32}'
check "with_tls_1_3_too" accepted_with tls13 81=313230 29=1
check "tls_1_3_was_really_used" grep -q 'Using TLS version TLSv1.3' "$SCRATCH/eap.log"
check "its_event_says_so" attempt_was accept in-good-standing eap-tls
check "a_resumed_handshake_is_accepted" eap PG-1 -r1
check "the_second_one_was_resumed" attempt_was accept in-good-standing eap-tls-resumed
check "tls_1_3_falls_back_to_full_handshakes" eap tls13 -r3

parallel() { # 32 supplicants, each a full and a resumed handshake
	local i pids=()
	for i in $(seq 32); do
		timeout 60 eapol_test -c "$SCRATCH/PG-1.conf" -a 127.0.0.1 -p "$RADIUS_AUTH_PORT" \
			-s "$NAS_SECRET" -t 30 -r1 >"$SCRATCH/parallel.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || return 1
	done
}
check "32_supplicants_at_once_are_all_accepted" parallel

# ---- revoked ----
# A pump that resumes its session over and over, revoked in the middle: the next attempt fails.
resumptions() { grep -c 'verdict=accept.* method=eap-tls-resumed' "$log"; }
more_resumptions_than() { [ "$(resumptions)" -gt "$1" ]; }
revoked_while_resuming() {
	local looping before
	before=$(resumptions)
	eap PG-1 -r5000 &
	looping=$!
	wait_until 20 more_resumptions_than "$((before + 3))" || return 1
	pumpctl pump revoke PG-1 --no-wait --reason 'lost in the ward' >"$SCRATCH/receipt" 2>&1
	! wait "$looping" && attempt_was reject pump-revoked eap-tls-resumed
}
check "a_pump_that_resumes_its_session_is_refused_once_it_is_revoked" revoked_while_resuming
check "a_revoked_pump_is_refused_on_a_full_handshake" refused_because pump-revoked PG-1
check "a_revoked_pump_is_refused_with_tls_1_3" refused_because pump-revoked tls13
scratch_stop
scratch_run || exit 1
check "a_revoked_pump_is_refused_after_a_restart" refused_because pump-revoked PG-1
check "every_refusal_stands_in_the_pump_s_events" wait_until 5 says pump-revoked \
	pumpctl pump events PG-1 --json
tap_done
