#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Bad HTTP, slow readers and floods against the port for CRL and OCSP: clear answers or closed
# connections, bounds that hold, and enrolment that goes on beside it.
# shellcheck disable=SC2016,SC2034,SC2119,SC2317 # functions and evals are called through check
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/pump_client.sh

scratch_up || exit 1
site_up
pump_enrol PG-1 || exit 1
awk '/BEGIN/ { n++ } n == 2' "$PUMPGATE_HOME/trust/device.pem" >"$SCRATCH/ca.pem"
openssl ocsp -issuer "$SCRATCH/ca.pem" -cert "$SCRATCH/PG-1.pem" -reqout "$SCRATCH/nonce.req"
openssl ocsp -issuer "$SCRATCH/ca.pem" -cert "$SCRATCH/PG-1.pem" -no_nonce -reqout "$SCRATCH/plain.req"
PORT=${HTTP_URL##*:}
ENROLLD=$(pgrep -P "$SUPERVISOR" -x pumpgate-enroll)
SIGNERD=$(pgrep -P "$SUPERVISOR" -x pumpgate-signer)
TYPE='Content-Type: application/ocsp-request'

# status WANTED CURL-ARGS...
status() {
	local want=$1 got
	shift
	got=$(curl -sS --max-time 20 -o /dev/null -w '%{http_code}' "$@")
	[ "$got" = "$want" ] || { echo "status $got, wanted $want"; return 1; }
}
# answers PATTERN BYTES: sends bytes as they are (printf escapes)
answers() {
	local out
	exec 9<>"/dev/tcp/127.0.0.1/$PORT" || return 1
	# shellcheck disable=SC2059 # escapes are the point
	printf "$2" >&9
	out=$(timeout 15 cat <&9 | tr -d '\r')
	exec 9>&-
	printf '%s\n' "$out"
	grep -qE -- "$1" <<<"$out"
}
same_processes() {
	[ "$(pgrep -P "$SUPERVISOR" -x pumpgate-enroll)" = "$ENROLLD" ] &&
		[ "$(pgrep -P "$SUPERVISOR" -x pumpgate-signer)" = "$SIGNERD" ]
}
resident_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
open_files() { find "/proc/$ENROLLD/fd" -mindepth 1 | wc -l; }
ocsp_ok() { curl -sS --max-time 10 -H "$TYPE" --data-binary "@$SCRATCH/$1.req" "$HTTP_URL/ocsp" |
	openssl ocsp -no_nonce -respin /dev/stdin -issuer "$SCRATCH/ca.pem" -cert "$SCRATCH/PG-1.pem" \
		-CAfile "$PUMPGATE_HOME/trust/device.pem" 2>&1 | grep 'PG-1.pem: good'; }

wait_until 10 status 200 "$HTTP_URL/crl/device.crl"
check "the_list_is_served" status 200 "$HTTP_URL/crl/device.crl"

# HTTP
check "an_unknown_path_is_not_found" status 404 "$HTTP_URL/"
check "a_path_that_climbs_is_not_found" status 404 --path-as-is "$HTTP_URL/crl/../../ca/device-ca.key"
check "enrolment_is_not_offered_here" status 404 "$HTTP_URL/.well-known/est/cacerts"
check "another_method_on_the_list_is_refused" status 405 -X DELETE "$HTTP_URL/crl/device.crl"
check "get_without_a_request_is_refused" status 405 "$HTTP_URL/ocsp"
check "another_content_type_is_refused" status 415 --data-binary "@$SCRATCH/plain.req" "$HTTP_URL/ocsp"
head -c 20000 /dev/zero | tr '\0' A >"$SCRATCH/large"
head -c 6000 /dev/zero >"$SCRATCH/medium"
check "a_body_too_large_is_refused" status 413 -H "$TYPE" --data-binary "@$SCRATCH/large" "$HTTP_URL/ocsp"
check "a_request_larger_than_any_is_malformed" eval 'curl -sS -H "$TYPE" --data-binary "@$SCRATCH/medium" \
	"$HTTP_URL/ocsp" | openssl ocsp -respin /dev/stdin -noverify 2>&1 | grep malformed'
check "a_path_too_long_is_refused" status 431 "$HTTP_URL/ocsp/$(cat "$SCRATCH/large")"
check "a_malformed_request_line_is_refused" answers '^HTTP/1.1 400 ' 'NONSENSE\r\n\r\n'
check "two_framings_at_once_are_refused" answers '^HTTP/1.1 400 ' \
	'POST /ocsp HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
check "one_answer_for_one_connection" eval \
	"answers '^Connection: close' 'GET / HTTP/1.1\\r\\nHost: h\\r\\n\\r\\nGET / HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n' |
	grep -c '^HTTP/1.1' | grep -x 1"

# who asks slowly, and many of them: 64 from one address, then no more
FILES=$(open_files)
for n in $(seq 70); do
	(exec 9<>"/dev/tcp/127.0.0.1/$PORT" && printf 'GET /crl' >&9 && sleep 2) 2>/dev/null &
	slow[n]=$!
done
check "one_source_holds_64_connections_at_most" eval 'sleep 1; [ $(($(open_files) - FILES)) -le 64 ]'
check "the_refused_ones_are_logged" wait_until 10 grep -q status.too_many_connections "$PUMPGATE_HOME/log/enrolld.log"
check "a_pump_enrols_meanwhile" pump_enrol PG-2 02:00:00:00:00:02
wait "${slow[@]}"
check "their_places_are_free_again" wait_until 20 status 200 "$HTTP_URL/crl/device.crl"

# a flood that wants signatures, eight at a time
for n in 1 2 3 4 5 6 7 8; do
	(for _ in $(seq 20); do
		curl -sS -o /dev/null --max-time 10 -H "$TYPE" --data-binary "@$SCRATCH/nonce.req" "$HTTP_URL/ocsp"
	done) 2>/dev/null &
	flood[n]=$!
done
check "a_pump_enrols_during_a_flood" pump_enrol PG-3 02:00:00:00:00:03
check "ready_answers_are_given_during_a_flood" wait_until 20 ocsp_ok plain
wait "${flood[@]}"
check "rubbish_is_sent" "$PUMPGATE_BUILD/tools/garbage" tcp "127.0.0.1:$PORT" 1 300
check "answers_go_on" wait_until 20 ocsp_ok nonce
check "no_process_was_lost" same_processes
check "memory_stays_bounded" test "$(resident_kib "$ENROLLD")" -lt 200000
check "no_connection_is_left" wait_until 30 eval '[ "$(open_files)" -le $((FILES + 8)) ]'
tap_done
