#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The servers' root itself is replaced while pumps authenticate, twice: with its key here, and with a
# root on another machine. A pump that is away during the switch and knows the old root alone comes
# back by the cross certificate; one that never comes is listed before the old root goes.
# shellcheck disable=SC2317,SC2119,SC2120,SC2015,SC2016,SC2010 # functions are called by check, some by eval
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
	skip nobody_is_refused_while_the_servers_root_is_replaced "needs $missing"
	tap_done
fi
down() {
	wired_down
	scratch_down
}
scratch_install
scratch_init --users 64140 || { cat "$SCRATCH/init.out"; exit 1; }
trap down EXIT
sed -i 's/^device_validity *=.*/device_validity = 6m/' "$PUMPGATE_HOME/pumpgate.conf"
scratch_run || { cat "$SCRATCH"/*.out "$PUMPGATE_HOME"/log/*; exit 1; }
site_up || exit 1
H=$PUMPGATE_HOME
OFFLINE=$SCRATCH/offline
roll() { pumpctl ca rollover "$@"; }
offline() { pumpgate-signerd --home "$OFFLINE" "$@"; }
SIGNER_UID=$(stat -c %u "$H/ca")
as_signer() { setpriv --reuid "$SIGNER_UID" --regid "$SIGNER_UID" --clear-groups "$@"; }

# --- three pumps that authenticate without end, two with agents on wires ---
mkdir "$SCRATCH/clients" "$OFFLINE" "$OFFLINE/ca"
for n in 1 2 3; do
	pump_enrol "PG-$n" "02:00:00:00:00:0$n" || exit 1
	cp "$SCRATCH/PG-$n.pem" "$SCRATCH/PG-$n.key" "$SCRATCH/clients/"
done
wired_up 8 9 || exit 1
for n in 8 9; do
	pump_add "PG-$n" "$(wired_mac "$n")"
	pumpctl pump bundle "PG-$n" --out "$SCRATCH/bundle-$n.json" >/dev/null
	agent "$n"
done
check two_pumps_with_agents_are_online eval 'wait_until 30 is_online 8 && wait_until 30 is_online 9'
# a policy that a pump could check by the old root alone (docs/decisions/0180)
pumpctl cert server-renew --compromised radius >"$SCRATCH/renamed" 2>&1 || { cat "$SCRATCH/renamed"; exit 1; }
RADIUS_NAME=radius-2.pumpgate.internal
policy_verifies() { # ROOT
	curl -sS --cacert "$TRUST" "${EST_URL%/est}/pumpgate/server-policy" | tr -d '\r' | base64 -d >"$SCRATCH/policy.der" &&
		openssl cms -verify -inform DER -in "$SCRATCH/policy.der" -CAfile "$1" -purpose any -no-CApath -no-CAstore
}

sha() { openssl x509 -in "$1" -outform DER | sha256sum | cut -d' ' -f1; }
key_of() { openssl x509 -in "$1" -noout -pubkey; }
cacerts() {
	curl -sS --cacert "${1:-$TRUST}" "$EST_URL/cacerts" | tr -d '\r' | base64 -d |
		openssl pkcs7 -inform DER -print_certs
}
n_servers() { cacerts "$@" | grep -c '^subject=.*Server'; }
chain_length() { grep -c BEGIN "$H/$1/cert.pem"; }
pins() { # BUNDLE-ANCHOR
	pumpctl pump bundle PG-7 --out "$SCRATCH/bundle-7.json" >/dev/null
	[ "$(jq -r .server_anchor_sha256 "$SCRATCH/bundle-7.json")" = "$1" ]
}
OLD=$(sha "$H/ca/server-root.pem")
cp "$H/ca/server-root.pem" "$SCRATCH/old-root.pem"
cp "$TRUST" "$SCRATCH/old.pem"
pump_add PG-7 02:00:00:00:00:07

# --- refusals first ---
mv "$H/ca/server-root.key" "$SCRATCH/root.key"
check without_the_roots_key_the_other_way_is_named says 'ca request server --next' roll start server --new-root
mv "$SCRATCH/root.key" "$H/ca/server-root.key"
check a_new_root_is_for_start_alone fails_with 64 roll switch server --new-root
check nobody_is_left_behind_before_the_end fails_with 64 roll switch server --leave-behind
check dry_run_makes_no_root eval 'roll start server --new-root --dry-run && ! ls "$H"/ca/server-next*'
check it_can_be_taken_back eval 'roll start server --new-root && roll abort server'
check which_leaves_nothing eval '[ "$(n_servers)" = 2 ] && ! ls "$H"/ca | grep -E "next|old|with"'

# --- the whole way, under load; PG-8 sleeps until the servers have switched ---
stop agent8
stop wpa8
reauthenticate_for_ever 9 &
PID[loop]=$!
load 4 "$TRUST"
check next_root_is_made roll start server --new-root
check twice_is_nothing_new fails_with 2 roll start server --new-root
load_ends
check while_it_is_made_nobody_is_refused load_was_served
C=$H/ca
check each_root_certifies_the_other eval 'openssl verify -x509_strict -CAfile "$C/server-root.pem" -untrusted "$C/server-new-with-old.pem" "$C/server-next.pem" &&
	openssl verify -x509_strict -CAfile "$C/server-next-root.pem" -untrusted "$C/server-old-with-new.pem" "$C/server-ca.pem"'
check the_new_roots_own_word_counts_for_nothing_by_the_old_one fails_with 2 openssl verify -CAfile "$C/server-root.pem" \
	-untrusted "$C/server-next-root.pem" "$C/server-next.pem"
check cacerts_has_all_six [ "$(n_servers "$SCRATCH/old.pem")" = 6 ]
swan() {
	pki --estca --url "${EST_URL%/.well-known/est}" --cacert "$1" --caout "$SCRATCH/swan.pem" --outform pem --force 2>/dev/null &&
		[ "$(cat "$SCRATCH"/swan*.pem | grep -c BEGIN)" = 8 ]
}
if command -v pki >/dev/null; then
	check which_strongswan_reads swan "$SCRATCH/old-root.pem"
else
	skip which_strongswan_reads "needs strongswan-pki"
fi
check bundles_pin_the_old_root_still pins "$OLD"
NEW=$(sha "$C/server-next-root.pem")
cp "$TRUST" "$SCRATCH/both.pem"
check without_the_pumps_it_is_not_switched fails_with 75 roll switch server
agent_asks_again 9
check running_agent_takes_the_root_that_its_own_vouches_for wait_until 60 reports PG-9 "$NEW"
check sleeping_pump_is_among_those_that_lack_it says 'lacking PG-8 ' roll status server
check so_it_is_not_switched fails_with 75 roll switch server --percent 70
load 14 "$SCRATCH/both.pem"
check servers_are_switched roll switch server --percent 20
check that_is_done_once fails_with 2 roll switch server
check servers_show_the_way_from_the_old_root eval 'for one in est radius radsec; do [ "$(chain_length $one)" = 3 ] || exit 1; done'
check bundles_pin_the_new_root_now pins "$NEW"
check agent_goes_on_with_it goes_on 9
load_ends
check all_the_while_nobody_was_refused load_was_served
echo "# load: $(cat "$SCRATCH/load.json")"
load 2 "$SCRATCH/old.pem"
load_ends
check nor_are_pumps_that_know_the_old_root_alone load_was_served
echo "# the same by the old root: $(cat "$SCRATCH/load.json")"

# --- the sleeper wakes ---
check foreign_clients_that_know_the_old_root_alone_read_cacerts [ "$(n_servers "$SCRATCH/old-root.pem")" = 6 ]
ip netns exec "$WIRED_NS" wpa_supplicant -D wired -i eth8 -c "$SCRATCH/wpa-8.conf" -d -f "$SCRATCH/wpa-8.log" &
PID[wpa8]=$!
agent 8
check sleeper_knows_the_old_root_alone [ "$(cat "$SCRATCH"/state-8/anchors-*.pem)" = "$(openssl x509 -in "$SCRATCH/old-root.pem" && awk '/BEGIN/ { n++ } n == 2' "$SCRATCH/old.pem")" ]
check and_comes_back wait_until 60 reports PG-8 "$NEW"
check without_having_been_refused [ "$(failures 8)" = 0 ]

# --- the old root goes ---
check those_that_lack_it_stand_in_the_way fails_with 75 roll finish server
check and_are_listed says 'lacking PG-1 ' roll finish server
check in_a_dry_run_too fails_with 75 roll finish server --dry-run
check it_is_finished_without_them roll finish server --leave-behind
check and_once_only fails_with 2 roll finish server
check servers_policy_is_signed_below_the_new_root wait_until 20 policy_verifies "$C/server-root.pem"
check old_root_is_gone eval '[ "$(n_servers)" = 2 ] && ! ls "$H"/ca | grep -E "next|old|with" && [ "$(sha "$C/server-root.pem")" = "$NEW" ]'
check servers_show_their_leaf_alone_again eval 'for one in est radius radsec; do [ "$(chain_length $one)" = 1 ] || exit 1; done'
forgot() { ! reports "$1" "$OLD" && reports "$1" "$NEW"; }
for n in 8 9; do agent_asks_again "$n"; done
check agents_drop_the_old_root eval 'wait_until 60 forgot PG-9 && wait_until 60 forgot PG-8'
check and_go_on goes_on 9
check whoever_knows_the_old_root_alone_is_out fails_with 60 curl -sS --cacert "$SCRATCH/old-root.pem" "$EST_URL/cacerts"

# --- once more, with a root on another machine ---
install -m 0600 "$C/server-root.key" "$C/server-root.pem" "$OFFLINE/ca/" && rm "$C/server-root.key"
check request_is_written pumpctl ca request server --next --out "$SCRATCH/next.csr"
check offline_root_signs_for_a_new_one eval 'offline sign server "$SCRATCH/next.csr" --new-root >"$SCRATCH/four.pem" 2>/dev/null'
mkdir "$SCRATCH/twin" && pumpgate-signerd --home "$SCRATCH/twin" root server --organization Hospital 2>/dev/null
pumpgate-signerd --home "$SCRATCH/twin" sign server "$SCRATCH/next.csr" --new-root >"$SCRATCH/twin.pem" 2>/dev/null
check another_root_of_the_same_name_is_refused says 'a cross certificate' pumpctl ca import server "$SCRATCH/twin.pem"
awk '/BEGIN/ { n++ } n < 4' "$SCRATCH/four.pem" >"$SCRATCH/three.pem"
check part_of_it_is_refused says 'the four of a new root' pumpctl ca import server "$SCRATCH/three.pem"
awk '/BEGIN/ { n++ } n == 1 || n == 2' "$SCRATCH/four.pem" >"$SCRATCH/two.pem"
check new_root_without_the_old_ones_word_is_refused says 'not from the root' pumpctl ca import server "$SCRATCH/two.pem"
check nothing_was_started says '^state +idle' roll status server
check what_it_signed_comes_in pumpctl ca import server "$SCRATCH/four.pem"
check and_pumps_are_told roll start server
LAST=$(sha "$C/server-next-root.pem")
agent_asks_again 9
check agent_takes_it wait_until 60 reports PG-9 "$LAST"
load 12 "$TRUST"
check servers_switch_to_it roll switch server --percent 15
check and_leave_the_one_before roll finish server --leave-behind
load_ends
check all_that_time_nobody_was_refused load_was_served
check agent_goes_on_below_the_offline_root goes_on 9
check never_refused_in_all_of_it [ "$(failures 9)" = 0 ]
check no_roots_key_came_here eval '! ls "$H"/ca/*server*root.key'
check offline_root_is_left_too offline retire server
check once fails_with 2 offline retire server
check which_leaves_the_new_one_there eval '[ "$(sha "$OFFLINE/ca/server-root.pem")" = "$LAST" ] && ! ls "$OFFLINE/ca" | grep -vx "server-root[.].*"'
check servers_policy_is_believed_by_the_new_root_alone wait_until 20 policy_verifies "$C/server-root.pem"
check and_was_all_the_way eval '! grep "step=server-policy" "$SCRATCH"/agent-*.log'
check status_is_well eval 'pumpctl cert server-list --json | jq -e "all(.[]; .state == \"fine\")"'
stop loop
stop agent8
stop agent9

# --- killed anywhere ---
scratch_stop
cp "$OFFLINE/ca/server-root.key" "$C/" && chown "$SIGNER_UID" "$C/server-root.key"
fits() {
	[ "$(key_of "$C/server-ca.pem")" = "$(openssl pkey -in "$C/server-ca.key" -pubout)" ] &&
		[ "$(key_of "$C/server-root.pem")" = "$(openssl pkey -in "$C/server-root.key" -pubout)" ] &&
		openssl verify -CAfile "$C/server-root.pem" "$C/server-ca.pem" >/dev/null
}
killed_in_the_signer() { # STEP [OPTION]
	local at rc
	for at in $(seq 1 60); do
		as_signer env LD_PRELOAD="$PUMPGATE_BUILD/tools/die_at.so" DIE_AT="$at" \
			pumpgate-signerd --home "$H" rollover "$1" server ${2:+"$2"} >"$SCRATCH/out" 2>&1
		rc=$?
		# what comes next looks at it first
		as_signer pumpgate-signerd --home "$H" rollover status server >"$SCRATCH/state.out" 2>&1 ||
			{ cat "$SCRATCH/state.out"; return 1; }
		fits || { echo "after death $at of $1 a key does not fit"; return 1; }
		[ "$rc" = 137 ] || break
	done
	echo "$1: died $((at - 1)) times, then $rc: $(head -n 1 "$SCRATCH/out")"
	[ "$at" -gt 2 ] && { [ "$rc" = 0 ] || [ "$rc" = 2 ]; }
}
check signer_killed_in_start_goes_on killed_in_the_signer start --new-root
check signer_killed_in_abort_goes_on killed_in_the_signer abort
check nothing_is_left_of_it eval '! ls "$H"/ca | grep -E "next|old|with"'
check signer_killed_in_the_next_start_goes_on killed_in_the_signer start --new-root
check signer_killed_in_switch_goes_on killed_in_the_signer switch
killed_in_pumpctl() { # STEP OPTION...
	local at rc
	for at in $(seq 1 60); do
		LD_PRELOAD=$PUMPGATE_BUILD/tools/die_at.so DIE_AT=$at pumpctl ca rollover "$1" server \
			"${@:2}" >"$SCRATCH/out" 2>&1
		rc=$?
		fits || { echo "after death $at of $1 a key does not fit"; return 1; }
		[ "$rc" = 137 ] || break
	done
	echo "$1: died $((at - 1)) times, then $rc: $(tail -n 1 "$SCRATCH/out")"
	[ "$at" -gt 2 ] && { [ "$rc" = 0 ] || [ "$rc" = 2 ]; }
}
check pumpctl_killed_in_switch_goes_on killed_in_pumpctl switch
check nothing_is_finished_before_servers_have_started_with_it fails_with 75 roll finish server --leave-behind
scratch_run || exit 1
check pumpctl_killed_in_finish_goes_on killed_in_pumpctl finish --leave-behind
check signer_killed_in_finish_goes_on eval 'as_signer pumpgate-signerd --home "$H" rollover start server --new-root &&
	as_signer pumpgate-signerd --home "$H" rollover switch server && killed_in_the_signer finish'
check and_leaves_nothing eval '! ls "$H"/ca | grep -E "next|old|with"'
tap_done
