# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Clinicians' logins: how many, how late, and what a flood of them does to network admission. Source it;
# `logins_bench` appends to $SCRATCH/results, `logins_table` and `logins_aims` print.
LOGIN_PASSWORD=bench-horse-42-battery
LOGIN_PUMPS=8

# login_at PUMP COMMAND: one command over this pump's connection
login_at() {
	radseclogin "$(jq -r .radsec.clinicians "$PUMPGATE_HOME/run.json")" "$TRUST" \
		login-1.pumpgate.internal "$CLIENTS/$1.pem" "$CLIENTS/$1.key" <<<"$2"
}

# shellcheck disable=SC2317 # called by result
logins_at_once() { # EACH: of $LOGIN_PUMPS pumps at the same time
	local i started ended going=()
	started=$(date +%s%3N)
	for i in $(seq "$LOGIN_PUMPS"); do
		login_at "$(printf 'BENCH-%06d' "$i")" "time $1 clinician $LOGIN_PASSWORD" >"$SCRATCH/logins-$i" &
		going+=($!)
	done
	wait "${going[@]}" || return
	ended=$(date +%s%3N)
	jq -cs --argjson ms $((ended - started)) '{logins: (map(.logins) | add), p50_ms: (map(.p50_ms) | sort | .[length / 2 | floor]),
		p99_ms: (map(.p99_ms) | max), wrong: (map(.logins - .accepted) | add)}
		| .per_s = (.logins * 1000 / $ms | round)' "$SCRATCH"/logins-[0-9]*
}

logins_bench() {
	local i floods=()
	say "bench: clinicians' logins"
	pumpctl user add clinician --role nurse <<<"$LOGIN_PASSWORD" >/dev/null || die 'user add'
	for _ in $(seq "$ROUNDS"); do
		result login-1 pumpgate login_at BENCH-000001 "time 50 clinician $LOGIN_PASSWORD"
		result login-8 pumpgate logins_at_once 20
		auths beside-quiet pumpgate "$RADIUS_AUTH" "$RADIUSD,$REGISTRYD" --in-flight 2 --vlan "$VLAN"
	done
	jq -nc --argjson us "$(pumpctl status --json | jq .logins.hash_us)" \
		'{kind: "login-hash", variant: "pumpgate", hash_ms: ($us / 1000)}' >>"$SCRATCH/results"
	say 'bench: network admission while logins are flooded'
	for i in 11 12 13 14; do
		# who floods is another machine: its own work is not to be measured
		(renice -n 19 -p $BASHPID >/dev/null
			while login_at "BENCH-0000$i" 'flood 2000 guess' >/dev/null 2>&1; do :; done) &
		floods+=($!)
	done
	OTHERS+=("${floods[@]}")
	for _ in $(seq "$ROUNDS"); do
		auths beside-flood pumpgate "$RADIUS_AUTH" "$RADIUSD,$REGISTRYD" --in-flight 2 --vlan "$VLAN"
	done
	kill "${floods[@]}"
	wait "${floods[@]}" 2>/dev/null
}

logins_table() {
	printf '\n%-34s %8s %10s %8s %8s\n' "Clinicians' logins, RadSec, local" '' 'logins/s' 'p50 ms' 'p99 ms'
	printf '%-34s %8s %10s %8s %8s\n' 'one pump, one after the other' '' '' \
		"$(get login-1 pumpgate p50_ms)" "$(get login-1 pumpgate p99_ms)"
	printf '%-34s %8s %10s %8s %8s\n' "$LOGIN_PUMPS pumps at once" '' "$(get login-8 pumpgate per_s)" \
		"$(get login-8 pumpgate p50_ms)" "$(get login-8 pumpgate p99_ms)"
	printf '%-34s %8s\n' 'of it argon2id (19 MiB, 2 passes)' "$(get login-hash pumpgate hash_ms) ms"
	printf '%-34s %8s %10s %8s %8s\n' 'Admission, nobody logs in' '' "$(get beside-quiet pumpgate per_s)" \
		"$(get beside-quiet pumpgate p50_ms)" "$(get beside-quiet pumpgate p99_ms)"
	printf '%-34s %8s %10s %8s %8s\n' 'Admission, 4 pumps flood logins' '' \
		"$(get beside-flood pumpgate per_s)" "$(get beside-flood pumpgate p50_ms)" \
		"$(get beside-flood pumpgate p99_ms)"
}

logins_aims() {
	local n quiet
	n=$(get login-8 pumpgate p99_ms)
	aim "login at $LOGIN_PUMPS pumps at once: p99 $n ms (aim: below 200)" "$n" '<' 200
	n=$(get beside-flood pumpgate p99_ms) quiet=$(get beside-quiet pumpgate p99_ms)
	aim "admission's p99 while logins are flooded: $n ms, $quiet without (aim: unchanged, within a half)" \
		"$n" '<=' "$(calc "$quiet * 1.5" %.2f)"
}
