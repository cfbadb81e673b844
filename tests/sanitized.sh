#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# System tests with sanitized programs. radiusd can't load a sanitized module (it opens modules with
# RTLD_DEEPBIND), so rlm_pump.so and the tests' tools come from the plain build. Reports go to files:
# one is a failure, whatever the tests say.
#
#   tests/sanitized.sh SANITIZED-BUILD PLAIN-BUILD TEST...
set -u
sanitized=$1 plain=$2
shift 2
mixed=$(mktemp -d)
trap 'rm -rf "$mixed"' EXIT
chmod 0755 "$mixed" # processes may have users of their own
mkdir -m 1777 "$mixed/reports"
cp -R "$sanitized/bin" "$plain/lib" "$plain/share" "$plain/tools" "$mixed/" || exit 1
# use_sigaltstack=0: gcc 12's AddressSanitizer blames itself when a thread ends otherwise
export ASAN_OPTIONS="log_path=$mixed/reports/asan:use_sigaltstack=0" TSAN_OPTIONS="log_path=$mixed/reports/tsan"
export UBSAN_OPTIONS="print_stacktrace=1:log_path=$mixed/reports/ubsan"
NO_SKIP=0 tests/run.sh "$mixed" "$@"
status=$?
for report in "$mixed"/reports/*; do
	[ -e "$report" ] || break
	status=1
	echo "== ${report##*/}"
	cat "$report"
done
exit $status
