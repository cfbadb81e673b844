#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Quarantine, park and release: the NAS is told at once, the pump authenticates again and lands in
# the zone that its standing leads to, with the certificate that it has. The NAS is
# tests/support/dastool.
# shellcheck disable=SC2317,SC2015,SC2119 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

DAS_PID=
down() {
	[ -z "$DAS_PID" ] || kill "$DAS_PID" 2>/dev/null
	scratch_down
}
SCRATCH_SETTINGS=$'[report]\nmin_version = 1.4\nquarantine = yes\n'
scratch_up || exit 1
trap down EXIT
site_up || exit 1
"$PUMPGATE_BUILD/tools/dastool" --secret-file "$SCRATCH/nas.secret" --address 127.0.0.11 --port 0 \
	>"$SCRATCH/das.log" &
DAS_PID=$!
wait_until 5 grep -q port "$SCRATCH/das.log" || exit 1
pumpctl nas add ap2 --ip 127.0.0.11 --secret-file "$SCRATCH/nas.secret" \
	--das-port "$(head -n 1 "$SCRATCH/das.log" | jq .port)" >/dev/null || exit 1
MAC=02:00:00:00:00:01
pump_enrol PG-1 "$MAC" || exit 1
pump_add PG-2 02:00:00:00:00:02 || exit 1

on() { # SESSION [OPTION...]: the pump authenticates through the NAS
	eap PG-1 -A 127.0.0.11 -M "$MAC" -N "44:s:$1" "${@:2}"
}
lands() { # VLAN VERDICT REASON SESSION [OPTION...]: as `on`, and into this VLAN
	on "${@:4}" && [ "$(accept_attribute 81)" = "$(printf '%s' "$1" | xxd -p)" ] &&
		[ "$(last_attempt verdict)" = "$2" ] && [ "$(last_attempt reason)" = "$3" ]
}
session_in() { # SESSION ZONE VLAN
	pumpctl session list --json |
		jq -e --arg s "$1" --arg z "$2" --argjson v "$3" \
			'any(.[]; .session_id == $s and .zone == $z and .vlan == $v)'
}
state_is() { [ "$(pumpctl pump show PG-1 --json | jq -r .state)" = "$1" ]; }
rejects_are() { [ "$(pumpctl pump show PG-1 --json | jq .rejects)" = "$1" ]; }
disconnects() { tail -n +2 "$SCRATCH/das.log" | wc -l; }
das_heard() { tail -n +2 "$SCRATCH/das.log" | jq -e -s "any(.[]; $1)"; }
statuses() { # STATUS COMMAND...
	"${@:2}" >"$SCRATCH/out" 2>&1
	local status=$?
	cat "$SCRATCH/out"
	[ "$status" = "$1" ]
}

# ---- refused ----
check a_quarantine_needs_a_reason fails_with 64 pumpctl pump quarantine PG-1
check a_quarantine_of_nobody_fails fails_with 1 pumpctl pump quarantine PG-9 --reason test
check without_a_zone_for_it_nobody_is_quarantined says "zone add NAME --vlan N --quarantine" \
	pumpctl pump quarantine PG-1 --reason test
check it_stays_enrolled state_is enrolled
check a_zone_has_one_purpose fails_with 64 pumpctl zone add both --vlan 9 --quarantine --parking
pumpctl zone add jail --vlan 198 --quarantine >/dev/null
pumpctl zone add lot --vlan 199 --parking --session 10m >/dev/null
check there_is_one_quarantine_zone fails_with 1 pumpctl zone add jail2 --vlan 197 --quarantine
check a_pump_without_a_certificate_is_not_quarantined says "has no certificate yet" \
	pumpctl pump quarantine PG-2 --reason test
check a_pump_that_was_always_in_its_zone_is_not_released fails_with 2 pumpctl pump release PG-1

# ---- quarantine ----
check the_pump_is_in_its_own_zone lands 120 accept in-good-standing s-1
check and_the_registry_knows wait_until 5 session_in s-1 ward 120
check quarantine_is_told_to_the_nas_and_acknowledged says 's-1: disconnected [0-9]+ ms after' \
	pumpctl pump quarantine PG-1 --reason 'scans its neighbours'
check the_request_named_the_session das_heard '.genuine and .code == 40 and .session == "s-1"'
check it_authenticates_again_into_the_quarantine_vlan lands 198 quarantine quarantined s-2
check its_session_shows_the_zone wait_until 5 session_in s-2 jail 198
check the_receipt_has_seen_it_there wait_until 5 says "in its new zone +since 20" \
	pumpctl pump quarantine PG-1 --reason again
check a_second_quarantine_is_nothing_to_do_and_shows_the_first says \
	"was already quarantined by .*: scans its neighbours" pumpctl pump quarantine PG-1 --reason again
check and_exits_so fails_with 2 pumpctl pump quarantine PG-1 --reason again
check nor_was_the_pump_disconnected_again [ "$(disconnects)" = 1 ]
check resumed_or_not_it_stays_there lands 198 quarantine quarantined s-2 -r 1
check show_knows_it state_is quarantined
check list_finds_it says PG-1 pumpctl pump list --state quarantined
check why_says_by_whom_and_where says "quarantined by .*: scans .*zone jail \(VLAN 198\)" \
	pumpctl pump why PG-1
check status_counts_it says "1 quarantined" pumpctl status
check events_show_it says "pump.quarantine" pumpctl pump events PG-1
check mac_authentication_stays_closed fails_with 1 pumpctl pump token PG-1 --mab-window 10m

# renews where it is: reaching EST with its own certificate
openssl req -new -key "$SCRATCH/PG-1.key" -subj /CN=PG-1 -outform DER | base64 >"$SCRATCH/renew.csr"
renews() {
	curl -sS --fail --cacert "$TRUST" --cert "$SCRATCH/PG-1.pem" --key "$SCRATCH/PG-1.key" \
		-H 'Content-Type: application/pkcs10' --data-binary "@$SCRATCH/renew.csr" \
		"$EST_URL/simplereenroll" | tr -d '\r' | base64 -d |
		openssl pkcs7 -inform DER -print_certs >"$SCRATCH/PG-1.new" &&
		openssl x509 -in "$SCRATCH/PG-1.new" -noout
}
check its_certificate_is_renewed_in_quarantine renews
mv "$SCRATCH/PG-1.new" "$SCRATCH/PG-1.pem"
check the_new_certificate_does_not_lead_out lands 198 quarantine quarantined s-2

# ---- release, park ----
check release_is_told_to_the_nas says 's-2: disconnected' pumpctl pump release PG-1 --reason clean
check it_is_back_in_its_own_zone lands 120 accept in-good-standing s-3
check the_receipt_of_the_release_says_so wait_until 5 says "in its new zone +since 20" \
	pumpctl pump release PG-1
check a_second_release_is_nothing_to_do fails_with 2 pumpctl pump release PG-1

# ---- a floor of TLS for its model: below it into quarantine, not off the network ----
supplicant_conf tls13 PG-1 "$SCRATCH/PG-1.pem" "$SCRATCH/PG-1.key" tls_disable_tlsv1_3=0
lands_13() { # VLAN VERDICT REASON SESSION [OPTION...]: with TLS 1.3
	eap tls13 -A 127.0.0.11 -M "$MAC" -N "44:s:$4" "${@:5}" &&
		[ "$(accept_attribute 81)" = "$(printf '%s' "$1" | xxd -p)" ] &&
		[ "$(last_attempt verdict) $(last_attempt reason)" = "$2 $3" ]
}
shows_tls() { [ "$(pumpctl pump show PG-1 --json | jq -r .tls)" = "$1" ]; }
checked() { # STATUS PASS FAIL UNKNOWN OPTION...
	statuses "$1" pumpctl model check Flow-9 --json "${@:5}" >/dev/null &&
		jq -e --argjson p "$2" --argjson f "$3" --argjson u "$4" \
			'.pass == $p and .fail == $f and .unknown == $u' "$SCRATCH/out"
}
check what_it_spoke_is_known wait_until 5 shows_tls 1.2
check a_check_needs_a_question fails_with 64 pumpctl model check Flow-9
check and_a_version_that_is_one fails_with 64 pumpctl model check Flow-9 --tls-min 1.1
check a_check_of_a_model_without_pumps_is_about_nothing fails_with 2 \
	pumpctl model check Flow-1 --tls-min 1.3
check who_would_fail_is_shown says "fail +PG-1 +Flow-9 .* 1\.2 .*ec-p256 +ECDHE" \
	pumpctl model check Flow-9 --tls-min 1.3
check and_counted checked 1 0 1 0 --tls-min 1.3
check of_all_models_too statuses 1 pumpctl model check --all --tls-min 1.3
check with_what_it_speaks_it_would_pass checked 0 1 0 0 --tls-min 1.2 --key ec
check with_another_key_it_would_fail checked 1 0 1 0 --key rsa
check a_floor_that_shuts_out_is_not_set statuses 1 pumpctl model tls Flow-9 --min 1.3
check and_says_how_it_would_be grep -q -- --anyway "$SCRATCH/out"
check nor_by_a_dry_run statuses 1 pumpctl model tls Flow-9 --min 1.3 --anyway --dry-run
check nor_does_that_move_the_pump lands 120 accept in-good-standing s-3
check meant_so_it_is_set statuses 0 pumpctl model tls Flow-9 --min 1.3 --anyway
check that_is_so_already fails_with 2 pumpctl model tls Flow-9 --min 1.3 --anyway
before=$(disconnects)
check below_the_floor_it_lands_in_quarantine lands 198 quarantine tls-below-model s-3
accounted() { # SESSION: the NAS tells of it, which is looked after a second later
	printf 'Acct-Status-Type = Start\nAcct-Session-Id = %s\nUser-Name = PG-1\n%s\n%s\n' "$1" \
		"Calling-Station-Id = $MAC" "Packet-Src-IP-Address = 127.0.0.11" | radclient -r 3 -t 2 "$RADIUS_ACCT" acct "$NAS_SECRET"
}
check its_accounting_is_taken accounted s-3
check resumed_too lands 198 quarantine tls-below-model s-3 -r 1
check why_says_so says "zone jail .*lower version of TLS.*TLS 1\.2, its model must have 1\.3" \
	pumpctl pump why PG-1
check with_tls_1_3_it_is_in_its_own_zone_at_once lands_13 120 accept in-good-standing s-3
check which_is_known_too wait_until 5 shows_tls 1.3
check and_then_nobody_would_fail checked 0 1 0 0 --tls-min 1.3
check the_floor_is_listed says "Flow-9 +2 +1\.3" pumpctl model list
sleep 1 # when the look at that session is over
check nothing_chased_it_out_of_quarantine [ "$(disconnects)" = "$before" ]
check taken_away_it_counts_no_more eval \
	'pumpctl model tls Flow-9 --min none && lands 120 accept in-good-standing s-3'
check the_audit_has_both_and_who_was_below says "model.tls +Flow-9 +min=1.3 below=1" \
	pumpctl audit tail -n 3

# ---- what it says of itself: software below the version that is wanted ----
reports() { # SOFTWARE: the pump's word about itself, as its agent sends it; the answer's state
	curl -sS --cacert "$TRUST" --cert "$SCRATCH/PG-1.pem" --key "$SCRATCH/PG-1.key" \
		-H 'Content-Type: application/json' "${EST_URL%/est}/pumpgate/status" -d '{"version":1,
		"software":"'"$1"'","key_protection":"software","infusing":"infusing","slots":[],
		"server_anchors":[],"device_anchors":[],"ports":[],"ports_more":0}' | jq -r .state
}
check with_the_version_that_is_wanted_it_stays says '^enrolled$' reports 1.4.0
check an_older_one_says_what_it_is says enrolled reports 1.3.9
check and_is_quarantined_for_it wait_until 5 state_is quarantined
check why_says_what_is_wanted says "software 1.3.9, at least 1.4 is wanted" pumpctl pump why PG-1
check the_nas_takes_it_off wait_until 5 das_heard '.session == "s-3"'
check it_lands_where_it_may_be_updated lands 198 quarantine quarantined s-3
check and_is_told_where_it_is says '^quarantined$' reports 1.3.9
check a_person_lets_it_back statuses 0 pumpctl pump release PG-1 --reason 'update ordered'
check and_it_is_back lands 120 accept in-good-standing s-3

check parking_is_told_to_the_nas says 's-3: disconnected' pumpctl pump park PG-1 --reason spare
check it_lands_in_the_parking_vlan lands 199 park parked s-4
check with_that_zones_session_time [ "$(accept_attribute 27)" = 600 ]
check from_parking_it_can_be_quarantined statuses 0 pumpctl pump quarantine PG-1 --reason worse
check and_lands_there lands 198 quarantine quarantined s-5

# ---- what quarantine is not ----
sed 's/identity="PG-1"/identity="PG-2"/' "$SCRATCH/PG-1.conf" >"$SCRATCH/liar.conf"
check quarantine_lets_no_false_name_on eap_is_refused liar -A 127.0.0.11 -M "$MAC"
check its_refusals_are_counted wait_until 5 rejects_are 1
check it_is_let_on_again lands 198 quarantine quarantined s-5
check which_ends_the_count wait_until 5 rejects_are 0
check revocation_out_of_quarantine_is_acknowledged says 's-5: disconnected' \
	pumpctl pump revoke PG-1 --reason stolen
check and_it_is_refused eap_is_refused PG-1 -A 127.0.0.11 -M "$MAC"
check a_revoked_pump_cannot_be_released says "revoked, and that is for good" \
	pumpctl pump release PG-1
check nor_quarantined fails_with 1 pumpctl pump quarantine PG-1 --reason test
check nor_parked fails_with 1 pumpctl pump park PG-1 --reason test
check it_is_still_refused eap_is_refused PG-1 -A 127.0.0.11 -M "$MAC"
held_back() {
	pumpctl pump events PG-1 --limit 5 --json |
		jq -e 'any(.[]; .detail | test("refused 4 times in a row: after 2 s"))'
}
check refused_a_third_time eap_is_refused PG-1 -A 127.0.0.11 -M "$MAC"
check refused_a_fourth_time eap_is_refused PG-1 -A 127.0.0.11 -M "$MAC"
check and_from_then_on_the_refusal_is_held_back wait_until 5 held_back
# EAP-Message and Message-Authenticator
reject_attributes() {
	sed -n '/code=3 (Access-Reject)/,/^EAPOL\|^STA/p' "$SCRATCH/eap.log" |
		grep -oE 'Attribute [0-9]+' | sort -u | xargs
}
check what_holds_it_back_is_not_on_the_wire [ "$(reject_attributes)" = "Attribute 79 Attribute 80" ]
changes_in_audit() {
	pumpctl audit tail -n 200 --json | jq -r '.[].action' |
		grep -cE "^pump\.(quarantine|release|park|revoke)$"
}
check the_audit_has_every_change [ "$(changes_in_audit)" = 7 ]
check the_audit_holds statuses 0 pumpctl audit verify
tap_done
