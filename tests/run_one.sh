#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs one test file for tests/run.sh: leaves its counts (passed, failed, skipped) in a file of WORK
# and says what it has to say in one piece, since others run beside it.
#
#   tests/run_one.sh BUILD-DIR WORK FILE
set -u
build=$1 work=$2 file=$3
mine=$(mktemp "$work/XXXXXX")

now_ms() { date +%s%3N; }

started=$(now_ms)
timeout -k 10 "${TEST_TIMEOUT_S:-600}" "$file" >"$mine.out" 2>"$mine.err" </dev/null
status=$?
# cmocka 1.1.5 writes a skip as "not ok N # SKIP name"
counts=$(awk '
	/^(not )?ok .*# SKIP/ { s++; next }
	/^ok / { p++ }
	/^not ok / { f++ }
	END { print p + 0, f + 0, s + 0 }' "$mine.out")
read -r p f s <<-END
	$counts
END
if [ $((p + f + s)) = 0 ] || { [ "$status" != 0 ] && [ "$f" = 0 ]; }; then
	f=$((f + 1))
	echo "not ok - $file ended with status $status after $((p + s)) tests" >>"$mine.out"
fi
echo "$p $f $s" >"$mine.counts"
{
	printf '%-52s %4d passed' "${file#"$build"/}" "$p"
	[ "$f" = 0 ] || printf ', %d FAILED' "$f"
	[ "$s" = 0 ] || printf ', %d skipped' "$s"
	printf '  %d ms\n' "$(($(now_ms) - started))"
	grep -E '# SKIP' "$mine.out" | sed 's/^/    /'
	if [ "$f" != 0 ]; then
		sed 's/^/    /' "$mine.out"
		tail -n 60 "$mine.err" | sed 's/^/    | /'
	fi
} >"$mine.said"
flock "$work" cat "$mine.said"
