#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs test files that speak TAP (cmocka programs, shell scripts), JOBS of them at once (as many as
# there are processors), shows what failed and closes with counts. A file that runs no test, dies, or
# ends with a status other than 0 is a failure. Files with a line "# Alone: why" come at the end, one by
# one: what they compare would be the others' noise.
#
#   tests/run.sh BUILD-DIR FILE...        T=PATTERN keeps only files whose path contains PATTERN
set -u
build=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export CMOCKA_MESSAGE_OUTPUT=TAP PUMPGATE_BUILD="$build"

for file in "$@"; do
	case $file in *"${T:-}"*) printf '%s\n' "$file" ;; esac
done >"$work/files"
while read -r file; do
	grep -qs '^# Alone: ' "$file" && printf '%s\n' "$file"
done <"$work/files" >"$work/alone"
grep -vxFf "$work/alone" "$work/files" >"$work/together"

# With root the daemons get users of their own, and those must reach the programs.
if [ "$(id -u)" = 0 ] && grep -q '^tests/' "$work/files" &&
	! setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$(realpath "$build")"; then
	echo "other users cannot reach $(realpath "$build"): put the checkout where they can, such as /usr/local/src" >&2
	exit 1
fi

xargs -r -d '\n' -n 1 -P "${JOBS:-$(nproc)}" -a "$work/together" \
	"$(dirname "$0")/run_one.sh" "$build" "$work"
xargs -r -d '\n' -n 1 -a "$work/alone" "$(dirname "$0")/run_one.sh" "$build" "$work"

read -r ran passed failed skipped <<-END
	$(cat "$work"/*.counts 2>/dev/null |
		awk '{ p += $1; f += $2; s += $3 } END { print NR, p + 0, f + 0, s + 0 }')
END
echo
echo "$passed passed, $failed failed, $skipped skipped"
if [ "$ran" != "$(wc -l <"$work/files")" ]; then
	echo "only $ran of $(wc -l <"$work/files") test files were run to their end" >&2
	exit 1
fi
[ "$failed" = 0 ] && [ "$passed" -gt 0 ] || exit 1
if [ "$skipped" != 0 ] && [ "${NO_SKIP:-0}" = 1 ]; then
	echo "NO_SKIP=1: a skipped test counts as a failure here" >&2
	exit 1
fi
