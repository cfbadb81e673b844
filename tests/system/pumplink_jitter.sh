#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The controller's loop keeps its time whatever happens to the agent on the same processor. Each trouble
# is compared with a quiet time without an agent right before it, in one run. The bound: no call of
# pumplink sleeps or faults, at most one tick in a hundred more is missed, and 99 % of the ticks wake no
# later than four times as late as in the quiet time, and a millisecond. A trouble gets three tries,
# because the machine has other work too; what is broken is broken each time.
# Alone: another test's packets on the loop's processor would be taken for the agent's doing.
#
#   PUMPLINK_FLAPS=10000 tests/system/pumplink_jitter.sh     (1000)
# shellcheck disable=SC2317,SC2329 # functions are called through check
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/beside.sh
if [ "$(id -u)" != 0 ] || ! chrt -f 50 true 2>/dev/null; then
	skip loop_keeps_its_time_whatever_happens_to_the_agent "needs root and real-time priority"
	tap_done
fi
trap beside_down EXIT
beside_up || exit 1

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

# ---- what must be caught: built meanwhile ----

# mutant NAME FILE SED-SCRIPT: the controller with that change
mutant() {
	mkdir "$W/$1" && cp -R pump_agent/pumplink "$W/$1/" || return
	sed -i -E "$3" "$W/$1/pumplink/$2"
	! cmp -s "pump_agent/pumplink/$2" "$W/$1/pumplink/$2" || return
	# shellcheck disable=SC2046 # a list of flags
	nice "${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O2 -w -pthread -I. -o "$W/bin/$1" pump_agent/controller_emulator/*.c \
		"$W/$1"/pumplink/{pumplink,layout,handover}.c "$PUMPGATE_BUILD/lib/libbase.a" \
		$(pkg-config --libs jansson libsodium libevent libevent_pthreads inih)
}
MAPPED='s/^static void wipe\(/static struct told_area *page_of(struct pumplink *l) { static void *p; return p ? p : (p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, l->told_fd, 0)); }\n&/
	s/^#include <string.h>/&\n#include <unistd.h>\n#include <sys\/mman.h>\n#include <sys\/syscall.h>\n#include <linux\/futex.h>/'
mutant lock pumplink.c "$MAPPED"'
	s/^\ttime_passes\(l, now_ms\);/&\n\twhile (page_of(l)->latest \&\& !page_of(l)->slots[page_of(l)->latest % 4].number) syscall(SYS_futex, \&page_of(l)->slots[1].number, FUTEX_WAIT, 0, NULL);/' \
	>"$W/lock.out" 2>&1 &
LOCK_PID=$!
mutant page pumplink.c "$MAPPED"'
	s/&l->copy,/page_of(l),/; s/l->copy[.]/page_of(l)->/' >"$W/page.out" 2>&1 &
PAGE_PID=$!

# ---- the agent itself ----

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
