#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The pumps' issuing CA is replaced while pumps authenticate: of both CAs with FreeRADIUS, one with an
# agent and its wpa_supplicant over a wire. Nobody is refused before he should be; other systems can
# ask about the certificates of both; no step, killed anywhere, leaves a CA that can't sign.
# shellcheck disable=SC2317,SC2119,SC2120,SC2015,SC2016 # functions are called by check, some by eval
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh
AGENT=$PUMPGATE_BUILD/bin/pumpgate-agentd
DEV=pgc$$ PORT=pgq$$
declare -A PID

for tool in hostapd wpa_supplicant wpa_cli ip; do
	command -v "$tool" >/dev/null || missing=$tool
done
[ "$(id -u)" = 0 ] || missing="root"
[ -n "${missing:-}" ] || ip netns add "$DEV" 2>/dev/null || missing="network namespaces"
if [ -n "${missing:-}" ]; then
	skip nobody_is_refused_while_the_pumps_ca_is_replaced "needs $missing"
	tap_done
fi
stop() {
	[ -n "${PID[$1]:-}" ] || return 0
	kill "${PID[$1]}" 2>/dev/null
	wait "${PID[$1]}" 2>/dev/null
	unset "PID[$1]"
}
down() {
	for one in load agent wpa hostapd; do stop "$one"; done
	ip netns del "$DEV" 2>/dev/null
	scratch_down
}
scratch_install
scratch_init --users 64200 || { cat "$SCRATCH/init.out"; exit 1; }
trap down EXIT
H=$PUMPGATE_HOME
HTTP_PORT=$(sed -n 's/^http_port *= *//p' "$H/pumpgate.conf")
sed -i "s|^device_validity *=.*|device_validity = 15m\ncrl_url = http://127.0.0.1:$HTTP_PORT/crl/device.crl\nocsp_url = http://127.0.0.1:$HTTP_PORT/ocsp|" "$H/pumpgate.conf"
printf '[est]\nrenewal_spread = 1s\n' >>"$H/pumpgate.conf"
scratch_run || { cat "$SCRATCH"/*.out "$H"/log/*; exit 1; }
site_up || exit 1
roll() { pumpctl ca rollover "$@"; }

# --- pumps that authenticate without end, and one with an agent on a wire ---
mkdir "$SCRATCH/old" "$SCRATCH/both" "$SCRATCH/new"
for n in 1 2 3; do
	pump_enrol "PG-$n" "02:00:00:00:00:0$n" || exit 1
done
cp "$SCRATCH"/PG-[13].{pem,key} "$SCRATCH/old/"
load() { # SECONDS FOLDER
	"$PUMPGATE_BUILD/tools/eap_load" --server "$RADIUS_AUTH" --secret-file "$SCRATCH/nas.secret" \
		--certs "$SCRATCH/$2" --ca "$TRUST" --in-flight 3 --seconds "$1" --tries 10 \
		--retry-ms 3000 >"$SCRATCH/load.json" 2>"$SCRATCH/load.err" &
	PID[load]=$!
}
load_ends() {
	wait "${PID[load]}"
	unset "PID[load]"
}
load_was_served() {
	cat "$SCRATCH/load.json" "$SCRATCH/load.err"
	[ -s "$SCRATCH/load.json" ] && jq -e '.rejected == 0 and .lost == 0 and .wrong == 0 and .accepted > 20' "$SCRATCH/load.json"
}
ip link add "$PORT" type veth peer name eth0 netns "$DEV"
ip link set "$PORT" up
ip -n "$DEV" link set eth0 up
cat >"$SCRATCH/hostapd.conf" <<END
interface=$PORT
driver=wired
logger_stdout=-1
ctrl_interface=$SCRATCH/hostapd
ieee8021x=1
eap_reauth_period=0
own_ip_addr=127.0.0.1
nas_identifier=ap1
auth_server_addr=127.0.0.1
auth_server_port=$RADIUS_AUTH_PORT
auth_server_shared_secret=$NAS_SECRET
END
hostapd "$SCRATCH/hostapd.conf" >"$SCRATCH/hostapd.log" 2>&1 &
PID[hostapd]=$!
printf 'ctrl_interface=%s\nap_scan=0\n' "$SCRATCH/wpa" >"$SCRATCH/wpa.conf"
ip netns exec "$DEV" wpa_supplicant -D wired -i eth0 -c "$SCRATCH/wpa.conf" -d -f "$SCRATCH/wpa.log" &
PID[wpa]=$!
wait_until 5 test -S "$SCRATCH/wpa/eth0"
agent() {
	"$AGENT" --clock tell --renew-at 90 --state "$SCRATCH/state" --bundle "$SCRATCH/bundle.json" \
		--interface eth0 --control "$SCRATCH/wpa" >>"$SCRATCH/agent.log" 2>&1 &
	PID[agent]=$!
}
agent_asks_again() { # it does so when it comes online, else once an hour
	stop agent
	rm -f "$SCRATCH/state/status.json"
	agent
}
is_online() { "$AGENT" --state "$SCRATCH/state" status --json | jq -e '.state == "online"' >/dev/null; }
pump_add PG-9 "$(ip -n "$DEV" -br link show eth0 | awk '{print $3}')"
pumpctl pump bundle PG-9 --out "$SCRATCH/bundle.json" >/dev/null
agent
check pump_with_an_agent_is_online wait_until 30 is_online
failures() { grep -cE 'CTRL-EVENT-EAP-(FAILURE|TLS-CERT-ERROR)' "$SCRATCH/wpa.log"; }

ca_of() { openssl x509 -in "$SCRATCH/$1.pem" -noout -issuer | grep -o 'Device CA [0-9]*'; }
anchors() { grep -c BEGIN "$H/trust/device.pem"; }
cacerts() {
	curl -sS --cacert "$TRUST" "$EST_URL/cacerts" | tr -d '\r' | base64 -d |
		openssl pkcs7 -inform DER -print_certs | grep -c '^subject=.*Device'
}
state_is() { roll status device --json | jq -e --arg s "$1" '.state == $s'; }
key_fits() {
	[ "$(openssl x509 -in "$H/ca/device-ca.pem" -noout -pubkey)" = "$(openssl pkey -in "$H/ca/device-ca.key" -pubout)" ]
}

# --- what other systems see ---
ca_pem() { # NUMBER: its certificate, by name, out of what everybody is told
	openssl crl2pkcs7 -nocrl -certfile "$SCRATCH/all.pem" | openssl pkcs7 -print_certs |
		awk -v ca="Device CA $1" '/^subject=/ { on = index($0, ca) > 0 } on' | openssl x509
}
crl_get() { # NAME
	curl -sS --fail -o "$SCRATCH/crl.der" "$HTTP_URL/crl/$1.crl" &&
		openssl crl -inform DER -in "$SCRATCH/crl.der" -out "$SCRATCH/crl.pem"
}
crl_has() { # NAME PUMP
	crl_get "$1" && openssl crl -in "$SCRATCH/crl.pem" -noout -text |
		grep -qi "Serial Number: $(openssl x509 -in "$SCRATCH/$2.pem" -noout -serial | cut -d= -f2)"
}
verifies_by_crl() { # PUMP NAME
	crl_get "$2" && cat "$SCRATCH/all.pem" "$SCRATCH/crl.pem" >"$SCRATCH/anchors.pem" &&
		openssl verify -crl_check -CAfile "$SCRATCH/anchors.pem" "$SCRATCH/$1.pem"
}
ocsp() { # CA PUMP [OPTION...]
	openssl ocsp -issuer "$SCRATCH/ca-$1.pem" -CAfile "$SCRATCH/all.pem" -url "$HTTP_URL/ocsp" \
		-cert "$SCRATCH/$2.pem" "${@:3}" 2>&1
}
ocsp_says() { # WORD CA PUMP [OPTION...]
	ocsp "${@:2}" | tee "$SCRATCH/ocsp.out" | grep -q "$3.pem: $1" && grep '^Response verify OK' "$SCRATCH/ocsp.out"
}
points_to() { openssl x509 -in "$SCRATCH/$1.pem" -noout -ext crlDistributionPoints | grep "/crl/$2\.crl"; }

# --- refusals first ---
check ca_that_there_is_not_is_refused fails_with 64 roll start nas
check nothing_can_be_switched_that_was_not_started fails_with 1 roll switch device
check nothing_is_there_to_finish fails_with 2 roll finish device
check nor_to_abort fails_with 2 roll abort device
mv "$H/ca/device-root.key" "$SCRATCH/root.key"
check without_the_roots_key_it_says_how_else says 'ca request device --next' roll start device
mv "$SCRATCH/root.key" "$H/ca/device-root.key"
check dry_run_starts_nothing eval 'roll start device --dry-run && [ ! -e "$H/ca/device-next.pem" ]'
check no_certificate_is_of_an_old_ca fails_with 2 pumpctl cert rotate --old-ca --dry-run

# --- the whole way, under load ---
load 4 old
check next_ca_is_made roll start device
check twice_is_nothing_new fails_with 2 roll start device
load_ends
check while_it_is_made_nobody_is_refused load_was_served
check everybody_is_told_of_three_certificates [ "$(anchors)/$(cacerts)" = 3/3 ]
check status_says_that_it_is_under_way says 'it is being replaced: pumpctl ca rollover status device' pumpctl status
check that_status_is_for_a_timer fails_with 75 roll status device --json
pump_enrol PG-4 02:00:00:00:00:04
check until_the_switch_the_first_one_issues [ "$(ca_of PG-4)" = "Device CA 1" ]
cp "$H/trust/device.pem" "$SCRATCH/all.pem"
ca_pem 1 >"$SCRATCH/ca-1.pem"
ca_pem 2 >"$SCRATCH/ca-2.pem"
touch "$H/trust/device.pem"
check while_a_server_has_not_read_it_nothing_is_switched fails_with 75 roll switch device
check nor_in_a_dry_run fails_with 75 roll switch device --dry-run
check and_those_that_are_behind_are_listed says 'behind +radius' roll status device
check start_brings_them_to_it roll start device
load 4 old
check pumps_ca_is_switched roll switch device
check that_is_done_once fails_with 2 roll switch device
pump_enrol PG-5 02:00:00:00:00:05
pump_enrol PG-6 02:00:00:00:00:06
check the_next_one_issues_from_now_on [ "$(ca_of PG-5)/$(ca_of PG-6)" = "Device CA 2/Device CA 2" ]
check pump_of_the_old_ca_gets_on eap PG-2
check pump_of_the_new_ca_gets_on eap PG-5
load_ends
check all_the_while_nobody_was_refused load_was_served
echo "# load over the switch: $(cat "$SCRATCH/load.json")"

# --- certificates of both are known to others ---
check pointers_lead_to_the_list_of_the_own_ca eval 'points_to PG-1 device && points_to PG-5 device-2'
check old_ones_list_is_made wait_until 15 verifies_by_crl PG-1 device
check new_ones_list_is_made wait_until 15 verifies_by_crl PG-5 device-2
check no_third_list_is_there eval '[ "$(curl -sS -o /dev/null -w "%{http_code}" "$HTTP_URL/crl/device-3.crl")" = 404 ]'
check ocsp_knows_the_old_ones ocsp_says good 1 PG-1
check ocsp_knows_the_new_ones ocsp_says good 2 PG-5
check also_without_a_nonce eval 'ocsp_says good 1 PG-3 -no_nonce && ocsp_says good 2 PG-6 -no_nonce && ocsp_says good 1 PG-3 -no_nonce'
check neither_speaks_for_the_other eval '! ocsp 2 PG-1 | grep "PG-1.pem: good" && ! ocsp 1 PG-5 | grep "PG-5.pem: good"'
check pumpctl_shows_both says 'and one of CA 1 with 0 entries' pumpctl ca show
check and_writes_either_list eval 'pumpctl ca crl --ca 1 --out "$SCRATCH/one.pem" && openssl crl -in "$SCRATCH/one.pem" -noout -issuer | grep "CA 1"'
pumpctl pump revoke PG-2 --reason stolen --wait 1s >/dev/null
pumpctl pump revoke PG-6 --reason stolen --wait 1s >/dev/null
check revoked_one_of_the_old_ca_is_refused eap_is_refused PG-2
check revoked_one_of_the_new_ca_too eap_is_refused PG-6
check each_is_on_its_own_cas_list eval 'wait_until 20 crl_has device PG-2 && wait_until 20 crl_has device-2 PG-6'
check and_on_no_other eval '! crl_has device-2 PG-2 && ! crl_has device PG-6'
check ocsp_says_so_of_both eval 'ocsp_says revoked 1 PG-2 && ocsp_says revoked 2 PG-6'
check openssl_verify_refuses_it says 'certificate revoked' verifies_by_crl PG-2 device

# --- the pumps move ---
check finish_waits_for_the_pumps fails_with 75 roll finish device
check and_status_lists_them says 'lacking PG-1 ' roll status device
check rotation_takes_just_those says '4 pumps in' pumpctl cert rotate --old-ca --dry-run
check timers_rotation_takes_them_too says '4 pumps in' pumpctl cert rotate --dry-run
check rotation_begins pumpctl cert rotate --old-ca --canaries 0 --patience 1h
has_moved() {
	pumpctl cert list --pump PG-9 --json | jq -e '[.[] | select(.state == "valid")] | length == 1 and (.[0].issuer | contains("CA 2"))'
}
# enrolld hears of the wave within five seconds; the agent asks when it starts
is_told() {
	curl -sS --cacert "$TRUST" --cert "$SCRATCH/PG-1.pem" --key "$SCRATCH/PG-1.key" \
		"${EST_URL%/est}/pumpgate/renewal-info" | jq -e '.suggestedWindow.start < (now | todate)'
}
check pumps_are_told_that_it_is_time wait_until 20 is_told
agent_asks_again
check agents_pump_gets_a_certificate_of_the_new_ca wait_until 60 has_moved
check and_was_never_refused [ "$(failures)" = 0 ]
check it_is_no_longer_among_those_that_lag_behind eval '! roll status device | grep "lacking PG-9"'
check forty_of_hundred_are_enough_if_one_says_so roll finish device --percent 40 --dry-run
cp "$SCRATCH/PG-5.pem" "$SCRATCH/PG-5.key" "$SCRATCH/new/"
load 4 new
check old_ca_is_retired_but_keeps_its_key_for_its_lists fails_with 75 roll finish device --percent 40
load_ends
check pumps_of_the_new_ca_notice_nothing load_was_served
echo "# load over the finish: $(cat "$SCRATCH/load.json")"
check state_is_retired state_is retired
check who_did_not_move_is_refused eap_is_refused PG-3
check who_did_gets_on eap PG-5
check and_so_does_the_agent eval 'wait_until 30 is_online && [ "$(failures)" = 0 ]'
check nobody_is_told_of_the_old_one [ "$(anchors)/$(cacerts)" = 2/2 ]
check its_list_is_still_made eval 'pumpctl pump revoke PG-4 --reason stolen --wait 1s >/dev/null; wait_until 20 crl_has device PG-4'
check and_its_ocsp_answers eval 'ocsp_says revoked 1 PG-4 && ocsp_says good 1 PG-1'
check status_tells_that_it_lives says 'the one before it still signs CRL' pumpctl status
check doctor_tells_until_when eval 'pumpctl doctor >"$SCRATCH/doctor"; grep "old-ca.*CA 1 signs" "$SCRATCH/doctor"'
check no_other_begins_meanwhile says 'still has certificates in force' roll start device
check audit_has_each_step_once eval '[ "$(pumpctl audit tail -n 300 --json | jq -r ".[] | .action | select(startswith(\"ca.\"))" | tr "\n" " ")" = "ca.start ca.switch ca.retire " ]'
stop agent

# --- the end: once nothing of it is in force ---
scratch_stop
SIGNER_UID=$(stat -c %u "$H/ca")
signer() { # [VARIABLE=VALUE...] -- ARGUMENT...
	local set=()
	while [ "$1" != -- ]; do set+=("$1"); shift; done
	setpriv --reuid "$SIGNER_UID" --regid "$SIGNER_UID" --clear-groups env "${set[@]}" \
		pumpgate-signerd --home "$H" "${@:2}"
}
printf '%s' 5400 | perl -ne 'print pack("q<q<", $_ * 1e9, 0)' >"$SCRATCH/clock" # 90 minutes on
chmod 0666 "$SCRATCH/clock"
later() { signer "LD_PRELOAD=$PUMPGATE_BUILD/tools/own_clock.so" "OWN_CLOCK=$SCRATCH/clock" -- "$@"; }
check before_its_last_certificate_has_ended_its_key_stays fails_with 75 signer -- rollover finish device
check nor_goes_it_before_a_list_was_made_after_that says 'no CRL was made since' later rollover finish device
echo "v1 9999999999999 $((($(date +%s) + 5000) * 1000))" >"$H/ca/crl.state"
chown "$SIGNER_UID" "$H/ca/crl.state"
install -d -m 0777 "$SCRATCH/out"
check backup_has_the_old_key eval 'signer -- backup "$SCRATCH/out/ca.sealed" 2 >"$SCRATCH/shares" && [ -s "$SCRATCH/out/ca.sealed" ]'
restored() {
	install -d -m 0700 -o "$SIGNER_UID" "$SCRATCH/twin"
	cp "$H/pumpgate.conf" "$SCRATCH/twin/"
	for n in 1 2; do
		sed -n "${n}p" "$SCRATCH/shares" >"$SCRATCH/share$n"
		chown "$SIGNER_UID" "$SCRATCH/share$n"
		chmod 0600 "$SCRATCH/share$n"
	done
	setpriv --reuid "$SIGNER_UID" --regid "$SIGNER_UID" --clear-groups pumpgate-signerd \
		--home "$SCRATCH/twin" restore "$SCRATCH/out/ca.sealed" "$SCRATCH/share1" "$SCRATCH/share2" &&
		cmp "$SCRATCH/twin/ca/device-old.key" "$H/ca/device-old.key" &&
		cmp "$SCRATCH/twin/ca/device-retired.pem" "$H/ca/device-retired.pem"
}
check and_a_restore_brings_it_back restored
check at_last_its_key_is_destroyed eval 'later rollover finish device >/dev/null && ! ls "$H"/ca/device-old.* "$H"/ca/device-retired.*'
check once fails_with 2 later rollover finish device

# --- killed anywhere ---
killed_in_the_signer() { # STEP
	local at rc
	for at in $(seq 1 24); do
		later_killed "$at" "$1"
		rc=$?
		signer -- rollover status device >"$SCRATCH/state.out" 2>&1 || { cat "$SCRATCH/state.out"; return 1; }
		key_fits || { echo "after death $at of $1 the key does not fit"; return 1; }
		[ "$rc" = 137 ] || break
	done
	echo "$1: died $((at - 1)) times, then $rc: $(head -n 1 "$SCRATCH/out/said")"
	[ "$rc" = 0 ] || [ "$rc" = 2 ]
}
later_killed() {
	signer "LD_PRELOAD=$PUMPGATE_BUILD/tools/die_at.so" "DIE_AT=$1" -- rollover "$2" device >"$SCRATCH/out/said" 2>&1
}
: >"$H/ca/issued.log" # of this CA nothing was issued, as far as the next lines go
check signer_killed_in_start_goes_on killed_in_the_signer start
check signer_killed_in_abort_goes_on killed_in_the_signer abort
check signer_killed_in_the_next_start_goes_on killed_in_the_signer start
check signer_killed_in_switch_goes_on killed_in_the_signer switch
check signer_killed_in_retire_goes_on killed_in_the_signer retire
check signer_killed_in_finish_goes_on killed_in_the_signer finish
killed_in_pumpctl() { # STEP
	local at rc
	for at in $(seq 1 40); do
		LD_PRELOAD=$PUMPGATE_BUILD/tools/die_at.so DIE_AT=$at pumpctl ca rollover "$1" device \
			--percent 0 >"$SCRATCH/out/said" 2>&1
		rc=$?
		key_fits || { echo "after death $at of $1 the key does not fit"; return 1; }
		[ "$rc" = 137 ] || break
	done
	echo "$1: died $((at - 1)) times, then $rc: $(tail -n 1 "$SCRATCH/out/said")"
	[ "$rc" = 0 ] || [ "$rc" = 2 ]
}
check it_is_the_third_ca_now eval 'openssl x509 -in "$H/ca/device-ca.pem" -noout -subject | grep "Device CA 3"'
check pumpctl_killed_in_start_goes_on killed_in_pumpctl start
check servers_that_have_not_started_with_it_hold_up_the_switch fails_with 75 roll switch device
scratch_run || exit 1
check pumpctl_killed_in_switch_goes_on killed_in_pumpctl switch
pump_enrol PG-7 02:00:00:00:00:07
check the_fourth_ca_issues_at_once [ "$(ca_of PG-7)" = "Device CA 4" ]
check and_its_pump_gets_on eap PG-7
tap_done
