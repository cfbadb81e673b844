#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Revocations and quarantines raced against a storm of EAP-TLS authentications (full and resumed, TLS
# 1.2 and 1.3) through five NAS that report in different ways: no Accept that was asked for after the
# receipt (of a quarantine: into another zone), no session on two seconds after it, every receipt
# true; about every other revocation by a recall. The same while each server process is killed once.
# Then against servers with a planted fault, each of which must be caught.
#
#   SEED=N replays one run's choices; RACES_MINUTES=N (make soak MINUTES=N) goes on for so long, with
#   fresh pumps and another seed each round, and plants all faults.
# shellcheck disable=SC2317,SC2119 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh
case $PUMPGATE_BUILD in *address* | *thread*)
	skip "revocation_races" "the server is raced in its plain build"
	tap_done
	;;
esac
PATH=$PUMPGATE_BUILD/tools:$PATH
cc=${CC:-gcc}
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$((seed % 32768))
net=127.$(shuf -i 10-250 -n 1).$(shuf -i 1-250 -n 1) # nobody else's loopback addresses
das_port=$(shuf -i 10000-29990 -n 1)
pumps=0

scratch_install
scratch_up || exit 1
# recalls by one person: who may ask is tested elsewhere
sed -i 's/^second_person = .*/second_person = no/' "$PUMPGATE_HOME/pumpgate.conf"
rejects_at_once || exit 1
site_up || exit 1
pumpctl zone add quarantine --vlan 666 --quarantine >/dev/null || exit 1
for i in 0 1 2 3 4; do
	pumpctl nas add "race-$i" --ip "$net.$((i + 1))" --secret-file "$SCRATCH/nas.secret" \
		--das-port "$das_port" >/dev/null || exit 1
done

# fresh_pumps FOLDER N
fresh_pumps() {
	mkdir "$SCRATCH/$1" &&
		enrol_load --est "127.0.0.1:$EST_PORT" --ca "$TRUST" --zone ward \
			--registry "$PUMPGATE_HOME/run/registry/sock" --out "$SCRATCH/$1" \
			--first $((pumps + 1)) --count "$2" --clients 2 >"$SCRATCH/enrol.out" 2>&1 &&
		pumps=$((pumps + $2))
}

# race FOLDER SECONDS SEED [OPTION...]
race() {
	timeout $(($2 + 120)) races --server "$RADIUS_AUTH" --acct-port "$RADIUS_ACCT_PORT" \
		--secret-file "$SCRATCH/nas.secret" --certs "$SCRATCH/$1" --ca "$TRUST" \
		--registry "$PUMPGATE_HOME/run/registry/sock" --net "$net" --das-port "$das_port" \
		--quarantine-vlan 666 --seconds "$2" --seed "$3" --recall-every 2 "${@:4}" \
		>"$SCRATCH/race.out" 2>&1
	local status=$?
	tail -n 30 "$SCRATCH/race.out"
	return "$status"
}

# breaks PATTERN FOLDER SECONDS: a race must end with such a breach. In a short one chance may leave
# out what the fault is about (no quarantine at all): then another one, with other pumps.
breaks() {
	local try
	for try in 0 1 2; do
		[ "$try" = 0 ] || fresh_pumps "$2-$try" 12 || return 1
		race "$2$([ "$try" = 0 ] || echo "-$try")" "$3" "$((seed + try))"
		[ $? = 1 ] && grep -qE "^breach: $1" "$SCRATCH/race.out" && return 0
	done
	return 1
}

# ---- faults: one source file changed, its program linked anew in this test's own folder ----

# mutant_object SOURCE SED-SCRIPT [CC-OPTION...]: $SCRATCH/mutant.o
mutant_object() {
	sed -E "$2" "$1" >"$SCRATCH/mutant.c" && ! cmp -s "$1" "$SCRATCH/mutant.c" &&
		"$cc" -std=gnu11 -D_GNU_SOURCE -I. -I"$PUMPGATE_BUILD/gen" -fPIC -pthread -O1 -w \
			-fno-strict-aliasing "${@:3}" -c -o "$SCRATCH/mutant.o" "$SCRATCH/mutant.c"
}

# objects WITHOUT-SOURCE FOLDER...: $SCRATCH/objects, a list for the compiler
objects() {
	local without=${1%.c} folder
	shift
	for folder; do
		find "$PUMPGATE_BUILD/obj/$folder" -name '*.o'
	done | grep -v "/obj/$without\.o\$" >"$SCRATCH/objects"
}

# mutant_registryd SOURCE SED-SCRIPT
mutant_registryd() {
	mutant_object "$@" &&
		objects "$1" sql/registryd sql/serve sql/store sql/proto policies base &&
		"$cc" -pthread -o "$SCRATCH/prefix/bin/pumpgate-registryd" "$SCRATCH/mutant.o" \
			"@$SCRATCH/objects" -lsqlite3 -lsodium -levent -levent_pthreads -linih -lseccomp
}

# mutant_rlm_pump SOURCE SED-SCRIPT
mutant_rlm_pump() {
	mutant_object "$@" -D_REENTRANT -DNDEBUG -DIS_MODULE=1 \
		-idirafter radius_modules/rlm_pump/shim -include freeradius/autoconf.h \
		-include freeradius/build.h -include freeradius/features.h \
		-include freeradius/radpaths.h &&
		objects "$1" radius_modules/rlm_pump radius_modules/radsec/hop.o policies sql/proto base &&
		"$cc" -shared -pthread -o "$SCRATCH/prefix/lib/pumpgate/rlm_pump.so" \
			-Wl,--version-script=radius_modules/rlm_pump/exports.map "$SCRATCH/mutant.o" \
			"@$SCRATCH/objects" -lssl -lcrypto -ltalloc -lsodium -levent -levent_pthreads -linih -lseccomp
}

sound() {
	cp "$PUMPGATE_BUILD/bin/pumpgate-registryd" "$SCRATCH/prefix/bin/"
	cp "$PUMPGATE_BUILD/lib/pumpgate/rlm_pump.so" "$SCRATCH/prefix/lib/pumpgate/"
}

# caught SENTENCE BREACH PROGRAM SOURCE SED-SCRIPT
faults=0
caught() {
	local sentence=$1 breach=$2 program=$3 folder
	shift 3
	faults=$((faults + 1))
	folder=fault-$faults
	scratch_stop
	sound
	if ! "mutant_$program" "$@" >"$SCRATCH/mutant.log" 2>&1; then
		check "the_fault_can_be_planted: $sentence" fails_with 1 cat "$SCRATCH/mutant.log"
		return
	fi
	if ! scratch_run || ! fresh_pumps "$folder" 12; then
		check "it_starts_with_the_fault: $sentence" \
			fails_with 1 tail -n 20 "$SCRATCH/run.out" "$PUMPGATE_HOME"/log/*.log
		return
	fi
	check "the_race_notices: $sentence" breaks "$breach" "$folder" 1
}

if [ -n "${RACES_MINUTES:-}" ]; then
	deadline=$((SECONDS + RACES_MINUTES * 60)) round=0
	while [ $SECONDS -lt $deadline ]; do
		round=$((round + 1))
		# every third round with kills
		kills=()
		[ $((round % 3)) = 0 ] && kills=(--kill-children-of "$SUPERVISOR")
		fresh_pumps "round-$round" 100 || exit 1
		check "round_${round}_holds_with_seed_$seed" race "round-$round" 20 "$seed" \
			"${kills[@]}"
		tail -n 1 "$SCRATCH/race.out" | sed 's/^/# /'
		rm -rf "$SCRATCH/round-$round"
		seed=$((seed + 1))
	done
else
	fresh_pumps sound 30 || exit 1
	check "a_revoked_or_quarantined_pump_is_off_within_two_seconds_and_stays_off_seed_$seed" race sound 3 "$seed"
	tail -n 1 "$SCRATCH/race.out" | sed 's/^/# /'
	fresh_pumps killed 30 || exit 1
	check "it_holds_with_every_server_process_killed_in_between_seed_$seed" \
		race killed 5 "$seed" --kill-children-of "$SUPERVISOR"
	tail -n 1 "$SCRATCH/race.out" | sed 's/^/# /'
fi

caught "a revocation that tells no NAS" still-on registryd sql/store/orders.c \
	's/DB_T\(port \? "waiting" : "unsendable"\)/DB_T("acked")/'
caught "a resumed handshake that is not held against the registry" accepted-after-revoke \
	rlm_pump radius_modules/rlm_pump/auth_ops.c \
	's/a->verdict = verdict_cert\(&c\.v, now_ms\);/a->verdict = verdict_cert(\&c.v, now_ms); if (c.v.resumed \&\& c.v.found) a->verdict.kind = VERDICT_ACCEPT;/'
caught "a map of standings that hears of no revocation" accepted-after-revoke registryd \
	sql/registryd/standing_keeper.c 's/standing_map_mark_(device|certificate)\(&sd->map, id\);//'
caught "a quarantine that leads into the pump's own zone" accepted-outside-quarantine registryd \
	sql/store/facts.c 's/query_i64\(q, 10\) \? 11 : 6/6/'
[ -z "${RACES_MINUTES:-}" ] && tap_done
caught "a verdict that does not look at the standing" accepted-after-revoke rlm_pump \
	policies/verdict.c \
	's/if \(standing != REASON_NONE\)/if (0)/; s/verdict_for_state\(f->device\);/VERDICT_ACCEPT;/'
tap_done
