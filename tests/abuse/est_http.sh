#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Bad HTTP, bad TLS and bad EST against a running server: each gets a clear answer or a closed
# connection, is logged, and others are served on.
# shellcheck disable=SC2119,SC2317 # check calls the functions
set -u
. tests/support/tap.sh
. tests/support/scratch.sh

scratch_up || exit 1
LOG=$PUMPGATE_HOME/log/enrolld.log
ENROLLD=$(pgrep -P "$SUPERVISOR" -x pumpgate-enroll)
raw() { "$PUMPGATE_BUILD/tools/est_raw" "$EST_PORT" "$@"; }
est() { curl -sS --max-time 10 --cacert "$TRUST" "$@"; }
# status WANTED CURL-ARGS...
status() {
	local want=$1 got
	shift
	got=$(est -o /dev/null -w '%{http_code}' "$@")
	[ "$got" = "$want" ] || { echo "status $got, wanted $want"; return 1; }
}
# answers PATTERN REQUEST [PIECE [PAUSE]]: sends bytes as they are (printf escapes)
answers() {
	local pattern=$1 request=$2 out
	shift 2
	# shellcheck disable=SC2059 # escapes are the point
	out=$(printf "$request" | raw send "$@" | tr -d '\r')
	printf '%s\n' "$out"
	grep -qE -- "$pattern" <<<"$out"
}
good_client_is_served() { status 200 "$EST_URL/cacerts"; }
same_process() { [ "$(pgrep -P "$SUPERVISOR" -x pumpgate-enroll)" = "$ENROLLD" ]; }
open_files() { find "/proc/$ENROLLD/fd" -mindepth 1 | wc -l; }

openssl ecparam -name prime256v1 -genkey -noout -out "$SCRATCH/key.pem"
openssl req -new -key "$SCRATCH/key.pem" -subj / -outform DER | base64 >"$SCRATCH/csr"
head -c 20000 /dev/zero | tr '\0' A >"$SCRATCH/large"
ENROLL=(-u PG-1:Wr0ngT0ken -H 'Content-Type: application/pkcs10' "$EST_URL/simpleenroll")
GET='GET /.well-known/est/csrattrs HTTP/1.1\r\nHost: h\r\nConnection: close\r\n'
POST='POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: h\r\nConnection: close\r\n'

# A request that trickles is held in the background while the others run.
(printf 'GET /.well-known/est/cacerts HTTP/1.1\r\nHost: h\r\nX: %0100d' 0 |
	raw send 1 250 >"$SCRATCH/trickle.out" 2>&1; date +%s >"$SCRATCH/trickle.end") &
TRICKLE_BEGAN=$(date +%s)

check "a_good_client_is_served" good_client_is_served

# HTTP
check "a_body_announced_too_large_is_refused" status 413 --data-binary "@$SCRATCH/large" "${ENROLL[@]}"
check "a_chunked_body_that_grows_too_large_is_refused" \
	status 413 -H 'Transfer-Encoding: chunked' --data-binary "@$SCRATCH/large" "${ENROLL[@]}"
check "a_head_too_large_is_refused" status 431 -H "X: $(cat "$SCRATCH/large")" "$EST_URL/cacerts"
check "a_malformed_request_line_is_refused" answers '^HTTP/1.1 400 ' 'NONSENSE\r\n\r\n'
check "a_request_without_host_is_refused" answers '^HTTP/1.1 400 ' 'GET / HTTP/1.1\r\n\r\n'
check "two_framings_at_once_are_refused" answers '^HTTP/1.1 400 ' \
	"${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
check "after_a_refused_framing_nothing_more_is_read" bash -c "
	out=\$(printf '%b' '${POST}Content-Length: x\r\n\r\n$GET\r\n' | '$PUMPGATE_BUILD/tools/est_raw' $EST_PORT send)
	[ \"\$(grep -c '^HTTP/1.1' <<<\"\$out\")\" = 1 ]"
check "http_2_by_prior_knowledge_is_refused" answers '^HTTP/1.1 505 ' 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
check "an_unknown_path_is_not_found" status 404 "$EST_URL/../../etc/passwd" --path-as-is
check "an_unknown_operation_is_not_found" status 404 "$EST_URL/enroll"
check "a_label_of_no_ca_is_not_found" status 404 "$EST_URL/ward-7/cacerts"
check "key_generation_by_the_server_is_not_offered" status 501 -X POST "$EST_URL/serverkeygen"
check "full_cmc_is_not_offered" status 501 -X POST "$EST_URL/fullcmc"
check "another_method_is_refused_with_allow" says 'Allow: POST' est -i "$EST_URL/simpleenroll"
check "a_missing_content_type_is_refused" \
	status 415 -u PG-1:Wr0ngT0ken -H 'Content-Type:' --data-binary "@$SCRATCH/csr" "$EST_URL/simpleenroll"
check "another_content_type_is_refused" \
	status 415 -u PG-1:Wr0ngT0ken --data-binary "@$SCRATCH/csr" "$EST_URL/simpleenroll"
check "malformed_base64_is_refused" status 400 --data-binary 'MIIB*' "${ENROLL[@]}"
check "base64_that_is_cut_short_is_refused" status 400 --data-binary 'MIIBA' "${ENROLL[@]}"
check "an_empty_body_is_refused" status 400 --data-binary '' "${ENROLL[@]}"
check "a_malformed_csr_is_refused_with_the_reason" \
	says '^request-malformed: ' est --data-binary "$(head -c 300 /dev/zero | base64)" "${ENROLL[@]}"
check "no_credentials_get_a_challenge_without_a_body" says '^0 401$' est -o /dev/null \
	-w '%{size_download} %{http_code}\n' -H 'Content-Type: application/pkcs10' \
	--data-binary "@$SCRATCH/csr" "$EST_URL/simpleenroll"
check "re_enrolment_without_a_certificate_is_refused" says '^no-certificate: ' est \
	-H 'Content-Type: application/pkcs10' --data-binary "@$SCRATCH/csr" "$EST_URL/simplereenroll"

# What must work all the same
check "http_1_0_is_answered_and_closed" answers '^HTTP/1.1 200 ' 'GET /.well-known/est/csrattrs HTTP/1.0\r\n\r\n'
check "requests_in_one_piece_are_answered_in_order" bash -c "
	out=\$(printf '%b' 'GET /.well-known/est/nothing HTTP/1.1\r\nHost: h\r\n\r\n$GET\r\n' |
		'$PUMPGATE_BUILD/tools/est_raw' $EST_PORT send)
	[ \"\$(grep '^HTTP/1.1' <<<\"\$out\" | cut -d' ' -f2 | tr '\n' ' ')\" = '404 200 ' ]"
check "a_request_in_single_bytes_is_answered" answers '^HTTP/1.1 200 ' "$GET\r\n" 1
check "one_line_without_user_agent_lines_of_64_with_it" bash -c "
	[ \"\$(curl -s --cacert '$TRUST' -A '' '$EST_URL/cacerts' | wc -l)\" = 0 ] &&
	[ \"\$(curl -s --cacert '$TRUST' '$EST_URL/cacerts' | head -n 1 | tr -d '\r\n' | wc -c)\" = 64 ]"
check "expect_100_continue_is_answered" says '^< HTTP/1.1 100 Continue' est -v --expect100-timeout 8 \
	-H 'Expect: 100-continue' --data-binary "@$SCRATCH/csr" \
	-H 'Content-Type: application/pkcs10' "$EST_URL/simpleenroll"
check "the_connection_goes_on_after_a_401" bash -c "
	curl -sS --cacert '$TRUST' -o /dev/null -o /dev/null -w '%{num_connects}\n' \
		-H 'Content-Type: application/pkcs10' --data-binary '@$SCRATCH/csr' \
		'$EST_URL/simpleenroll' '$EST_URL/simpleenroll' | tr '\n' ' ' | grep -qx '1 0 '"

# TLS
# shellcheck disable=SC2016
check "plain_http_on_the_tls_port_is_closed" bash -c "
	exec 3<>/dev/tcp/127.0.0.1/$EST_PORT; printf 'GET / HTTP/1.1\r\n\r\n' >&3
	timeout 5 cat <&3 >/dev/null; [ \$? != 124 ]"
check "garbage_on_the_tls_port_is_closed" bash -c "
	exec 3<>/dev/tcp/127.0.0.1/$EST_PORT; head -c 5000 /dev/urandom >&3 2>/dev/null
	timeout 5 cat <&3 >/dev/null 2>&1; [ \$? != 124 ]"
s_client() { openssl s_client -connect "127.0.0.1:$EST_PORT" -CAfile "$TRUST" "$@" </dev/null; }
check "tls_1_1_is_refused" says 'alert protocol version|no protocols available' \
	s_client -tls1_1 -cipher DEFAULT@SECLEVEL=0
check "a_key_exchange_without_forward_secrecy_is_refused" says 'alert handshake failure' \
	s_client -tls1_2 -cipher AES128-GCM-SHA256
check "tls_1_2_is_spoken" says 'Protocol  *: TLSv1.2' s_client -tls1_2
check "tls_1_3_is_spoken" says 'TLSv1.3, Cipher is TLS_' s_client -tls1_3
check "there_are_no_session_tickets" bash -c "
	! { echo; sleep 0.3; } | openssl s_client -connect 127.0.0.1:$EST_PORT -CAfile '$TRUST' 2>&1 |
		grep -q 'New Session Ticket'"

# Slow and many
"$PUMPGATE_BUILD/tools/est_raw" "$EST_PORT" hang 100 >"$SCRATCH/hang.out" &
HANG=$!
check "a_hundred_slow_clients_connect" wait_until 20 grep -q '^hanging' "$SCRATCH/hang.out"
check "a_good_client_is_served_while_they_hang" bash -c "
	for i in 1 2 3 4 5; do
		curl -sS --max-time 2 --cacert '$TRUST' -o /dev/null -w '%{http_code}\n' '$EST_URL/cacerts'
	done | grep -c '^200$' | grep -qx 5"
kill "$HANG" && wait "$HANG" 2>/dev/null
few_files() { [ "$(open_files)" -lt 40 ]; }
check "they_leave_nothing_open" wait_until 10 few_files
"$PUMPGATE_BUILD/tools/est_raw" "$EST_PORT" hang 260 >"$SCRATCH/hang.out" 2>&1 &
HANG=$!
check "one_address_gets_only_its_share_of_connections" \
	wait_until 20 grep -q enroll.too_many_connections "$LOG"
bounded() { [ "$(open_files)" -le 240 ]; }
check "no_more_than_the_share_is_open" bounded
kill "$HANG" 2>/dev/null
wait "$HANG" 2>/dev/null
check "afterwards_a_good_client_is_served" wait_until 10 good_client_is_served

# Guessing
guess() {
	for _ in $(seq 40); do
		est -o /dev/null -w '%{http_code}\n' --data-binary "@$SCRATCH/csr" "${ENROLL[@]}"
	done | sort | uniq -c
}
check "guessing_tokens_is_slowed_down" says ' 429$' guess
# shellcheck disable=SC2016 # expanded by the inner shell
check "being_slowed_down_says_for_how_long" says '^HTTP/1.1 429.*Retry-After: [0-9]+' \
	bash -c 'curl -sS --cacert "$0" -i "$@" | tr -d "\r" | tr "\n" " "' "$TRUST" --data-binary "@$SCRATCH/csr" "${ENROLL[@]}"
# Lines that strangers cause are bounded for each second: one of the next seconds has room.
guess_is_logged() {
	est -o /dev/null --data-binary "@$SCRATCH/csr" "${ENROLL[@]}"
	grep -q enroll.throttled "$LOG"
}
check "and_is_logged" wait_until 10 guess_is_logged
check "another_pump_is_not_slowed_down" says '^HTTP/1.1 401' est -i --data-binary "@$SCRATCH/csr" \
	-u PG-2:Wr0ngT0ken -H 'Content-Type: application/pkcs10' "$EST_URL/simpleenroll"

trickle_refused() {
	wait_until 30 test -s "$SCRATCH/trickle.end" || return 1
	local took=$(($(cat "$SCRATCH/trickle.end") - TRICKLE_BEGAN))
	cat "$SCRATCH/trickle.out"
	echo "after $took s"
	grep -q '^HTTP/1.1 408' "$SCRATCH/trickle.out" && [ "$took" -ge 14 ] && [ "$took" -le 25 ]
}
check "a_trickling_request_is_ended_by_its_deadline" trickle_refused
# The whole house hangs. Last, since the trickling request would have had to give way.
HANGS=()
for last in 2 3 4 5 6 7; do
	"$PUMPGATE_BUILD/tools/est_raw" "$EST_PORT" hang 190 "127.0.0.$last" >"$SCRATCH/hang.$last" 2>&1 &
	HANGS+=($!)
done
all_hang() { [ "$(cat "$SCRATCH"/hang.[2-7] | grep -c ^hanging)" = 6 ]; }
check "with_every_connection_taken_the_oldest_idle_ones_give_way" wait_until 30 all_hang
check "and_a_good_client_is_served" good_client_is_served
bounded() { [ "$(open_files)" -le 1040 ]; }
check "no_more_connections_are_open_than_the_bound" bounded
grep VmRSS "/proc/$ENROLLD/status" | sed 's/^/# with all connections taken: /'
kill "${HANGS[@]}"
wait "${HANGS[@]}" 2>/dev/null
check "every_kind_of_refusal_is_in_the_log" bash -c "
	for event in enroll.refused enroll.http_refused enroll.tls_refused; do
		grep -q \"\$event\" '$LOG' || { echo \"no \$event\"; exit 1; }
	done"
token_in_log() { grep -rE "Wr0ngT0ken|$(printf PG-1:Wr0ngT0ken | base64)" "$PUMPGATE_HOME/log"; }
check "no_token_is_in_any_log" fails_with 1 token_in_log
confined() { grep -E '^(Seccomp|NoNewPrivs|CoreDumping)' "/proc/$ENROLLD/status" && grep -q '^Seccomp:.*2' "/proc/$ENROLLD/status"; }
if grep -qE '__(asan|tsan)_init' "$PUMPGATE_BUILD/bin/pumpgate-enrolld"; then
	skip "it_runs_behind_a_seccomp_filter" "not in a sanitized build"
else
	check "it_runs_behind_a_seccomp_filter" confined
fi
check "it_is_still_the_same_process" same_process
check "a_good_client_is_served_at_the_end" good_client_is_served
tap_done
