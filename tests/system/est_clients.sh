#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Foreign EST clients enrol for real: curl with openssl, and strongSwan's pki. Refusals first.
# shellcheck disable=SC2119,SC2317 # check calls the functions
set -u
. tests/support/tap.sh
. tests/support/scratch.sh

# shellcheck disable=SC2034 # read by scratch_init
SCRATCH_SETTINGS='
[est]
labels = strong, old, bound

[label.strong]
key = ec-p384

[label.old]
key = rsa-2048

[label.bound]
channel_binding = yes
'
JAVA_CLIENT=$PWD/tests/support/java/EstClient.java
JARS=/usr/share/java/bcpkix.jar:/usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar:/usr/share/java/bctls.jar
scratch_up || exit 1
cd "$SCRATCH" || exit 1
LOG=$PUMPGATE_HOME/log/enrolld.log
PKCS10=(-H 'Content-Type: application/pkcs10')
est() { curl -sS --max-time 20 --cacert "$TRUST" "$@"; }

# key NAME [openssl genpkey options]: NAME.key and NAME.csr (base64 DER, CN = NAME without its suffix)
key() {
	local name=$1
	shift
	[ $# != 0 ] || set -- -algorithm EC -pkeyopt ec_paramgen_curve:P-256
	openssl genpkey "$@" -out "$name.key" 2>/dev/null
	csr "$name" "/CN=${name%%.*}"
}
csr() { openssl req -new -key "$1.key" -subj "$2" -outform DER | base64 >"$1.csr"; }
token() { pumpctl pump token "$1"; }
# post OPERATION CSR [CURL-ARGS...]: status line, header and body into answer; prints the status
post() {
	local operation=$1 csr=$2
	shift 2
	est -o answer -w '%{http_code}\n' "${PKCS10[@]}" --data-binary "@$csr" "$@" "$EST_URL/$operation"
}
# The certificate of the last answer as PEM.
certificate() { openssl base64 -d <answer | openssl pkcs7 -inform DER -print_certs | openssl x509; }
# enrol NAME SERIAL TOKEN: NAME.pem from NAME.csr
enrol() {
	local status
	status=$(post simpleenroll "$1.csr" -u "$2:$3")
	[ "$status" = 200 ] || { echo "status $status: $(cat answer)"; return 1; }
	certificate >"$1.pem"
}
renew() { # NAME OPERATION NEW-CSR OUT
	local status
	status=$(post "$2" "$3" --cert "$1.pem" --key "$1.key")
	[ "$status" = 200 ] || { echo "status $status: $(cat answer)"; return 1; }
	certificate >"$4"
}
# refused STATUS REASON OPERATION CSR CURL-ARGS...; REASON may be ""
refused() {
	local want=$1 reason=$2 got
	shift 2
	got=$(post "$@")
	echo "$got: $(cat answer)"
	# shellcheck disable=SC2053 # a pattern such as 40[13]
	[[ $got = $want ]] && { [ -z "$reason" ] || grep -qE "^$reason: " answer; }
}
logged() { wait_until 5 grep -qE "$1" "$LOG"; }
chain_is_good() { openssl verify -purpose sslclient -CAfile "$PUMPGATE_HOME/trust/device.pem" "$1"; }
same_key() { [ "$(openssl x509 -in "$1" -noout -pubkey)" = "$(openssl pkey -in "$2" -pubout)" ]; }

pumpctl zone add pumps --vlan 110 >/dev/null || exit 1
for n in 1 2 3 4 5 6 7 8; do
	pumpctl pump add "PG-$n" --maker Acme --model M1 --mac "02:00:00:00:00:0$n" --zone pumps >/dev/null ||
		exit 1
done
for n in 1 2 3 4 5; do key "PG-$n"; done
key PG-1.other

# ---- refusals by token ----
T1=$(token PG-1)
cp PG-1.key nameless.key
csr nameless /
check "a_wrong_token_is_refused_with_a_challenge" refused 401 "" simpleenroll PG-1.csr -u PG-1:not-the-token
check "an_unknown_pump_is_refused_in_the_same_way" refused 401 "" simpleenroll nameless.csr -u "NOBODY:$T1"
alike() {
	est -D wrong.head -o wrong.body "${PKCS10[@]}" --data-binary @nameless.csr -u PG-7:x "$EST_URL/simpleenroll"
	est -D nobody.head -o nobody.body "${PKCS10[@]}" --data-binary @nameless.csr -u NOBODY:x "$EST_URL/simpleenroll"
	diff <(grep -v ^Date: wrong.head) <(grep -v ^Date: nobody.head) && cmp wrong.body nobody.body
}
check "nothing_in_the_answer_tells_the_two_apart" alike
check "the_token_of_another_pump_is_refused" refused 401 "" simpleenroll PG-2.csr -u "PG-2:$T1"
check "a_csr_with_another_pumps_name_is_refused" \
	refused 403 name-refused simpleenroll PG-2.csr -u "PG-1:$T1"
check "a_csr_that_is_no_csr_is_refused" \
	refused 400 request-malformed simpleenroll <(head -c 200 /dev/zero | base64) -u "PG-1:$T1"
T7=$(token PG-7)
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out weak.key 2>/dev/null
csr weak /CN=PG-7
check "a_weak_key_is_refused" refused 400 key-refused simpleenroll weak.csr -u "PG-7:$T7"
forged() { # the signature's last byte flipped
	base64 -d nameless.csr >forged.der
	local last
	last=$(tail -c 1 forged.der | od -An -tu1)
	# shellcheck disable=SC2059
	{ head -c -1 forged.der; printf "\\x$(printf %02x $((last ^ 1)))"; } | base64 >forged.csr
	refused 400 proof-failed simpleenroll forged.csr -u "PG-7:$T7"
}
check "a_csr_not_signed_by_its_key_is_refused" forged

# ---- the first certificate ----
check "curl_enrols_after_all_that_with_the_same_token" enrol PG-1 PG-1 "$T1"
check "the_certificate_is_for_the_pumps_key" same_key PG-1.pem PG-1.key
check "the_certificate_leads_to_the_device_root" chain_is_good PG-1.pem
check "the_certificate_names_the_pump" says 'URI:urn:pumpgate:pump:PG-1$' \
	openssl x509 -in PG-1.pem -noout -ext subjectAltName
check "an_issue_is_logged_without_the_token" logged 'enroll.issued .*device=PG-1 cert=[0-9a-f]+ '
again() { cp PG-1.pem first.pem && enrol PG-1 PG-1 "$T1" && cmp PG-1.pem first.pem; }
check "the_same_token_and_key_give_the_same_certificate_again" again
check "the_token_with_another_key_is_refused" \
	refused 403 token-used simpleenroll PG-1.other.csr -u "PG-1:$T1"

# ---- renewal ----
check "re_enrolment_with_the_certificate_and_its_key_works" renew PG-1 simplereenroll PG-1.csr PG-1.second.pem
check "simpleenroll_with_the_certificate_works_too" renew PG-1 simpleenroll PG-1.csr PG-1.third.pem
check "a_renewed_certificate_is_another_one" fails_with 1 cmp -s PG-1.pem PG-1.second.pem
check "re_enrolment_over_tls_1_2_works" bash -c "
	curl -sS --tls-max 1.2 --cacert '$TRUST' --cert PG-1.pem --key PG-1.key -o /dev/null -w '%{http_code}' \
		-H 'Content-Type: application/pkcs10' --data-binary @PG-1.csr '$EST_URL/simplereenroll' | grep -qx 200"

# ---- renewal that a person must approve ----
MINE=(--cert PG-1.pem --key PG-1.key)
fingerprint() { openssl pkey -in "$1" -pubout -outform DER | sha256sum | cut -c1-64; }
OTHER=$(fingerprint PG-1.other.key)
check "re_enrolment_with_an_unproven_key_is_accepted_for_later" \
	refused 202 approval-pending simplereenroll PG-1.other.csr "${MINE[@]}"
says_when() { post simplereenroll PG-1.other.csr "${MINE[@]}" -D head >/dev/null; grep -iE '^retry-after: [1-9][0-9]*' head; }
check "it_is_told_when_to_ask_again" says_when
waiting() { pumpctl enroll list --json | jq -e "length == $1" >/dev/null; }
check "asking_twice_waits_once" waiting 1
check "an_admin_sees_pump_key_and_source" says "PG-1 .*${OTHER:0:8}.* waiting +127.0.0.1 " pumpctl enroll list
check "status_says_that_somebody_waits" says '^approvals +1 requests wait' pumpctl status
key PG-1.third
check "another_keys_fingerprint_approves_nothing" fails_with 1 \
	pumpctl enroll approve PG-1 "$(fingerprint PG-1.third.key)"
check "a_few_digits_are_wrong_usage" fails_with 64 pumpctl enroll approve PG-1 "${OTHER:0:12}"
check "an_admin_approves" pumpctl enroll approve PG-1 "${OTHER:0:20}" --reason 'board replaced'
check "approving_again_is_nothing_to_do" fails_with 2 pumpctl enroll approve PG-1 "$OTHER"
check "an_approval_is_for_no_other_key" \
	refused 202 approval-pending simplereenroll PG-1.third.csr "${MINE[@]}"
check "the_approved_key_gets_its_certificate" renew PG-1 simplereenroll PG-1.other.csr PG-1.approved.pem
check "it_is_for_that_key" same_key PG-1.approved.pem PG-1.other.key
approved_again() { renew PG-1 simplereenroll PG-1.other.csr again.pem && cmp again.pem PG-1.approved.pem; }
check "asked_again_it_is_the_same_certificate" approved_again
check "what_was_used_cannot_be_denied" says 'has its certificate' \
	pumpctl enroll deny PG-1 "$OTHER" --reason late
check "a_denial_needs_a_reason" fails_with 64 pumpctl enroll deny PG-1 "$(fingerprint PG-1.third.key)"
check "an_admin_denies" pumpctl enroll deny PG-1 "$(fingerprint PG-1.third.key)" --reason 'not our key'
check "a_denied_key_is_refused" \
	refused 403 approval-denied simplereenroll PG-1.third.csr "${MINE[@]}"
check "it_is_told_why" grep -q 'not our key' answer
check "nobody_waits_any_more" waiting 0
check "every_step_is_in_the_audit" bash -c "[ \"\$(pumpctl audit tail -n 500 --json |
	jq '[.[] | select(.action | startswith(\"approval.\"))] | map(.action) | join(\" \")')\" = \
	'\"approval.ask approval.approve approval.ask approval.use approval.deny\"' ]"
check "re_enrolment_for_another_pump_is_refused" refused 403 '' simplereenroll \
	PG-2.csr --cert PG-1.pem --key PG-1.key
T2=$(token PG-2)
check "another_pumps_token_beside_a_certificate_is_refused" refused 403 identity-mismatch \
	simpleenroll PG-2.csr -u "PG-2:$T2" --cert PG-1.pem --key PG-1.key

# ---- another CA with the same names ----
double_ca() {
	local root ca
	root=$(openssl x509 -in "$PUMPGATE_HOME/trust/device.pem" -noout -subject -nameopt compat | sed 's/^subject=//')
	ca=$(openssl crl2pkcs7 -nocrl -certfile "$PUMPGATE_HOME/trust/device.pem" |
		openssl pkcs7 -print_certs | sed -n 's/^subject=//p' | grep ' CA ' |
		sed 's/^O *= */\/O=/; s/, CN *= */\/CN=/') # OpenSSL 3.0: "O = x, CN = y"; 3.5: "O=x, CN=y"
	echo "$root; $ca"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout double-ca.key \
		-subj "$ca" -days 30 -out double-ca.pem 2>/dev/null
	openssl x509 -req -in <(base64 -d PG-1.csr | openssl req -inform DER) -CA double-ca.pem \
		-CAkey double-ca.key -set_serial "0x$(openssl x509 -in PG-1.pem -noout -serial | cut -d= -f2)" \
		-days 30 -out double.pem -extfile <(
			printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nsubjectAltName=URI:urn:pumpgate:pump:PG-1\n'
		) 2>/dev/null
	[ "$(openssl x509 -in double.pem -noout -issuer -subject -serial)" = \
		"$(openssl x509 -in PG-1.pem -noout -issuer -subject -serial)" ]
}
check "a_double_with_the_same_names_and_serial_can_be_made" double_ca
for version in 1.2 1.3; do
	check "the_double_is_refused_by_an_alert_in_tls_$version" \
		says 'alert unknown ca|alert decrypt error|alert bad certificate' \
		est --tls-max "$version" "${PKCS10[@]}" --data-binary @PG-1.csr --cert double.pem \
		--key PG-1.key "$EST_URL/simplereenroll"
done
check "the_double_is_logged" logged 'enroll.tls_refused .*reason=wrong-ca '

# ---- other clients, other keys ----
key PG-3.rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
check "a_client_with_rsa_2048_enrols" enrol PG-3.rsa PG-3 "$(token PG-3)"
check "a_client_with_rsa_2048_renews" renew PG-3.rsa simplereenroll PG-3.rsa.csr PG-3.second.pem
chunked() {
	post simpleenroll PG-4.csr -u "PG-4:$(token PG-4)" -H 'Transfer-Encoding: chunked' | grep -qx 200 &&
		certificate >PG-4.pem && same_key PG-4.pem PG-4.key
}
check "a_chunked_request_enrols" chunked
one_line() { # no line end in it, as strongSwan needs it
	post simpleenroll PG-5.csr -A '' -u "PG-5:$(token PG-5)" -H 'Expect: 100-continue' | grep -qx 200 &&
		[ "$(wc -l <answer)" = 0 ] && base64 -d answer | openssl pkcs7 -inform DER -print_certs -noout
}
check "a_client_without_user_agent_gets_one_line" one_line

openssl crl2pkcs7 -nocrl -certfile "$TRUST" | openssl pkcs7 -print_certs |
	awk '/BEGIN/{n++} n{print > "server-" n ".pem"}'
pki_quietly() { pki "$@" 2> >(grep -v 'failed to load' >&2); }
BASE=${EST_URL%/.well-known/est}
strongswan_cacerts() {
	pki_quietly --estca --url "$BASE" --cacert server-1.pem --cacert server-2.pem --caout swan-ca.pem \
		--outform pem --force && [ "$(cat swan-ca*.pem | grep -c BEGIN)" = 4 ]
}
check "strongswan_reads_all_four_cacerts" strongswan_cacerts
strongswan_enrol() {
	pki --gen --type ecdsa --size 256 --outform pem >swan.key 2>/dev/null &&
		pki --req --type priv --in swan.key --dn CN=PG-6 --outform pem >swan.req 2>/dev/null &&
		pki_quietly --est --url "$BASE" --in swan.req --cacert server-1.pem --cacert server-2.pem \
			--userpass "PG-6:$(token PG-6)" --outform pem >swan.pem && chain_is_good swan.pem &&
		same_key swan.pem swan.key
}
check "strongswan_enrols" strongswan_enrol
strongswan_renew() {
	pki_quietly --est --url "$BASE" --in swan.req --cacert server-1.pem --cacert server-2.pem \
		--cert swan.pem --key swan.key --outform pem >swan.second.pem &&
		chain_is_good swan.second.pem
}
check "strongswan_renews_with_its_certificate" strongswan_renew

# ---- operations that are not offered ----
status_of() { est -o answer -w '%{http_code}\n' "$@"; }
check "serverkeygen_is_refused_pumps_make_their_own_keys" says '^501$' status_of \
	"${PKCS10[@]}" --data-binary @PG-1.csr "$EST_URL/serverkeygen"
check "fullcmc_is_refused" says '^501$' status_of -H 'Content-Type: application/pkcs7-mime' \
	--data-binary @PG-1.csr "$EST_URL/fullcmc"
check "they_are_refused_below_a_label_too" says '^501$' status_of -d x "$EST_URL/strong/serverkeygen"

# ---- labels ----
more_pumps() { # NUMBER...
	local n
	for n in "$@"; do
		pumpctl pump add "PG-$n" --maker Acme --model M1 --mac "02:00:00:00:01:$n" --zone pumps >/dev/null ||
			return 1
	done
}
more_pumps 10 11 12 13 14 15 16 17 18 19
attrs() { est "$@" | openssl base64 -d | openssl asn1parse -inform DER; }
check "an_unknown_label_is_not_found" says '^404$' status_of "$EST_URL/weak/cacerts"
check "nor_is_it_for_an_enrolment" refused 404 '' weak/simpleenroll PG-4.csr -u "PG-4:x"
check "csrattrs_asks_for_p256_without_a_label" says 'prime256v1' attrs "$EST_URL/csrattrs"
check "csrattrs_below_a_label_asks_for_its_key" says 'secp384r1' attrs "$EST_URL/strong/csrattrs"
check "csrattrs_asks_for_rsa_where_the_label_does" says 'INTEGER +:0800' attrs "$EST_URL/old/csrattrs"
check "csrattrs_asks_for_a_binding_where_the_label_does" says 'challengePassword' attrs "$EST_URL/bound/csrattrs"
name_bytes() { est --cert PG-1.pem --key PG-1.key "$EST_URL/csrattrs" | openssl base64 -d | grep -ao "urn:pumpgate:pump:.*"; }
check "csrattrs_tells_a_pump_its_name" says "^urn:pumpgate:pump:PG-1\$" name_bytes
check "cacerts_are_the_same_below_a_label" cmp <(est "$EST_URL/strong/cacerts") <(est "$EST_URL/cacerts")
key PG-10
key PG-10.p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
T10=$(token PG-10)
check "another_key_than_the_label_wants_is_refused" refused 400 key-refused strong/simpleenroll \
	PG-10.csr -u "PG-10:$T10"
check "the_key_that_it_wants_enrols_with_the_same_token" says '^200$' post strong/simpleenroll \
	PG-10.p384.csr -u "PG-10:$T10"

# ---- requests bound to their connection ----
bound() { # SERIAL TLS WHAT [PATH]: the status
	token "$1" | "$PUMPGATE_BUILD/tools/est_bound" "$EST_PORT" "$TRUST" \
		"/.well-known/est/${4:-bound/simpleenroll}" "$1" "$2" "$3" | tee bound.out | head -n 1
}
unbound() { [ "$(bound "$@")" = 403 ] && grep -q '^channel-unbound: ' bound.out; }
check "a_request_without_its_connection_is_refused" unbound PG-11 1.3 none
check "a_request_handed_on_from_another_connection_is_refused" unbound PG-11 1.3 relayed
check "a_request_handed_on_is_refused_in_tls_1_2" unbound PG-11 1.2 relayed
check "a_request_handed_on_to_where_none_is_asked_for_is_refused_too" unbound PG-11 1.3 relayed simpleenroll
check "tls_unique_is_no_name_in_tls_1_3" unbound PG-11 1.3 unique
check "tls_exporter_enrols_in_tls_1_3" says '^200$' bound PG-11 1.3 exporter
check "tls_unique_enrols_in_tls_1_2" says '^200$' bound PG-12 1.2 unique
check "tls_exporter_enrols_in_tls_1_2" says '^200$' bound PG-13 1.2 exporter
check "a_true_name_is_fine_where_none_is_asked_for" says '^200$' bound PG-14 1.3 exporter simpleenroll

# ---- the same request at the same time ----
twice() {
	local t pids=()
	key PG-15
	t=$(token PG-15)
	for n in 1 2 3 4 5 6; do
		est -o "twice.$n" -w '%{http_code}\n' "${PKCS10[@]}" --data-binary @PG-15.csr -u "PG-15:$t" \
			"$EST_URL/simpleenroll" >"twice.$n.status" &
		pids+=($!)
	done
	wait "${pids[@]}"
	cat twice.*.status
	[ "$(cat twice.*.status | sort -u)" = 200 ] && [ "$(md5sum twice.[1-6] | cut -d' ' -f1 | sort -u | wc -l)" = 1 ] &&
		[ "$(pumpctl cert list --pump PG-15 --json | jq length)" = 1 ]
}
check "one_request_sent_six_times_at_once_gives_one_certificate" twice

# ---- Bouncy Castle ----
if java -version >/dev/null 2>&1 && [ -e /usr/share/java/bctls.jar ]; then
	printf '%s\n' "- PG-16 $(token PG-16)" "old PG-17 $(token PG-17)" "bound PG-18 $(token PG-18)" "bound PG-19 wrong" |
		java -XX:TieredStopAtLevel=1 -Xshare:auto -cp "$JARS" "$JAVA_CLIENT" "127.0.0.1:$EST_PORT" "$TRUST" >java.out 2>java.err
	check "bouncy_castle_enrols_and_renews" says '^ok PG-16 cacerts=4 key=ECDSA bound=false CN=PG-16$' cat java.out
	check "bouncy_castle_follows_a_label_with_an_rsa_key" says '^ok PG-17 cacerts=4 key=RSA ' cat java.out
	check "bouncy_castle_binds_its_request_with_tls_unique" says '^ok PG-18 .* bound=true ' cat java.out
	check "bouncy_castle_is_refused_with_a_wrong_token" says '^failed PG-19: ' cat java.out
else
	skip "bouncy_castle_enrols_and_renews" "needs java and libbctls-java"
fi

# ---- a whole wave ----
wave() { # 300 pumps in one moment, each with an address of its own; who is told "later" comes again
	mkdir wave &&
		"$PUMPGATE_BUILD/tools/enrol_load" --est "127.0.0.1:$EST_PORT" --ca "$TRUST" --out wave \
			--registry "$PUMPGATE_HOME/run/registry/sock" --zone pumps --first 5000 --count 300 --at-once
}
issued_once_each() { # certificates of the wave's pumps, as the registry and the signer's list have them
	local listed registered
	listed=$(grep -o 'BENCH-[0-9]*' "$PUMPGATE_HOME/ca/issued.log" | sort)
	registered=$(pumpctl cert list --json | jq -r '.[].device' | grep '^BENCH-' | sort)
	[ "$(wc -l <<<"$listed")" = 300 ] && [ -z "$(uniq -d <<<"$listed")" ] &&
		[ "$registered" = "$listed" ]
}
check "300_pumps_that_enrol_at_once_are_all_served" wave
check "and_none_of_them_twice" issued_once_each

# ---- a revoked pump ----
key PG-8
enrol PG-8 PG-8 "$(token PG-8)"
T8=$(token PG-8)
pumpctl pump revoke PG-8 --reason "test" >/dev/null 2>&1
check "a_revoked_pump_cannot_renew" refused 403 '(pump|certificate)-revoked' simplereenroll PG-8.csr \
	--cert PG-8.pem --key PG-8.key
check "a_wrong_token_for_a_revoked_pump_is_refused_like_any_other" \
	refused 401 "" simpleenroll PG-8.csr -u PG-8:not-the-token
check "a_revoked_pump_cannot_enrol_with_an_open_token" refused 40[13] '' simpleenroll PG-8.csr -u "PG-8:$T8"

# ---- the signer away ----
check "refusals_reach_the_events_of_the_pump" wait_until 5 says 'token-used' pumpctl pump events PG-1
pkill -STOP -P "$SUPERVISOR" -x pumpgate-signer
signer_away() { refused 503 signer-away simpleenroll PG-2.csr -u "PG-2:$T2" && est -o /dev/null "$EST_URL/cacerts"; }
check "a_signer_that_does_not_answer_gives_503" signer_away
pkill -CONT -P "$SUPERVISOR" -x pumpgate-signer
check "once_it_answers_again_the_same_request_succeeds" wait_until 15 enrol PG-2 PG-2 "$T2"
check "no_token_is_in_any_log" fails_with 1 grep -rqF -e "$T1" -e "$T2" -e "$T7" -e "$T8" "$PUMPGATE_HOME/log"
tap_done
