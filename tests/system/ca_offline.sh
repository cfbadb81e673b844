#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2317 # functions are called through check
# A root on another machine: requests out, certificates in, a server that never saw a root key.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
scratch_folder
export PUMPGATE_HOME=$SCRATCH/home
OFFLINE=$SCRATCH/offline
mkdir "$OFFLINE" "$SCRATCH/usb"
cd "$SCRATCH" || exit 1
offline() { pumpgate-signerd --home "$OFFLINE" "$@"; }
init() { pumpctl init --radius-auth-port "$PORT" --radius-acct-port $((PORT + 1)) --est-port $((PORT + 2)) "$@"; }
PORT=$(shuf -i 10000-29990 -n 1)

# the walk-through of docs/OPERATIONS.md
check "init_makes_requests_and_stops" fails_with 75 init --organization 'City Hospital' --offline-root
check "no_root_key_was_made" bash -c "! ls '$PUMPGATE_HOME'/ca/*root*"
check "init_without_the_option_makes_no_root_either" says 'waits for its certificate' pumpctl init
cp "$PUMPGATE_HOME"/*-ca.csr usb/
check "requests_verify" bash -c "for w in device server; do openssl req -in usb/\$w-ca.csr -verify -noout || exit; done"
check "without_a_root_nothing_is_signed" says 'root device' offline sign device usb/device-ca.csr
for what in device server; do
	check "offline_a_${what}_root_is_made" offline root "$what" --organization 'City Hospital'
	check "again_is_nothing_to_do_$what" fails_with 2 offline root "$what"
	sign() { offline sign "$what" "usb/$what-ca.csr" >"usb/$what-ca.pem" 2>usb/said; }
	check "offline_the_${what}_request_is_signed" sign
	check "both_machines_say_the_same_fingerprint_$what" grep -q "$(openssl req -in "usb/$what-ca.csr" -noout -pubkey |
		openssl pkey -pubin -outform DER | sha256sum | cut -c1-64)" usb/said
done
check "a_request_for_the_other_ca_is_refused" says 'not for the issuing CA below this root' \
	offline sign device usb/server-ca.csr
check "the_other_cas_certificate_is_refused" says 'does not fit its profile|purpose' \
	pumpctl ca import device usb/server-ca.pem
openssl x509 -in usb/device-ca.pem >usb/half.pem
check "one_certificate_alone_is_refused" says 'must hold two certificates' pumpctl ca import device usb/half.pem
mkdir twin && pumpgate-signerd --home twin root device --organization 'City Hospital' 2>/dev/null
{ openssl x509 -in usb/device-ca.pem; cat twin/ca/device-root.pem; } >usb/twin.pem
check "another_root_of_the_same_name_is_refused" fails_with 1 pumpctl ca import device usb/twin.pem
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout thief.key -out usb/thief.csr \
	-subj "/O=City Hospital/CN=Pumpgate Device CA 1" 2>/dev/null
offline sign device usb/thief.csr >usb/thief.pem 2>/dev/null
check "a_certificate_for_another_key_is_refused" says 'not for the key that is here' \
	pumpctl ca import device usb/thief.pem
openssl x509 -req -in usb/device-ca.csr -CA "$OFFLINE/ca/device-root.pem" -CAkey "$OFFLINE/ca/device-root.key" \
	-days 3000 -set_serial 0x0123456789abcdef0123456789abcdef -extfile <(printf 'basicConstraints=critical,CA:TRUE\n') \
	-out usb/openssl.pem 2>/dev/null
cat "$OFFLINE/ca/device-root.pem" >>usb/openssl.pem
check "a_certificate_beside_the_profile_is_refused" says 'does not fit its profile' \
	pumpctl ca import device usb/openssl.pem
check "nothing_was_taken_by_all_that" bash -c "! ls '$PUMPGATE_HOME'/ca/*.pem"
check "the_device_ca_comes_in" pumpctl ca import device usb/device-ca.pem
check "again_is_nothing_to_do" fails_with 2 pumpctl ca import device usb/device-ca.pem
check "another_one_afterwards_is_refused" fails_with 1 pumpctl ca import device usb/thief.pem
check "half_is_not_enough" fails_with 75 init --offline-root
check "the_server_ca_comes_in" pumpctl ca import server usb/server-ca.pem
check "init_completes" init
check "the_roots_keys_are_kept_offline" says 'device-root +none +not here' pumpctl ca keys
check "a_new_request_is_refused_now" says 'there already' pumpctl ca request device
scratch_run || { cat "$SCRATCH/run.out"; exit 1; }
enrols() {
	local token
	pumpctl zone add pumps --vlan 110 && pumpctl pump add PG-1 --maker M --model M --mac 02:00:00:00:04:01 --zone pumps &&
		token=$(pumpctl pump token PG-1) || return 1
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout pg.key -outform DER -subj /CN=PG-1 2>/dev/null |
		base64 | curl -sS --fail --cacert "$TRUST" -H 'Content-Type: application/pkcs10' -u "PG-1:$token" \
		--data-binary @- "$EST_URL/simpleenroll" | openssl base64 -d | openssl pkcs7 -inform DER -print_certs -out pg.pem &&
		openssl verify -purpose sslclient -x509_strict -CAfile "$OFFLINE/ca/device-root.pem" \
			-untrusted <(openssl x509 -in usb/device-ca.pem) pg.pem
}
check "a_pump_enrols_under_the_offline_root" enrols
# the CA that follows, of the same offline root
check "without_the_roots_key_none_is_made_here" says 'ca request device --next' pumpctl ca rollover start device
check "the_next_ca_is_requested" pumpctl ca request device --next --out usb/next.csr
check "the_offline_root_signs_it" bash -c "'$PUMPGATE_BUILD/bin/pumpgate-signerd' --home '$OFFLINE' sign device usb/next.csr >usb/next.pem"
check "the_first_one_is_not_the_next" fails_with 1 pumpctl ca import device usb/device-ca.pem
check "the_next_one_comes_in" pumpctl ca import device usb/next.pem
check "that_too_is_done_once" fails_with 2 pumpctl ca import device usb/next.pem
check "the_roll_over_goes_on_with_it" pumpctl ca rollover start device
check "it_has_the_next_number" says '^next +Pumpgate Device CA 2' pumpctl ca rollover status device
check "and_is_switched_to" pumpctl ca rollover switch device
tap_done
