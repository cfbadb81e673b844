#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs libFuzzer programs one after the other, FUZZ_S seconds each (20), from their committed seeds.
# New inputs stay in a folder that goes away; what breaks a target is kept and named.
#
#   tests/fuzz/fuzz.sh PROGRAM...         T=NAME keeps only programs whose path contains NAME
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
broken=0
for program in "$@"; do
	case $program in *"${T:-}"*) ;; *) continue ;; esac
	name=$(basename "$program")
	mkdir "$work/$name"
	if "$program" -max_total_time="${FUZZ_S:-20}" -max_len=8192 -timeout=5 -rss_limit_mb=1024 \
		-print_final_stats=1 -artifact_prefix="fuzz-$name-" \
		"$work/$name" "tests/fuzz/seeds/$name" >"$work/log" 2>&1; then
		runs=$(awk '/number_of_executed_units/ { print $2 }' "$work/log")
		covered=$(grep -o 'cov: [0-9]*' "$work/log" | tail -n 1)
		printf '%-24s %10s runs, %s\n' "$name" "$runs" "$covered"
	else
		broken=1
		printf '%-24s BROKEN\n' "$name"
		tail -n 60 "$work/log" | sed 's/^/    /'
	fi
done
exit "$broken"
