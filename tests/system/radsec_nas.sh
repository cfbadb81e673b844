#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# NAS that speak RadSec (RFC 6614): radsecproxy, which others wrote, carries authentication and
# accounting; each NAS is its certificate and nothing else; Disconnect-Requests come over its own
# connection; and strangers at the port harm nobody.
# shellcheck disable=SC2317,SC2119,SC2015,SC2016 # functions are called by check, some by eval
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

PIDS=()
down() {
	[ ${#PIDS[@]} = 0 ] || kill "${PIDS[@]}" 2>/dev/null
	scratch_down
}
scratch_up && rejects_at_once || exit 1
trap down EXIT
site_up || exit 1
pump_enrol PG-1 || exit 1
RADSEC=$(jq -r .radsec.nas "$PUMPGATE_HOME/run.json")
K=$SCRATCH/keys
mkdir "$K"
radsecnas=$PUMPGATE_BUILD/tools/radsecnas
log=$PUMPGATE_HOME/log

exits() { # STATUS COMMAND...
	local status
	"${@:2}" >"$SCRATCH/out" 2>&1
	status=$?
	[ "$status" = "$1" ] || { echo "exit $status"; cat "$SCRATCH/out"; return 1; }
}
nas_is() { # NAME JQ-FILTER
	pumpctl nas show "$1" --json | jq -e "$2" >/dev/null ||
		{ pumpctl nas show "$1"; return 1; }
}
request() { # NAME SUBJECT: $K/NAME.key, $K/NAME.csr
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" \
		-keyout "$K/$1.key" -out "$K/$1.csr" 2>/dev/null
}

# ---- NAS and their certificates ----
check "a_nas_without_an_address_must_say_that_it_speaks_radsec" exits 64 \
	pumpctl nas add sw1 --secret-out "$SCRATCH/none"
check "a_radsec_nas_has_no_secret" exits 64 \
	pumpctl nas add sw1 --radsec --secret-file "$SCRATCH/nas.secret"
check "nor_a_port_for_disconnect" exits 64 pumpctl nas add sw1 --radsec --das-port 3799
check "a_radsec_nas" exits 0 pumpctl nas add sw1 --radsec
check "and_another" exits 0 pumpctl nas add sw2 --radsec
check "the_same_again_is_nothing_to_do" exits 2 pumpctl nas add sw1 --radsec
check "a_nas_with_a_secret_gets_no_certificate" exits 1 pumpctl nas certificate ap1 --new-key "$K"
check "a_nas_that_is_not_there_gets_none" exits 1 pumpctl nas certificate sw9 --new-key "$K"
check "a_radsec_nas_gets_no_secret" exits 1 \
	pumpctl nas secret sw1 --secret-file "$SCRATCH/nas.secret"
check "a_key_made_here_and_its_certificate" exits 0 pumpctl nas certificate sw1 --new-key "$K"
check "the_key_is_for_its_owner_alone" test "$(stat -c %a "$K/sw1.key")" = 600
check "asked_again_it_is_the_same_certificate" eval \
	'cp "$K/sw1.pem" "$SCRATCH/before"; exits 2 pumpctl nas certificate sw1 --new-key "$K" &&
	cmp "$K/sw1.pem" "$SCRATCH/before"'
request sw2 '/CN=PG-1/O=Elsewhere'
check "a_request_that_the_nas_made" exits 0 \
	pumpctl nas certificate sw2 --csr "$K/sw2.csr" --out "$K/sw2.pem"
check "nothing_but_the_key_of_the_request_counts" says 'CN = sw2$' \
	openssl x509 -in "$K/sw2.pem" -noout -subject
check "it_names_the_nas_and_is_no_server" says \
	'URI:urn:pumpgate:nas:sw2' openssl x509 -in "$K/sw2.pem" -noout -ext subjectAltName
check "it_is_for_clients_alone" eval \
	'openssl x509 -in "$K/sw2.pem" -noout -ext extendedKeyUsage >"$SCRATCH/eku" &&
	grep -q "Client Auth" "$SCRATCH/eku" && ! grep -q "Server Auth" "$SCRATCH/eku"'
check "no_pump_and_no_server_of_ours_has_its_ca" eval \
	'! openssl verify -CAfile "$TRUST" "$K/sw2.pem" &&
	! openssl verify -CAfile "$PUMPGATE_HOME/trust/device.pem" "$K/sw2.pem"'
check "the_registry_knows_it" nas_is sw2 '.certificates == 1 and .radsec'
check "the_audit_names_it" eval 'pumpctl audit tail --json >"$SCRATCH/audit" &&
	grep -q nas.certificate "$SCRATCH/audit"'

# ---- radsecproxy as the NAS's own RadSec client ----
proxy_up() { # NAME CERT KEY: sets PROXY_PORT
	local pid
	PROXY_PORT=$(shuf -i 10000-29990 -n 1)
	cat >"$SCRATCH/$1.proxy" <<-END
		ListenUDP 127.0.0.1:$PROXY_PORT
		LogLevel 2
		tls default {
		    CACertificateFile $TRUST
		    CertificateFile $2
		    CertificateKeyFile $3
		}
		client 127.0.0.1 {
		    type udp
		    secret $NAS_SECRET
		}
		server pumpgate {
		    host ${RADSEC%:*}
		    port ${RADSEC##*:}
		    type tls
		    secret radsec
		    CertificateNameCheck off
		    MatchCertificateAttribute SubjectAltName:DNS:/^radsec-1\\.pumpgate\\.internal\$/
		    StatusServer on
		}
		realm * {
		    server pumpgate
		    accountingServer pumpgate
		}
	END
	radsecproxy -f -c "$SCRATCH/$1.proxy" >"$SCRATCH/$1.proxy.log" 2>&1 &
	pid=$!
	PIDS+=("$pid")
	wait_until 5 grep -q 'subject CN=radsec-1' "$SCRATCH/$1.proxy.log"
}
proxied() { # NAME [OPTION...]: an authentication through the proxy on $PROXY_PORT
	RADIUS_AUTH_PORT=$PROXY_PORT EAP_WAIT_S=${EAP_WAIT_S:-15} eap "$@"
}
acct() { # TYPE SESSION
	printf 'User-Name = PG-1\nAcct-Status-Type = %s\nAcct-Session-Id = %s\nCalling-Station-Id = 02-00-00-00-00-01\nClass = "%s"\nNAS-Identifier = sw1\n' \
		"$1" "$2" "$CLASS" | radclient -r 3 -t 4 "127.0.0.1:$PROXY_PORT" acct "$NAS_SECRET"
}
session_of() { # SESSION NAS
	pumpctl session list --json | jq -e "any(.[]; .session_id == \"$1\" and .nas == \"$2\")"
}
proxy_up sw1 "$K/sw1.pem" "$K/sw1.key" || exit 1
SW1_PORT=$PROXY_PORT
check "a_pump_gets_on_over_radsec" wait_until 20 proxied PG-1 -N 44:s:over-tls
check "into_its_zone" [ "$(accept_attribute 81)" = 313230 ]
check "the_keys_of_the_session_arrive" grep -q 'MS-MPPE-.*-Key\|Attribute 26' "$SCRATCH/eap.log"
check "the_session_is_this_nas_s" wait_until 5 session_of over-tls sw1
pump_add PG-9 02:00:00:00:00:09 && pumpctl pump token PG-9 --mab-window 30m >/dev/null || exit 1
mab_over_radsec() {
	printf 'User-Name = "020000000009"\nCalling-Station-Id = 02-00-00-00-00-09\n%s\n%s\n%s\n' \
		'Service-Type = Call-Check' 'NAS-Port-Type = Ethernet' 'Message-Authenticator = 0x00' |
		radclient -r 3 -t 4 -x "127.0.0.1:$PROXY_PORT" auth "$NAS_SECRET" >"$SCRATCH/mab.log" 2>&1 &&
		grep -q 'Tunnel-Private-Group-Id:0 = "99"' "$SCRATCH/mab.log" &&
		grep 'pump.auth verdict=onboard' "$log/radiusd.log" | grep -q 'nas=sw1 ' ||
		{ cat "$SCRATCH/mab.log"; return 1; }
}
check "mac_authentication_over_radsec_is_this_nas_s_too" mab_over_radsec
CLASS=$(grep -o 'pg1\.PG-1\.[0-9a-f]*' "$PUMPGATE_HOME"/log/*.log "$SCRATCH/eap.log" | head -n 1 | sed 's/.*pg1/pg1/')
check "accounting_is_answered" acct Start over-tls
check "and_recorded_for_this_nas" wait_until 5 eval \
	'pumpctl session list --json | jq -e "any(.[]; .session_id == \"over-tls\" and .state == \"started\" and .nas == \"sw1\")"'
check "a_nas_that_names_another_one_stays_the_one_of_its_certificate" eval \
	'proxied PG-1 -N 32:s:sw2 -N 44:s:borrowed && wait_until 5 session_of borrowed sw1'
check "and_that_is_an_event" wait_until 5 nas_is sw1 '.claim_events > 0'

# ---- who is refused ----
tls_refused() { # CERT KEY: the server says no, or nothing after the handshake
	timeout 5 "$radsecnas" --connect "$RADSEC" --trust "$TRUST" --cert "$1" --key "$2" --status \
		>"$SCRATCH/refused" 2>&1
	! grep -q '"code":2' "$SCRATCH/refused"
}
refused_in_log() { wait_until 5 grep -q "radsec.refused.*$1" "$log/radsecd.log"; }
tls_accepted() { # NAME
	timeout 10 "$radsecnas" --connect "$RADSEC" --trust "$TRUST" --cert "$K/$1.pem" \
		--key "$K/$1.key" --status --until 3 "${@:2}" >"$SCRATCH/accepted" 2>&1
	grep -q '"code":2,"id":100' "$SCRATCH/accepted"
}
check "status_server_is_answered" tls_accepted sw2
check "packets_in_pieces_and_two_at_once_are_understood" eval \
	'tls_accepted sw2 --split && grep -q "\"id\":101" "$SCRATCH/accepted" &&
	grep -q "\"id\":102" "$SCRATCH/accepted"'
check "a_pump_is_no_nas" tls_refused "$SCRATCH/PG-1.pem" "$SCRATCH/PG-1.key"
check "and_that_stands_in_the_log" refused_in_log 'verify failed'
check "our_own_server_is_no_nas" tls_refused "$PUMPGATE_HOME/est/cert.pem" "$PUMPGATE_HOME/est/key.pem"
foreign() { # a CA with the very names of ours
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/O=Hospital/CN=Pumpgate NAS CA 1" -keyout "$K/evil.key" -out "$K/evil.ca" &&
		openssl x509 -req -in "$K/sw2.csr" -CA "$K/evil.ca" -CAkey "$K/evil.key" \
			-CAcreateserial -days 2 -out "$K/foreign.pem" &&
		cp "$K/sw2.key" "$K/foreign.key"
} 2>/dev/null
foreign
check "a_foreign_ca_of_the_same_name_is_refused" tls_refused "$K/foreign.pem" "$K/foreign.key"
check "without_a_certificate_nobody_is_heard" eval \
	'! timeout 5 "$radsecnas" --connect "$RADSEC" --trust "$TRUST" --status | grep -q code'
# what an expired one meets: signed by the true CA, ended yesterday
expired() {
	request old /CN=sw2 &&
		openssl ca -batch -notext -startdate 20240101000000Z -enddate 20240102000000Z \
			-config <(printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n[e]\nextendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n' \
				"$K/db" "$K/serial" "$K") \
			-cert "$PUMPGATE_HOME/ca/nas-ca.pem" -keyfile "$PUMPGATE_HOME/ca/nas-ca.key" \
			-in "$K/old.csr" -out "$K/old.pem"
} >"$SCRATCH/expired.out" 2>&1
: >"$K/db"
echo 4d2a3b4c5d6e7f8091a2b3c4d5e6f708 >"$K/serial"
check "the_true_ca_can_be_made_to_sign_an_expired_one" expired
check "an_expired_certificate_is_refused" tls_refused "$K/old.pem" "$K/old.key"
check "and_the_log_says_why" refused_in_log 'verify failed'
# a certificate of the true CA that the registry does not hold: it gets through TLS, and no answer
unregistered() {
	request ghost /CN=sw1 &&
		openssl x509 -req -in "$K/ghost.csr" -CA "$PUMPGATE_HOME/ca/nas-ca.pem" \
			-CAkey "$PUMPGATE_HOME/ca/nas-ca.key" -CAcreateserial -days 2 -out "$K/ghost.pem" \
			-extfile <(echo extendedKeyUsage=clientAuth)
} 2>/dev/null
unregistered
# ---- two hundred strangers at the door ----
"$radsecnas" --connect "$RADSEC" --strangers 200 --source 127.0.0.9 >"$SCRATCH/strangers.log" &
PIDS+=($!)
wait_until 5 grep -q strangers "$SCRATCH/strangers.log" || exit 1
check "udp_is_answered_while_strangers_are_at_the_door" eap PG-1
check "a_nas_with_its_connection_is_answered" proxied PG-1
check "and_a_nas_can_connect" tls_accepted sw2
proxied_is_silent() { ! EAP_WAIT_S=2 proxied "$@" && ! grep -qE 'code=(2|3|11) ' "$SCRATCH/eap.log"; }
proxy_up ghost "$K/ghost.pem" "$K/ghost.key" || exit 1
check "a_certificate_that_is_not_registered_gets_no_answer" proxied_is_silent PG-1
check "and_the_log_names_the_certificate" wait_until 5 grep -q 'certificate=[0-9a-f]* .*not-in-force' "$log/radiusd.log"

# ---- disabled: no answer within a second, on the connection that is open ----
PROXY_PORT=$SW1_PORT
check "disable" exits 0 pumpctl nas disable sw1
sleep 1
check "a_disabled_nas_gets_no_answer_on_its_open_connection" proxied_is_silent PG-1
check "enable" exits 0 pumpctl nas enable sw1
sleep 1
check "enabled_again_it_is_answered" wait_until 25 proxied PG-1
request sw1b /CN=sw1
check "a_second_certificate_makes_the_first_one_end" exits 0 \
	pumpctl nas certificate sw1 --csr "$K/sw1b.csr" --out "$K/sw1b.pem" --sole
sleep 1
check "the_first_one_gets_no_answer" proxied_is_silent PG-1
check "the_registry_holds_one_in_force" nas_is sw1 '.certificates == 1'
proxy_up sw1b "$K/sw1b.pem" "$K/sw1b.key" || exit 1
check "the_second_one_is_answered" wait_until 20 proxied PG-1

# ---- Disconnect over the NAS's own connection ----
nas_up() { # NAME OPTION...
	"$radsecnas" --connect "$RADSEC" --trust "$TRUST" --cert "$K/$1.pem" --key "$K/$1.key" \
		--status "${@:2}" >"$SCRATCH/nas-$1.log" 2>&1 &
	PIDS+=($!)
	wait_until 5 grep -q '"code":2' "$SCRATCH/nas-$1.log"
}
probe() { # STATUS NAME PATTERN
	exits "$1" pumpctl nas test "$2" && grep -qE "$3" "$SCRATCH/out" ||
		{ cat "$SCRATCH/out"; return 1; }
}
check "a_nas_that_is_not_connected_is_named_so" probe 75 sw2 'no RadSec connection'
nas_up sw2 --answer unknown || exit 1
check "nas_test_works_over_radsec" probe 0 sw2 'Disconnect works'
check "the_request_is_genuine_and_tells_nothing_of_ours" eval \
	'jq -e -s "any(.[]; .genuine and .code == 40 and (.hop | not) and (.session | startswith(\"pumpgate-test-\")))" \
		"$SCRATCH/nas-sw2.log"'
check "no_other_nas_is_asked" eval '! grep -q "\"code\":40" "$SCRATCH"/sw1*.proxy.log'
pump_enrol PG-2 02:00:00:00:00:02 || exit 1
request sw3 /CN=sw3
pumpctl nas add sw3 --radsec >/dev/null
pumpctl nas certificate sw3 --csr "$K/sw3.csr" --out "$K/sw3.pem" >/dev/null
proxy_up sw3 "$K/sw3.pem" "$K/sw3.key" || exit 1
check "the_pump_gets_on" wait_until 20 proxied PG-2 -N 44:s:to-be-ended -N 31:s:02-00-00-00-00-02
check "its_session_is_there" wait_until 5 session_of to-be-ended sw3
nas_up sw3 --answer ack || exit 1
check "a_revocation_reaches_it" exits 0 pumpctl pump revoke PG-2 --reason test
check "and_is_acknowledged" wait_until 10 eval \
	'jq -e -s "any(.[]; .genuine and .session == \"to-be-ended\")" "$SCRATCH/nas-sw3.log"'
check "the_receipt_says_so" eval \
	'pumpctl pump revoke PG-2 --reason test --json >"$SCRATCH/receipt"; grep -q acked "$SCRATCH/receipt"'

# ---- strangers at the port ----
check "a_stranger_gets_sixteen_connections_the_others_are_closed_at_once" \
	grep -q 'too many connections without' "$log/radsecd.log"
check "their_handshakes_end_when_they_take_too_long" wait_until 15 \
	grep -q 'handshake took too long' "$log/radsecd.log"
check "all_of_them_are_closed" wait_until 5 grep -q closed "$SCRATCH/strangers.log"
garbage() { # what is no TLS, and TLS that is no RADIUS
	head -c 4096 /dev/urandom >"/dev/tcp/${RADSEC%:*}/${RADSEC##*:}" 2>/dev/null
	{ head -c 64 /dev/zero; sleep 0.5; } | timeout 3 openssl s_client -connect "$RADSEC" -cert "$K/sw2.pem" \
		-key "$K/sw2.key" -CAfile "$TRUST" -quiet >/dev/null 2>&1
	wait_until 5 grep -q 'a RADIUS packet of 0 bytes' "$log/radsecd.log"
}
check "garbage_ends_its_own_connection_only" garbage
config_works() { # what nas config says is what runs here
	pumpctl nas config sw1 --vendor radsecproxy --server "${RADSEC%:*}" >"$SCRATCH/config" 2>/dev/null &&
		sed -e "s/127.0.0.1:1812/127.0.0.1:$1/" -e "s/PUT-THE-SECRET-HERE/$NAS_SECRET/" \
			-e "s,/etc/radsecproxy/pumpgate-server.pem,$TRUST," \
			-e "s,/etc/radsecproxy/sw1,$K/sw1b," "$SCRATCH/config" >"$SCRATCH/config.proxy"
}
CONFIG_PORT=$(shuf -i 10000-29990 -n 1)
config_works "$CONFIG_PORT" || exit 1
radsecproxy -f -c "$SCRATCH/config.proxy" >"$SCRATCH/config.log" 2>&1 &
PIDS+=($!)
wait_until 5 grep -q 'subject CN=radsec-1' "$SCRATCH/config.log"
check "the_configuration_that_is_printed_for_radsecproxy_works" eval \
	'PROXY_PORT=$CONFIG_PORT proxied PG-1'
check "hostapd_is_refused_with_the_next_step" says radsecproxy \
	pumpctl nas config sw1 --vendor hostapd --server 192.0.2.1
check "a_nas_that_never_reads_is_closed" eval \
	'timeout 20 "$radsecnas" --connect "$RADSEC" --trust "$TRUST" --cert "$K/sw2.pem" --key "$K/sw2.key" --unread
	 wait_until 5 grep -q "does not read" "$log/radsecd.log"'
check "the_others_are_answered" proxied PG-1
check "radsecd_lived_through_all_of_it" eval \
	'[ "$(grep -c radsec.started "$log/radsecd.log")" -le 2 ]'

# ---- the inner port is not a way around it ----
inner_is_deaf() {
	local port
	port=$(sed -n 's/^radsec_inner_port = //p' "$PUMPGATE_HOME/pumpgate.conf")
	! EAP_SECRET=radsec EAP_WAIT_S=3 RADIUS_AUTH_PORT=$port eap PG-1 &&
		! grep -qE 'code=(2|3|11) ' "$SCRATCH/eap.log" &&
		grep -q 'not-radsecd' "$log/radiusd.log"
}
check "who_speaks_to_the_inner_port_without_the_token_gets_silence" inner_is_deaf
check "no_token_stands_in_a_log" eval '! grep -rqFf <(cat "$PUMPGATE_HOME"/radsec/*.token) "$log"'
check "status_shows_radsec" says 'radsecd +listens' pumpctl status
tap_done
