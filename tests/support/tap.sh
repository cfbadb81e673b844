# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# TAP for shell tests. Source it, call `check "sentence" command...`, end with `tap_done`.
#
#   check "revoke_of_an_unknown_pump_fails" fails_with 1 pumpctl pump revoke NOBODY
TAP_N=0
TAP_FAILED=0

# check SENTENCE COMMAND...: passes when the command succeeds; its output is shown when it fails.
check() {
	local name=$1 out
	shift
	TAP_N=$((TAP_N + 1))
	if out=$("$@" 2>&1); then
		echo "ok $TAP_N - $name"
	else
		echo "not ok $TAP_N - $name"
		printf '%s\n' "$out" | tail -n 40 | sed 's/^/#   /'
		TAP_FAILED=$((TAP_FAILED + 1))
	fi
}

# skip SENTENCE WHY
skip() {
	TAP_N=$((TAP_N + 1))
	echo "ok $TAP_N - $1 # SKIP $2"
}

# fails_with STATUS COMMAND...: succeeds when the command ends with just that status.
fails_with() {
	local want=$1 got
	shift
	"$@"
	got=$?
	[ "$got" = "$want" ] && return 0
	echo "status $got, wanted $want: $*"
	return 1
}

# says PATTERN COMMAND...: succeeds when output or error of the command has the (extended) pattern.
says() {
	local pattern=$1 out
	shift
	out=$("$@" 2>&1)
	printf '%s\n' "$out"
	grep -qE -- "$pattern" <<<"$out"
}

# wait_until SECONDS COMMAND...: repeats the command every 50 ms until it succeeds.
wait_until() {
	local deadline=$(($(date +%s%3N) + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s%3N)" -lt "$deadline" ] || { echo "waited in vain for: $*"; return 1; }
		sleep 0.05
	done
}

tap_done() {
	echo "1..$TAP_N"
	[ "$TAP_FAILED" = 0 ] && [ "$TAP_N" -gt 0 ]
	exit $?
}
