#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is checked inside the virtual machine, in TAP. No step waits a fixed time: it waits for what it
# needs to see, within a limit.
# shellcheck disable=SC2317 # functions are called through check
cd /radio || exit
# shellcheck source=tests/support/tap.sh
. ./tap.sh
# shellcheck source=tests/demo/network.sh
. ./network.sh
# shellcheck source=tests/radio/guest/hospital.sh
. ./hospital.sh
export PUMPGATE_HOME=/root/home
P1=PG-000123
P2=PG-000124

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
# timed SENTENCE COMMAND...: a check whose time is told
timed() {
	local from
	from=$(now_ms)
	check "$@"
	echo "#   $(($(now_ms) - from)) ms"
}
evidence() {
	local log
	[ "$TAP_FAILED" != 0 ] || return 0
	{ pumpctl pump list; pumpctl session list --all; } 2>&1 | sed 's/^/# /'
	for log in "$H"/*.log "$PUMPGATE_HOME"/log/*.log; do
		echo "# -- $log"
		tail -n 25 "$log" | sed 's/^/#    /'
	done
}
# Later checks would only repeat that an earlier one failed.
go_on() {
	[ "$TAP_FAILED" = 0 ] && return
	evidence
	tap_done
}

# ---- the server ----
server_is_ready() {
	inside srv pumpctl init --users 64200 --radius-address "$MGMT_SERVER" \
		--radius-auth-port 1812 --radius-acct-port 1813 --est-address "$WARD_SERVER" \
		--est-port 8443 --est-name "$WARD_SERVER" || return
	# so short that a renewal can be asked for at any time
	sed -i 's/^device_validity *=.*/device_validity = 30m/' "$PUMPGATE_HOME/pumpgate.conf"
	server_comes_up
}
server_comes_up() {
	start server srv pumpctl run
	wait_until 90 test -s "$PUMPGATE_HOME/run.json"
}
inventory() {
	local n
	pumpctl zone add infusion-pumps --vlan "$VLAN_PUMPS" &&
		pumpctl zone add quarantine --vlan "$VLAN_QUARANTINE" --quarantine || return
	for n in 1 2; do
		(umask 077 && tr -dc A-Za-z0-9 </dev/urandom 2>/dev/null | head -c 32 >"$H/ap$n.secret")
		pumpctl nas add "ap$n" --ip "${AP_IP[n]}" --secret-file "$H/ap$n.secret" --das-port 3799 --site house ||
			return
	done
	pumpctl pump add "$P1" --maker Acme --model One --mac "${PUMP_MAC[1]}" --zone infusion-pumps &&
		pumpctl pump add "$P2" --maker Acme --model One --mac "${PUMP_MAC[2]}" --zone infusion-pumps &&
		pumpctl pump bundle "$P1" --out "$H/$P1.json" && pumpctl pump bundle "$P2" --out "$H/$P2.json"
}

# ---- onboarding ----
has_certificate() { [ -n "$(agent_says "$1" certificate)" ]; }
onboarded() {
	pump_start 1 "$P1" --renew-at 90 && pump_start 2 "$P2" --renew-at 90 &&
		wait_until 60 has_certificate 1 && wait_until 60 has_certificate 2
}
bundles_are_gone() { [ ! -e "$H/$P1.json" ] && [ ! -e "$H/$P2.json" ]; }

# ---- on the air ----
online_at() { # PUMP AP
	wait_until 40 agent_is "$1" online && wait_until 5 ap_has "$2" "$1"
}
vlan_is() { ap "$1" sta "${PUMP_MAC[$2]}" | grep -qx "vlan_id=$VLAN_PUMPS"; }
zone_only() { # HOST
	wait_until 10 reaches "$1" "$WARD_MATE" && reaches "$1" "$WARD_SERVER" &&
		blocked "$1" "$WARD_OTHER"
}

# ---- roaming ----
roamed() { # PUMP AP
	wpa "$1" roam "${AP_MAC[$2]}" && wait_until 20 at_access_point "$1" "$2" &&
		wait_until 10 agent_is "$1" online
}
at_access_point() { wpa_says "$1" "bssid=${AP_MAC[$2]}" && wpa_says "$1" wpa_state=COMPLETED; }
sees() { wpa "$1" scan_results | grep -q "${AP_MAC[$2]}"; }
looks_for() { # PUMP AP
	wait_until 20 eval "wpa $1 scan; sees $1 $2"
}
protected() { wpa_says "$1" 'key_mgmt=WPA2-EAP-SHA256' && wpa_says "$1" pmf=2; }
# the registry knows a session of the pump at each of these access points
sessions_at() {
	local serial=$1
	shift
	[ "$(pumpctl session list --pump "$serial" --json | jq -r '.[].nas' | sort -u | xargs)" = "$*" ]
}

# ---- quarantine and release ----
# The station comes back by itself, perhaps at the other access point, and must ask RADIUS there.
changed() { # PUMP SERIAL ACTION AP: with the time from the command's start to the deauthentication
	local from
	from=$(now_ms)
	pumpctl pump "$3" "$2" --reason "scans its neighbours" || return
	wait_until 5 deauthenticated_after "$1" "$4" "$from" || return
	echo "$(($(deauthenticated_ms "$1" "$4") - from))" >"$H/left$1.ms"
}
# With protected frames and dynamic VLANs the station takes no notice of the deauthentication. It finds
# out within two seconds when it has something to send, else only after half a minute.
in_vlan() { # PUMP VLAN
	local n
	reaches "pump$1" "$WARD_SERVER"
	for n in 1 2; do
		ap "$n" sta "${PUMP_MAC[$1]}" | grep -qx "vlan_id=$2" && authorized_at "$n" "$1" && return
	done
	return 1
}
quarantine_only() { # PUMP OTHER-PUMP
	wait_until 10 reaches "pump$1" "$WARD_SERVER" &&
		blocked "pump$1" "$WARD_MATE" "$WARD_OTHER" "${PUMP_IP[$2]}"
}
state_is() { [ "$(pumpctl pump show "$1" --json | jq -r .state)" = "$2" ]; }
seen_there() { pumpctl pump quarantine "$1" --reason again | grep 'in its new zone  since'; }

# ---- renewal ----
certificate_is_not() { [ "$(agent_says "$1" certificate)" != "$2" ] && agent_is "$1" online; }
renewed_under_traffic() { # PUMP SERIAL
	local first
	first=$(agent_says "$1" certificate)
	stop "agent$1" || return
	start renewal "pump$1" ping -D -n -i 0.02 -W 1 "$WARD_MATE"
	pump_start "$1" "$2" --renew-at 1
	wait_until 40 certificate_is_not "$1" "$first" && wait_until 20 reaches "pump$1" "$WARD_MATE" &&
		stop renewal -INT && certificate_is_not "$1" "$first"
}
superseded() { [ "$(pumpctl cert list --pump "$1" --state superseded --json | jq length)" = 1 ]; }
# Writing another identity into wpa_supplicant's block makes it leave and come back (decision 92): the
# longest time between two answers says for how long.
renewal_outage_ms() {
	sed -nE 's/^\[([0-9]+)\.([0-9]{3}).*bytes from.*/\1\2/p' "$H/renewal.log" |
		awk 'NR > 1 && $1 - last > most { most = $1 - last } { last = $1 } END { print most + 0 }'
}
renewal_was_short() { grep -q ' received' "$H/renewal.log" && [ "$(renewal_outage_ms)" -lt 15000 ]; }

# ---- the server away ----
server_goes() {
	stop server && wait_until 20 test ! -e "$PUMPGATE_HOME/run.json"
}
# The access point forgets the pump's key, so that it must ask RADIUS.
must_ask_again() { # PUMP AP
	ap "$2" pmksa_flush && wpa "$1" pmksa_flush && wpa "$1" reassociate
}

# ---- revocation ----
# The station may be back in hostapd's list at once, trying again: without authorization.
revoked() { # PUMP SERIAL AP: with the time from the command's start to the deauthentication
	local from
	from=$(now_ms)
	pumpctl pump revoke "$2" --reason "stolen from ward 7" || return
	echo "$(($(now_ms) - from))" >"$H/receipt$1.ms"
	wait_until 5 deauthenticated_after "$1" "$3" "$from" || return
	echo "$(($(deauthenticated_ms "$1" "$3") - from))" >"$H/left$1.ms"
	! authorized_at "$3" "$1"
}
# when hostapd last said that the pump has left
deauthenticated_ms() {
	grep -E "AP-STA-DISCONNECTED ${PUMP_MAC[$1]}" "$H/ap$2.log" | tail -n 1 |
		sed -nE 's/^([0-9]+)\.([0-9]{3}).*/\1\2/p' | grep .
}
deauthenticated_after() { [ "$(deauthenticated_ms "$1" "$2")" -ge "$3" ]; }
key_is_at() { [ "$(ap_keys_of "$1" "$2")" -gt 0 ]; } # AP PUMP
keys_are_at_both() { key_is_at 1 "$1" && key_is_at 2 "$1"; }
keys_are_gone() { [ "$(ap_keys_of 1 "$1")" = 0 ] && [ "$(ap_keys_of 2 "$1")" = 0 ]; }
refusals() { grep -c "verdict=reject.* pump=$1 .* nas=$2 " "$PUMPGATE_HOME/log/radiusd.log"; }
refused_more_than() { [ "$(refusals "$1" "$2")" -gt "$3" ]; }
# The pump itself tries that access point, with all that it has: keys in its cache, certificate.
return_is_refused() { # PUMP SERIAL AP
	local before
	before=$(refusals "$2" "ap$3")
	wpa "$1" disable_network 0
	wpa "$1" bssid 0 "${AP_MAC[$3]}" && wpa "$1" enable_network 0 && wpa "$1" reassociate || return
	wait_until 30 refused_more_than "$2" "ap$3" "$before" || return
	! wpa_says "$1" wpa_state=COMPLETED && ! authorized_at "$3" "$1" && blocked "pump$1" "$WARD_MATE"
}
authorized_at() { ap "$1" sta "${PUMP_MAC[$2]}" | grep -q '^flags=.*\[AUTHORIZED\]'; }

timed a_hospital_with_four_radios_is_built hospital_up
go_on
timed server_starts_with_a_user_per_process server_is_ready
timed zone_access_points_and_pumps_are_added inventory
go_on
timed two_pumps_enrol_at_the_bench_by_cable onboarded
check and_their_bundles_are_gone wait_until 5 bundles_are_gone
check and_neither_is_on_the_air says '^enrolled$' agent_says 1 state
bench_off 1
bench_off 2
check and_without_the_cable_they_reach_nobody blocked pump1 "$WARD_MATE" "$WARD_SERVER"
go_on

ap_start 1
timed wpa2_enterprise_pump_comes_online online_at 1 1
check and_the_key_management_is_wpa2s wpa_says 1 'key_mgmt=WPA2/IEEE 802.1X/EAP'
check and_hostapd_has_it_in_the_vlan_of_its_zone vlan_is 1 1
timed and_traffic_passes_in_the_zone_and_not_outside zone_only pump1
go_on

wpa 2 disable_network 0 >/dev/null
ap_start 2
check second_access_point_starts wait_until 10 ap_is_up 2
wpa 2 bssid 0 "${AP_MAC[2]}" >/dev/null
wpa 2 enable_network 0 >/dev/null
timed wpa3_enterprise_pump_comes_online online_at 2 2
check and_the_key_management_is_wpa3s_with_protected_frames protected 2
check and_hostapd_has_it_in_the_vlan_of_its_zone vlan_is 2 2
timed and_traffic_passes_in_the_zone_and_not_outside zone_only pump2
check and_it_reaches_the_pump_at_the_other_access_point reaches pump2 "${PUMP_IP[1]}"
go_on

timed roaming_to_the_wpa3_access_point_succeeds eval 'looks_for 1 2 && roamed 1 2'
check and_the_key_management_is_wpa3s_with_protected_frames protected 1
check and_hostapd_has_it_in_the_vlan_of_its_zone vlan_is 2 1
timed and_traffic_passes_in_the_zone_and_not_outside zone_only pump1
check and_the_registry_knows_both_access_points wait_until 5 sessions_at "$P1" ap1 ap2
timed roaming_back_succeeds roamed 1 1
check and_its_traffic_passes wait_until 20 reaches pump1 "$WARD_MATE"
go_on

check both_access_points_hold_keys_of_the_first_pump keys_are_at_both 1
timed quarantine_of_the_wpa2_pump_is_confirmed changed 1 "$P1" quarantine 1
echo "#   deauthenticated after $(cat "$H/left1.ms") ms"
timed and_it_comes_back_into_the_quarantine_vlan wait_until 40 in_vlan 1 "$VLAN_QUARANTINE"
timed and_reaches_the_server_there_and_nobody_else quarantine_only 1 2
check and_the_receipt_has_seen_it wait_until 20 seen_there "$P1"
check and_the_other_pump_was_not_touched reaches pump2 "$WARD_MATE"
timed release_is_confirmed pumpctl pump release "$P1"
timed and_it_comes_back_into_the_vlan_of_its_zone wait_until 40 in_vlan 1 "$VLAN_PUMPS"
timed and_traffic_passes_in_the_zone_and_not_outside zone_only pump1
check and_its_state_says_so state_is "$P1" enrolled
go_on

timed renewal_takes_place_while_packets_run renewed_under_traffic 1 "$P1"
check and_traffic_was_away_for_less_than_fifteen_seconds renewal_was_short
echo "#   away for $(renewal_outage_ms) ms: $(grep transmitted "$H/renewal.log")"
check and_the_superseded_certificate_is_told superseded "$P1"

timed server_goes_away server_goes
check and_who_is_on_stays_on reaches pump1 "$WARD_MATE"
must_ask_again 2 2 >/dev/null
check and_who_must_ask_waits_outside blocked pump2 "$WARD_MATE" "$WARD_SERVER"
timed server_comes_back server_comes_up
timed and_the_pump_comes_back_by_itself wait_until 90 reaches pump2 "$WARD_MATE"

check first_pump_visits_both_access_points_again eval 'looks_for 1 2 && roamed 1 2 && roamed 1 1'
check and_both_access_points_hold_keys_of_it keys_are_at_both 1
check and_the_first_one_lets_it_through authorized_at 1 1
go_on
timed revocation_of_the_wpa2_pump_is_confirmed revoked 1 "$P1" 1
echo "#   receipt after $(cat "$H/receipt1.ms") ms, deauthenticated after $(cat "$H/left1.ms") ms"
check and_it_reaches_nobody blocked pump1 "$WARD_MATE" "$WARD_SERVER"
check and_no_access_point_keeps_a_key_of_it keys_are_gone 1
timed and_its_return_is_refused_at_the_same_access_point return_is_refused 1 "$P1" 1
timed and_its_return_is_refused_at_the_other_one return_is_refused 1 "$P1" 2
check and_the_other_pump_was_not_touched reaches pump2 "$WARD_MATE"
check and_the_second_access_point_holds_a_key_of_the_wpa3_pump key_is_at 2 2
check and_lets_it_through authorized_at 2 2
timed quarantine_of_the_wpa3_pump_is_confirmed changed 2 "$P2" quarantine 2
echo "#   deauthenticated after $(cat "$H/left2.ms") ms"
timed and_it_comes_back_into_the_quarantine_vlan wait_until 40 in_vlan 2 "$VLAN_QUARANTINE"
timed and_reaches_the_server_there_and_nobody_else quarantine_only 2 1
check and_it_is_at_its_own_access_point at_access_point 2 2
timed revocation_of_the_wpa3_pump_in_quarantine_is_confirmed revoked 2 "$P2" 2
echo "#   receipt after $(cat "$H/receipt2.ms") ms, deauthenticated after $(cat "$H/left2.ms") ms"
check and_it_reaches_nobody blocked pump2 "$WARD_MATE" "$WARD_SERVER"
check and_no_access_point_keeps_a_key_of_it keys_are_gone 2
timed and_its_return_is_refused_at_the_same_access_point return_is_refused 2 "$P2" 2
timed and_its_return_is_refused_at_the_other_one return_is_refused 2 "$P2" 1
check and_all_this_moving_raised_no_alarm eval 'pumpctl alarm list --all --json | jq -e "length == 0"'
evidence
tap_done
