#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a renewal costs the pump's traffic: in a ward whose switch really blocks its ports, a pump
# enrols by way of MAC authentication, comes online, and gets its next certificate with a new key while
# packets run. None may be lost. Then it is put into quarantine in the middle of an infusion, and let
# back: its agent and the controller's display follow, the infusion goes on.
# shellcheck disable=SC2317 # functions are called through check and wait_until
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
PUMPGATE_BUILD=$(cd "${PUMPGATE_BUILD:-build}" && pwd)
PATH=$PUMPGATE_BUILD/bin:$PUMPGATE_BUILD/tools:$PATH:/usr/sbin:/sbin

for tool in hostapd wpa_supplicant nft ip ping bridge; do
	command -v "$tool" >/dev/null || missing=$tool
done
[ "$(id -u)" = 0 ] || missing="root"
[ -n "${missing:-}" ] || ip netns add "pgtry$$" 2>/dev/null || missing="network namespaces"
ip netns del "pgtry$$" 2>/dev/null
if [ -n "${missing:-}" ]; then
	skip renewal_under_traffic "needs $missing"
	tap_done
fi
D=$(mktemp -d "${TMPDIR:-/tmp}/pumpgate-traffic.XXXXXX")
export PUMPGATE_HOME=$D/home PUMP_MAC=02:50:47:00:01:23
. tests/demo/network.sh
. tests/demo/switch.sh
. tests/demo/controller.sh
wait_for() { wait_until "$1" "${@:3}"; } # as stage.sh has it, for controller.sh
down() {
	network_down
	wait
	rm -rf "$D"
}
trap down EXIT
show() { pumpgate-agentd --state "$D/pump" status --json; }
state_is() { [ "$(show | jq -r .state)" = "$1" ]; }
certificate_is_not() { [ "$(show | jq -r .certificate)" != "$1" ] && state_is online; }
agent() {
	start "$D/agent.log" pump pumpgate-agentd --clock tell --state "$D/pump" --bundle "$D/bundle.json" \
		--interface eth0 --control "$D/wpa" "$@"
	AGENT=$!
}

network_up "pgtr$$" || { echo "not ok 1 - the ward is built"; exit 1; }
inside srv pumpctl init --radius-address "$MGMT_SERVER" --radius-auth-port 1812 --radius-acct-port 1813 \
	--est-address "$WARD_SERVER" --est-port 8443 --est-name "$WARD_SERVER" >"$D/init.out" 2>&1
sed -i 's/^device_validity *=.*/device_validity = 10m/' "$PUMPGATE_HOME/pumpgate.conf"
start "$D/run.log" srv pumpctl run
check server_starts wait_until 30 test -s "$PUMPGATE_HOME/run.json"
(umask 077 && echo 0123456789abcdef0123456789abcdef >"$D/nas.secret")
{
	pumpctl zone add onboarding --vlan "$VLAN_ONBOARD" --onboarding
	pumpctl zone add pumps --vlan "$VLAN_PUMPS"
	pumpctl zone add care --vlan "$VLAN_QUARANTINE" --quarantine
	pumpctl nas add switch --ip "$MGMT_NAS" --secret-file "$D/nas.secret" --das-port 3799
	pumpctl pump add PG-1 --maker Acme --model One --mac "$PUMP_MAC" --zone pumps
	pumpctl pump bundle PG-1 --out "$D/bundle.json" --mab-window 15m
} >"$D/inventory.out" 2>&1
switch_start "$D" switch
wait_until 10 switch_event ready
printf 'ctrl_interface=%s\nap_scan=0\n' "$D/wpa" >"$D/wpa.conf"
start "$D/wpa.log" pump wpa_supplicant -D wired -i eth0 -c "$D/wpa.conf"
agent --renew-at 90
check pump_enrols_from_the_onboarding_vlan_and_comes_online wait_until 40 state_is online
check and_reaches_its_zone wait_until 10 inside pump ping -c 1 -W 1 "$WARD_MATE"
FIRST=$(show | jq -r .certificate)
kill "$AGENT"
wait_until 5 eval "! kill -0 $AGENT"

inside pump ping -q -i 0.005 -W 1 "$WARD_MATE" >"$D/ping.out" 2>&1 &
PING=$!
sleep 0.3
agent --renew-at 1
check renewal_takes_place_while_packets_run wait_until 20 certificate_is_not "$FIRST"
sleep 0.5
kill -INT "$(pgrep -P "$PING" -x ping || echo "$PING")"
wait "$PING"
check and_not_one_of_them_is_lost says ' 0% packet loss' cat "$D/ping.out"
check and_there_were_many test "$(grep -oE '^[0-9]+ packets' "$D/ping.out" | cut -d' ' -f1)" -gt 100
grep transmitted "$D/ping.out" | sed 's/^/# /'

# --- quarantine in the middle of an infusion ---
kill "$AGENT"
wait_until 5 eval "! kill -0 $AGENT 2>/dev/null"
controller_start "$D/controller"
controller infuse >/dev/null
agent --renew-at 90 --controller-user "$(id -u)" --controller-socket "$D/controller/pumplink"
display_has() { display | grep -qE "$1"; }
# On a wire the pump hears nothing of the disconnect, and hostapd forgets the station only 5 s after it,
# whatever came up meanwhile: then the pump is told to associate again.
forgotten() { [ -z "$(inside nas hostapd_cli -p "$D/hostapd" -i port1 list_sta)" ]; }
comes_again() {
	wait_until 15 forgotten && inside pump wpa_cli -p "$D/wpa" -i eth0 reassociate >/dev/null
}
reaches() { inside pump ping -c 1 -W 1 "$1" >/dev/null; }
check controller_is_told_that_the_pump_is_online wait_until 20 controller_shows online
given=$(delivered_nl)
check quarantine_is_told_to_the_switch says 'disconnected' pumpctl pump quarantine PG-1 --reason 'scans its neighbours'
check switch_forgets_the_pump comes_again
check pump_finds_its_way_into_the_quarantine_zone wait_until 10 reaches "$WARD_SERVER"
unreached() { ! reaches "$1"; }
check where_it_reaches_no_other_pump unreached "$WARD_MATE"
check its_agent_learns_that_and_is_in_remediation wait_until 30 state_is remediation
check and_says_why says 'scans its neighbours' pumpgate-agentd --state "$D/pump" status
check and_the_controller_shows_it wait_until 5 display_has '^quarantined'
infuses_on() { [ "$(controller view | jq -r .infusing)" = true ] && [ "$(delivered_nl)" -gt "$given" ]; }
check and_the_infusion_has_gone_on infuses_on
given=$(delivered_nl)
check release_is_told_to_the_switch says 'disconnected' pumpctl pump release PG-1 --reason clean
check switch_forgets_it_again comes_again
check pump_is_back_in_its_own_zone wait_until 10 reaches "$WARD_MATE"
check its_agent_is_online_again wait_until 30 state_is online
check and_the_controller_shows_that wait_until 5 controller_shows online
check and_the_infusion_goes_on infuses_on
[ "$TAP_FAILED" = 0 ] || tail -n 20 "$D"/*.log "$D"/*.out "$D"/home/log/* | sed 's/^/# /'
tap_done
