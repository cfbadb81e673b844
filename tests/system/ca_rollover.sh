#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The servers' issuing CA is replaced while pumps authenticate: a real agent with its wpa_supplicant
# over a wire, and others in a loop. Nobody is refused; no step, killed anywhere, leaves a CA that
# can't sign or a server that can't start.
# shellcheck disable=SC2317,SC2119,SC2120,SC2015,SC2016 # functions are called by check, some by eval
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh
# shellcheck source=tests/support/wired_pumps.sh
. tests/support/wired_pumps.sh
missing=$(wired_missing)
if [ -n "$missing" ]; then
	skip nobody_is_refused_while_the_servers_ca_is_replaced "needs $missing"
	tap_done
fi
down() {
	wired_down
	scratch_down
}
scratch_install
scratch_init --users 64100 || { cat "$SCRATCH/init.out"; exit 1; }
trap down EXIT
sed -i 's/^device_validity *=.*/device_validity = 1h/' "$PUMPGATE_HOME/pumpgate.conf"
scratch_run || { cat "$SCRATCH"/*.out "$PUMPGATE_HOME"/log/*; exit 1; }
site_up || exit 1
H=$PUMPGATE_HOME
roll() { pumpctl ca rollover "$@"; }

# --- three pumps that authenticate without end, and one with an agent on a wire ---
mkdir "$SCRATCH/clients"
for n in 1 2 3; do
	pump_enrol "PG-$n" "02:00:00:00:00:0$n" || exit 1
	cp "$SCRATCH/PG-$n.pem" "$SCRATCH/PG-$n.key" "$SCRATCH/clients/"
done
wired_up 9
pump_add PG-9 "$(wired_mac 9)"
pumpctl pump bundle PG-9 --out "$SCRATCH/bundle-9.json" >/dev/null
agent 9
check pump_with_an_agent_is_online wait_until 30 is_online 9
issuer() { openssl x509 -in "$H/$1/cert.pem" -noout -issuer; }
anchors() { grep -c BEGIN "$H/trust/server.pem"; }
cacerts() {
	curl -sS --cacert "$TRUST" "$EST_URL/cacerts" | tr -d '\r' | base64 -d |
		openssl pkcs7 -inform DER -print_certs | grep -c '^subject=.*Server'
}
sha_of() { openssl x509 -in "$H/ca/$1" -outform DER | sha256sum | cut -d' ' -f1; }

# --- refusals first ---
check ca_that_there_is_not_is_refused fails_with 64 roll start nas
check unknown_step_is_refused fails_with 64 roll begin server
check nothing_can_be_switched_that_was_not_started fails_with 1 roll switch server
check nothing_is_there_to_finish fails_with 2 roll finish server
check nor_to_abort fails_with 2 roll abort server
mv "$H/ca/server-root.key" "$SCRATCH/root.key"
check without_the_roots_key_it_is_refused says 'key of the server root is not here' roll start server
mv "$SCRATCH/root.key" "$H/ca/server-root.key"
check idle_is_said says '^state +idle' roll status server
check dry_run_starts_nothing eval 'roll start server --dry-run && [ ! -e "$H/ca/server-next.pem" ]'

# --- started, and taken back ---
check it_is_started roll start server
check and_can_be_taken_back roll abort server
check which_leaves_nothing eval '[ "$(anchors)" = 2 ] && [ "$(cacerts)" = 2 ] && ! ls "$H"/ca/server-next.*'

# --- the whole way, under load ---
reauthenticate_for_ever 9 &
PID[loop]=$!
load 5 "$TRUST"
check next_ca_is_made roll start server
check twice_is_nothing_new fails_with 2 roll start server
load_ends
check while_it_is_made_nobody_is_refused load_was_served
check pumps_are_told_of_three_certificates [ "$(anchors)/$(cacerts)" = 3/3 ]
check status_says_that_it_is_under_way says 'it is being replaced: pumpctl ca rollover' pumpctl status
check it_has_another_name eval 'openssl x509 -in "$H/ca/server-next.pem" -noout -subject | grep "Pumpgate Server CA 2"'
NEXT=$(sha_of server-next.pem)
check without_the_pumps_it_is_not_switched fails_with 75 roll switch server
check nor_in_a_dry_run fails_with 75 roll switch server --dry-run
check and_those_that_lack_it_are_listed says 'lacking PG-1 ' roll status server
check that_status_is_for_a_timer fails_with 75 roll status server --json
agent_asks_again 9
check running_agent_takes_the_next_ca wait_until 60 reports PG-9 "$NEXT"
check and_is_counted says '"holding": 1' roll status server --json
check seventy_of_hundred_are_not_there_yet fails_with 75 roll switch server --percent 70
cp "$TRUST" "$SCRATCH/both.pem"
load 14 "$SCRATCH/both.pem"
check servers_are_switched roll switch server --percent 20
check that_is_done_once fails_with 2 roll switch server
check each_server_has_a_certificate_of_the_next_ca eval 'for one in est radius radsec; do issuer $one | grep "Pumpgate Server CA 2" || exit 1; done'
check agent_goes_on_with_it goes_on 9
check it_is_finished roll finish server
check and_once_only fails_with 2 roll finish server
load_ends
check all_the_while_nobody_was_refused load_was_served
echo "# load: $(cat "$SCRATCH/load.json")"
check nor_the_pump_with_the_agent [ "$(failures 9)" = 0 ]
check and_it_authenticates_on goes_on 9
check previous_ca_is_gone eval '[ "$(anchors)" = 2 ] && [ "$(cacerts)" = 2 ] && ! ls "$H"/ca/server-old.*'
agent_asks_again 9
forgot() { ! reports PG-9 "$1" && reports PG-9 "$(sha_of server-ca.pem)"; }
OLD=$(openssl x509 -in "$SCRATCH/both.pem" -noout >/dev/null && awk '/BEGIN/ { n++ } n == 2' "$SCRATCH/both.pem" | openssl x509 -outform DER | sha256sum | cut -d' ' -f1)
check and_the_agent_drops_it wait_until 60 forgot "$OLD"
check and_still_authenticates eval 'goes_on 9 && [ "$(failures 9)" = 0 ]'
check status_says_no_more_of_it eval '! pumpctl status | grep "being replaced"'
check status_is_well eval 'pumpctl cert server-list --json | jq -e "all(.[]; .state == \"fine\")"'
stop loop
stop agent9

# --- killed anywhere ---
scratch_stop
fits() {
	[ "$(openssl x509 -in "$H/ca/server-ca.pem" -noout -pubkey)" = "$(openssl pkey -in "$H/ca/server-ca.key" -pubout)" ]
}
SIGNER_UID=$(stat -c %u "$H/ca")
killed_in_the_signer() { # STEP
	local at rc
	for at in $(seq 1 24); do
		setpriv --reuid "$SIGNER_UID" --regid "$SIGNER_UID" --clear-groups env \
			LD_PRELOAD="$PUMPGATE_BUILD/tools/die_at.so" DIE_AT="$at" \
			pumpgate-signerd --home "$H" rollover "$1" server >"$SCRATCH/out" 2>&1
		rc=$?
		# what comes next looks at it first
		setpriv --reuid "$SIGNER_UID" --regid "$SIGNER_UID" --clear-groups \
			pumpgate-signerd --home "$H" rollover status server >"$SCRATCH/state.out" 2>&1 ||
			{ cat "$SCRATCH/state.out"; return 1; }
		fits || { echo "after death $at of $1 the key does not fit"; return 1; }
		[ "$rc" = 137 ] || break
	done
	echo "$1: died $((at - 1)) times, then $rc: $(head -n 1 "$SCRATCH/out")"
	[ "$rc" = 0 ] || [ "$rc" = 2 ]
}
check signer_killed_in_start_goes_on killed_in_the_signer start
check signer_killed_in_switch_goes_on killed_in_the_signer switch
check signer_killed_in_finish_goes_on killed_in_the_signer finish
check signer_killed_in_the_next_start_goes_on killed_in_the_signer start
check signer_killed_in_abort_goes_on killed_in_the_signer abort
killed_in_pumpctl() { # STEP
	local at rc
	for at in $(seq 1 40); do
		LD_PRELOAD=$PUMPGATE_BUILD/tools/die_at.so DIE_AT=$at pumpctl ca rollover "$1" server \
			--percent 0 >"$SCRATCH/out" 2>&1
		rc=$?
		fits || { echo "after death $at of $1 the key does not fit"; return 1; }
		[ "$rc" = 137 ] || break
	done
	echo "$1: died $((at - 1)) times, then $rc: $(tail -n 1 "$SCRATCH/out")"
	[ "$rc" = 0 ] || [ "$rc" = 2 ]
}
check pumpctl_killed_in_start_goes_on killed_in_pumpctl start
check what_pumps_hold_must_be_known_for_a_switch says 'registry/sock' roll switch server
check pumpctl_killed_in_switch_goes_on killed_in_pumpctl switch
check nothing_is_finished_before_servers_have_started_with_it fails_with 75 roll finish server
scratch_run || exit 1
check and_the_server_starts_with_it eap PG-1
check pumpctl_killed_in_finish_goes_on killed_in_pumpctl finish
check and_pumps_that_know_the_next_ca_get_on eap PG-2
tap_done
