# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The tables of `make bench`. Source it; `report FILE` reads one JSON object a line: kind, variant and
# what a load generator printed.

# get KIND VARIANT FIELD [median|sum]: over the rounds; "-" when nothing was measured.
get() {
	jq -rs --arg k "$1" --arg v "$2" --arg f "$3" --arg how "${4:-median}" '
		map(select(.kind == $k and .variant == $v) | .[$f] | numbers) |
		if length == 0 then "-"
		elif $how == "sum" then add
		else sort | .[((length - 1) / 2 | floor)] end' "$RESULTS"
}

# ratio KIND VARIANT OTHER: of the CPU times, taken round by round (what slows the machine down slows
# both sides of a round), the median.
ratio() {
	jq -rs --arg k "$1" --arg v "$2" --arg o "$3" '
		def of($name): map(select(.kind == $k and .variant == $name) | .cpu_ms);
		[of($v), of($o)] | transpose | map(select(all(numbers)) | .[0] / .[1]) |
		if length == 0 then "-"
		else sort | .[((length - 1) / 2 | floor)] * 1000 | round / 1000 end' "$RESULTS"
}

# calc EXPRESSION FORMAT: "-" when a part is missing.
calc() {
	case " $1 " in *' - '*) echo - && return ;; esac
	awk "BEGIN { printf \"$2\", $1 }"
}

# aim SENTENCE VALUE OPERATOR BOUND
aim() {
	local word='aim not met'
	[ "$2" != - ] && awk "BEGIN { exit !($2 $3 $4) }" && word='aim met'
	printf '  %-11s  %s\n' "$word" "$1"
}

# One table: each variant's row beside FreeRADIUS with eap only.
auth_table() {
	local kind=$1 floor=$2 base variant name cpu
	base=$(get "$kind" eap-only cpu_ms)
	printf '\n%s\n%-34s %8s %10s %6s %8s %8s %8s %6s %6s\n' "$3" '' 'CPU ms' 'x eap-only' 'trips' \
		'auths/s' 'p50 ms' 'p99 ms' 'lost' 'wrong'
	printf '%-34s %8.3f %10s\n' 'OpenSSL server half alone' "$floor" \
		"$(calc "$floor / $base" %.2f)"
	for variant in eap-only pumpgate stock-sql; do
		[ "$(get "$kind" $variant auths)" = - ] && continue
		case $variant in
		eap-only) name='FreeRADIUS, nothing but eap' ;;
		pumpgate) name='Pumpgate' ;;
		*) name='FreeRADIUS, stock + sql_sqlite' ;;
		esac
		cpu=$(get "$kind" $variant cpu_ms)
		printf '%-34s %8.3f %10s %6s %8s %8s %8s %6s %6s\n' "$name" "$cpu" \
			"$(ratio "$kind" $variant eap-only)" "$(get "$kind" $variant round_trips)" \
			"$(get "$kind" $variant per_s)" "$(get "$kind" $variant p50_ms)" \
			"$(get "$kind" $variant p99_ms)" "$(get "$kind" $variant lost sum)" \
			"$(get "$kind" $variant wrong sum)"
		[ $variant != pumpgate ] || printf '%-34s %8.3f\n' '  registryd'"'"'s part of it' \
			"$(get "$kind" pumpgate cpu_last_ms)"
	done
}

auth_tables() {
	auth_table full-12 "$(get floor openssl full_12_ms)" \
		'Full handshake, TLS 1.2, P-256, 8 in flight; server CPU (radiusd + registryd) for each'
	auth_table full-13 "$(get floor openssl full_13_ms)" 'Full handshake, TLS 1.3'
	auth_table resumed-12 "$(get floor openssl resumed_12_ms)" \
		'Resumed, TLS 1.2 (the others: session cache in files)'
}

other_tables() {
	local size clients variant
	printf '\n%-34s %8s %10s %8s %8s %6s\n' 'Accounting, 8 in flight' 'CPU ms' 'packets/s' 'p50 ms' \
		'p99 ms' 'lost'
	for variant in pumpgate stock-sql; do
		printf '%-34s %8s %10s %8s %8s %6s\n' "$variant" "$(get acct $variant cpu_ms)" \
			"$(get acct $variant per_s)" "$(get acct $variant p50_ms)" \
			"$(get acct $variant p99_ms)" "$(get acct $variant lost sum)"
	done
	printf '\n%-34s %8s %10s %8s %8s\n' 'Verdict look-up' 'CPU us' 'p50 us' 'p99 us' 'mean us'
	for size in $SIZES; do
		printf '%-34s %8s %10s %8s %8s\n' "$size pumps registered" \
			"$(get "lookup-$size" pumpgate cpu_us)" "$(get "lookup-$size" pumpgate p50_us)" \
			"$(get "lookup-$size" pumpgate p99_us)" "$(get "lookup-$size" pumpgate mean_us)"
		printf '%-34s %8s %10s %8s %8s\n' '  always asked of registryd' \
			"$(get "lookup-$size" pumpgate asked_cpu_us)" \
			"$(get "lookup-$size" pumpgate asked_p50_us)" \
			"$(get "lookup-$size" pumpgate asked_p99_us)" \
			"$(get "lookup-$size" pumpgate asked_mean_us)"
	done
	enrol_table
}

# ratio_floor KIND FLOOR-FIELD: of the CPU times, round by round, the median
ratio_floor() {
	jq -rs --arg k "$1" --arg f "$2" '
		[map(select(.kind == $k) | .cpu_ms), map(select(.kind == "enrol-floor") | .[$f])] | transpose |
		map(select(all(numbers)) | .[0] / .[1]) |
		if length == 0 then "-" else sort | .[((length - 1) / 2 | floor)] * 100 | round / 100 end' "$RESULTS"
}

enrol_table() {
	local clients kind name floor
	printf '\n%-34s %8s %8s %10s %8s %8s %6s\n' 'EST enrolment, TLS 1.3, by token' 'CPU ms' 'x floor' \
		'certs/s' 'p50 ms' 'p99 ms' 'failed'
	printf '%-34s %8s\n' 'floor (one process), new connection' "$(get enrol-floor openssl cpu_ms)" \
		'floor, connection open already' "$(get enrol-floor openssl keep_ms)"
	for clients in 1 8; do
		for kind in "enrol-$clients" "enrol-$clients-keep"; do
			name="$clients at once, new connections" floor=cpu_ms
			[ "$kind" = "enrol-$clients" ] || name="$clients at once, keep-alive" floor=keep_ms
			printf '%-34s %8s %8s %10s %8s %8s %6s\n' "$name" "$(get "$kind" pumpgate cpu_ms)" \
				"$(ratio_floor "$kind" $floor)" "$(get "$kind" pumpgate per_s)" \
				"$(get "$kind" pumpgate p50_ms)" "$(get "$kind" pumpgate p99_ms)" \
				"$(get "$kind" pumpgate failed sum)"
		done
	done
	printf '%-34s %8s %8s %10s %8s %8s %6s\n' "$(get enrol-at-once pumpgate enrolments) in one moment" \
		"$(get enrol-at-once pumpgate cpu_ms)" '' "$(get enrol-at-once pumpgate per_s)" \
		"$(get enrol-at-once pumpgate p50_ms)" "$(get enrol-at-once pumpgate p99_ms)" \
		"$(get enrol-at-once pumpgate failed)"
}

recall_table() {
	printf '\n%-34s %8s %10s %8s %8s %6s\n' "Revoke to Disconnect-ACK, under load" 'p50 ms' 'p99 ms' \
		'commit50' 'commit99' 'open'
	printf '%-34s %8s %10s %8s %8s %6s\n' "$(get revoke pumpgate revocations sum) revocations" \
		"$(get revoke pumpgate p50_ms)" "$(get revoke pumpgate p99_ms)" \
		"$(get revoke pumpgate commit_p50_ms)" "$(get revoke pumpgate commit_p99_ms)" \
		"$(get revoke pumpgate open)"
	printf '\n%-34s %8s %10s %8s %8s %6s\n' 'Recall, 50 NAS, seconds until' 'revoked' 'all ACKs' 'kept' \
		'' 'open'
	printf '%-34s %8s %10s %8s %8s %6s\n' "$(get recall pumpgate sessions) sessions" \
		"$(get recall pumpgate revoked_seconds)" "$(get recall pumpgate seconds)" \
		"$(get recall pumpgate all_seconds)" '' "$(get recall pumpgate open sum)"
}

# Status 1 when Pumpgate lost a request or answered one wrongly.
report() {
	local storm first last added lost=0 wrong=0 n kind
	RESULTS=$1
	auth_tables
	other_tables
	recall_table
	controller_table
	logins_table
	for kind in full-12 full-13 resumed-12 storm-32; do
		n=$(get $kind pumpgate lost sum) && lost=$((lost + ${n/-/1}))
		n=$(get $kind pumpgate wrong sum) && wrong=$((wrong + ${n/-/1}))
	done
	storm=$(get storm-32 pumpgate accepted sum)
	first=${SIZES%% *} last=${SIZES##* }
	added=$(calc "($(ratio full-12 pumpgate eap-only) -1) * 100" %.1f)
	echo
	aim "verdict, session and log add $added % to the eap-only server (aim: at most 5 %)" \
		"$added" '<=' 5
	n=$(calc "100 * $(ratio full-12 pumpgate stock-sql)" %.0f)
	aim "$n % of the CPU of stock + sql (aim: at most 50 %)" "$n" '<=' 50
	n=$(get full-12 pumpgate round_trips)
	aim "$n round trips for a P-256 authentication (aim: 4)" "$n" '<=' 4
	aim "32 in flight: $storm accepted; of all ours $lost lost, $wrong wrong (aim: none)" \
		$((lost + wrong)) '==' 0
	n=$(get "lookup-$last" pumpgate p50_us)
	aim "look-up among $last pumps: $n us, $(get "lookup-$first" pumpgate p50_us) us among $first (aim: below 20, flat)" \
		"$n" '<' 20
	n=$(ratio_floor enrol-8 cpu_ms)
	aim "EST enrolment: $n times the floor's CPU with 8 clients, $(ratio_floor enrol-1 cpu_ms) with one (aim: 1.3)" \
		"$n" '<=' 1.3
	n=$(calc "$(get enrol-at-once pumpgate failed sum) + $(get enrol-twice pumpgate wrong)" %d)
	aim "$(get enrol-at-once pumpgate enrolments) pumps at once: served in $(get enrol-at-once pumpgate seconds) s, $n unserved or served twice (aim: none)" \
		"$n" '==' 0
	n=$(get revoke pumpgate p99_ms)
	aim "revoke to Disconnect-ACK under load: p50 $(get revoke pumpgate p50_ms) ms, p99 $n ms (aim: p99 below 50)" \
		"$n" '<' 50
	n=$(get recall pumpgate seconds)
	aim "recall of $(get recall pumpgate sessions) sessions over 50 NAS: $n s (aim: below 3)" "$n" '<' 3
	controller_aims
	logins_aims
	[ $((lost + wrong)) = 0 ]
}
