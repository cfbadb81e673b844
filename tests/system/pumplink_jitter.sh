#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The controller's loop keeps its time whatever happens to the agent on the same processor. Each trouble
# is compared with a quiet time without an agent right before it, in one run. The bound: no call of
# pumplink sleeps or faults, at most one tick in a hundred more is missed, and 99 % of the ticks wake no
# later than four times as late as in the quiet time, and a millisecond. A trouble gets three tries,
# because the machine has other work too; what is broken is broken each time.
#
#   PUMPLINK_FLAPS=10000 tests/system/pumplink_jitter.sh     (1000)
# shellcheck disable=SC2317,SC2329 # functions are called through check
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
PUMPGATE_BUILD=$(cd "${PUMPGATE_BUILD:-build}" && pwd)
FLAPS=${PUMPLINK_FLAPS:-1000}
if [ "$(id -u)" != 0 ] || ! chrt -f 50 true 2>/dev/null; then
	skip loop_keeps_its_time_whatever_happens_to_the_agent "needs root and real-time priority"
	tap_done
fi
W=$(mktemp -d)
NET=pgjitter$$
AGENT_UID=64311 CONTROLLER_UID=64312
CPU=$(taskset -pc $$ | sed 's/.*[,: -]//') # the last one that we may use
CONTROLLER=$PUMPGATE_BUILD/tools/pump_controller
CONTROLLER_PID='' AGENT_PID='' TROUBLES=()

down() {
	local pid
	for pid in "${TROUBLES[@]}" $AGENT_PID $CONTROLLER_PID; do
		kill -9 "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	ip netns del "$NET" 2>/dev/null
	rm -rf "$W"
}
trap down EXIT

ip netns add "$NET" && ip -n "$NET" link add eth0 type veth peer name other && ip -n "$NET" link set other up &&
	ip -n "$NET" link set eth0 up && ip -n "$NET" link set lo up || exit 1
chmod 0755 "$W"
mkdir -m 0755 "$W/wpa" "$W/bin"
install -d -m 0711 -o $AGENT_UID -g $AGENT_UID "$W/state"
install -d -m 2750 -o $AGENT_UID -g $CONTROLLER_UID "$W/link"
install -d -m 0700 -o $CONTROLLER_UID "$W/keypad"
cp "$PUMPGATE_BUILD/bin/pumpgate-agentd" "$CONTROLLER" "$PUMPGATE_BUILD/tools/pester" "$PUMPGATE_BUILD/tools/spin.so" "$W/bin/"
chmod -R a+rX "$W/bin"

# controller PROGRAM: a user of its own, its loop at real-time priority on one processor
controller_start() {
	setpriv --reuid "$CONTROLLER_UID" --regid "$CONTROLLER_UID" --clear-groups --inh-caps +sys_nice,+ipc_lock \
		--ambient-caps +sys_nice,+ipc_lock "$1" --dir "$W/keypad" run --agent "$W/link/s" --cpu "$CPU" --priority 50 \
		>"$W/controller.out" 2>&1 &
	CONTROLLER_PID=$!
	wait_until 10 grep -q ready "$W/controller.out"
}
controller_end() {
	kill -9 "$CONTROLLER_PID" 2>/dev/null
	wait "$CONTROLLER_PID" 2>/dev/null
	CONTROLLER_PID=
}
account() { "$W/bin/pump_controller" --dir "$W/keypad" account; }
view() { "$W/bin/pump_controller" --dir "$W/keypad" view; }

# As the agent's user, in the pump's network, on the controller's processor. For the background.
beside() {
	exec nsenter --net="/run/netns/$NET" taskset -c "$CPU" ${PRIORITY:+chrt -f "$PRIORITY"} \
		setpriv --reuid "$AGENT_UID" --regid "$AGENT_UID" --clear-groups "$@"
}
agent_start() { # [VARIABLE=VALUE...]
	beside env "$@" "$W/bin/pumpgate-agentd" --clock tell --state "$W/state" --bundle "$W/bundle.json" \
		--interface eth0 --control "$W/wpa" --controller-user "$CONTROLLER_UID" --controller-socket "$W/link/s" \
		>>"$W/agent.log" 2>&1 &
	AGENT_PID=$!
}
# The agent inherits the loop's own priority from whoever starts it; what it does before main counts
# for that one.
agent_start_by_real_time_parent() {
	PRIORITY=50 agent_start "$@"
	sleep 0.4
	account >/dev/null
}
agent_end() {
	[ -z "$AGENT_PID" ] || kill -9 "$AGENT_PID" 2>/dev/null
	wait "$AGENT_PID" 2>/dev/null
	AGENT_PID=
}
sees_agent() { view | grep -q '"agent":true'; }
sees_no_agent() { view | grep -q '"agent":false'; }
# trouble COMMAND...: goes on until the end of the phase
trouble() {
	"$@" >>"$W/trouble.out" 2>&1 &
	TROUBLES+=($!)
}
# troubled WORD: it has begun
troubled() {
	wait_until 5 grep -q "$1" "$W/trouble.out"
}
troubles_end() {
	local pid
	for pid in "${TROUBLES[@]}"; do
		kill -9 "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	TROUBLES=()
}

# within QUIET TROUBLED
within() {
	jq -e -n --argjson a "$1" --argjson b "$2" '$b.ticks > 20 and $b.call_sleeps == 0 and $b.call_faults == 0 and
		$b.missed <= $a.missed + 1 + $b.ticks / 100 and $b.late_p99_us <= 4 * $a.late_p99_us + 1000' >/dev/null
}
# compare PHASE: one quiet time, one with the trouble
compare() {
	local a b
	: >"$W/trouble.out"
	account >/dev/null
	sleep 0.3
	a=$(account)
	"$1"
	b=$(account)
	troubles_end
	agent_end
	printf 'quiet    %s\ntroubled %s\n' "$a" "$b"
	[ -n "$a" ] && [ -n "$b" ] || return 2
	within "$a" "$b"
}
keeps_time() {
	local try
	for try in 1 2 3; do
		compare "$1" >"$W/compared" 2>&1 && { [ "$try" = 1 ] || echo "# $1: in try $try"; return 0; }
		cat "$W/compared"
	done
	return 1
}

# ---- the troubles ----

plain() {
	agent_start && sleep 0.5
}
# Every socket that the agent has: the controller's, wpa_supplicant's, the server that it asks.
flooded() {
	trouble setpriv --reuid "$CONTROLLER_UID" --regid "$CONTROLLER_UID" --clear-groups "$W/bin/pester" datagrams "$W/link/s"
	trouble "$W/bin/pester" supplicant "$W/wpa/eth0"
	trouble nsenter --net="/run/netns/$NET" "$W/bin/pester" server 9443
	agent_start
	sleep 0.8
}
killed() {
	for _ in 1 2 3 4 5 6 7 8; do
		agent_start
		sleep 0.06
		agent_end
	done
}
stopped() {
	agent_start
	for _ in 1 2 3 4 5 6 7 8; do
		sleep 0.05
		kill -STOP "$AGENT_PID"
		sleep 0.05
		kill -CONT "$AGENT_PID"
	done
}
starved() {
	trouble taskset -c "$CPU" sh -c 'while :; do :; done'
	trouble taskset -c "$CPU" sh -c 'while :; do :; done'
	agent_start && sleep 0.6
}
flapping() {
	: >"$W/agent.log"
	agent_start
	wait_until 10 grep -q agent.start "$W/agent.log"
	account >/dev/null
	for _ in $(seq "$FLAPS"); do
		printf 'link set other down\nlink set other up\n'
	done | ip -n "$NET" -batch - 2>/dev/null
	sleep 0.3
}
spinning() {
	agent_start_by_real_time_parent LD_PRELOAD="$W/bin/spin.so" && sleep 0.5
}
spinning_unbound() {
	agent_start_by_real_time_parent LD_PRELOAD="$W/bin/spin.so" SPIN_UNBOUND=1 && sleep 0.5
}
hostile() {
	trouble beside "$W/bin/pester" agent "$W/link/s"
	troubled scribbling && sleep 0.8
}
holding() {
	trouble beside "$W/bin/pester" holder "$W/link/s"
	troubled holding && sleep 0.5
}

# ---- what must be caught: built meanwhile ----

# mutant NAME FILE SED-SCRIPT: the controller with that change
mutant() {
	mkdir "$W/$1" && cp -R pump_agent/pumplink "$W/$1/" || return
	sed -i -E "$3" "$W/$1/pumplink/$2"
	! cmp -s "pump_agent/pumplink/$2" "$W/$1/pumplink/$2" || return
	# shellcheck disable=SC2046 # a list of flags
	nice "${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O2 -w -pthread -I. -o "$W/bin/$1" pump_agent/controller_emulator/*.c \
		"$W/$1"/pumplink/{pumplink,layout,handover}.c "$PUMPGATE_BUILD/lib/libbase.a" \
		$(pkg-config --libs jansson libsodium libevent libevent_pthreads inih libsystemd)
}
mutant lock pumplink.c \
	's/^#include <string.h>/&\n#include <unistd.h>\n#include <sys\/syscall.h>\n#include <linux\/futex.h>/
	s/^\ttime_passes\(l, now_ms\);/&\n\twhile (l->told->latest \&\& !l->told->slots[l->told->latest % 4].number) syscall(SYS_futex, \&l->told->slots[1].number, FUTEX_WAIT, 0, NULL);/' >"$W/lock.out" 2>&1 &
LOCK_PID=$!
mutant page pumplink.c 's/&l->copy,/l->told,/; s/l->copy[.]/l->told->/' >"$W/page.out" 2>&1 &
PAGE_PID=$!

# ---- the agent itself ----

cat >"$W/bundle.json" <<-END
	{"version": 1, "pump": "PG-1", "est": "https://127.0.0.1:9443/e", "server_anchor_sha256": "$(printf '00%.0s' $(seq 32))",
	 "radius_server_name": "radius-1.example", "token": "0123456789abcdef0123456789abcdef"}
END
chmod 0644 "$W/bundle.json"
controller_start "$W/bin/pump_controller" || exit 1
"$W/bin/pump_controller" --dir "$W/keypad" infuse >/dev/null
PRIORITY=50 agent_start
check controller_sees_the_agent wait_until 10 sees_agent
STATUS=/proc/$AGENT_PID
check agent_that_a_real_time_parent_started_is_not_real_time says 'policy: SCHED_BATCH' chrt -p "$AGENT_PID"
check and_has_less_of_the_processor_than_others test "$(ps -o ni= -p "$AGENT_PID" | xargs)" = 5
check and_goes_first_when_memory_runs_out test "$(cat "$STATUS/oom_score_adj")" = 1000
check and_is_behind_a_filter_of_system_calls says 'Seccomp:[^0-9]2' cat "$STATUS/status"
check and_has_a_bound_for_its_memory says 'Max data size +134217728 ' cat "$STATUS/limits"
agent_end
check controller_sees_that_it_is_gone wait_until 10 sees_no_agent
unit=pump_agent/pumpgate-agentd.service
check unit_is_exposed_2.5_at_most systemd-analyze security --offline=true --no-pager --threshold=25 $unit
for bound in CPUQuota=25% MemoryMax=64M OOMScoreAdjust=1000 TasksMax=16 RestrictRealtime=yes User=pumpgate-agent; do
	check "unit_has_$bound" grep -qx "$bound" $unit
done

# ---- the loop ----

check loop_runs_at_real_time_priority says '"real_time":true' account
for phase in plain flooded killed stopped starved flapping spinning hostile holding; do
	check "loop_keeps_its_time_with_an_agent_$phase" keeps_time $phase
	[ $phase != flooded ] || check agent_asked_the_server_that_talks_nonsense says 'step=first-contact' cat "$W/agent.log"
	[ $phase != flapping ] || check agent_noticed_the_loose_plug says 'carrier=no' cat "$W/agent.log"
	[ $phase != flapping ] || check but_did_not_try_at_each_touch test "$(grep -c carrier=yes "$W/agent.log")" -lt 50
done
agent_start
check agent_is_seen_after_all_that wait_until 10 sees_agent
check infusion_went_on says '"infusing":true' view
agent_end

# ---- what must be caught ----

check agent_that_spins_without_its_bound_is_caught fails_with 1 compare spinning_unbound
controller_end

# Only what these objects call stands in them: nothing that could wait.
calls() {
	nm -u "$@" | sed -n 's/^ *U //p' | sort -u | grep -vE '^(pumplink_|str|mem|__stack_chk_fail$|__(asan|ubsan|tsan)_|__mem)'
}
objects=(pumplink.o layout.o)
check loops_half_calls_nothing fails_with 1 calls "${objects[@]/#/$PUMPGATE_BUILD/obj/pump_agent/pumplink/}"

# caught NAME PHASE
caught() {
	local status
	controller_start "$W/bin/$1"
	compare "$2"
	status=$?
	controller_end
	[ "$status" = 1 ]
}
wait $LOCK_PID $PAGE_PID
check mutant_that_waits_for_a_writer_builds test -x "$W/bin/lock"
check pumplink_that_waits_for_a_writer_is_caught caught lock holding
check mutant_that_reads_the_agents_page_builds test -x "$W/bin/page"
check pumplink_that_reads_the_agents_page_is_caught caught page hostile
tap_done
