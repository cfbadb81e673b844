#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Small faults in the order of what the agent puts on its disk, each killed at the one moment that
# shows it: the pump must not come to its end then. The agent as it is, killed at the same moments, must.
# shellcheck disable=SC2317,SC2119 # functions are called through check and wait_until
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/agent_life.sh
case $PUMPGATE_BUILD in *address* | *thread*)
	skip "agent_killed_mutants" "the plain build is enough"
	tap_done
	;;
esac
PLAIN=$PUMPGATE_BUILD/bin/pumpgate-agentd
DIE=$PUMPGATE_BUILD/tools/die_at.so
PUMPS_MAX=14 WAIT_S=6
STAND_IN=''
cc=${CC:-gcc}

down() {
	[ -z "$STAND_IN" ] || kill "$STAND_IN" 2>/dev/null
	scratch_down
}
scratch_init || { cat "$SCRATCH/init.out"; exit 1; }
trap down EXIT
sed -i 's/^device_validity *=.*/device_validity = 5m/' "$PUMPGATE_HOME/pumpgate.conf"
scratch_run || { cat "$SCRATCH"/*.out "$PUMPGATE_HOME"/log/*; exit 1; }
pumpctl zone add wards --vlan 20 >/dev/null
pumpctl zone add apart --vlan 21 --quarantine >/dev/null
mkdir -p "$SCRATCH/mutants"
for n in $(seq 1 "$PUMPS_MAX"); do
	mkdir -p "$SCRATCH/wpa/$n"
	pumpctl pump add "KILL-$n" --maker Acme --model One --zone wards --mac "$(printf '02:00:00:00:02:%02x' "$n")" >/dev/null &&
		pumpctl pump bundle "KILL-$n" --out "$SCRATCH/$n.json" >/dev/null
done
tests/support/agent/wpa_stand_in.py lo "$SCRATCH"/wpa/* &
STAND_IN=$!

# mutate NUMBER FILE SED-SCRIPT: leaves $SCRATCH/mutants/NUMBER
mutate() {
	local at=$SCRATCH/mutants/$1
	sed -E "$3" "$2" >"$at.c"
	if cmp -s "$2" "$at.c"; then
		echo "applies to nothing"
		return 1
	fi
	"$cc" -std=gnu11 -D_GNU_SOURCE -I. -I"$PUMPGATE_BUILD/gen" -fPIE -pthread -O1 -w -c -o "$at.o" "$at.c" &&
		"$cc" -pthread -o "$at" "$PUMPGATE_BUILD"/obj/pump_agent/{main,confine}.o "$at.o" -Wl,--start-group \
			"$PUMPGATE_BUILD"/lib/lib{agent_shell,login_shell,login_core,tpm_device,agent_core,login_text,login_wire,radius_packet,ca_request,base,cage}.a \
			-Wl,--end-group -lsodium -lidn -lssl -lcrypto -ljansson -levent_openssl -levent_extra -levent_core \
			-levent_pthreads -linih -lseccomp -lwpa_client
}

enrolled() { [ "$(jq -r .enrolled "$SCRATCH/state$1/state.json" 2>/dev/null)" = true ] && has_state "$1" online; }
stated() { wiped "$1" && pumpctl pump show "KILL-$1" --json | jq -e '.decommission.state == "wiped"' >/dev/null; }
# life N PROGRAM DONE PATH [NTH]: killed before PATH is touched for the NTH time, started again; DONE?
life() {
	local n=$1 AGENT=$2 done=$3 pid
	(agent "$n" LD_PRELOAD="$DIE" DIE_BEFORE="$4" DIE_NTH="${5:-1}") &
	pid=$!
	wait_until 40 eval "! kill -0 $pid 2>/dev/null" || kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	grep -q 'agent.start' "$SCRATCH/$n.log" || { echo "did not start"; return 3; }
	rm -f "$SCRATCH/state$n/status.json"
	(agent "$n" A=1) &
	pid=$!
	wait_until "$WAIT_S" "$done" "$n"
	local rc=$?
	kill "$pid"
	wait "$pid" 2>/dev/null
	return "$rc"
}
# end N PROGRAM DONE PATH [NTH]: as life, of a pump that has an identity and is told to wipe itself
end() {
	local AGENT=$PLAIN pid
	(agent "$1" A=1) &
	pid=$!
	wait_until 20 enrolled "$1"
	kill "$pid"
	wait "$pid" 2>/dev/null
	ordered "$1"
	wait_until 20 front_knows "$(jq -r .wipe "$SCRATCH/state$1/state.json")"
	life "$@"
}

# of each: the sentence, what it lives through, when it is killed, the file, the fault
n=0
sentences=()
# fault SENTENCE LIFE DONE PATH NTH FILE SED-SCRIPT: one pump with the fault, one without, at the same time
fault() {
	n=$((n + 1))
	sentences[n]=$1
	mutate $n "$6" "$7" >"$SCRATCH/$n.verdict" 2>&1 || { echo wrong >>"$SCRATCH/$n.verdict"; return; }
	{ "$2" $((2 * n)) "$SCRATCH/mutants/$n" "$3" "$4" "$5" >"$SCRATCH/$n.out" 2>&1 && echo "came to its end" >"$SCRATCH/$n.verdict"; } &
	{ WAIT_S=30 "$2" $((2 * n - 1)) "$PLAIN" "$3" "$4" "$5" >"$SCRATCH/$n.plain" 2>&1 || echo "failed" >>"$SCRATCH/$n.plain"; } &
}
as_it_should() { ! grep -q failed "$SCRATCH/$1.plain" || { cat "$SCRATCH/$1.plain"; tail -n 20 "$SCRATCH/$((2 * $1 - 1)).log"; false; }; }
noticed() { [ ! -s "$SCRATCH/$1.verdict" ] || { cat "$SCRATCH/$1.verdict"; tail -n 20 "$SCRATCH/$((2 * $1)).log"; false; }; }

enrol=pump_agent/enrol.c
wipe=pump_agent/wipe.c
fault "the bundle goes before the identity is in force" life settled state.json 1 $enrol \
	'/rc = rc \? rc : store_state_write\(e->store, &done\);/s/^/unlink(e->bundle_path);/'
fault "the state names an identity that is not there yet" life settled cert.pem 2 $enrol \
	'/if \(!rc && !slot_is_ready\(/s/^/rc = rc ? rc : store_state_write(e->store, \&done);/'
fault "a key is made anew at each try" life settled cert.pem 2 $enrol 's/rc == ERR_NOT_FOUND \|\| rc == ERR_CRYPTO/1/'
fault "the old identity goes before the new one is in force" life settled state.json 2 pump_agent/agent_actions.c \
	'/rc = store_state_write\(&a->store, &state\);/s/^/(void)!store_slot_clear(\&a->store, old);/'
fault "the key goes before the statement is on the disk" end stated wipe-statement 1 $wipe \
	'/rc = statement_have\(o, state, unsigned_out\);/s/^/rc = store_slot_clear(o->store, state->active);/'
fault "the state says wiped before the key is" end stated /key.pem 2 $wipe \
	'/rc = rc \? rc : store_slot_clear\(o->store, state->active\);/s/^/after.enrolled = false; rc = rc ? rc : store_state_write(o->store, \&after);/'
fault "the order goes before the statement is taken" end stated wipe-statement 2 $wipe \
	's/after.enrolled = false;/after.enrolled = false; after.wipe[0] = 0;/'
while [ "$(jobs -rp | wc -l)" -gt 2 ]; do wait -n; done # the server, the stand-in
for i in "${!sentences[@]}"; do
	check "killed_at_that_moment_the_pump_comes_to_its_end: ${sentences[i]}" as_it_should "$i"
	check "and_with_the_fault_it_does_not: ${sentences[i]}" noticed "$i"
done
tap_done
