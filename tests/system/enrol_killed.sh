#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2317 # functions are called through check
# Many pumps enrol in the same moment and share commits (decision 195); registryd or signerd is killed
# while it writes. Who was given a certificate has it in the registry, and everybody
# gets one, and just one, on the next try.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
BIN=$(cd "${PUMPGATE_BUILD:-build}" && pwd)/bin
TOOLS=$BIN/../tools
W=$(mktemp -d)
H=$W/home
N=12
REGISTRY=""
SIGNER=""

clean_up() {
	[ -z "$SIGNER" ] || kill -9 "$SIGNER" 2>/dev/null
	[ -z "$REGISTRY" ] || kill -9 "$REGISTRY" 2>/dev/null
	wait 2>/dev/null
	rm -f "$(readlink "$H/registry/events.ring")"
	rm -rf "$W"
}
trap clean_up EXIT

client() { "$TOOLS/signer_client" "$H" "$@"; }

# registry_up VARIABLE=VALUE..., signer_up likewise: started and answering
registry_up() {
	env "$@" "$BIN/pumpgate-registryd" --home "$H" >>"$W/log" 2>&1 &
	REGISTRY=$!
	wait_until 20 client zone pumps 20 # answers also when the zone is there already
}

signer_up() {
	env "$@" "$BIN/pumpgate-signerd" --home "$H" >>"$W/log" 2>&1 &
	SIGNER=$!
	wait_until 20 client status
}

down() {
	kill "-$1" "$REGISTRY" "$SIGNER" 2>/dev/null
	wait "$REGISTRY" "$SIGNER" 2>/dev/null
	REGISTRY=""
	SIGNER=""
}

# wave ROUND: all pumps of the round at once; a certificate in ROUND-I.der is an answer that came
wave() {
	local i jobs=()

	touch "$W/armed"
	for i in $(seq "$N"); do
		client enroll "PG-$1-$i" "$W/$1-$i.token" "$W/$i.csr.$1" "$W/$1-$i.der" >/dev/null 2>&1 &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	rm "$W/armed"
}

# Every answered certificate is in the registry, in force, byte for byte.
answered_are_kept() {
	local i hex

	for i in $(seq "$N"); do
		[ -s "$W/$1-$i.der" ] || continue
		hex=$(od -An -v -tx1 "$W/$1-$i.der" | tr -d ' \n')
		[ "$(sqlite3 "$H/registry/registry.db" "SELECT count(*) FROM certificates c
			JOIN certificate_der x ON x.certificate_id = c.id
			WHERE c.state = 'valid' AND hex(x.der) = upper('$hex')")" = 1 ] || return 1
	done
}

each_has_one() {
	[ "$(find "$W" -name "$1-*.der" -size +0 | wc -l)" = "$N" ] &&
		[ "$(sqlite3 "$H/registry/registry.db" "SELECT count(*) FROM certificates c
			JOIN devices d ON d.id = c.device_id
			WHERE d.serial LIKE 'PG-$1-%' AND c.state = 'valid'")" = "$N" ]
}

mkdir "$H"
"$BIN/pumpgate-signerd" --home "$H" init >>"$W/log" 2>&1
"$BIN/pumpgate-registryd" --home "$H" init 2>>"$W/log"
registry_up || exit 1
signer_up || exit 1
mac=0
round() { # WHO N
	local name i

	name=$(tr '[:lower:]' '[:upper:]' <<<"$1$2")

	for i in $(seq "$N"); do
		mac=$((mac + 1))
		client pump "PG-$name-$i" pumps "02:00:00:00:$(printf %02x $((mac / 256))):$(printf %02x $((mac % 256)))" >/dev/null &&
			client token "PG-$name-$i" >"$W/$name-$i.token" || return
		openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$W/key" \
			-outform der -out "$W/$i.csr.$name" -subj "/CN=PG-$name-$i" 2>/dev/null || return
	done
	down TERM
	if [ "$1" = registry ]; then
		# their serials are reserved first, so that what it commits then are certificates
		registry_up A= && signer_up LD_PRELOAD="$TOOLS/die_at.so" DIE_AFTER_SYNC=0 DIE_ARMED="$W/armed" || return
		wave "$name"
		down TERM
		registry_up LD_PRELOAD="$TOOLS/die_at.so" DIE_AFTER_SYNC="$2" DIE_ARMED="$W/armed" && signer_up A=
	else
		registry_up A= && signer_up LD_PRELOAD="$TOOLS/die_at.so" DIE_AFTER_SYNC="$2" DIE_ARMED="$W/armed"
	fi || return
	wave "$name"
	down KILL
	registry_up A= && signer_up A= || return
	check "killed_${1}_after_sync_$2: every answer that came is kept" answered_are_kept "$name"
	rm -f "$W/$name"-*.der
	wave "$name"
	check "killed_${1}_after_sync_$2: on the next try each has one certificate" each_has_one "$name"
}

for n in 1 2; do
	round registry "$n" || check "round_of_registry_$n" false
done
round signer 0 || check "round_of_signer_0" false
check "no_serial_twice_in_the_signers_list" test \
	"$(cut -d' ' -f4 "$H/ca/issued.log" | sort | uniq -d | wc -l)" = 0
check "each_pump_is_in_it_once" test \
	"$(cut -d' ' -f5 "$H/ca/issued.log" | sort | uniq -d | wc -l)" = 0
check "the_registry_has_them_all" test "$(wc -l <"$H/ca/issued.log")" = \
	"$(sqlite3 "$H/registry/registry.db" "SELECT count(*) FROM certificates WHERE state = 'valid'")"
tap_done
