#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs test files that speak TAP (cmocka programs, shell scripts), shows what failed and closes with
# counts. A file that runs no test, dies, or ends with a status other than 0 is a failure.
#
#   tests/run.sh BUILD-DIR FILE...        T=PATTERN keeps only files whose path contains PATTERN
set -u
build=$1
shift
passed=0 failed=0 skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CMOCKA_MESSAGE_OUTPUT=TAP PUMPGATE_BUILD="$build"

now_ms() { date +%s%3N; }

for file in "$@"; do
	case $file in *"${T:-}"*) ;; *) continue ;; esac
	started=$(now_ms)
	timeout -k 10 "${TEST_TIMEOUT_S:-600}" "$file" >"$work/out" 2>"$work/err"
	status=$?
	# cmocka 1.1.5 writes a skip as "not ok N # SKIP name"
	counts=$(awk '
		/^(not )?ok .*# SKIP/ { s++; next }
		/^ok / { p++ }
		/^not ok / { f++ }
		END { print p + 0, f + 0, s + 0 }' "$work/out")
	read -r p f s <<-END
		$counts
	END
	if [ $((p + f + s)) = 0 ] || { [ "$status" != 0 ] && [ "$f" = 0 ]; }; then
		f=$((f + 1))
		echo "not ok - $file ended with status $status after $((p + s)) tests" >>"$work/out"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-52s %4d passed' "${file#"$build"/}" "$p"
	[ "$f" = 0 ] || printf ', %d FAILED' "$f"
	[ "$s" = 0 ] || printf ', %d skipped' "$s"
	printf '  %d ms\n' "$(($(now_ms) - started))"
	grep -E '# SKIP' "$work/out" | sed 's/^/    /'
	if [ "$f" != 0 ]; then
		sed 's/^/    /' "$work/out"
		tail -n 60 "$work/err" | sed 's/^/    | /'
	fi
done
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ] || exit 1
if [ "$skipped" != 0 ] && [ "${NO_SKIP:-0}" = 1 ]; then
	echo "NO_SKIP=1: a skipped test counts as a failure here" >&2
	exit 1
fi
