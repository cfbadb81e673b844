#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The agent killed (-9) at every step of its life: enrolment, network, renewal, change of certificate;
# then of its end: wipe, statement, delivery. Each time it is started once more and must come to the
# same end: online with one identity that the server knows, or wiped with the statement at the server.
# The server is real; wpa_supplicant is stood in for, so that many pumps live at once.
# shellcheck disable=SC2317,SC2119 # functions are called through check and wait_until
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/agent_life.sh
AGENT=$PUMPGATE_BUILD/bin/pumpgate-agentd
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
DIE=$PUMPGATE_BUILD/tools/die_at.so
STEPS_MAX=90 END_MAX=30 AT_ONCE=8
STAND_IN=''

down() {
	[ -z "$STAND_IN" ] || kill "$STAND_IN" 2>/dev/null
	umount "$SCRATCH/state89" 2>/dev/null
	scratch_down
}
scratch_init || { cat "$SCRATCH/init.out"; exit 1; }
trap down EXIT
# so short that the first renewal is due at once
sed -i 's/^device_validity *=.*/device_validity = 5m/' "$PUMPGATE_HOME/pumpgate.conf"
scratch_run || { cat "$SCRATCH"/*.out "$PUMPGATE_HOME"/log/*; exit 1; }
pumpctl zone add wards --vlan 20 >/dev/null
pumpctl zone add apart --vlan 21 --quarantine >/dev/null

# pumps 0 to STEPS_MAX, all at once; 0 is never killed and says how many steps there are
{
	echo serial,maker,model,mac,ward,zone
	for n in $(seq 0 "$STEPS_MAX"); do
		printf 'KILL-%d,Acme,One,02:00:00:00:01:%02x,,wards\n' "$n" "$n"
	done
} >"$SCRATCH/pumps.csv"
pumpctl pump import "$SCRATCH/pumps.csv" >"$SCRATCH/import.out" 2>&1 || cat "$SCRATCH/import.out"
mkdir -p "$SCRATCH"/wpa/{0..90}
tests/support/agent/wpa_stand_in.py lo "$SCRATCH"/wpa/* &
STAND_IN=$!

# trial N DONE: killed at step N, started again; DONE must come true, within the time given
trial() {
	local n=$1 done=$2 pid
	(agent "$n" LD_PRELOAD="$DIE" DIE_AT="$n" DIE_COUNT="$SCRATCH/$n.count") &
	pid=$!
	wait_until 30 eval "! kill -0 $pid || $done $n" || { echo "neither killed nor done"; return 1; }
	if kill -0 "$pid" 2>/dev/null; then
		kill "$pid"
		wait "$pid"
	else
		wait "$pid" 2>/dev/null
		[ $? = 137 ] || { echo "ended by itself"; return 1; }
		rm -f "$SCRATCH/state$n/status.json" # says how the last one stood
		(agent "$n" A=1) &
		pid=$!
		wait_until 30 "$done" "$n" || { echo "not $done"; kill "$pid"; return 1; }
		kill "$pid"
		wait "$pid" 2>/dev/null
	fi
	[ -z "$(find "$SCRATCH/state$n" -name '*.tmp.*')" ] || { echo "temporary files are left"; return 1; }
	[ ! -e "$SCRATCH/wpa/$n/HALF" ] || { echo "a half-written network was tried"; return 1; }
}
# trials LAST DONE: of pumps 1 to LAST, AT_ONCE at a time; their words go to $SCRATCH/N.DONE
trials() {
	local n
	for n in $(seq 1 "$1"); do
		while [ "$(jobs -rp | wc -l)" -gt $((AT_ONCE + 2)) ]; do wait -n; done
		{
			trial "$n" "$2" >"$SCRATCH/$n.$2" 2>&1 || echo "failed at step $n" >>"$SCRATCH/$n.$2"
		} &
	done
	while [ "$(jobs -rp | wc -l)" -gt 2 ]; do wait -n; done # the server, the stand-in
}
# all_well LAST DONE
all_well() {
	local n
	for n in $(seq 1 "$1"); do
		grep -q 'failed at' "$SCRATCH/$n.$2" || continue
		cat "$SCRATCH/$n.$2"
		tail -n 25 "$SCRATCH/$n.log"
		return 1
	done
}
count_of() { cat "$SCRATCH/$1.count"; }

# --- its life ---
pumpctl pump bundle KILL-0 --out "$SCRATCH/0.json" >/dev/null
check pump_that_is_never_killed_comes_online_with_its_second_certificate trial 0 settled
STEPS=$(count_of 0)
echo "# $STEPS steps from bundle to the second certificate"
check steps_were_counted test "$STEPS" -gt 45 -a "$STEPS" -le "$STEPS_MAX"
for n in $(seq 1 "$STEPS"); do pumpctl pump bundle "KILL-$n" --out "$SCRATCH/$n.json" >/dev/null; done
trials "$STEPS" settled
check pump_killed_at_any_step_comes_online_with_one_identity all_well "$STEPS" settled
registered() {
	local n serial known
	known=$(pumpctl cert list --json | jq -r '.[] | select(.state == "valid") | .cert_serial')
	for n in $(seq 1 "$STEPS"); do
		serial=$(state_of "$n" .certificate)
		grep -qx "$serial" <<<"$known" || { echo "pump $n: $serial is not in force"; return 1; }
	done
}
check and_every_identity_is_in_force registered

# --- its end ---
order=$(pumpctl pump decommission KILL-0 --reason test --no-wait --json 2>/dev/null | jq -r .wipe_order)
for n in $(seq 1 "$END_MAX") "$STEPS"; do ordered "$n"; done
wait_until 20 front_knows "$(jq -r .wipe "$SCRATCH/state$STEPS/state.json")"
check pump_hears_of_its_order_from_its_server_and_wipes_itself trial 0 wiped
check order_was_the_one_of_the_server grep -q "wipe_ordered.*order=$order" "$SCRATCH/0.log"
trial "$STEPS" wiped
END_STEPS=$(count_of "$STEPS")
echo "# $END_STEPS steps from the order to a clean folder"
check wipe_takes_steps_too test "$END_STEPS" -gt 15 -a "$END_STEPS" -le "$END_MAX"
trials "$END_STEPS" wiped
check pump_killed_at_any_step_of_its_wipe_finishes_it all_well "$END_STEPS" wiped
stated() {
	local n
	for n in $(seq 0 "$END_STEPS"); do
		pumpctl pump show "KILL-$n" --json | jq -e --arg n "KILL-$n" '.state == "revoked" and
			.decommission.state == "wiped" and (.decommission.statement | contains("pump: " + $n))' >/dev/null ||
			{ echo "pump $n"; pumpctl pump show "KILL-$n"; return 1; }
	done
}
check and_the_server_has_every_statement stated
check wiped_pump_may_come_back_as_another pumpctl pump add KILL-1 --maker Acme --model Two --zone wards --mac 02:00:00:00:01:01
pumpctl pump bundle KILL-1 --out "$SCRATCH/1.json" >/dev/null
trial_again() { (agent 1 A=1) & wait_until 30 settled 1; local rc=$?; kill $!; return "$rc"; }
check and_is_onboarded_from_clean trial_again
check revoked_pump_that_was_not_wiped_may_not fails_with 1 bash -c "pumpctl pump revoke KILL-$STEPS_MAX --reason test --no-wait >/dev/null
	pumpctl pump add KILL-$STEPS_MAX --maker Acme --model Two --zone wards --mac 02:00:00:00:01:5a"

# --- a disk that is full when the pump renews: the old identity stays in use, and later it renews ---
if mkdir "$SCRATCH/state89" && mount -t tmpfs -o size=256k,mode=0711 full "$SCRATCH/state89" 2>/dev/null; then
	pumpctl pump bundle KILL-89 --out "$SCRATCH/89.json" >/dev/null
	renew_at() { "$AGENT" --clock tell --state "$SCRATCH/state89" --bundle "$SCRATCH/89.json" --interface lo \
		--control "$SCRATCH/wpa/89" --renew-at "$1" >>"$SCRATCH/89.log" 2>&1 & }
	renew_at 90
	wait_until 30 has_state 89 online
	kill $!; wait $!
	serial=$(state_of 89 .certificate)
	cat /dev/zero >"$SCRATCH/state89/filler" 2>/dev/null
	renew_at 1
	full=$!
	check full_disk_is_said wait_until 20 grep -q 'No space left' "$SCRATCH/89.log"
	sleep 1
	check and_the_pump_is_on_with_what_it_has test "$(cat "$SCRATCH/wpa/89/ADMITTED")" = "$serial"
	kill $full; wait $full
	rm "$SCRATCH/state89/filler"
	renew_at 1
	check and_it_renews_once_there_is_room wait_until 30 settled 89
	kill $!; wait $!
	umount "$SCRATCH/state89"
else
	skip full_disk_is_said "needs root (mount)"
fi
tap_done
