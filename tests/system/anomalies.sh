#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Signs of a copied key are alarms, and by policy quarantine the owner of the certificate that was
# presented. Pumps that roam raise none, and an attacker who holds one NAS secret gets no ward
# switched off: neither by claims nor by relaying real pumps.
# shellcheck disable=SC2317,SC2119,SC2015,SC2016 # functions are called by check, some by eval
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

WARD=5 # pumps PG-1 to PG-5
AP2=127.0.0.2 EVIL=127.0.0.66
DAS_PID=
down() {
	[ -z "$DAS_PID" ] || kill "$DAS_PID" 2>/dev/null
	scratch_down
}
scratch_up && rejects_at_once || exit 1
trap down EXIT
site_up || exit 1
"$PUMPGATE_BUILD/tools/dastool" --secret-file "$SCRATCH/nas.secret" --address "$AP2" --port 0 \
	>"$SCRATCH/das.log" &
DAS_PID=$!
wait_until 5 grep -q port "$SCRATCH/das.log" || exit 1
pumpctl nas add ap2 --ip "$AP2" --secret-file "$SCRATCH/nas.secret" \
	--das-port "$(head -n 1 "$SCRATCH/das.log" | jq .port)" >/dev/null &&
	pumpctl nas add evil --ip "$EVIL" --secret-file "$SCRATCH/nas.secret" --das-port 0 >/dev/null &&
	pumpctl zone add quarantine --vlan 666 --quarantine >/dev/null || exit 1
mac() { printf '02:00:00:00:00:%02x' "$1"; }
for i in $(seq "$WARD"); do pump_enrol "PG-$i" "$(mac "$i")" || exit 1; done

at() { # PUMP-NUMBER NAS-IP SESSION [EAPOL_TEST-OPTION...]
	eap "PG-$1" -A "$2" -N "44:s:$3" -M "$(mac "$1")" "${@:4}"
}
alarms() { pumpctl alarm list --json "$@"; }
alarm_is() { alarms | jq -e "any(.[]; $1)" || { alarms; return 1; }; }
# shellcheck disable=SC2120
no_alarm() { alarms "$@" | jq -e 'length == 0' || { alarms; return 1; }; }
status_says() { pumpctl status --json | jq -e "$1"; }
state_of() { pumpctl pump show "PG-$1" --json | jq -r .state; }
live_on() { # NAS SESSION PUMP-NUMBER
	pumpctl session list --json | jq -e --arg n "$1" --arg s "$2" --arg p "PG-$3" \
		'any(.[]; .nas == $n and .session_id == $s and .device == $p)'
}
events_are_in() { # what was sent before is on record once this is
	local mark
	mark=mark$RANDOM$RANDOM
	printf 'Acct-Status-Type = Start\nAcct-Session-Id = %s\nUser-Name = x\n' "$mark" |
		radclient -r 3 -t 2 "$RADIUS_ACCT" acct "$NAS_SECRET" >/dev/null &&
		wait_until 30 says "$mark" pumpctl session list --json && sleep 0.3
}
ack_all() {
	local id
	for id in $(alarms | jq '.[].id'); do pumpctl alarm ack "$id" --note test >/dev/null || return; done
	no_alarm
}

# ---- a pump that moves ----
roams() {
	local i
	for i in 1 2 3 4; do at 1 127.0.0.1 "a$i" && at 1 "$AP2" "b$i" || return; done
	at 1 127.0.0.1 a5 -r 2 # resumed ones too
}
check roaming_between_access_points_is_let_on roams
check and_raises_no_alarm eval 'events_are_in && no_alarm && status_says ".open_alarms == 0"'

# ---- a copied key ----
clone() { eap PG-1 -A "$AP2" -N "44:s:clone" -M 02:00:00:00:00:99; }
check a_clone_from_another_address_is_let_on_by_default clone
check and_is_an_alarm_that_names_pump_address_and_nas wait_until 30 alarm_is \
	'.kind == "two-macs" and .device == "PG-1" and .mac == "02:00:00:00:00:99" and .nas == "ap2"
		and .other_nas == "ap1" and .action == "none"'
check the_pump_that_comes_back_counts_it_up eval 'at 1 127.0.0.1 a6 && at 1 127.0.0.1 a7 && events_are_in &&
	alarms | jq -e "length == 1"'
check status_is_not_green eval 'pumpctl status >"$SCRATCH/out"; [ $? = 1 ] && grep -q "alarm list" "$SCRATCH/out"'
check why_points_at_it says "alarm list --pump PG-1" pumpctl pump why PG-1
check the_pump_s_history_has_it eval 'pumpctl pump events PG-1 --json |
	jq -e "any(.[]; .source == \"anomaly\" and .reason == \"two-macs\")"'
check the_log_has_one_line_of_it eval \
	'[ "$(grep -c "alarm.opened.*two-macs.*PG-1" "$PUMPGATE_HOME/log/registryd.log")" = 1 ]'
ALARM=$(alarms | jq '.[0].id')
check show_says_what_it_means_and_the_next_step says "next: .*pumpctl pump mac PG-1" \
	pumpctl alarm show "$ALARM"
check an_alarm_that_is_not_there_is_refused fails_with 1 pumpctl alarm ack 4711
check a_word_is_no_alarm fails_with 64 pumpctl alarm ack all
check it_is_acknowledged fails_with 0 pumpctl alarm ack "$ALARM" --note "second card"
check and_not_twice fails_with 2 pumpctl alarm ack "$ALARM"
check the_audit_has_who_and_why says "second card" pumpctl audit tail --json
check the_address_is_the_pump_s_now fails_with 0 pumpctl pump mac PG-1 02:00:00:00:00:99
check a_known_card_raises_no_alarm eval 'clone && at 1 127.0.0.1 a8 && events_are_in && no_alarm'

# ---- two sites ----
pumpctl nas set ap1 --site north >/dev/null
pumpctl nas set ap2 --site south >/dev/null
check two_sites_within_minutes_are_an_alarm eval 'at 2 127.0.0.1 n && at 2 "$AP2" s &&
	wait_until 30 alarm_is ".kind == \"two-sites\" and .device == \"PG-2\""'
pumpctl nas set ap2 --site north >/dev/null
check acknowledge_all ack_all

# ---- names and forged certificates ----
supplicant_conf liar PG-3 "$SCRATCH/PG-1.pem" "$SCRATCH/PG-1.key"
check another_name_is_refused eap_is_refused liar -A 127.0.0.1
check and_is_an_alarm_of_the_certificate_s_owner wait_until 30 alarm_is \
	'.kind == "identity-mismatch" and .device == "PG-1"'
check never_of_the_claimed_name eval 'events_are_in && no_alarm --pump PG-3'
forge() { # a certificate of our CA that the registry has never seen, in PG-3's name
	local ca=$PUMPGATE_HOME/ca
	printf 'subjectAltName=URI:urn:pumpgate:pump:PG-3\nextendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n' \
		>"$SCRATCH/forged.ext"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=PG-3 \
		-keyout "$SCRATCH/forged.key" -out "$SCRATCH/forged.csr" 2>/dev/null &&
		openssl x509 -req -in "$SCRATCH/forged.csr" -CA "$ca/device-ca.pem" \
			-CAkey "$ca/device-ca.key" -set_serial 0x4711 -days 1 \
			-extfile "$SCRATCH/forged.ext" -out "$SCRATCH/forged.pem" 2>/dev/null &&
		supplicant_conf forged PG-3 "$SCRATCH/forged.pem" "$SCRATCH/forged.key"
}
forge
check a_valid_signature_with_an_unknown_serial_is_refused eap_is_refused forged -A 127.0.0.1
check and_is_an_alarm_of_nobody wait_until 30 alarm_is \
	'.kind == "unknown-certificate" and .device == "" and .nas == "ap1"'
check not_of_the_name_in_it eval 'events_are_in && no_alarm --pump PG-3'
check acknowledge_all_again ack_all

# ---- by policy: quarantine. An attacker holds the secret of the NAS "evil". ----
scratch_stop
printf '\n[anomaly]\nquarantine = two-macs, two-sites, identity-mismatch\npumps_per_nas = 2\n' \
	>>"$PUMPGATE_HOME/pumpgate.conf"
scratch_run || exit 1
pumpctl nas set ap2 --site "" >/dev/null
pumpctl nas set ap1 --site "" >/dev/null
pumpctl nas set evil --site elsewhere >/dev/null
ward_on() {
	local i
	for i in $(seq "$WARD"); do at "$i" "$AP2" "on$i" || return; done
}
ward_is_on() { # each as it was, in its own zone
	local i
	for i in $(seq "${1:-1}" "$WARD"); do
		[ "$(state_of "$i")" = enrolled ] && live_on ap2 "on$i" "$i" || { echo "PG-$i"; return 1; }
	done
}
disconnects() { tail -n +2 "$SCRATCH/das.log" | wc -l; }
check the_ward_is_on eval 'ward_on && events_are_in && ward_is_on'

# what a NAS can say without any pump's key
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=PG-1 \
	-addext subjectAltName=URI:urn:pumpgate:pump:PG-1 -keyout "$SCRATCH/own.key" \
	-out "$SCRATCH/own.pem" 2>/dev/null
from_evil() { # PORT KIND ATTRIBUTE...
	printf '%s\n' "Packet-Src-IP-Address = $EVIL" "${@:3}" |
		timeout 15 radclient -r 3 -t 3 "127.0.0.1:$1" "$2" "$NAS_SECRET" 2>/dev/null
}
claims() {
	local i serial
	for i in $(seq "$WARD"); do
		serial=$(openssl x509 -in "$SCRATCH/PG-$i.pem" -noout -serial | cut -d= -f2 | tr A-F a-f)
		supplicant_conf own "PG-$i" "$SCRATCH/own.pem" "$SCRATCH/own.key"
		eap own -A "$EVIL" -M "$(mac "$i")"
		from_evil "$RADIUS_AUTH_PORT" auth "User-Name = PG-$i" "Calling-Station-Id = 66-66-66-66-66-66" \
			"User-Password = x" "Message-Authenticator = 0x00"
		from_evil "$RADIUS_AUTH_PORT" auth "User-Name = 020000000$(printf '%03x' "$i")" \
			"Calling-Station-Id = $(mac "$i")" "Service-Type = Call-Check" \
			"NAS-Port-Type = Ethernet" "Message-Authenticator = 0x00"
		for type in Start Interim-Update Stop; do
			from_evil "$RADIUS_ACCT_PORT" acct "User-Name = PG-$i" "Acct-Status-Type = $type" \
				"Acct-Session-Id = on$i" "Calling-Station-Id = 66-66-66-66-66-66" \
				"Class = \"pg1.PG-$i.$serial\"" "NAS-IP-Address = $AP2" \
				"NAS-Identifier = ap2"
		done
		from_evil "$RADIUS_ACCT_PORT" acct "User-Name = PG-$i" "Acct-Status-Type = Start" \
			"Acct-Session-Id = evil$i" "Calling-Station-Id = 66-66-66-66-66-66" \
			"Class = \"pg1.PG-$i.$serial\""
	done
	live_on evil evil1 1 || return # it was taken for what it is: a session there
	from_evil "$RADIUS_ACCT_PORT" acct "Acct-Status-Type = Accounting-On" "NAS-IP-Address = $AP2"
	from_evil "$RADIUS_ACCT_PORT" acct "Acct-Status-Type = Accounting-Off" "NAS-Identifier = ap2"
}
check the_attacker_claims_names_addresses_and_sessions_of_the_whole_ward claims
check claims_accuse_nobody eval 'events_are_in && no_alarm'
check nobody_is_quarantined_and_no_session_dropped eval 'ward_is_on && [ "$(disconnects)" = 0 ]'
check the_ward_goes_on_as_before eval 'ward_on && events_are_in && no_alarm && ward_is_on'

# what a NAS can do that relays real pumps, with addresses that it makes up
relay() {
	local i
	for i in $(seq "$WARD"); do eap "PG-$i" -A "$EVIL" -N "44:s:relay$i" -M "66:00:00:00:00:0$i" || return; done
}
check the_attacker_relays_the_whole_ward eval 'relay && events_are_in'
check the_alarm_for_people_names_the_nas wait_until 30 alarm_is '.kind == "one-nas" and .nas == "evil"'
quarantined() { pumpctl pump list --json | jq '[.[] | select(.state == "quarantined")] | length'; }
check only_as_many_as_the_cap_says_are_quarantined eval 'wait_until 30 alarm_is \
	".device == \"PG-5\" and .action == \"capped\"" && [ "$(quarantined)" = 2 ]'
check they_are_owners_of_presented_certificates eval \
	'[ "$(state_of 1)" = quarantined ] && [ "$(state_of 2)" = quarantined ]'
check the_rest_of_the_ward_is_untouched ward_is_on 3
only_1_and_2() { # "clone" is PG-1's second card
	tail -n +2 "$SCRATCH/das.log" | jq -s -e 'any(.[]; .session == "on1") and
		any(.[]; .session == "on2") and all(.[]; .session | IN("on1", "on2", "clone"))' ||
		{ cat "$SCRATCH/das.log"; return 1; }
}
check disconnects_went_out_for_the_two_alone eval 'wait_until 30 only_1_and_2'
check a_released_pump_is_not_quarantined_again eval 'pumpctl pump release PG-1 --reason "was relayed" --no-wait >/dev/null;
	at 1 "$AP2" back1 && eap PG-1 -A "$EVIL" -N 44:s:again -M 66:00:00:00:00:01 &&
	events_are_in && [ "$(state_of 1)" = enrolled ]'
tap_done
