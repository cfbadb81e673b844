#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The unit tests of enroll/est and enroll/status must notice when any single refusal is missing: each is taken out of a
# copy of its file in turn, and the file's own test must then fail.
# shellcheck disable=SC2317 # called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}
flags=(-std=gnu11 -D_GNU_SOURCE -I. -O0 -w)

for file in enroll/est/*.c enroll/status/*.c ca/request/*.c ca/proto/signer_records.c \
	base/{buf,clock,err,ipc_record,secret}.c; do
	"$cc" "${flags[@]}" -c -o "$work/$(basename "$file" .c).o" "$file" || exit 1
done
# build FILE TEST [MUTANT]: the test, with MUTANT in the place of FILE
build() {
	local object=$work/mutant.o others
	"$cc" "${flags[@]}" -c -o "$object" "${3:-$1}" || return 1
	others=$(find "$work" -name '*.o' ! -name "$(basename "$1" .c).o" ! -name mutant.o)
	# shellcheck disable=SC2086 # a list of files
	"$cc" "${flags[@]}" -o "$work/test" "tests/unit/enroll/$2.c" "$object" $others \
		-lcmocka -lsodium -lcrypto -ljansson
}
test_fails() { ! timeout 10 "$work/test" >/dev/null 2>&1; }
# refusals FILE: first and last line of each refusing return below an if
refusals() {
	awk '/^\t\t+return (refuse|malformed|too_large|err_set)\(/ { from = NR }
		from && /;$/ { print from " " NR; from = 0 }' "$1"
}

found=0
while read -r file test; do
	build "$file" "$test" || exit 1
	check "${test}_holds" "$work/test"
	while read -r from to; do
		found=$((found + 1))
		sed "${from}s/return.*/;/; ${from}!{${from},${to}d}" "$file" >"$work/mutant.c"
		if ! build "$file" "$test" "$work/mutant.c"; then
			check "${file}_without_line_${from}_still_builds" false
			continue
		fi
		check "${test}_notices_without: $(sed -n "${from}s/^\t*return //p" "$file")" test_fails
	done < <(refusals "$file")
done <<-END
	enroll/est/est_path.c test_est_path
	enroll/est/est_base64.c test_est_base64
	enroll/est/est_basic.c test_est_basic
	enroll/est/est_cms.c test_est_cms
	enroll/est/est_label.c test_est_label
	enroll/est/self_report.c test_self_report
	enroll/est/http_head.c test_http_request
	enroll/est/http_request.c test_http_request
	enroll/status/status_path.c test_ocsp_request
	enroll/status/ocsp_request.c test_ocsp_request
END
check "refusals_were_found_and_taken_out" test "$found" -ge 30
tap_done
