#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What other systems see of a revocation: CRL and OCSP over HTTP, asked by openssl and curl.
# shellcheck disable=SC2016,SC2119,SC2317 # functions and evals are called through check
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/pump_client.sh

ocsp() {
	openssl ocsp -issuer "$SCRATCH/ca.pem" -CAfile "$PUMPGATE_HOME/trust/device.pem" \
		-url "$HTTP_URL/ocsp" "$@" 2>&1
}
# status_is WORD SERIAL [OPTION...]: verified, and of that pump the status is WORD
status_is() {
	local word=$1 name=$2 out
	shift 2
	out=$(ocsp -cert "$SCRATCH/$name.pem" "$@")
	printf '%s\n' "$out"
	grep -q '^Response verify OK' <<<"$out" && grep -q "$name.pem: $word" <<<"$out"
}
by_get() {
	local request
	openssl ocsp -issuer "$SCRATCH/ca.pem" -cert "$SCRATCH/$2.pem" -no_nonce \
		-reqout "$SCRATCH/get.req" &&
		request=$(base64 -w0 "$SCRATCH/get.req" | sed 's/+/%2B/g;s/\//%2F/g;s/=/%3D/g') &&
		curl -sS --fail -o "$SCRATCH/get.resp" "$HTTP_URL/ocsp/$request" &&
		openssl ocsp -respin "$SCRATCH/get.resp" -issuer "$SCRATCH/ca.pem" \
			-cert "$SCRATCH/$2.pem" -CAfile "$PUMPGATE_HOME/trust/device.pem" 2>&1 |
		grep "$2.pem: $1"
}
post() { # FILE: what the responder answers to these bytes
	curl -sS -H 'Content-Type: application/ocsp-request' --data-binary "@$1" \
		-o "$SCRATCH/post.resp" "$HTTP_URL/ocsp" &&
		openssl ocsp -respin "$SCRATCH/post.resp" -noverify 2>&1
}
crl_get() { curl -sS --fail -o "$SCRATCH/crl.der" "$HTTP_URL/crl/device.crl"; }
crl_text() { crl_get && openssl crl -inform DER -in "$SCRATCH/crl.der" -noout -text; }
crl_number() { crl_text | awk '/CRL Number/ { getline; print $1 }'; }
crl_has() { crl_text | grep -qi "Serial Number: $(serial "$1")"; }
serial() { openssl x509 -in "$SCRATCH/$1.pem" -noout -serial | cut -d= -f2; }
verify_by_crl() {
	crl_get && openssl crl -inform DER -in "$SCRATCH/crl.der" -out "$SCRATCH/crl.pem" &&
		cat "$PUMPGATE_HOME/trust/device.pem" "$SCRATCH/crl.pem" >"$SCRATCH/anchors.pem" &&
		openssl verify -crl_check -CAfile "$SCRATCH/anchors.pem" "$SCRATCH/$1.pem"
}
signer_process() { pgrep -P "$SUPERVISOR" -f 'pumpgate-signerd'; }

scratch_up || exit 1
site_up
for n in 1 2 3 4 5 6; do
	pump_enrol "PG-$n" "02:00:00:00:00:0$n" || exit 1
done
awk '/BEGIN/ { n++ } n == 2' "$PUMPGATE_HOME/trust/device.pem" >"$SCRATCH/ca.pem"

# nothing is revoked
wait_until 10 crl_get
check "crl_is_there_before_anything_is_revoked" says 'No Revoked' crl_text
check "pump_verifies_against_the_crl" verify_by_crl PG-1
check "ocsp_with_nonce_says_good" status_is good PG-1
check "ocsp_without_nonce_says_good" status_is good PG-1 -no_nonce
check "ocsp_by_sha256_says_good" eval \
	'ocsp -sha256 -cert $SCRATCH/PG-1.pem | grep "PG-1.pem: good"'
check "ocsp_by_get_says_good" by_get good PG-1
check "responder_is_a_certificate_of_its_own" eval 'ocsp -cert $SCRATCH/PG-1.pem -resp_text |
	grep -q "OCSP Signing" && ocsp -cert $SCRATCH/PG-1.pem -resp_text | grep -q "OCSP No Check"'
check "nonce_comes_back" eval '! ocsp -cert $SCRATCH/PG-1.pem | grep -i "no nonce in response"'
check "two_in_one_request" eval 'ocsp -cert $SCRATCH/PG-1.pem -cert $SCRATCH/PG-2.pem |
	grep -c ": good" | grep -x 2'

# what no certificate of ours can be
check "serial_that_was_never_issued_is_not_good" says \
	'0x0102030405060708090a0b0c0d0e0f10: revoked' \
	ocsp -serial 0x0102030405060708090a0b0c0d0e0f10
check "short_serial_is_not_good" says '0x07: revoked' ocsp -serial 0x07
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Other -days 2 \
	-keyout "$SCRATCH/other.key" -out "$SCRATCH/other.pem" 2>/dev/null
openssl ocsp -issuer "$SCRATCH/other.pem" -serial 7 -reqout "$SCRATCH/other.req"
check "another_ca_is_unauthorized" says '(unauthorized|6)' post "$SCRATCH/other.req"
nine=()
for n in 1 2 3 4 5 6 7 8 9; do nine+=(-serial "$n"); done
openssl ocsp -issuer "$SCRATCH/ca.pem" "${nine[@]}" -reqout "$SCRATCH/nine.req"
check "nine_certificates_at_once_are_malformed" says 'malformedrequest' post "$SCRATCH/nine.req"
head -c 90 /dev/urandom >"$SCRATCH/random.req"
check "random_bytes_are_malformed" says 'malformedrequest' post "$SCRATCH/random.req"

# revoked
N1=$(crl_number)
check "a_backup_from_before" pumpctl backup create "$SCRATCH/backup"
pumpctl pump revoke PG-1 --reason stolen >/dev/null
check "ocsp_says_so_at_once" status_is revoked PG-1
check "also_where_an_answer_was_ready" status_is revoked PG-1 -no_nonce
check "also_by_get" by_get revoked PG-1
check "the_crl_follows" wait_until 20 crl_has PG-1
check "its_number_rises" test "$(crl_number)" -gt "$N1"
check "pump_no_longer_verifies" says 'certificate revoked' verify_by_crl PG-1
check "another_pump_does" verify_by_crl PG-2
check "the_list_is_not_sent_twice_to_who_has_it" eval '
	etag=$(curl -sS -D - -o /dev/null $HTTP_URL/crl/device.crl | tr -d "\r" | sed -n "s/^ETag: //p")
	[ "$(curl -sS -o /dev/null -w "%{http_code}" -H "If-None-Match: $etag" $HTTP_URL/crl/device.crl)" = 304 ]'
check "pumpctl_shows_the_ca" says 'CRL +number [0-9]+, 1 entries' pumpctl ca show
check "doctor_looks_at_it" eval 'pumpctl doctor >$SCRATCH/doctor; grep -q "ok    crl" $SCRATCH/doctor &&
	grep "ok    http" $SCRATCH/doctor'
check "and_writes_the_list" eval 'pumpctl ca crl --out $SCRATCH/out.pem &&
	openssl crl -in $SCRATCH/out.pem -noout -CAfile $PUMPGATE_HOME/trust/device.pem'
check "in_json_too" eval 'pumpctl ca crl --json | jq -e ".entries == 1 and .number > $N1"'

# the signer is killed between the revocation and its list
for n in 2 3; do
	pumpctl pump revoke "PG-$n" --reason stolen --wait 5s >/dev/null
	N1=$(crl_number)
	OLD=$(signer_process)
	kill -9 "$OLD"
	check "killed_$n: the last list is still given" crl_get
	check "killed_$n: it comes back" wait_until 30 pumpctl ca show
	check "killed_$n: what was revoked is on the list" wait_until 20 crl_has "PG-$n"
	check "killed_$n: the number has risen" test "$(crl_number)" -gt "$N1"
	check "killed_$n: ocsp says so" status_is revoked "PG-$n"
done
kill -STOP "$(signer_process)"
check "ocsp_puts_off_while_the_signer_hangs" says 'trylater' ocsp -cert "$SCRATCH/PG-4.pem"
check "the_list_is_given_meanwhile" crl_get
kill -CONT "$(signer_process)"
check "and_goes_on_afterwards" wait_until 20 status_is good PG-4

# pointers in certificates, and a cap
scratch_stop
sed -i "s|^\[ca\]|[ca]\nocsp_per_minute = 2\ncrl_url = $HTTP_URL/crl/device.crl\nocsp_url = $HTTP_URL/ocsp|" \
	"$PUMPGATE_HOME/pumpgate.conf"
scratch_run || exit 1
check "certificates_name_no_place_unless_told_to" eval \
	'! openssl x509 -in $SCRATCH/PG-4.pem -noout -text | grep -q http:'
pump_enrol PG-7 02:00:00:00:00:07
check "they_do_when_told_to" eval 'openssl x509 -in $SCRATCH/PG-7.pem -noout -text >$SCRATCH/text &&
	grep -q "URI:$HTTP_URL/crl/device.crl" $SCRATCH/text && grep -q "OCSP - URI:$HTTP_URL/ocsp" $SCRATCH/text'
check "such_a_pump_gets_on" eap PG-7
check "an_answer_within_the_cap" status_is good PG-4
ocsp -cert "$SCRATCH/PG-4.pem" >/dev/null
check "beyond_the_cap_it_is_put_off" says 'trylater' ocsp -cert "$SCRATCH/PG-4.pem"
check "issuing_goes_on_beyond_the_cap" pump_enrol PG-8 02:00:00:00:00:08
check "so_does_the_list" crl_get
scratch_stop
sed -i '/^ocsp_per_minute/d' "$PUMPGATE_HOME/pumpgate.conf"

# a registry from before the revocations
N1=$(crl_number 2>/dev/null)
pumpctl backup restore "$SCRATCH/backup" >/dev/null
scratch_run || exit 1
check "restored: the list names what the registry has forgotten" eval \
	'wait_until 20 crl_has PG-1 && crl_has PG-2 && crl_has PG-3'
check "restored: ocsp too" status_is revoked PG-2
check "restored: who was not revoked is good" status_is good PG-4

# many at once
for n in 4 5 6; do
	pumpctl pump revoke "PG-$n" --reason recall >/dev/null &
	jobs[n]=$!
done
wait "${jobs[@]}"
check "a_recall_is_on_the_list_as_a_whole" wait_until 20 eval 'crl_has PG-4 && crl_has PG-5 && crl_has PG-6'
check "no_number_was_used_twice" eval '[ "$(grep -o "signer.crl number=[0-9]*" $PUMPGATE_HOME/log/signerd.log |
	sort | uniq -d | wc -l)" = 0 ]'
# a list that can't be made, since its number can't be kept
scratch_stop
rm "$PUMPGATE_HOME/ca/crl.state" && mkdir "$PUMPGATE_HOME/ca/crl.state"
scratch_run || exit 1
check "status_says_that_no_list_can_be_made" says "can't make the revocation list" pumpctl status
check "none_without_a_kept_number_is_given" fails_with 22 crl_get
check "ocsp_goes_on" status_is revoked PG-4
rmdir "$PUMPGATE_HOME/ca/crl.state"
check "the_list_is_made_when_it_can_be" wait_until 20 crl_has PG-4
check "no_sanitizer_has_spoken" fails_with 1 grep -E \
	'(ERROR|WARNING): [A-Za-z]*Sanitizer|runtime error' "$PUMPGATE_HOME/log/signerd.log" \
	"$PUMPGATE_HOME/log/enrolld.log"
tap_done
