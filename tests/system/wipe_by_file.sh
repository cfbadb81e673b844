#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A pump that was told to wipe itself and does not reach its server any more: its statement comes by
# file, counts as if it had handed it in, and is believed for its signature alone.
# shellcheck disable=SC2317,SC2119 # functions are called through check and wait_until
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/agent_life.sh
AGENT=$PUMPGATE_BUILD/bin/pumpgate-agentd
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
AGENT_PID=''

stop() {
	[ -z "$AGENT_PID" ] || kill "$AGENT_PID" 2>/dev/null
	wait "$AGENT_PID" 2>/dev/null
	AGENT_PID=
}
down() {
	stop
	scratch_down
}
start() {
	(agent "$1" A=1) &
	AGENT_PID=$!
}
# wiped_alone N: enrols, is told, loses its network, wipes itself; its statement is in $SCRATCH/N.wiped
wiped_alone() {
	local state=$SCRATCH/state$1/state.json
	pumpctl pump add "KILL-$1" --maker Acme --model One --zone wards --mac "02:00:00:00:03:0$1" >/dev/null &&
		pumpctl pump bundle "KILL-$1" --out "$SCRATCH/$1.json" >/dev/null || return
	start "$1"
	wait_until 30 test -s "$state" || return
	stop
	ordered "$1"
	sed -i 's|https://[^/]*/|https://127.0.0.1:1/|' "$state"
	start "$1"
	wait_until 30 statement_of "$1" || return
	stop
	statement_of "$1" >"$SCRATCH/$1.wiped"
}
statement_of() { "$AGENT" --state "$SCRATCH/state$1" statement; }
standing() { pumpctl pump show "KILL-$1" --json | jq -r '.state + " " + (.decommission.state // "")'; }

scratch_up || { echo "not ok 1 - the server starts"; exit 1; }
trap down EXIT
pumpctl zone add wards --vlan 20 >/dev/null
pumpctl zone add apart --vlan 21 --quarantine >/dev/null
mkdir -p "$SCRATCH"/wpa/{1,2,3}

check pump_that_was_never_told_has_no_statement says 'no statement waits' statement_of 1
check pump_without_network_wipes_itself_and_keeps_its_statement wiped_alone 1
check and_its_key_is_gone test -z "$(find "$SCRATCH/state1/a" "$SCRATCH/state1/b" -type f)"
check second_pump_does_too wiped_alone 2
check the_server_knows_nothing_of_it test "$(standing 1)" = 'quarantined ordered'

# --- what is not believed ---
echo "this is no statement" >"$SCRATCH/other"
check what_is_no_statement_is_refused says 'no wipe statement' fails_with 1 pumpctl pump import-wipe "$SCRATCH/other"
sed 's/^wiped: .*/wiped: everything/' "$SCRATCH/1.wiped" >"$SCRATCH/changed"
check a_changed_statement_is_refused fails_with 1 pumpctl pump import-wipe "$SCRATCH/changed"
{ head -n 2 "$SCRATCH/2.wiped"; tail -n +3 "$SCRATCH/1.wiped"; } >"$SCRATCH/mixed"
check one_that_another_pump_signed_is_refused fails_with 1 pumpctl pump import-wipe "$SCRATCH/mixed"
check and_the_pump_stands_as_it_did test "$(standing 1)" = 'quarantined ordered'
pumpctl pump release KILL-2 --reason 'found again' --no-wait >/dev/null 2>&1
check one_whose_order_was_taken_back_is_refused fails_with 1 pumpctl pump import-wipe "$SCRATCH/2.wiped"

# --- what is ---
check the_statement_is_taken_from_the_file says 'pump: KILL-1' pumpctl pump import-wipe "$SCRATCH/1.wiped"
check and_the_pump_is_revoked_and_wiped test "$(standing 1)" = 'revoked wiped'
check and_the_audit_has_it says 'pump.wiped' pumpctl audit tail
check once_more_is_nothing_to_do fails_with 2 pumpctl pump import-wipe "$SCRATCH/1.wiped"
check and_prints_it_as_json says '"state": "wiped"' pumpctl pump import-wipe "$SCRATCH/1.wiped" --json
check the_pump_may_come_back pumpctl pump add KILL-1 --maker Acme --model Two --zone wards --mac 02:00:00:00:03:01
tap_done
