#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A maker's birth certificate instead of a token: who may vouch for whom, that signerd looks for
# itself, and that one pump gets one certificate. Refusals first.
# shellcheck disable=SC2119,SC2317 # check calls the functions
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/maker.sh
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0

scratch_up || exit 1
AGENT=$PUMPGATE_BUILD/bin/pumpgate-agentd
SIGNER_CLIENT=$PUMPGATE_BUILD/tools/signer_client
cd "$SCRATCH" || exit 1
H=$PUMPGATE_HOME
maker_make acme
maker_make other
pumpctl zone add pumps --vlan 110 >/dev/null
pump() { pumpctl pump add "$1" --maker "$2" --model "$3" --mac "02:00:00:00:00:$4" --zone pumps >/dev/null; }
pump PG-1 Acme One 01; pump PG-2 Acme Two 02; pump PG-3 Other One 03; pump PG-4 Acme One 04
pump PG-5 Acme One 05; pump PG-6 Acme One 06; pump PG-7 Acme One 07; birth_make acme b1 PG-1
birth_make acme b1s PG-1 subject
birth_make acme b2 PG-2
birth_make acme b3 PG-3
birth_make acme b4 PG-4 module 1.3.6.1.4.1.99999.2
birth_make acme b5 PG-5
birth_make acme b7 PG-7
birth_make acme nobody PG-404
birth_make other o1 PG-1
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }
for k in new.key b5.new b7.new; do key "$k"; done

# csr BIRTH [KEY]: BIRTH.csr, a request for KEY that the birth key signed too
csr() { "$SIGNER_CLIENT" "$H" proof "$1.der" "$1.key" "${2:-new.key}" "$1.req.der" && base64 "$1.req.der" >"$1.csr"; }
# post BIRTH CSR [OPERATION] [CURL-ARGS]: the status; the body is in answer
post() {
	local birth=$1 csr=$2 operation=${3:-simpleenroll}
	shift $(($# > 3 ? 3 : $#))
	curl -sS --max-time 20 --cacert "$TRUST" --cert "$birth.pem" --key "$birth.key" -o answer -w '%{http_code}\n' \
		-H 'Content-Type: application/pkcs10' --data-binary "@$csr" "$@" "$EST_URL/$operation" 2>&1
}
refused() { # STATUS REASON BIRTH CSR [OPERATION]
	local want=$1 reason=$2 got
	shift 2
	got=$(post "$@")
	echo "$got: $(cat answer)"
	[ "$got" = "$want" ] && grep -q "^$reason: " answer
}
let_in() { curl -sS --max-time 10 --cacert "$TRUST" --cert "$1.pem" --key "$1.key" "$EST_URL/cacerts" >/dev/null 2>&1; }
kept_out() { ! let_in "$1"; }
certificate() { openssl base64 -d <answer | openssl pkcs7 -inform DER -print_certs | openssl x509; }
for b in b1 b1s b2 b3 b4 nobody o1; do csr "$b"; done
csr b7 b7.new

# ---- no maker yet ----
check "without_a_maker_no_birth_certificate_gets_through_tls" kept_out b1
check "signerd_refuses_it_too_whatever_enrolld_says" says 'maker-refused: no maker' \
	"$SIGNER_CLIENT" "$H" idevid b1.der <(openssl x509 -in acme-ca.pem -outform DER) b1.req.der out.der

# ---- makers ----
check "one_of_our_own_cas_is_no_makers_anchor" says 'one of our own CAs' \
	pumpctl maker add Evil --anchor "$H/trust/device.pem" --models One
check "a_pumps_certificate_is_no_anchor" says 'not a CA' pumpctl maker add Acme --anchor b1.leaf --models One
check "a_maker_needs_models" says 'required|--models' pumpctl maker add Acme --anchor acme-root.pem
check "a_maker_is_added" pumpctl maker add Acme --anchor acme-root.pem --models 'One=1.3.6.1.4.1.99999.1, Three'
check "again_changes_nothing" fails_with 2 pumpctl maker add Acme --anchor acme-root.pem --models 'One=1.3.6.1.4.1.99999.1,Three'
check "another_makers_anchor_may_not_be_claimed" says "another maker's" \
	pumpctl maker add Other --anchor acme-root.pem --models One
check "it_is_listed" says 'Acme .*One=1.3.6.1.4.1.99999.1,Three' pumpctl maker list
check "enrolld_hears_of_it" wait_until 15 let_in b1

# ---- refusals ----
openssl req -new -key new.key -subj /CN=PG-1 -outform DER | base64 >plain.csr
check "a_request_without_the_birth_keys_signature_is_refused" refused 403 idevid-unproven b1 plain.csr
check "a_proof_by_another_birth_key_is_refused" refused 403 idevid-unproven b1 b2.csr
csr b5 b5.key
check "a_request_for_the_birth_key_itself_is_refused" refused 400 key-refused b5 b5.csr
check "an_unknown_serial_is_refused" refused 403 unknown-pump nobody nobody.csr
check "a_model_that_the_maker_may_not_vouch_for_is_refused" refused 403 maker-refused b2 b2.csr
check "a_pump_that_the_inventory_has_from_another_maker_is_refused" refused 403 maker-refused b3 b3.csr
check "another_models_hwtype_is_refused" refused 403 maker-refused b4 b4.csr
check "a_certificate_without_hwtype_is_refused_where_the_model_wants_one" refused 403 maker-refused b1s b1s.csr
check "another_makers_certificate_does_not_get_through_tls" kept_out o1
check "nor_past_signerd" says 'maker-refused: the chain ends at no registered' \
	"$SIGNER_CLIENT" "$H" idevid o1.der <(openssl x509 -in other-ca.pem -outform DER) o1.req.der out.der
check "it_is_no_ground_for_a_renewal" refused 403 no-certificate b1 b1.csr simplereenroll
check "a_token_of_another_pump_beside_it_is_refused" says '^403$' post b1 b1.csr simpleenroll \
	-u "PG-2:$(pumpctl pump token PG-2)"
check "refusals_are_events_of_the_pump" wait_until 5 says 'maker-refused' pumpctl pump events PG-2

# a maker that makes a double of a pump of ours: same issuer name, serial, subject, SAN
T=$(pumpctl pump token PG-6)
key real.key
openssl req -new -key real.key -subj /CN=PG-6 -outform DER | base64 >real.csr
curl -sS --cacert "$TRUST" -o answer -u "PG-6:$T" -H 'Content-Type: application/pkcs10' --data-binary @real.csr "$EST_URL/simpleenroll"
certificate >real.pem
double_make() {
	local ca
	ca=$(openssl x509 -in real.pem -noout -issuer | sed 's/^issuer=//; s/O *= */\/O=/; s/, *CN *= */\/CN=/')
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout double-ca.key -subj "$ca" -out double-ca.req 2>/dev/null
	openssl x509 -req -in double-ca.req -CA acme-root.pem -CAkey acme-root.key -CAcreateserial -days 30 -out double-ca.pem \
		-extfile <(printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n') 2>/dev/null
	key double.key
	openssl req -new -key double.key -subj /CN=PG-6 -out double.req 2>/dev/null
	openssl x509 -req -in double.req -CA double-ca.pem -CAkey double-ca.key -days 30 \
		-set_serial "0x$(openssl x509 -in real.pem -noout -serial | cut -d= -f2)" -out double.leaf -extfile <(
			printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nsubjectAltName=URI:urn:pumpgate:pump:PG-6\n') 2>/dev/null
	cat double.leaf double-ca.pem >double.pem
	[ "$(openssl x509 -in double.leaf -noout -issuer -subject -serial)" = "$(openssl x509 -in real.pem -noout -issuer -subject -serial)" ]
}
check "a_maker_can_make_a_double_of_our_pump" double_make
openssl req -new -key double.key -subj /CN=PG-6 -outform DER | base64 >double.csr
double_refused() { [ "$(post double double.csr "$1")" != 200 ]; }
check "the_double_does_not_renew_as_that_pump" double_refused simplereenroll
check "the_double_does_not_enrol_as_that_pump" double_refused simpleenroll
check "the_pump_itself_still_does" says '^200$' post real real.csr simplereenroll

# ---- the good way ----
check "the_birth_certificate_enrols_an_expected_pump" says '^200$' post b1 b1.csr
certificate >b1.first
check "the_certificate_is_ours_and_the_pumps" says 'CN *= *PG-1$' openssl x509 -in b1.first -noout -subject
again() { [ "$(post b1 b1.csr)" = 200 ] && certificate | cmp - b1.first; }
check "the_same_request_gets_the_same_certificate_again" again
key newer.key
csr b1 newer.key
check "a_second_key_does_not" refused 403 idevid-used b1 b1.csr
check "the_audit_names_the_method" says 'method=idevid' pumpctl audit tail --json
check "a_token_still_works_beside_a_birth_certificate" says '^200$' post b7 b7.csr simpleenroll \
	-u "PG-7:$(pumpctl pump token PG-7)"
pumpctl pump revoke PG-1 --reason test >/dev/null 2>&1
check "a_revoked_pump_is_not_enrolled_by_its_birth_certificate" refused 403 pump-revoked b1 b1.csr

# ---- the agent ----
pump PG-8 Acme Three 08
birth_make acme b8 PG-8 subject
check "a_bundle_without_a_token_names_the_files_on_the_pump" pumpctl pump bundle PG-8 --out b8.json \
	--idevid-certificate "$SCRATCH/b8.pem" --idevid-key "$SCRATCH/b8.key"
check "there_is_no_secret_in_it" test "$(jq -r 'has("token")' b8.json)" = false
"$AGENT" --state "$SCRATCH/agent" --bundle "$SCRATCH/b8.json" --interface none0 --control "$SCRATCH/no-wpa" >agent.log 2>&1 &
AGENT_PID=$!
enrolled() { [ "$("$AGENT" --state "$SCRATCH/agent" status --json | jq -r .state)" = enrolled ]; }
check "the_agent_enrols_with_its_birth_certificate" wait_until 20 enrolled
kill "$AGENT_PID" 2>/dev/null
wait "$AGENT_PID" 2>/dev/null
check "with_a_key_of_its_own" fails_with 1 cmp -s agent/a/key.pem b8.key

# ---- a maker that is trusted no more ----
csr b5 b5.new
check "a_disabled_maker_vouches_for_nobody" pumpctl maker disable Acme
check "signerd_refuses_it_at_once" says 'maker-refused' \
	"$SIGNER_CLIENT" "$H" idevid b5.der <(openssl x509 -in acme-ca.pem -outform DER) b5.req.der out.der
check "tls_refuses_it_soon" wait_until 15 kept_out b5
pumpctl maker enable Acme >/dev/null
check "enabled_again_it_does" wait_until 15 let_in b5
check "and_the_pump_enrols" says '^200$' post b5 b5.csr
check "a_removed_maker_is_gone" pumpctl maker remove Acme
check "pumps_that_are_enrolled_stay_so" says '"state": *"enrolled"' pumpctl pump show PG-5 --json
tap_done
