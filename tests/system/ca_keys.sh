#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# CA keys in an encrypted file and in a PKCS#11 token (SoftHSM): signing, wrong words, nothing leaks.
# shellcheck disable=SC2317 # functions are called through check
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
BIN=${PUMPGATE_BUILD:-build}/bin
TOOL=${PUMPGATE_BUILD:-build}/tools/signer_client
MODULE=/usr/lib/softhsm/libsofthsm2.so
W=$(mktemp -d "${TMPDIR:-/tmp}/pumpgate-keys.XXXXXX")
H=$W/home
REGISTRY=''
SIGNER=''
cleanup() {
	[ -z "$SIGNER" ] || kill -9 "$SIGNER" 2>/dev/null
	[ -z "$REGISTRY" ] || kill -9 "$REGISTRY" 2>/dev/null
	wait 2>/dev/null
	# a killed registryd leaves its event ring
	for ring in "$W"/*/registry/events.ring; do rm -f "$(readlink "$ring")"; done
	rm -rf "$W"
}
trap cleanup EXIT

client() { "$TOOL" "$H" "$@"; }
signerd() { "$BIN/pumpgate-signerd" --home "$H" "$@" </dev/null; }
pumpctl() { "$BIN/pumpctl" --home "$H" "$@"; }
signer_start() {
	"$BIN/pumpgate-signerd" --home "$H" </dev/null >>"$W/signer.log" 2>&1 &
	SIGNER=$!
	wait_until 10 client status
}
signer_stop() {
	kill -TERM "$SIGNER"
	wait "$SIGNER"
	SIGNER=''
}
conf() { printf '[server]\nest_names = localhost\n[ca]\n' >"$H/pumpgate.conf"; for line in "$@"; do printf '%s\n' "$line" >>"$H/pumpgate.conf"; done; }
csr() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$W/$1.key" \
		-outform der -out "$W/$1.csr" -subj "/CN=$1" 2>/dev/null
}
# enrols SERIAL: a new pump gets a certificate of the one device CA
enrols() {
	client pump "$1" pumps "02:00:00:00:01:0${1#PG-}" && client token "$1" >"$W/$1.token" &&
		csr "$1" && client enroll "$1" "$W/$1.token" "$W/$1.csr" "$W/$1.der" &&
		openssl verify -CAfile "$H/trust/device.pem" "$W/$1.der"
}
form() { signerd keys | awk -F '\t' -v k="$1" '$1 == k { print $2 }'; }
fingerprint() { openssl x509 -in "$H/ca/device-ca.pem" -noout -fingerprint; }

mkdir "$H"
signerd init
"$BIN/pumpgate-registryd" --home "$H" init 2>"$W/registry.log"
"$BIN/pumpgate-registryd" --home "$H" >>"$W/registry.log" 2>&1 &
REGISTRY=$!
wait_until 10 client zone pumps 20
BORN=$(fingerprint)
check "keys_begin_as_plain_files" test "$(form device-ca)" = file

# ---- an encrypted file ----
(umask 077; openssl rand -base64 24 >"$W/words"; openssl rand -base64 24 >"$W/others"; echo short >"$W/short")
check "a_short_passphrase_is_refused" says 'fewer than 12' signerd protect all --passphrase-file "$W/short"
check "a_passphrase_that_others_can_read_is_refused" bash -c "
	cp '$W/words' '$W/open'; chmod 644 '$W/open'
	! '$BIN/pumpgate-signerd' --home '$H' protect all --passphrase-file '$W/open'"
check "nothing_was_changed_by_that" test "$(form device-ca)" = file
check "two_forms_at_once_are_wrong_usage" fails_with 64 signerd protect all --plain --passphrase-file "$W/words"
check "an_unknown_key_is_refused" says 'no key nobody here' signerd protect nobody --plain
check "all_keys_are_encrypted" signerd protect all --passphrase-file "$W/words"
check "no_plain_key_is_left_in_the_ca_folder" bash -c "! grep -rlE 'BEGIN (EC )?PRIVATE' '$H/ca'"
check "it_is_scrypt_and_openssl_reads_it" bash -c "
	openssl asn1parse -in '$H/ca/device-ca.key' | grep -q 'scrypt\|1.3.6.1.4.1.11591.4.11' &&
	openssl pkey -in '$H/ca/device-ca.key' -passin 'file:$W/words' -noout"
check "without_a_passphrase_the_signer_says_what_to_do" says 'passphrase_file, or the systemd credential' signerd
conf "passphrase_file = $W/others"
check "with_a_wrong_one_it_does_not_start" says 'the passphrase is wrong' signerd
conf "passphrase_file = $W/words"
signer_start
check "with_the_right_one_pumps_enrol" enrols PG-1
check "init_again_needs_no_passphrase" fails_with 0 signerd init
check "a_server_certificate_is_made_with_it" bash -c "
	'$BIN/pumpgate-signerd' --home '$H' server-cert --csr '$W/PG-1.csr' --radius r.test --out '$W/r.pem'"
check "the_passphrase_is_in_no_argument_and_no_environment" bash -c "
	! grep -aqF \"\$(cat '$W/words')\" /proc/$SIGNER/cmdline /proc/$SIGNER/environ"
signer_stop
rm "$H/pumpgate.conf"
mkdir -m 0700 "$W/credentials"
cp "$W/words" "$W/credentials/ca-passphrase"
export CREDENTIALS_DIRECTORY=$W/credentials
signer_start
check "a_systemd_credential_opens_it_too" enrols PG-2
signer_stop
unset CREDENTIALS_DIRECTORY

# ---- a token ----
if [ -r "$MODULE" ] && softhsm2-util --version >/dev/null; then
	mkdir -m 0700 "$W/tokens"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$W/tokens" >"$W/softhsm2.conf"
	export SOFTHSM2_CONF=$W/softhsm2.conf
	PIN=831275460192
	(umask 077; echo "$PIN" >"$W/pin"; echo 000000000000 >"$W/badpin")
	softhsm2-util --init-token --free --label pumpgate --pin "$PIN" --so-pin 99887766 >/dev/null
	conf "passphrase_file = $W/words" "pin_file = $W/pin" "pkcs11_module = $MODULE"
	signerd protect device-ca --plain >/dev/null
	openssl pkcs8 -topk8 -nocrypt -in "$H/ca/device-ca.key" -out "$W/import.pem"
	softhsm2-util --import "$W/import.pem" --token pumpgate --label device-ca --id 01 --pin "$PIN" >/dev/null
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$W/alien.pem" 2>/dev/null
	softhsm2-util --import "$W/alien.pem" --token pumpgate --label alien --id 02 --pin "$PIN" >/dev/null
	rm "$W/import.pem"
	URI='pkcs11:token=pumpgate;object=device-ca'
	check "a_pin_in_the_uri_is_refused" says 'no pin-value in it' \
		signerd protect device-ca --pkcs11 "$URI?pin-value=$PIN"
	check "a_module_in_the_uri_is_refused" says 'no module-path in it' \
		signerd protect device-ca --pkcs11 "$URI?module-path=/tmp/x.so"
	check "another_key_of_the_token_is_refused" says 'is another key' \
		signerd protect device-ca --pkcs11 'pkcs11:token=pumpgate;object=alien'
	check "a_key_that_is_not_there_is_refused" says 'no such private key' \
		signerd protect device-ca --pkcs11 'pkcs11:token=pumpgate;object=nothing'
	conf "pin_file = $W/badpin" "pkcs11_module = $MODULE"
	check "a_wrong_pin_is_refused" fails_with 1 signerd protect device-ca --pkcs11 "$URI"
	conf "pin_file = $W/pin"
	check "without_a_module_it_says_so" says 'pkcs11_module must be' signerd protect device-ca --pkcs11 "$URI"
	check "after_all_that_the_key_is_the_plain_file" test "$(form device-ca)" = file
	conf "passphrase_file = $W/words" "pin_file = $W/pin" "pkcs11_module = $MODULE"
	check "the_tokens_key_takes_the_files_place" signerd protect device-ca --pkcs11 "$URI"
	check "again_is_nothing_to_do" fails_with 2 signerd protect device-ca --pkcs11 "$URI"
	check "the_file_holds_the_uri_alone" test "$(cat "$H/ca/device-ca.key")" = "$URI"
	check "the_key_does_not_leave_the_token" says 'does not leave its token|not.*key' \
		signerd protect device-ca --plain
	signer_start
	check "pumps_enrol_by_the_token" enrols PG-3
	many() {
		local n pids=()
		for n in 1 2 3 4; do
			client enroll PG-3 "$W/PG-3.token" "$W/PG-3.csr" "$W/same$n.der" 5 &
			pids+=($!)
		done
		for n in "${pids[@]}"; do wait "$n" || return 1; done
	}
	check "repeats_in_parallel_give_one_certificate" many
	parallel() {
		local n pids=()
		for n in 11 12 13 14 15 16 17 18; do
			client pump "PG-$n" pumps "02:00:00:00:02:$n" && client token "PG-$n" >"$W/PG-$n.token" && csr "PG-$n"
		done
		for n in 11 12 13 14 15 16 17 18; do
			client enroll "PG-$n" "$W/PG-$n.token" "$W/PG-$n.csr" "$W/PG-$n.der" &
			pids+=($!)
		done
		for n in "${pids[@]}"; do wait "$n" || return 1; done
		openssl verify -CAfile "$H/trust/device.pem" "$W"/PG-1?.der
	}
	check "four_workers_sign_with_the_token_at_once" parallel
	check "the_signer_is_caged_all_the_same" grep -qE '^Seccomp:[[:space:]]+2$' "/proc/$SIGNER/status"
	check "pumpctl_shows_the_token" says 'device-ca +pkcs11 +pkcs11:token=pumpgate' pumpctl ca keys
	check "pumpctl_shows_it_as_json" bash -c "'$BIN/pumpctl' --home '$H' ca keys --json |
		jq -e 'map(select(.key == \"server-ca\" and .form == \"encrypted\")) | length == 1'"
	check "no_key_is_made_in_a_file_for_a_ca_in_a_token" says 'name it: --pkcs11' signerd rollover start device
	check "the_key_in_use_is_not_the_next_one" says 'key of the CA in use' signerd rollover start device --pkcs11 "$URI"
	check "next_ca_has_another_key_of_the_token" signerd rollover start device --pkcs11 'pkcs11:token=pumpgate;object=alien'
	check "pumpctl_shows_it_too" says 'device-next +pkcs11 +.*alien' pumpctl ca keys
	check "the_ca_is_still_the_first_one" test "$(fingerprint)" = "$BORN"
	check "the_caged_signer_takes_it_over" signerd rollover switch device
	BORN=$(fingerprint)
	by_the_next() {
		client pump PG-19 pumps 02:00:00:00:02:19 && client token PG-19 >"$W/PG-19.token" && csr PG-19 &&
			client enroll PG-19 "$W/PG-19.token" "$W/PG-19.csr" "$W/PG-19.der" &&
			openssl x509 -inform DER -in "$W/PG-19.der" -noout -issuer | grep 'Device CA 2'
	}
	check "and_signs_with_it" by_the_next
	lists() { grep -c "signer.crl ca=$1 " "$W/signer.log"; }
	BEFORE=$(lists 1)
	signer_stop
	signer_start
	more_lists() { [ "$(lists 1)" -gt "$BEFORE" ]; }
	check "a_start_opens_both_keys_of_the_token" wait_until 10 more_lists
	signer_stop
	check "the_pin_is_in_no_log" bash -c "! grep -rqF '$PIN' '$W/signer.log' '$H/ca' '$H/pumpgate.conf'"
	softhsm2-util --delete-token --token pumpgate >/dev/null 2>&1
	check "without_its_token_the_signer_does_not_start" fails_with 1 signerd
else
	skip "pumps_enrol_by_the_token" "needs softhsm2"
fi
check "the_ca_is_the_one_that_it_was" test "$(fingerprint)" = "$BORN"
check "the_root_key_can_be_away" bash -c "rm '$H/ca/device-root.key' '$H/ca/server-root.key' &&
	'$BIN/pumpgate-signerd' --home '$H' keys | grep -qP 'device-root\tnone'"
check "no_sanitizer_has_spoken" fails_with 1 grep -E \
	'(ERROR|WARNING): [A-Za-z]*Sanitizer|runtime error' "$W/signer.log"
tap_done
