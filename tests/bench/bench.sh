#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Measures Pumpgate against what else could stand in its place, in one run, the variants in turn, each
# figure the median of several rounds: FreeRADIUS with nothing but EAP-TLS, Debian's stock
# configuration with a user table in SQLite, and OpenSSL's server half alone. Ratios hold on any
# machine, milliseconds only on this one. An aim that is not met is said, and fails nothing; a lost or
# wrong answer of Pumpgate does (status 1).
#
#   make bench      BENCH_QUICK=1 for a short run; BENCH_ROUNDS, BENCH_AUTHS to choose;
#                   BENCH_KEEP=DIR keeps every single result there as JSON
set -u
cd "$(dirname "$0")/../.." || exit 1
HERE=$PWD/tests/bench
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/bench/variants.sh
. tests/bench/variants.sh
# shellcheck source=tests/bench/report.sh
. tests/bench/report.sh
# shellcheck source=tests/bench/controller.sh
. tests/bench/controller.sh
# shellcheck source=tests/support/slapd.sh
. tests/support/slapd.sh
# shellcheck source=tests/bench/logins.sh
. tests/bench/logins.sh
PATH=$PUMPGATE_BUILD/tools:$PATH

if [ "${BENCH_QUICK:-0}" = 1 ]; then
	RECALLS=1
	ROUNDS=${BENCH_ROUNDS:-3} AUTHS=${BENCH_AUTHS:-150} PUMPS=64 SIZES='1000 100000' LOOKUPS=5000 AT_ONCE=1000
else
	RECALLS=3
	ROUNDS=${BENCH_ROUNDS:-9} AUTHS=${BENCH_AUTHS:-400} PUMPS=200 SIZES='1000 100000 1000000' LOOKUPS=20000 AT_ONCE=5000
fi
SLOW=$((AUTHS / 4 + 10))
VLAN=120 RECALLED=10000 SINGLES=1000
OTHERS=()

# shellcheck disable=SC2317 # called by the trap
bench_down() {
	[ ${#OTHERS[@]} = 0 ] || kill "${OTHERS[@]}" 2>/dev/null
	[ ${#OTHERS[@]} = 0 ] || wait "${OTHERS[@]}" 2>/dev/null
	slapd_stop
	scratch_down
}

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "bench: $*"
	exit 1
}

# The process of our server whose name begins so.
ours() {
	if [ "$1" = freeradius ]; then # of the two the one for network access
		pgrep -P "$SUPERVISOR" -f "$PUMPGATE_HOME/radius/raddb"
	else
		pgrep -P "$SUPERVISOR" "$1"
	fi || die "no $1 is running"
}

# result KIND VARIANT COMMAND...: runs it and keeps its JSON. A failure counts against Pumpgate only.
result() {
	local kind=$1 variant=$2 line
	shift 2
	if ! line=$("$@" 2>>"$SCRATCH/errors") && [ "$variant" = pumpgate ]; then
		say "bench: $kind: $(tail -n 1 "$SCRATCH/errors")"
		FAILED=1
	fi
	[ -n "$line" ] || line='{}'
	jq -c --arg kind "$kind" --arg variant "$variant" '{kind: $kind, variant: $variant} + .' \
		<<<"$line" >>"$SCRATCH/results"
}

# other_up NAME: starts the FreeRADIUS whose raddb is $SCRATCH/NAME; PID and its port afterwards in
# PID_NAME and PORT_NAME.
other_up() {
	local name=$1 deadline=$((SECONDS + 20))
	freeradius -f -d "$SCRATCH/$name" -n radiusd -l stdout >"$SCRATCH/$name.log" 2>&1 &
	OTHERS+=($!)
	printf -v "PID_$name" %s $!
	printf -v "PORT_$name" %s "$PORT"
	until grep -q 'Ready to process requests' "$SCRATCH/$name.log"; do
		if ! kill -0 $! 2>/dev/null || [ $SECONDS -ge $deadline ]; then
			tail -n 5 "$SCRATCH/$name.log" >&2
			die "FreeRADIUS ($name) does not start"
		fi
		sleep 0.1
	done
}

# One round of a kind of authentication against one variant.
auths() {
	local kind=$1 variant=$2 server=$3 pids=$4 count=$AUTHS
	shift 4
	[ "$variant" != stock-sql ] || count=$SLOW # it waits for locks most of the time
	result "$kind" "$variant" eap_load --server "$server" --secret-file "$SCRATCH/secret" \
		--certs "$CLIENTS" --ca "$TRUST" --count "$count" --pids "$pids" "$@"
}

servers_up() {
	say "bench: starting Pumpgate and enrolling $PUMPS pumps"
	# shellcheck disable=SC2119 # no options
	scratch_init || die 'Pumpgate cannot be set up'
	# one hour's certificates and more are issued in minutes here
	sed -i 's/^issue_per_minute = .*/issue_per_minute = 100000/; s/^issue_per_hour = .*/issue_per_hour = 1000000/' \
		"$PUMPGATE_HOME/pumpgate.conf"
	logins_settings
	scratch_run || die 'Pumpgate does not start'
	trap bench_down EXIT
	SECRET=bench-$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
	(umask 077 && printf %s "$SECRET" >"$SCRATCH/secret")
	CLIENTS=$SCRATCH/clients KEY=$PUMPGATE_HOME/radius/key.pem CERT=$PUMPGATE_HOME/radius/cert.pem
	CLIENT_CA=$PUMPGATE_HOME/trust/device.pem
	mkdir "$CLIENTS"
	pumpctl zone add bench --vlan $VLAN >/dev/null || die 'zone add'
	pumpctl nas add bench --ip 127.0.0.1 --secret-file "$SCRATCH/secret" >/dev/null || die 'nas add'
	RADIUSD=$(ours freeradius) REGISTRYD=$(ours pumpgate-regist)
	ISSUING=$(ours pumpgate-enroll),$(ours pumpgate-signer),$REGISTRYD
}

others_up() {
	say 'bench: starting the FreeRADIUS configurations to compare with'
	PORT=$(shuf -i 10000-29000 -n 1)
	CACHE=no variant_eap_only "$SCRATCH/eap"
	other_up eap
	PORT=$((PORT + 10))
	CACHE=yes variant_eap_only "$SCRATCH/eapcache"
	other_up eapcache
	PORT=$((PORT + 10))
	CACHE=no variant_stock_sql "$SCRATCH/stock" $VLAN
	other_up stock
	PORT=$((PORT + 10))
	CACHE=yes variant_stock_sql "$SCRATCH/stockcache" $VLAN
	other_up stockcache
}

# enrol KIND COUNT OPTION...: the next pumps; their certificates are what authentications use
NEXT=1
enrol() {
	local kind=$1 count=$2
	result "$kind" pumpgate enrol_load --est "127.0.0.1:$EST_PORT" --ca "$TRUST" \
		--registry "$PUMPGATE_HOME/run/registry/sock" --out "$CLIENTS" --zone bench \
		--first "$NEXT" --count "$count" --pids "$ISSUING" "${@:3}"
	NEXT=$((NEXT + count))
}

enrolments() {
	local round clients folder=$CLIENTS
	say "bench: enrolments"
	enrol enrol-first "$PUMPS" --clients 8
	CLIENTS=$SCRATCH/enrolled
	mkdir "$CLIENTS"
	for round in $(seq "$ROUNDS"); do
		mkdir "$SCRATCH/floor-$round"
		result enrol-floor openssl enrol_floor "$PUMPGATE_HOME/est/key.pem" \
			"$PUMPGATE_HOME/est/cert.pem" "$SCRATCH/floor-$round" "$PUMPS"
		for clients in 1 8; do
			enrol "enrol-$clients" "$PUMPS" --clients "$clients"
			enrol "enrol-$clients-keep" "$PUMPS" --clients "$clients" --keep-alive
		done
	done
	say "bench: $AT_ONCE pumps enrol at once"
	# all of them in one wave, and what was issued before: a rate cap is not what is measured
	enrol enrol-at-once "$AT_ONCE" --at-once
	result enrol-twice pumpgate issued_twice
	CLIENTS=$folder
}

# issued_twice: certificates and pumps that have one, in the registry and in the signer's own list
# shellcheck disable=SC2317 # called by result
issued_twice() {
	local listed certificates pumps
	listed=$(grep -c . "$PUMPGATE_HOME/ca/issued.log")
	certificates=$(sqlite3 "$PUMPGATE_HOME/registry/registry.db" \
		"SELECT count(*) FROM certificates WHERE state = 'valid'")
	pumps=$(sqlite3 "$PUMPGATE_HOME/registry/registry.db" \
		"SELECT count(DISTINCT device_id) FROM certificates")
	jq -nc --argjson l "$listed" --argjson c "$certificates" --argjson p "$pumps" \
		--argjson want $((NEXT - 1)) \
		'{listed: $l, certificates: $c, pumps: $p, wrong: ([$l, $c, $p] | map((. - $want) | if . < 0 then -. else . end) | add)}'
	[ "$listed" = $((NEXT - 1)) ] && [ "$certificates" = "$listed" ] && [ "$pumps" = "$listed" ]
}

authentications() {
	local round kind our=$RADIUSD,$REGISTRYD
	for round in $(seq "$ROUNDS"); do
		say "bench: authentications, round $round of $ROUNDS"
		for kind in full-12 full-13; do
			set -- --tls "1.${kind#full-1}"
			# shellcheck disable=SC2154 # set by other_up
			auths $kind eap-only "127.0.0.1:$PORT_eap" "$PID_eap" "$@"
			auths $kind pumpgate "$RADIUS_AUTH" "$our" --vlan $VLAN "$@"
		done
		# shellcheck disable=SC2154 # stock knows TLS 1.2 only
		auths full-12 stock-sql "127.0.0.1:$PORT_stock" "$PID_stock" --vlan $VLAN
		# shellcheck disable=SC2154
		auths resumed-12 eap-only "127.0.0.1:$PORT_eapcache" "$PID_eapcache" --resume
		auths resumed-12 pumpgate "$RADIUS_AUTH" "$our" --resume --vlan $VLAN
		# shellcheck disable=SC2154
		auths resumed-12 stock-sql "127.0.0.1:$PORT_stockcache" "$PID_stockcache" --resume
		auths storm-32 pumpgate "$RADIUS_AUTH" "$our" --in-flight 32 --vlan $VLAN
		result floor openssl tls_floor "$KEY" "$CERT" "$CLIENT_CA" "$TRUST" "$CLIENTS" "$AUTHS"
	done
}

accounting() {
	local round
	for round in $(seq "$ROUNDS"); do
		say "bench: accounting, round $round of $ROUNDS"
		result acct pumpgate acct_load --server "$RADIUS_ACCT" --secret-file "$SCRATCH/secret" \
			--pumps "$PUMPS" --count $((AUTHS * 3)) --pids "$RADIUSD,$REGISTRYD"
		# shellcheck disable=SC2154
		result acct stock-sql acct_load --server "127.0.0.1:$((PORT_stock + 1))" \
			--secret-file "$SCRATCH/secret" --pumps "$PUMPS" --count "$SLOW" \
			--retry-ms 1000 --pids "$PID_stock"
	done
}

lookups() {
	local size home pid round
	for size in $SIZES; do
		say "bench: look-ups among $size pumps"
		home=$SCRATCH/registry-$size
		pumpgate-registryd --home "$home" init 2>/dev/null || die 'registryd init'
		sed "s/@COUNT@/$size/" "$HERE/registry_fill.sql" |
			sqlite3 "$home/registry/registry.db" >/dev/null || die 'registry_fill.sql'
		pumpgate-registryd --home "$home" 2>"$SCRATCH/registryd.log" &
		pid=$!
		OTHERS+=("$pid")
		for _ in $(seq 100); do
			[ -S "$home/run/registry/sock" ] && break
			sleep 0.05
		done
		for _ in $(seq 600); do # until its map of standings is whole
			grep -q standings.whole "$SCRATCH/registryd.log" && break
			sleep 0.1
		done
		for round in $(seq "$ROUNDS"); do
			result "lookup-$size" pumpgate lookup_load "$home/run/registry/sock" "$size" \
				$((LOOKUPS / ROUNDS + 1000)) "$pid"
		done
		kill "$pid"
		wait "$pid" 2>/dev/null
		rm -rf "$home"
	done
}

# The server once more, with $RECALLS * 10,000 pumps and $SINGLES on the network at 50 played NAS.
farm_up() {
	local port
	say "bench: $((RECALLS * RECALLED + SINGLES)) pumps on the network at 50 played NAS"
	scratch_stop
	(umask 077 && head -c 24 /dev/urandom | base64 -w0 >"$SCRATCH/farm.secret")
	port=$(shuf -i 20000-29990 -n 1)
	tests/support/farm_fill.sh "$PUMPGATE_HOME" $((RECALLS * RECALLED + SINGLES)) 50 "$port" \
		"$SCRATCH/farm.secret" || die 'farm_fill.sh'
	nas_farm --secret-file "$SCRATCH/farm.secret" --port "$port" >"$SCRATCH/farm" &
	OTHERS+=($!)
	# two persons are not what is measured
	sed -i 's/^second_person = .*/second_person = no/' "$PUMPGATE_HOME/pumpgate.conf"
	scratch_run || die 'Pumpgate does not start again'
	RADIUSD=$(ours freeradius) REGISTRYD=$(ours pumpgate-regist)
}

# Single revocations while pumps authenticate, 8 at once.
revocations() {
	local load
	say "bench: $SINGLES revocations under load"
	eap_load --server "$RADIUS_AUTH" --secret-file "$SCRATCH/secret" --certs "$CLIENTS" \
		--ca "$TRUST" --seconds 600 --vlan $VLAN >"$SCRATCH/load" 2>>"$SCRATCH/errors" &
	load=$!
	OTHERS+=("$load")
	sleep 2
	result revoke pumpgate revoke_load "$PUMPGATE_HOME/run/registry/sock" 1 "$SINGLES" 10
	kill -0 "$load" 2>/dev/null || die 'the authentication load ended by itself'
	kill "$load"
	wait "$load" 2>/dev/null
}

recalls() {
	local round from
	for round in $(seq "$RECALLS"); do
		say "bench: recall of $RECALLED sessions, round $round of $RECALLS"
		from=$((SINGLES + (round - 1) * RECALLED + 1))
		seq -f 'FARM-%.0f' $from $((from + RECALLED - 1)) >"$SCRATCH/recall-$round"
		result recall pumpgate recall_once "$SCRATCH/recall-$round"
	done
}

# recall_once LIST: its seconds from the start to the last recorded acknowledgement, and to the last
# certificate that the signer has written down.
# shellcheck disable=SC2317 # called by result
recall_once() {
	local started ended
	started=$(date +%s%3N)
	pumpctl pump revoke --file "$1" --reason bench --count "$RECALLED" --wait 60s --json \
		>"$SCRATCH/recall.json" || return
	ended=$(date +%s%3N)
	jq -c --argjson all $((ended - started)) '
		def ms: (.[0:19] + "Z" | fromdateiso8601) * 1000 + (.[20:23] | tonumber);
		{sessions: .acked, seconds: (((.answered_at | ms) - (.confirmed_at | ms)) / 1000),
		revoked_seconds: (((.ended_at | ms) - (.confirmed_at | ms)) / 1000),
		all_seconds: ($all / 1000), open: (.orders - .acked)}' "$SCRATCH/recall.json"
}

FAILED=0
STARTED=$SECONDS
servers_up
enrolments
others_up
authentications
accounting
logins_bench
lookups
farm_up
revocations
recalls
scratch_stop
say "bench: the controller's loop beside the agent"
controller_bench
report "$SCRATCH/results" || FAILED=1
printf '\n%d rounds of %d, %d s, %s\n' "$ROUNDS" "$AUTHS" $((SECONDS - STARTED)) \
	"$(awk -F ': ' '/model name/ { print $2; exit }' /proc/cpuinfo), $(nproc) CPUs"
if [ -n "${BENCH_KEEP:-}" ]; then
	mkdir -p "$BENCH_KEEP"
	cp "$SCRATCH/results" "$BENCH_KEEP/results.jsonl"
	cp "$SCRATCH/errors" "$BENCH_KEEP/errors" 2>/dev/null
fi
exit $FAILED
