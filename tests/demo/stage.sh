# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# How the demo shows its steps. Source it.
#
#   step "title" function   runs the function; it fails, or sets OUTCOME (one line) and may `show` more
#   show COMMAND...         its output is printed below the step, indented
#   wait_for SECONDS "what" COMMAND...   repeats the command until it succeeds
#                           or ends with status 99: it never will
#   stage_summary           the table; status 0 only when every step passed
#
# Needs STAGE_DIR, a folder for what the steps print; stage_evidence (may be empty) is called when a
# step failed, to print what helps.
if [ -t 1 ]; then
	BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'
else
	BOLD='' DIM='' GREEN='' RED='' PLAIN=''
fi
STEP_TITLES=() STEP_MARKS=() STEP_MS=() STEP_OUTCOMES=()
STAGE_BROKEN=0
STAGE_STARTED=$(date +%s%3N)
OUTCOME=

now_ms() { date +%s%3N; }
seconds() { printf '%d.%02d s' "$(($1 / 1000))" "$(($1 % 1000 / 10))"; }

# fail "why": for use as `... || fail "why"; return 1` or as the last command
fail() {
	OUTCOME=$*
	return 1
}

show() {
	"$@" >>"$STAGE_DIR/show" 2>&1
}

wait_for() {
	local limit_s=$1 what=$2 deadline status
	shift 2
	deadline=$(($(now_ms) + limit_s * 1000))
	while :; do
		"$@" >/dev/null 2>&1
		status=$?
		[ $status != 0 ] || return 0
		[ $status != 99 ] || { fail "$what will not come"; return 1; }
		[ "$(now_ms)" -lt "$deadline" ] || { fail "waited ${limit_s} s for $what"; return 1; }
		sleep 0.02
	done
}

step() {
	local title=$1 function=$2 started mark ms
	if [ "$STAGE_BROKEN" = 1 ]; then
		STEP_TITLES+=("$title") STEP_MARKS+=("-") STEP_MS+=(0) STEP_OUTCOMES+=("not reached")
		return
	fi
	: >"$STAGE_DIR/show"
	OUTCOME=
	[ ! -t 1 ] || printf '%s' "  … $title"
	started=$(now_ms)
	if "$function" >"$STAGE_DIR/step" 2>&1; then mark=✓; else mark=✗ STAGE_BROKEN=1; fi
	ms=$(($(now_ms) - started))
	[ ! -t 1 ] || printf '\r\e[K'
	if [ $mark = ✓ ]; then
		printf '%s%s%s %s%s%s  %s%s%s\n' "$GREEN" $mark "$PLAIN" "$BOLD" "$title" "$PLAIN" \
			"$DIM" "$(seconds $ms)" "$PLAIN"
	else
		printf '%s%s %s  %s%s\n' "$RED" $mark "$title" "$(seconds $ms)" "$PLAIN"
	fi
	[ -z "$OUTCOME" ] || printf '    %s\n' "$OUTCOME"
	sed 's/^/      /' "$STAGE_DIR/show"
	if [ $mark = ✗ ]; then
		tail -n 20 "$STAGE_DIR/step" | sed 's/^/    | /'
		! declare -F stage_evidence >/dev/null || stage_evidence | sed 's/^/    | /'
	fi
	STEP_TITLES+=("$title") STEP_MARKS+=("$mark") STEP_MS+=("$ms") STEP_OUTCOMES+=("$OUTCOME")
}

stage_summary() {
	local i all=0
	printf '\n%sSummary%s\n' "$BOLD" "$PLAIN"
	for i in "${!STEP_TITLES[@]}"; do
		printf '  %s %-44s %9s  %s\n' "${STEP_MARKS[i]}" "${STEP_TITLES[i]}" \
			"$(seconds "${STEP_MS[i]}")" "${STEP_OUTCOMES[i]}" | cut -c 1-150
		[ "${STEP_MARKS[i]}" = ✓ ] || all=1
	done
	printf '  %s steps in %s: ' "${#STEP_TITLES[@]}" "$(seconds $(($(now_ms) - STAGE_STARTED)))"
	if [ $all = 0 ]; then
		printf '%sall passed%s\n' "$GREEN" "$PLAIN"
	else
		printf '%sFAILED%s\n' "$RED" "$PLAIN"
	fi
	return $all
}
