# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Clinicians' logins: how many the processors allow, how late they are at seven tenths of that as they
# come (arrivals at random that wait for nobody's answer), with accounts here and in a directory, and
# what a flood of them does to network admission. Source it; `logins_settings` before the server
# starts, `logins_bench` appends to $SCRATCH/results, `logins_table` and `logins_aims` print.
LOGIN_PASSWORD=bench-horse-42-battery
LOGIN_PUMPS=8
LOGIN_SHARE=0.7

# A slapd of our own; without one (not root's to install) only the local accounts are measured.
logins_settings() {
	LOGIN_SOURCES='local'
	command -v slapd >/dev/null || return 0
	if ! { slapd_folder "$SCRATCH/ldap" && slapd_load tests/support/hospital.ldif && slapd_start bench good; }; then
		say 'bench: slapd does not start: no logins by a directory'
		return 0
	fi
	LOGIN_SOURCES='local ldap'
	(umask 077 && echo service-secret >"$SCRATCH/ldap-secret")
	cat >>"$PUMPGATE_HOME/pumpgate.conf" <<-END

		[directory]
		servers = ldaps://127.0.0.1:$SLAPD_TLS_PORT
		ca_file = $SCRATCH/ldap/ca.pem
		bind_dn = cn=pumpgate,dc=hospital
		bind_secret_file = $SCRATCH/ldap-secret
		user_base = ou=people,dc=hospital
		user_filter = (&(objectClass=person)(uid=%u))
		group_base = ou=groups,dc=hospital
		unknown_users = accept
		role1 = nurse cn=pump-nurses,ou=groups,dc=hospital
	END
}

# login_who SOURCE: name and password
login_who() {
	case $1 in
	local) echo "clinician $LOGIN_PASSWORD" ;;
	*) echo 'nurse florence-1820' ;;
	esac
}

# login_at PUMP COMMAND: one command over this pump's connection
login_at() {
	radseclogin "$(jq -r .radsec.clinicians "$PUMPGATE_HOME/run.json")" "$TRUST" \
		login-1.pumpgate.internal "$CLIENTS/$1.pem" "$CLIENTS/$1.key" <<<"$2"
}

# logins_together COMMAND: the same at $LOGIN_PUMPS pumps at the same time; their answers in
# $SCRATCH/logins-*, its milliseconds in LOGIN_MS
logins_together() {
	local i started going=()
	started=$(date +%s%3N)
	for i in $(seq "$LOGIN_PUMPS"); do
		login_at "$(printf 'BENCH-%06d' "$i")" "$1" >"$SCRATCH/logins-$i" &
		going+=($!)
	done
	for i in "${going[@]}"; do
		wait "$i" || return
	done
	LOGIN_MS=$(($(date +%s%3N) - started))
}

# Each pump's next login when its last one is answered: what the processors allow.
# shellcheck disable=SC2317 # called by result
logins_capacity() { # SOURCE EACH
	logins_together "time $2 $(login_who "$1")" || return
	jq -cs --argjson ms "$LOGIN_MS" '{logins: (map(.logins) | add), p50_ms: (map(.p50_ms) | sort | .[length / 2 | floor]),
		p99_ms: (map(.p99_ms) | max), wrong: (map(.logins - .accepted) | add)}
		| .per_s = (.logins * 1000 / $ms | round)' "$SCRATCH"/logins-[0-9]*
}

# PER_S in all, at random
# shellcheck disable=SC2317 # called by result
logins_open() { # SOURCE PER_S EACH
	logins_together "rate $(calc "$2 / $LOGIN_PUMPS" %.3f) $3 $(login_who "$1")" || return
	jq -cs --argjson rate "$2" '(map(.ms) | add | sort) as $ms | {logins: (map(.logins) | add), per_s: $rate,
		p50_ms: $ms[$ms | length / 2 | floor], p99_ms: $ms[$ms | length * 99 / 100 | floor],
		shed: (map(.logins - .accepted) | add)}' "$SCRATCH"/logins-[0-9]*
}

logins_bench() {
	local i per_s source floods=()
	pumpctl user add clinician --role nurse <<<"$LOGIN_PASSWORD" >/dev/null || die 'user add'
	for source in $LOGIN_SOURCES; do
		say "bench: clinicians' logins ($source)"
		for _ in $(seq "$ROUNDS"); do
			result "login-1-$source" pumpgate login_at BENCH-000001 "time 30 $(login_who "$source")"
			result "login-8-$source" pumpgate logins_capacity "$source" 15
		done
		per_s=$(calc "$(median "login-8-$source") * $LOGIN_SHARE" %.1f)
		for _ in $(seq "$ROUNDS"); do
			result "login-open-$source" pumpgate logins_open "$source" "$per_s" 40
		done
	done
	jq -nc --argjson us "$(pumpctl status --json | jq .logins.hash_us)" \
		'{kind: "login-hash", variant: "pumpgate", hash_ms: ($us / 1000)}' >>"$SCRATCH/results"
	say 'bench: network admission without and with a flood of logins, in turn'
	for _ in $(seq "$ROUNDS"); do
		auths beside-quiet pumpgate "$RADIUS_AUTH" "$RADIUSD,$REGISTRYD" --in-flight 2 --vlan "$VLAN"
		floods=()
		for i in 11 12 13 14; do
			# who floods is another machine: its own work is not to be measured
			(renice -n 19 -p $BASHPID >/dev/null
				while login_at "BENCH-0000$i" 'flood 2000 guess' >/dev/null 2>&1; do :; done) &
			floods+=($!)
		done
		OTHERS+=("${floods[@]}")
		sleep 0.3
		auths beside-flood pumpgate "$RADIUS_AUTH" "$RADIUSD,$REGISTRYD" --in-flight 2 --vlan "$VLAN"
		kill "${floods[@]}"
		wait "${floods[@]}" 2>/dev/null
	done
	slapd_stop
}

# median KIND: of its logins in a second, as measured so far
median() {
	jq -s --arg kind "$1" '[.[] | select(.kind == $kind).per_s] | sort | .[length / 2 | floor]' "$SCRATCH/results"
}

logins_line() { # TEXT KIND
	printf '%-34s %8s %10s %8s %8s\n' "$1" '' "$(get "$2" pumpgate per_s)" "$(get "$2" pumpgate p50_ms)" \
		"$(get "$2" pumpgate p99_ms)"
}

logins_table() {
	local source
	printf '\n%-34s %8s %10s %8s %8s\n' "Clinicians' logins over RadSec" '' 'logins/s' 'p50 ms' 'p99 ms'
	for source in $LOGIN_SOURCES; do
		printf '%-34s %8s %10s %8s %8s\n' "$source: one pump, one after another" '' '' \
			"$(get "login-1-$source" pumpgate p50_ms)" "$(get "login-1-$source" pumpgate p99_ms)"
		logins_line "$source: all that the cores allow" "login-8-$source"
		logins_line "$source: at random, 70 % of it" "login-open-$source"
	done
	printf '%-34s %8s\n' 'argon2id (19 MiB, 2 passes) alone' "$(get login-hash pumpgate hash_ms) ms"
	logins_line 'Admission, nobody logs in' beside-quiet
	logins_line 'Admission, 4 pumps flood logins' beside-flood
}

logins_aims() {
	local n quiet source
	for source in $LOGIN_SOURCES; do
		n=$(get "login-open-$source" pumpgate p99_ms)
		aim "logins ($source), $(get "login-open-$source" pumpgate per_s) a second at random of $(get "login-8-$source" pumpgate per_s) possible: p99 $n ms, $(get "login-open-$source" pumpgate shed sum) told to try again (aim: below 200)" \
			"$n" '<' 200
	done
	n=$(get beside-flood pumpgate p99_ms) quiet=$(get beside-quiet pumpgate p99_ms)
	aim "admission's p99 while logins are flooded: $n ms, $quiet without, $(calc "$n / $quiet" %.2f) times (aim: unchanged, at most 1.25)" \
		"$n" '<=' "$(calc "$quiet * 1.25" %.2f)"
}
