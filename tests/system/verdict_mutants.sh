#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The truth table of the verdict must notice when any single check is missing: each check is taken
# out of a copy of verdict.c in turn (also the one that refuses an empty certificate serial), and the
# truth table must then fail.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}

compile() { # SOURCE OBJECT
	"$cc" -std=gnu11 -D_GNU_SOURCE -I. -O2 -w -c -o "$work/$2" "$1"
}
compile policies/reason.c reason.o && compile policies/standing.c standing.o &&
	compile tests/unit/policies/test_verdict.c table.o || exit 1

# build MUTANT: the truth table over a copy of verdict.c
build() {
	compile "$1" verdict.o && "$cc" -o "$work/table" "$work"/*.o -lcmocka
}

# shellcheck disable=SC2317 # called by check
table_fails() {
	! "$work/table" >/dev/null 2>&1
}

build policies/verdict.c || exit 1
check "the_truth_table_holds_for_verdict.c" "$work/table"

# A check is an if without an else, its condition on one line and a return on the next.
mapfile -t checks < <(awk '/^\tif \(/ { at = NR; text = $0; next }
	/^\t\treturn / && at == NR - 1 { sub(/^\t/, "", text); print at " " text }' policies/verdict.c)
for line in "${checks[@]}"; do
	at=${line%% *}
	sed "${at},$((at + 1))d" policies/verdict.c >"$work/mutant.c"
	if ! build "$work/mutant.c"; then
		check "without_line_${at}_it_still_builds" false
		continue
	fi
	check "the_truth_table_notices_when_this_is_missing: ${line#* }" table_fails
done
# A pump that is placed elsewhere must not get the verdict of its own zone.
for kind in QUARANTINE PARK; do
	sed "s/return VERDICT_$kind;/return VERDICT_ACCEPT;/" policies/verdict.c >"$work/mutant.c"
	build "$work/mutant.c" && ! cmp -s policies/verdict.c "$work/mutant.c" || exit 1
	check "the_truth_table_notices_an_accept_in_place_of: $kind" table_fails
done
# Nor may a birth certificate lead anywhere but into the onboarding zone.
sed "s/VERDICT_ONBOARD, .reason = REASON_BORN_PUMP/VERDICT_ACCEPT, .reason = REASON_BORN_PUMP/" policies/verdict.c >"$work/mutant.c"
build "$work/mutant.c" && ! cmp -s policies/verdict.c "$work/mutant.c" || exit 1
check "the_truth_table_notices_an_accept_for_a_birth_certificate" table_fails
sed "s/VERDICT_ONBOARD, .reason = REASON_RETURNING/VERDICT_ACCEPT, .reason = REASON_RETURNING/" policies/verdict.c >"$work/mutant.c"
build "$work/mutant.c" && ! cmp -s policies/verdict.c "$work/mutant.c" || exit 1
check "the_truth_table_notices_an_accept_for_an_expired_certificate" table_fails
check "checks_were_found_and_taken_out" test "${#checks[@]}" -ge 16
tap_done
