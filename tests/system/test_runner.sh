#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The test runner itself: what must count as a failure does.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# file NAME LINE...: a test file made of these lines
file() {
	local name=$1
	shift
	printf '%s\n' '#!/bin/sh' "$@" >"$work/$name"
	chmod +x "$work/$name"
}
file good 'echo "ok 1 - one"; echo "ok 2 - two"'
file bad 'echo "ok 1 - one"; echo "not ok 2 - two"; exit 1'
file dying 'echo "ok 1 - one"; kill -9 $$'
file silent 'exit 0'
file skipping 'echo "ok 1 - one"; echo "ok 2 - two # SKIP no tool"'
file slow 'echo "ok 1 - one"; sleep 60'
file busy "touch $work/at-work; sleep 1; rm $work/at-work; echo 'ok 1 - one'"
file alone '# Alone: measures' "[ ! -e $work/at-work ] && echo 'ok 1 - one'"
# shellcheck disable=SC2317 # called by check
run() { env -u T "$@"; }

check "a_file_with_a_failed_test_fails_the_run" \
	fails_with 1 run tests/run.sh "$work" "$work/good" "$work/bad"
check "and_the_counts_say_so" says '^3 passed, 1 failed, 0 skipped' \
	run tests/run.sh "$work" "$work/good" "$work/bad"
check "a_file_that_dies_fails_the_run" \
	says 'ended with status [0-9]+ after 1 tests' run tests/run.sh "$work" "$work/good" "$work/dying"
check "a_file_without_a_test_fails_the_run" \
	fails_with 1 run tests/run.sh "$work" "$work/good" "$work/silent"
check "a_file_that_hangs_fails_the_run" \
	fails_with 1 run TEST_TIMEOUT_S=1 tests/run.sh "$work" "$work/good" "$work/slow"
check "a_missing_file_fails_the_run" \
	fails_with 1 run tests/run.sh "$work" "$work/good" "$work/no-such-file"
check "nothing_to_run_fails_the_run" fails_with 1 run T=nowhere tests/run.sh "$work" "$work/good"
check "a_skipped_test_fails_a_run_that_allows_none" \
	fails_with 1 run NO_SKIP=1 tests/run.sh "$work" "$work/skipping"
check "and_is_counted_otherwise" says '^1 passed, 0 failed, 1 skipped' \
	run NO_SKIP=0 tests/run.sh "$work" "$work/skipping"
check "a_file_that_is_to_be_alone_runs_after_the_others" says '^2 passed, 0 failed' \
	run JOBS=2 tests/run.sh "$work" "$work/alone" "$work/busy"
check "good_files_pass" run NO_SKIP=1 tests/run.sh "$work" "$work/good" "$work/good"
tap_done
