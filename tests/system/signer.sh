#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# pumpgate-signerd with a real registry: tokens, repeats, renewals, kill -9 between the steps, uids.
# shellcheck disable=SC2317 # functions are called through check
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
BIN=${PUMPGATE_BUILD:-build}/bin
TOOL=${PUMPGATE_BUILD:-build}/tools/signer_client
W=$(mktemp -d "${TMPDIR:-/tmp}/pumpgate-signer.XXXXXX")
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

registry_start() {
	"$BIN/pumpgate-registryd" --home "$H" >>"$W/registry.log" 2>&1 &
	REGISTRY=$!
	wait_until 10 client zone pumps 20 # answers also when the zone is there already
}

signer_start() {
	"$BIN/pumpgate-signerd" --home "$H" >>"$W/signer.log" 2>&1 &
	SIGNER=$!
	wait_until 10 client status
}

# stop PID SIGNAL: the process is gone when this returns.
stop() {
	kill "-$2" "$1"
	wait "$1" 2>/dev/null
	return 0
}

# csr NAME SUBJECT [OPTION...]: a fresh key and a request, NAME.key and NAME.csr.
csr() {
	local name=$1 subject=$2
	shift 2
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$W/$name.key" \
		-outform der -out "$W/$name.csr" -subj "$subject" "$@" 2>/dev/null
}

pump_with_token() {
	PUMP_N=$((${PUMP_N:-0} + 1))
	client pump "$1" pumps "02:00:00:00:00:$(printf %02x "$PUMP_N")" &&
		client token "$1" >"$W/$1.token"
}

enroll() { client enroll "$1" "$W/$1.token" "$W/$2.csr" "$W/$2.der"; }
issued() { client status | sed 's/issued=\([0-9]*\).*/\1/'; }
lines() { wc -l <"$H/ca/issued.log"; }
same() { cmp "$W/$1.der" "$W/$2.der"; }

mkdir "$H"
check "init_makes_two_hierarchies" "$BIN/pumpgate-signerd" --home "$H" init
sha256sum "$H"/ca/*.key "$H"/trust/*.pem >"$W/sums"
check "init_again_changes_nothing" "$BIN/pumpgate-signerd" --home "$H" init
check "keys_and_trust_are_as_before" sha256sum --quiet -c "$W/sums"
rm "$H/ca/device-ca.pem"
check "init_refuses_to_make_a_new_ca_over_an_old_key" \
	fails_with 1 "$BIN/pumpgate-signerd" --home "$H" init
rm -rf "$H/ca"
check "init_refuses_to_replace_the_trust_of_another_ca" says 'of another CA' \
	"$BIN/pumpgate-signerd" --home "$H" init
rm -rf "$H"/ca "$H"/trust
"$BIN/pumpgate-signerd" --home "$H" init

csr server /CN=ignored
check "server_cert_is_issued" "$BIN/pumpgate-signerd" --home "$H" server-cert \
	--csr "$W/server.csr" --radius radius-1.pumpgate.internal --out "$W/server.pem"
check "server_cert_verifies_for_its_name" openssl verify -CAfile "$H/trust/server.pem" \
	-purpose sslserver -verify_hostname radius-1.pumpgate.internal "$W/server.pem"
check "server_cert_is_no_client" fails_with 2 openssl verify -CAfile "$H/trust/server.pem" \
	-purpose sslclient "$W/server.pem"
check "server_cert_refuses_no_name" fails_with 1 "$BIN/pumpgate-signerd" --home "$H" server-cert \
	--csr "$W/server.csr" --est " , " --out "$W/none.pem"
check "server_cert_refuses_both_kinds" fails_with 64 "$BIN/pumpgate-signerd" --home "$H" \
	server-cert --csr "$W/server.csr" --est a.b --radius a.b --out "$W/none.pem"

chmod 0640 "$H/ca/device-ca.key"
check "serve_refuses_a_key_that_others_may_read" says 'chmod 600' \
	"$BIN/pumpgate-signerd" --home "$H"
chmod 0600 "$H/ca/device-ca.key"

"$BIN/pumpgate-registryd" --home "$H" init 2>>"$W/registry.log"
signer_start
csr one /CN=PG-1
printf 'token' >"$W/PG-1.token"
check "registry_away_is_said_so" says 'unavailable: registry-away: ' enroll PG-1 one
registry_start
check "second_signer_on_one_list_is_refused" says 'another pumpgate-signerd' \
	"$BIN/pumpgate-signerd" --home "$H"

check "wrong_token_is_refused" says 'denied: token-wrong: ' enroll PG-1 one
pump_with_token PG-1
csr other /CN=PG-2
check "another_pumps_name_is_refused" says 'invalid: name-refused: ' \
	client enroll PG-1 "$W/PG-1.token" "$W/other.csr" "$W/x.der"
csr ca /CN=PG-1 -addext basicConstraints=critical,CA:TRUE
check "request_for_ca_rights_is_refused" says 'invalid: request-malformed: ' \
	client enroll PG-1 "$W/PG-1.token" "$W/ca.csr" "$W/x.der"
head -c 300 /dev/urandom >"$W/garbage.csr"
check "garbage_is_refused" says 'invalid: request-malformed: ' \
	client enroll PG-1 "$W/PG-1.token" "$W/garbage.csr" "$W/x.der"
for ca in device-ca device-root server-ca; do
	openssl req -new -key "$H/ca/$ca.key" -subj /CN=PG-1 -outform der -out "$W/$ca.csr" 2>/dev/null
	check "key_of_the_${ca}_is_refused" says 'crypto: key-refused: .*CAs. own' \
		client enroll PG-1 "$W/PG-1.token" "$W/$ca.csr" "$W/x.der"
done
check "refusals_cost_no_token" enroll PG-1 one
check "certificate_verifies_for_clients" openssl verify -CAfile "$H/trust/device.pem" \
	-purpose sslclient "$W/one.der"
cp "$W/one.der" "$W/first.der"
check "same_token_same_key_again" enroll PG-1 one
check "gives_the_same_certificate" same one first
csr thief /CN=PG-1
check "same_token_other_key_is_refused" says 'used: token-used: ' \
	client enroll PG-1 "$W/PG-1.token" "$W/thief.csr" "$W/x.der"
pump_with_token PG-D
openssl req -new -key "$W/one.key" -subj /CN=PG-D -outform der -out "$W/double.csr" 2>/dev/null
check "key_of_another_pump_is_refused" says 'denied: key-refused: another pump uses this key' \
	client enroll PG-D "$W/PG-D.token" "$W/double.csr" "$W/x.der"
check "list_has_one_line" test "$(lines)" = 1

check "renewal_by_the_registered_key" client renew "$W/one.der" "$W/one.csr" "$W/r1.der"
csr new /CN=PG-1
check "renewal_by_another_key_waits_for_a_person" says 'busy: approval-pending: ' \
	client renew "$W/one.der" "$W/new.csr" "$W/x.der"
client proof "$W/one.der" "$W/one.key" "$W/new.key" "$W/proof.csr"
check "renewal_with_proof" client renew "$W/one.der" "$W/proof.csr" "$W/r2.der"
cp "$W/r2.der" "$W/r2a.der"
check "renewal_again" client renew "$W/one.der" "$W/proof.csr" "$W/r2.der"
check "renewal_again_gives_the_same" same r2 r2a
client proof "$W/one.der" "$W/thief.key" "$W/new.key" "$W/false.csr"
check "renewal_with_false_proof_is_refused" says 'denied: renewal-unproven: ' \
	client renew "$W/one.der" "$W/false.csr" "$W/x.der"
mkdir "$W/twin" && "$BIN/pumpgate-signerd" --home "$W/twin" init
openssl x509 -req -in "$W/one.csr" -inform der -CA "$W/twin/ca/device-ca.pem" \
	-CAkey "$W/twin/ca/device-ca.key" -set_serial "0x$(openssl x509 -in "$W/one.der" -noout \
	-serial | cut -d= -f2)" -days 9 -outform der -out "$W/forged.der" 2>/dev/null
check "renewal_of_a_twin_cas_certificate_is_refused" says 'denied: wrong-ca: ' \
	client renew "$W/forged.der" "$W/one.csr" "$W/x.der"

check "admin_may_not_enroll" says 'closed the connection' \
	client as-admin-enroll PG-1 "$W/PG-1.token" "$W/one.csr" "$W/x.der"
check "message_without_record_ends_the_connection" says 'closed the connection' client empty
check "signer_lives_on" client status
check "signer_runs_in_its_cage" grep -qE '^Seccomp:[[:space:]]+2$' "/proc/$SIGNER/status"
if [ "$(id -u)" = 0 ]; then
	chmod 0711 "$W" "$H"
	check "another_uid_is_refused" says 'denied|Permission' setpriv --reuid 65534 --regid 65534 \
		--clear-groups "$TOOL" "$H" status
	chmod 0666 "$H/run/signer/sock"
	check "another_uid_is_refused_behind_an_open_socket" fails_with 1 setpriv --reuid 65534 \
		--regid 65534 --clear-groups "$TOOL" "$H" status
	check "another_uid_cannot_read_the_keys" fails_with 1 setpriv --reuid 65534 --regid 65534 \
		--clear-groups cat "$H/ca/device-ca.key"
	check "another_uid_cannot_trace_the_signer" fails_with 1 setpriv --reuid 65534 \
		--regid 65534 --clear-groups cat "/proc/$SIGNER/environ"
else
	skip "another_uid_is_refused" "needs root"
fi

# rubbish on the socket, and a pump that enrols meanwhile
pump_with_token PG-G
csr g /CN=PG-G
"${PUMPGATE_BUILD:-build}/tools/garbage" unix "$H/run/signer/sock" 1 400 >"$W/garbage.out" 2>&1 &
rubbish=$!
check "pump_enrols_beside_a_peer_that_talks_rubbish" enroll PG-G g
wait "$rubbish"
check "rubbish_was_sent" test $? = 0
check "rubbish_does_not_end_the_signer" client status

# a registry that hangs: bounded answers, everything else goes on
pump_with_token PG-S
csr s /CN=PG-S
kill -STOP "$REGISTRY"
started=$(date +%s%3N)
for n in 1 2 3 4; do
	enroll PG-S s >"$W/hang$n" 2>&1 &
	asking[n]=$!
done
check "status_is_answered_while_the_registry_hangs" timeout 1 "$TOOL" "$H" status
wait "${asking[@]}"
check "hanging_registry_is_said_so" grep -q 'registry-away: ' "$W/hang1" "$W/hang4"
check "hanging_registry_costs_two_seconds_at_most" test $(($(date +%s%3N) - started)) -lt 4000
kill -CONT "$REGISTRY"
check "certificate_once_the_registry_is_back" enroll PG-S s
check "the_hang_made_no_second_certificate" test "$(cut -d' ' -f5 "$H/ca/issued.log" |
	grep -c PG-S)" = 1

# settings
stop "$SIGNER" TERM
printf '[ca]\nissue_per_minute = 2\nunproven_renewals = refuse\n[users]\nenrolld = 65534\n' >"$H/pumpgate.conf"
chmod 0711 "$W" "$H"
signer_start
check "root_is_not_the_enrolment_service" says 'closed|denied' enroll PG-S s
as_enrolld() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
if [ "$(id -u)" = 0 ]; then
	mkdir -m 0777 "$W/enrolld"
	csr thief-s /CN=PG-S
	cp "$TOOL" "$W/PG-S.token" "$W/s.csr" "$W/thief-s.csr" "$W/enrolld/"
	chmod -R a+rX "$W/enrolld"
	again=("$W/enrolld/signer_client" "$H" enroll PG-S "$W/enrolld/PG-S.token"
		"$W/enrolld/s.csr" "$W/enrolld/s.der")
	check "enrolment_service_by_its_uid" as_enrolld "${again[@]}"
	check "policy_refuse_asks_nobody" says 'denied: renewal-unproven: ' as_enrolld \
		"$W/enrolld/signer_client" "$H" renew "$W/enrolld/s.der" "$W/enrolld/thief-s.csr" \
		"$W/enrolld/x.der"
	# repeats cost nothing; the third fresh certificate of a minute is one too many
	for n in 1 2 3; do
		pump_with_token "PG-C$n"
		csr "c$n" "/CN=PG-C$n"
		cp "$W/PG-C$n.token" "$W/c$n.csr" "$W/enrolld/"
	done
	chmod -R a+rX "$W/enrolld"
	capped() { as_enrolld "$W/enrolld/signer_client" "$H" enroll "PG-C$1" "$W/enrolld/PG-C$1.token" \
		"$W/enrolld/c$1.csr" "$W/enrolld/c$1.der"; }
	both() { capped 1 && capped 2; }
	check "two_a_minute_are_within_the_cap" both
	check "cap_per_minute_holds" says 'limit: signer-away: more than 2 certificates a minute' capped 3
	check "the_cap_is_logged_as_an_error" grep -q 'error .*signer.cap_reached per_minute=2' "$W/signer.log"
	check "a_repeat_of_what_was_issued_is_no_new_one" test "$(cut -d' ' -f5 "$H/ca/issued.log" | grep -c PG-C)" = 2
	stop "$SIGNER" TERM
	printf '[ca]\nissue_per_hour = 3\n[users]\nenrolld = 65534\n' >"$H/pumpgate.conf"
	signer_start
	check "a_restart_is_no_way_around_the_cap_of_an_hour" says 'or 3 an hour' capped 3
	stop "$SIGNER" TERM
	printf '[ca]\nissue_per_hour = 5000\n[users]\nenrolld = 65534\n' >"$H/pumpgate.conf"
	signer_start
	check "raised_cap_lets_the_waiting_pump_through" capped 3
else
	skip "enrolment_service_by_its_uid" "needs root"
fi
stop "$SIGNER" TERM
printf '[ca]\nunproven_renewals = allow\n' >"$H/pumpgate.conf"
check "misspelt_policy_for_unproven_renewals_is_refused" says 'must be queue or refuse' \
	"$BIN/pumpgate-signerd" --home "$H"
printf '[ca]\nissue_per_minutes = 2\n' >"$H/pumpgate.conf"
check "misspelt_setting_is_refused" says 'issue_per_minutes: no such setting' \
	"$BIN/pumpgate-signerd" --home "$H"
printf '[ca]\nserver_validity = 90d\n' >"$H/pumpgate.conf"
check "server_validity_beyond_60_days_is_refused" says 'server_validity must be' \
	"$BIN/pumpgate-signerd" --home "$H"
printf '[users]\nsignerd = 65534\n' >"$H/pumpgate.conf"
check "another_user_than_configured_is_refused" says 'runs as uid' \
	"$BIN/pumpgate-signerd" --home "$H"
rm "$H/pumpgate.conf"
signer_start

# kill -9 anywhere: repeating gives a certificate, and no serial names two.
for n in 1 2 3 4 5 6 7 8; do
	pump_with_token "PG-K$n"
	csr "k$n" "/CN=PG-K$n"
	(sleep "0.00$n"; kill -9 "$SIGNER") & # while it works on the request, or just before or after
	killer=$!
	enroll "PG-K$n" "k$n" >/dev/null 2>&1
	wait "$killer" "$SIGNER" 2>/dev/null
	signer_start
	check "killed_signer_$n: the repeated request gets its certificate" enroll "PG-K$n" "k$n"
done
check "every_certificate_has_its_line" test "$(lines)" = "$(issued)"
check "no_serial_twice" test "$(cut -d' ' -f4 "$H/ca/issued.log" | sort | uniq -d | wc -l)" = 0
check "no_pump_twice_in_the_list" test \
	"$(cut -d' ' -f5 "$H/ca/issued.log" | grep -c PG-K)" = 8

# between list and registry: the line is there, the registry has only the reservation
pump_with_token PG-L
csr l /CN=PG-L
before=$(lines)
check "a_certificate_to_forget" enroll PG-L l
cp "$W/l.der" "$W/l1.der"
stop "$SIGNER" KILL
stop "$REGISTRY" KILL
# as if ISSUE_STORE had never arrived
check "reservation_without_certificate_is_staged" sqlite3 -bail "$H/registry/registry.db" "
	CREATE TEMP TABLE l AS SELECT c.id FROM certificates c JOIN devices d ON d.id = c.device_id
		WHERE d.serial = 'PG-L';
	DELETE FROM certificate_der WHERE certificate_id IN l;
	UPDATE certificates SET state = 'reserved', not_before = 0, not_after = 0, issued_at = 0
		WHERE id IN l;
	UPDATE devices SET state = 'expected' WHERE serial = 'PG-L'"
registry_start
signer_start
check "certificate_of_the_list_is_given_again" enroll PG-L l
check "it_is_the_same_one" same l l1
check "list_did_not_grow" test "$(lines)" = $((before + 1))

stop "$SIGNER" KILL
printf 'v1 99 an unfinished li' >>"$H/ca/issued.log"
signer_start
check "unfinished_last_line_is_cut_off_and_logged" grep -q signer.list_repaired "$W/signer.log"
pump_with_token PG-M
csr m /CN=PG-M
check "issuing_goes_on_after_the_repair" enroll PG-M m
stop "$SIGNER" TERM
sed -i '2s/PG-1/PG-9/' "$H/ca/issued.log"
check "changed_list_stops_the_signer" says 'line 2: its hash does not fit' \
	"$BIN/pumpgate-signerd" --home "$H"
SIGNER=''
# (in its cage the leak check can't run, and says so)
check "no_sanitizer_has_spoken" fails_with 1 grep -E \
	'(ERROR|WARNING): [A-Za-z]*Sanitizer|runtime error' "$W/signer.log"
check "log_has_no_token" fails_with 1 grep -qF "$(cat "$W/PG-1.token")" "$W/signer.log"
tap_done
