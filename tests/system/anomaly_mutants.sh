#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests of the alarms must notice when a check is missing: each check of policies/anomaly.c is
# taken out of a copy in turn, then faults are planted by name (quarantine by a claimed name, caps
# that count nothing), and the tests must fail.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
build=${PUMPGATE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}
[ -w /dev/shm ] && export TMPDIR=/dev/shm # these runs need no disk
case $build in *address* | *thread*)
	skip "anomaly_mutants" "the plain build is enough"
	tap_done
	;;
esac

# link TEST INSTEAD FILE: a unit test with FILE in the place of the object INSTEAD
link() {
	local objects own

	own=$build/obj/tests/unit/$1.o
	objects=$(find "$build/obj/sql/store" "$build/obj/sql/proto" "$build/obj/base" \
		"$build/obj/policies" "$build/obj/sql/registryd/anomalies.o" -name '*.o' |
		grep -v "/$2\.o\$")
	[ "$1" != sql/test_alarms ] && [ "$1" != sql/test_anomalies ] ||
		own="$own $build/obj/tests/unit/sql/fixture.o"
	[ "$1" = sql/test_anomalies ] || objects=$(grep -v registryd <<<"$objects")
	# shellcheck disable=SC2086 # lists of words
	"$cc" -pthread -o "$work/mutant" $own $objects ${3:-} -lcmocka -lsqlite3 -lsodium -levent \
		-levent_pthreads -linih -lseccomp
}

# shellcheck disable=SC2317 # called by check
fails() {
	! timeout 60 "$work/mutant" >/dev/null 2>&1
}

# noticed SENTENCE TEST FILE: with $work/changed.c in the place of FILE the test fails
noticed() {
	local name
	name=$(basename "$3" .c)
	if cmp -s "$3" "$work/changed.c"; then
		check "mutant_applies: $1" false
	elif ! "$cc" -std=gnu11 -D_GNU_SOURCE -I. -I"$build/gen" -fPIE -pthread -O1 -w -c \
		-o "$work/changed.o" "$work/changed.c" || ! link "$2" "$name" "$work/changed.o"; then
		check "mutant_builds: $1" false
	else
		check "tests_notice: $1" fails
	fi
}

# mutant SENTENCE TEST FILE SED-SCRIPT
mutant() {
	sed -E "$4" "$3" >"$work/changed.c"
	noticed "$1" "$2" "$3"
}

for test in policies/test_anomaly sql/test_alarms sql/test_anomalies; do
	link "$test" none || exit 1
	check "${test}_holds_without_a_mutation" "$work/mutant"
done

# A check is an if without an else, its condition on one line and a return on the next.
mapfile -t checks < <(awk '/^\tif \(/ { at = NR; text = $0; next }
	/^\t\treturn / && at == NR - 1 { sub(/^\t/, "", text); print at " " text }' policies/anomaly.c)
for line in "${checks[@]}"; do
	at=${line%% *}
	sed "${at},$((at + 1))d" policies/anomaly.c >"$work/changed.c"
	noticed "this is missing: ${line#* }" policies/test_anomaly policies/anomaly.c
done
check "checks_were_found_and_taken_out" test "${#checks[@]}" -ge 10

mutant "a mismatch without a handshake counts" policies/test_anomaly policies/anomaly.c \
	's/return \*f->owner \? ANOMALY_IDENTITY_MISMATCH/return 1 ? ANOMALY_IDENTITY_MISMATCH/'
mutant "what a restore lost is an alarm" policies/test_anomaly policies/anomaly.c \
	's/return f->lost \? ANOMALY_NONE :/return/'
mutant "mac authentication counts as a handshake" policies/test_anomaly policies/anomaly.c \
	's/return !strcmp\(method, "eap-tls"\)/return !strcmp(method, "mab") || !strcmp(method, "eap-tls")/'
mutant "the pump that comes back is the stranger" policies/test_anomaly policies/anomaly.c \
	's/found.suspect_is_before = .*/found.suspect_is_before = false;/'
mutant "the claimed name is accused" sql/test_anomalies sql/registryd/anomalies.c \
	's/memcpy\(a->device, e->device, /memcpy(a->device, e->identity, /'
mutant "the claimed name owns the certificate" sql/test_anomalies sql/registryd/anomalies.c \
	's/\.owner = e->device/.owner = e->identity/'
mutant "any nas may end the session of another" sql/test_anomalies sql/store/session_events.c \
	's/WHERE nas = \?1 AND session_id = \?2"/WHERE ?1 = ?1 AND session_id = ?2"/'
mutant "an attempt without an address makes it forget" sql/test_anomalies sql/store/session_events.c \
	"s/mac = CASE WHEN \?5 = '' THEN seen.mac ELSE \?5 END/mac = ?5/"
mutant "a storm goes to the writer one by one" sql/test_anomalies sql/registryd/anomalies.c \
	's/bool wait = .*/bool wait = false;/'
mutant "what waited is dropped" sql/test_anomalies sql/registryd/anomalies.c \
	's/^\t\thand_on\(a, &t->alarm\);//'
mutant "the cap counts nothing" sql/test_alarms sql/store/alarms.c \
	's/\*out = \(uint64_t\)n;/*out = 0;/'
mutant "the cap counts every nas together" sql/test_alarms sql/store/alarms.c \
	"s/AND \(\?2 = '' OR nas = \?2\)/AND ?2 = ?2/"
mutant "alarms about too many are not looked at" sql/test_alarms sql/store/alarms.c \
	's/\*out = \*out \|\| !rc;//'
mutant "an open alarm is thrown away for room" sql/test_alarms sql/store/alarms.c \
	"s/DELETE FROM alarms WHERE state = 'acknowledged' AND id <=/DELETE FROM alarms WHERE id <=/"
mutant "alarms grow without bound" sql/test_alarms sql/store/alarms.c 's/open >= OPEN_MAX/0/'
mutant "an acknowledgement leaves no audit row" sql/test_alarms sql/store/alarms.c \
	's/audit_append\(st->db, by, "alarm.ack"/audit_append(st->db, by, "alarm.seen"/'
mutant "another pump's address is taken" sql/test_alarms sql/store/device_macs.c \
	's/if \(strcmp\(owner, serial\) != 0\)/if (0)/'
tap_done
