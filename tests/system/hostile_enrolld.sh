#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2317 # functions are called through check
# enrolld taken over: with its real uid, all that it ever saw and every verb, it gets no certificate
# and changes nothing. What is left (a token in transit) is shown too: docs/SECURITY.md says so.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/maker.sh

if [ "$(id -u)" != 0 ]; then
	skip a_hostile_enrolld_gets_nothing "needs root to start processes under other users"
	tap_done
fi
FIRST=61100
ENROLLD=$((FIRST + 2))
TOOL=$PUMPGATE_BUILD/tools
scratch_install
cp "$TOOL/hostile_enrolld" "$SCRATCH/prefix/bin/"
scratch_up --users $FIRST || exit 1
cd "$SCRATCH" || exit 1

est() { curl -sS --fail --max-time 20 --cacert "$TRUST" -H 'Content-Type: application/pkcs10' "$@"; }
key() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -outform DER \
	-out "$1.csr" -subj "/CN=$2" 2>/dev/null; }
pumpctl zone add pumps --vlan 110 >/dev/null
for n in 1 2 3; do
	pumpctl pump add "PG-$n" --maker M --model M --mac "02:00:00:00:03:0$n" --zone pumps >/dev/null || exit 1
done

# what enrolld saw in its honest days: an enrolment, a renewal with proof, and its own certificate
mkdir -m 0755 seen
pumpctl pump token PG-1 >victim.token
tr -d '\n' <victim.token >seen/victim.token
key victim PG-1
enrolment() {
	base64 victim.csr | est -u "PG-1:$(cat victim.token)" --data-binary @- "$EST_URL/simpleenroll" |
		openssl base64 -d | openssl pkcs7 -inform DER -print_certs | openssl x509 -outform DER -out seen/victim.der
}
check "the_victim_enrols" enrolment
openssl ecparam -name prime256v1 -genkey -noout -out next.key
check "its_renewal_with_proof_is_made" "$TOOL/signer_client" "$PUMPGATE_HOME" proof seen/victim.der \
	victim.key next.key seen/victim.csr
openssl x509 -in "$PUMPGATE_HOME/est/cert.pem" -outform DER -out seen/server.der
pumpctl pump token PG-2 >/dev/null
# and a birth certificate with its request, of the pump that is expected
maker_make maker
birth_make maker birth PG-2
pumpctl maker add M --anchor maker-root.pem --models M >/dev/null || exit 1
openssl ecparam -name prime256v1 -genkey -noout -out born.key
"$TOOL/signer_client" "$PUMPGATE_HOME" proof birth.der birth.key born.key seen/birth.csr || exit 1
cp birth.der seen/
openssl x509 -in maker-ca.pem -outform DER -out seen/maker-ca.der
chmod -R a+rX seen

state() {
	wc -l <"$PUMPGATE_HOME/ca/issued.log"
	wc -l <"$PUMPGATE_HOME/ca/server-issued.log"
	pumpctl cert list --json
	pumpctl pump list --json
	pumpctl zone list --json
	pumpctl audit tail -n 500 --json | jq '[.[] | select(.action != "approval.ask") | .action]'
}
state >before
hostile() { hostile_enrolld "$ENROLLD" "$PUMPGATE_HOME" "$SCRATCH/seen"; }
check "the_hostile_enrolld_gets_nothing" says '^[0-9]{4} attempts, 0 worked$' hostile
state >after
check "nothing_was_issued_and_nothing_changed" diff before after
check "it_could_put_its_key_into_the_queue_once" bash -c "
	[ \"\$(pumpctl enroll list --json | jq -c 'map([.device, .state])')\" = '[[\"PG-1\",\"waiting\"]]' ]"
check "the_signer_logged_the_refusals" grep -q 'signer.refused .*token-used' "$PUMPGATE_HOME/log/signerd.log"
check "the_pumps_own_token_still_works" bash -c "pumpctl pump token PG-2 >t && true"
key two PG-2
check "the_expected_pump_enrols_afterwards" est -o /dev/null -u "PG-2:$(cat t)" \
	--data-binary "$(base64 two.csr)" "$EST_URL/simpleenroll"
check "the_server_is_healthy_afterwards" pumpctl status

# what is left: docs/SECURITY.md
pumpctl pump token PG-3 | tr -d '\n' >seen/transit.token
chmod a+r seen/transit.token
in_transit() { hostile_enrolld "$ENROLLD" "$PUMPGATE_HOME" token "$1" "$SCRATCH/seen"; }
check "a_token_in_transit_gives_no_other_pump" says '1 attempts, 0 worked' in_transit PG-2
check "a_token_in_transit_can_be_used_once_that_is_left" says '1 attempts, 1 worked' in_transit PG-3
key three PG-3
thwarted() {
	[ "$(curl -sS --max-time 20 --cacert "$TRUST" -H 'Content-Type: application/pkcs10' -o answer -w '%{http_code}' \
		-u "PG-3:$(cat seen/transit.token)" --data-binary "$(base64 three.csr)" "$EST_URL/simpleenroll")" = 403 ] &&
		grep -q '^token-used' answer
}
event_is_there() { pumpctl pump events PG-3 --json | grep -q token-used; }
check "the_pump_itself_then_fails_loudly" thwarted
check "and_its_events_say_so" wait_until 5 event_is_there
tap_done
