# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# How late the infusion controller's loop wakes with and without an agent on its processor, and what the
# agent costs. Source it; `controller_bench` appends to $SCRATCH/results, `controller_table` prints.
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/beside.sh
. tests/support/beside.sh
PHASE_S=${BENCH_PHASE_S:-3}

# loop_phase VARIANT: what the loop's account says of the next seconds
loop_phase() {
	account >/dev/null
	sleep "$PHASE_S"
	jq -c --arg variant "$1" '{kind: "loop", variant: $variant} + .' <<<"$(account)" >>"$SCRATCH/results"
}

# Microseconds of processor time that a process has used (nanoseconds in schedstat, all threads).
cpu_us() {
	awk '{ n += $1 } END { printf "%d", n / 1000 }' "/proc/$1"/task/*/schedstat
}

# What the agent costs: idle with a controller attached, and in memory. Not enrolled: no timers of renewal.
agent_cost() {
	local before rss
	before=$(cpu_us "$AGENT_PID")
	sleep "$((PHASE_S * 2))"
	rss=$(awk '/^Pss:/ { print $2 }' "/proc/$AGENT_PID/smaps_rollup")
	strip -o "$W/stripped" "$W/bin/pumpgate-agentd"
	jq -nc --argjson us $(($(cpu_us "$AGENT_PID") - before)) --argjson s $((PHASE_S * 2)) --argjson pss "$rss" \
		--argjson rss "$(awk '/^VmRSS:/ { print $2 }' "/proc/$AGENT_PID/status")" \
		--argjson bytes "$(stat -c %s "$W/stripped")" \
		'{kind: "agent", variant: "pumpgate", idle_percent: ($us / $s / 10000 * 1000 | round / 1000),
		rss_mb: ($rss / 1024 * 10 | round / 10), pss_mb: ($pss / 1024 * 10 | round / 10), binary_kb: ($bytes / 1024 | round)}' \
		>>"$SCRATCH/results"
}

controller_bench() (
	trap beside_down EXIT
	if ! chrt -f 50 true 2>/dev/null || ! beside_up || ! controller_start "$W/bin/pump_controller"; then
		say "bench: the controller's loop needs root and real-time priority: left out"
		return 0
	fi
	for _ in 1 2 3; do
		loop_phase quiet
		mv "$W/bundle.json" "$W/no-bundle"
		agent_start
		sleep 1
		loop_phase idle
		agent_end
		mv "$W/no-bundle" "$W/bundle.json"
		flooded
		loop_phase flooded
		troubles_end
		agent_end
	done
	mv "$W/bundle.json" "$W/no-bundle"
	agent_start
	sleep 3
	agent_cost
)

controller_table() {
	local variant name
	[ "$(get loop quiet ticks)" != - ] || return 0
	printf '\n%-34s %8s %8s %8s %8s %8s %8s\n' 'Loop of 10 ms on one processor, us' 'p50' 'p99' 'max' 'missed' \
		'ticks' 'call max'
	for variant in quiet idle flooded; do
		case $variant in
		quiet) name='no agent' ;;
		idle) name='agent beside it' ;;
		flooded) name='agent flooded on every socket' ;;
		esac
		printf '%-34s %8s %8s %8s %8s %8s %8s\n' "$name" "$(get loop $variant late_p50_us)" \
			"$(get loop $variant late_p99_us)" "$(get loop $variant late_max_us)" \
			"$(get loop $variant missed sum)" "$(get loop $variant ticks sum)" "$(get loop $variant call_max_us)"
	done
	printf '%s\n' "Agent: $(get agent pumpgate rss_mb) MB resident ($(get agent pumpgate pss_mb) its own share), $(get agent pumpgate binary_kb) KiB stripped, $(get agent pumpgate idle_percent) % of a processor when idle"
}

controller_aims() {
	local n
	[ "$(get agent pumpgate rss_mb)" != - ] || return 0
	n=$(get agent pumpgate rss_mb)
	aim "agent: $n MB resident (aim: below 8)" "$n" '<' 8
	n=$(get agent pumpgate idle_percent)
	aim "agent: $n % of a processor when idle (aim: below 0.1)" "$n" '<' 0.1
	n=$(get loop flooded missed sum)
	aim "controller's loop: $n ticks missed while the agent is flooded, $(get loop quiet missed sum) without one (aim: no more)" \
		"$n" '<=' "$(get loop quiet missed sum)"
}
