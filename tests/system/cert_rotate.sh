#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Rotating the certificates of 1,000 pumps: canaries, waves, each pump once; registryd and the waiting
# pumpctl are killed in the middle, and the next call finishes it. The pumps are played by the agent's
# own client code; what takes the old certificate out of use is a real authentication.
# shellcheck disable=SC2317,SC2119 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh
PATH=$PUMPGATE_BUILD/tools:$PATH
PUMPS=1000

scratch_init || exit 1
sed -i '/^\[est\]/,/^\[/{/^renewal_spread/d}' "$PUMPGATE_HOME/pumpgate.conf"
printf '\n[est]\nrenewal_spread = 1s\n' >>"$PUMPGATE_HOME/pumpgate.conf"
scratch_run || exit 1
site_up || exit 1
mkdir "$SCRATCH/fleet"
enrol_load --est "127.0.0.1:$EST_PORT" --ca "$TRUST" --zone ward \
	--registry "$PUMPGATE_HOME/run/registry/sock" --out "$SCRATCH/fleet" --count $PUMPS --clients 4 \
	>"$SCRATCH/enrol.out" 2>&1 || { cat "$SCRATCH/enrol.out"; exit 1; }

field() { pumpctl cert rotation --json | jq -r ".$1"; }
field_is() { [ "$(field "$1")" = "$2" ]; }
# shellcheck disable=SC2120 # arguments come through check
rotate() { pumpctl cert rotate --all --canaries 3 --wave 350 "$@"; }

check "nothing_is_due_yet" fails_with 2 pumpctl cert rotate
check "a_dry_run_shows_the_waves" says "^3 +bench +One +299 +299" rotate --dry-run
check "and_stores_nothing" fails_with 1 pumpctl cert rotation
check "quiet_hours_that_are_none_are_refused" fails_with 64 rotate --quiet 6-9
rotate >/dev/null
check "another_one_beside_it_is_refused" fails_with 1 rotate --ward bench
check "a_timer_that_chooses_nobody_goes_on_with_it" says "rotation 1 .all. is running" pumpctl cert rotate

info() { # SERIAL: what the server tells this pump
	curl -sS --cacert "$TRUST" --cert "$SCRATCH/fleet/$1.pem" --key "$SCRATCH/fleet/$1.key" \
		"${EST_URL%/est}/pumpgate/renewal-info"
}
wanted() { # SERIAL: is its renewal wanted now?
	[ "$(date -d "$(info "$1" | jq -r .suggestedWindow.start)" +%s)" -le "$(date +%s)" ]
}
not_wanted() { ! wanted "$1"; }
check "a_canary_is_told_to_renew" wait_until 15 wanted BENCH-000001
check "a_pump_of_a_later_wave_is_not" not_wanted BENCH-001000
check "who_shows_no_certificate_is_told_nothing" says "Show the certificate" \
	curl -sS --cacert "$TRUST" "${EST_URL%/est}/pumpgate/renewal-info"

# One round of all agents, then those that have a new certificate come onto the network with it.
rounds=0
round() {
	local out=$SCRATCH/round-$((rounds += 1)) n

	mkdir "$out"
	renew_fleet --est "$EST_URL" --ca "$TRUST" --certs "$SCRATCH/fleet" --out "$out" \
		>>"$SCRATCH/rounds" 2>&1
	n=$(find "$out" -name '*.pem' | wc -l)
	[ "$n" = 0 ] || eap_load --server "$RADIUS_AUTH" --secret-file "$SCRATCH/nas.secret" \
		--certs "$out" --ca "$TRUST" --count "$n" --warmup 0 >>"$SCRATCH/rounds" 2>&1
}
wave_is() { round; [ "$(field wave)" -ge "$1" ]; }
check "the_first_wave_comes_after_the_canaries" wait_until 60 wave_is 2
check "and_the_canaries_have_renewed" says "^0 .* 1 +0 +0 +0$" pumpctl cert rotation

pumpctl cert rotate --wait >/dev/null 2>&1 &
waiting=$!
check "the_second_wave_begins" wait_until 90 wave_is 3
pkill -KILL -P "$SUPERVISOR" pumpgate-regist
kill -KILL "$waiting"
wait "$waiting" 2>/dev/null
check "registryd_comes_back_after_a_kill_in_the_middle" wait_until 20 pumpctl cert rotation
is_done() { round; field_is state 'done'; }
check "and_the_rotation_is_finished" wait_until 240 is_done
check "everybody_has_renewed" field_is renewed $PUMPS
check "the_next_call_finds_nothing_to_do" fails_with 2 pumpctl cert rotate

certs() { pumpctl cert list --json --state "$1" | jq length; }
check "each_pump_has_exactly_one_certificate_in_force" test "$(certs valid)" = $PUMPS
check "and_exactly_one_that_is_out_of_use" test "$(certs superseded)" = $PUMPS
check "the_audit_says_that_it_is_done" says "rotation.done +rotation 1" pumpctl audit tail -n 500
check "and_is_intact" pumpctl audit verify
[ "$TAP_FAILED" = 0 ] || tail -n 20 "$SCRATCH/rounds" "$PUMPGATE_HOME"/log/enrolld.log | sed 's/^/# /'
tap_done
