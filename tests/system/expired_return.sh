#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A pump that slept in a storeroom past its certificate's end comes back once, by its registered key:
# enrolment over EST with the expired certificate. Its certificate is replaced by one that ended, of
# the same serial number and key, in the registry too, while nothing runs.
# shellcheck disable=SC2317,SC2119,SC2015,SC2016 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

scratch_up || exit 1
site_up || exit 1
N=(1 2 3 4 5)
for n in "${N[@]}"; do pump_enrol "PG-$n" "02:00:00:00:00:0$n" || exit 1; done
scratch_stop

# slept PUMP DAYS: its certificate ended so many days ago
slept() {
	local f=$SCRATCH/$1 serial der from to
	serial=$(openssl x509 -in "$f.pem" -noout -serial | cut -d= -f2)
	printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nsubjectAltName=URI:urn:pumpgate:pump:%s\n' \
		"$1" >"$f.ext"
	printf '[ca]\ndefault_ca=x\n[x]\ndatabase=%s\nnew_certs_dir=%s\nserial=%s\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
		"$f.index" "$SCRATCH" "$f.serial" >"$f.ca"
	: >"$f.index"
	echo "$serial" >"$f.serial"
	from=$(($(date +%s) - 800 * 86400)) to=$(($(date +%s) - $2 * 86400))
	openssl req -new -key "$f.key" -subj "/CN=$1" -out "$f.req" 2>/dev/null
	openssl ca -batch -notext -config "$f.ca" -in "$f.req" -out "$f.pem" -extfile "$f.ext" \
		-cert "$PUMPGATE_HOME/ca/device-ca.pem" -keyfile "$PUMPGATE_HOME/ca/device-ca.key" \
		-startdate "$(date -u -d "@$from" +%Y%m%d%H%M%SZ)" \
		-enddate "$(date -u -d "@$to" +%Y%m%d%H%M%SZ)" 2>"$f.log" || { cat "$f.log"; return 1; }
	der=$(openssl x509 -in "$f.pem" -outform DER | od -An -v -tx1 | tr -d ' \n')
	sqlite3 -bail "$PUMPGATE_HOME/registry/registry.db" "
		UPDATE certificate_der SET der = x'$der' WHERE certificate_id =
			(SELECT id FROM certificates WHERE serial = lower('$serial'));
		UPDATE certificates SET not_before = ${from}000, not_after = ${to}000
			WHERE serial = lower('$serial')"
}
slept PG-1 30 && slept PG-2 400 && slept PG-3 30 && slept PG-4 30 || exit 1
scratch_run || exit 1

# est NAME OPERATION REQUEST [CURL-OPTION...]: the HTTP status; the answer is in $SCRATCH/answer
est() {
	curl -sS -o "$SCRATCH/answer" -w '%{http_code}' --cacert "$TRUST" --cert "$SCRATCH/$1.pem" \
		--key "$SCRATCH/$1.key" -H 'Content-Type: application/pkcs10' \
		--data-binary "@$SCRATCH/$3" "${@:4}" "$EST_URL/$2" 2>"$SCRATCH/curl.err"
}
refused() { # STATUS REASON EST-ARGUMENT...
	local status
	status=$(est "${@:3}")
	[ "$status" = "$1" ] && { [ -z "$2" ] || grep -q "^$2" "$SCRATCH/answer"; } ||
		{ echo "status $status"; cat "$SCRATCH/answer" "$SCRATCH/curl.err"; return 1; }
}
returns() { # PUMP REQUEST FILE: gets a certificate, in FILE
	[ "$(est "$1" simplereenroll "$2")" = 200 ] || { cat "$SCRATCH/answer"; return 1; }
	tr -d '\r' <"$SCRATCH/answer" | base64 -d | openssl pkcs7 -inform DER -print_certs >"$SCRATCH/$3" &&
		openssl x509 -in "$SCRATCH/$3" -noout -checkend 86400
}
request() { # NAME PUMP: a request for a new key
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
		-keyout "$SCRATCH/$1.key" -outform DER 2>/dev/null | base64 >"$SCRATCH/$1.csr"
}
proven() { # NAME PUMP: a new key, for which the old one has signed (RFC 9763)
	openssl ecparam -name prime256v1 -genkey -noout -out "$SCRATCH/$1.key" 2>/dev/null
	openssl x509 -in "$SCRATCH/$2.pem" -outform DER -out "$SCRATCH/$2.der"
	"$PUMPGATE_BUILD/tools/signer_client" "$PUMPGATE_HOME" proof "$SCRATCH/$2.der" "$SCRATCH/$2.key" \
		"$SCRATCH/$1.key" "$SCRATCH/$1.der" && base64 <"$SCRATCH/$1.der" >"$SCRATCH/$1.csr"
}

# ---- refusals ----
request stranger PG-1
check "an_expired_certificate_alone_gets_no_first_enrolment" refused 401 '' PG-1 simpleenroll PG-1.csr
check "a_key_that_the_registered_one_has_not_signed_for_waits_for_nobody" \
	refused 403 renewal-unproven PG-1 simplereenroll stranger.csr
check "after_more_than_a_year_it_is_too_late" refused 403 certificate-expired PG-2 simplereenroll PG-2.csr
pumpctl pump revoke PG-3 --reason stolen >/dev/null 2>&1
check "a_revoked_pump_does_not_come_back" refused 403 pump-revoked PG-3 simplereenroll PG-3.csr
check "another_pump_is_not_named_by_it" refused 403 name-refused PG-1 simplereenroll PG-5.csr
check "its_standing_is_not_told_to_it" eval \
	'EST_URL=${EST_URL%/est}/pumpgate refused 403 "Show the certificate" PG-1 renewal-info PG-1.csr -X GET'
check "on_the_network_it_is_refused_as_before" eap_is_refused PG-1
check "because_its_certificate_ended" [ "$(last_attempt reason)" = certificate-expired ]

# ---- the return ----
proven fresh PG-1 || exit 1
check "with_the_old_keys_signature_a_new_key_gets_a_certificate" returns PG-1 fresh.csr fresh.pem
check "the_same_request_gets_the_same_one" eval \
	'cp "$SCRATCH/fresh.pem" "$SCRATCH/first.pem" && returns PG-1 fresh.csr fresh.pem &&
	cmp "$SCRATCH/first.pem" "$SCRATCH/fresh.pem"'
proven second PG-1 || exit 1
check "another_key_gets_none_it_is_granted_once" refused 403 return-used PG-1 simplereenroll second.csr
check "not_even_the_registered_one" refused 403 return-used PG-1 simplereenroll PG-1.csr
check "the_audit_says_that_it_came_back" says 'cert.return +PG-1' pumpctl audit tail -n 50
check "once" [ "$(pumpctl audit tail -n 50 --json | grep -c cert.return)" = 1 ]
check "and_the_list_of_certificates" eval \
	'pumpctl cert list --pump PG-1 --json | jq -e "any(.[]; .method == \"return\" and .state == \"valid\")"'
supplicant_conf back PG-1 "$SCRATCH/fresh.pem" "$SCRATCH/fresh.key"
check "with_it_the_pump_is_in_its_zone" eval 'eap back && [ "$(accept_attribute 81)" = 313230 ]'
check "the_old_one_is_superseded_then" wait_until 5 refused 403 certificate-superseded PG-1 \
	simplereenroll fresh.csr
check "the_audit_is_intact" pumpctl audit verify

# ---- the switch ----
scratch_stop
sed -i 's/^\[ca\]$/[ca]\nexpired_return = no/' "$PUMPGATE_HOME/pumpgate.conf"
scratch_run || exit 1
check "where_policy_says_no_nobody_comes_back" refused 403 certificate-expired PG-4 simplereenroll PG-4.csr
tap_done
