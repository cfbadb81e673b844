#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a renewal costs the pump's traffic: in a ward whose switch really blocks its ports, a pump
# enrols by way of MAC authentication, comes online, and gets its next certificate with a new key while
# packets run. None may be lost.
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
	pumpctl nas add switch --ip "$MGMT_NAS" --secret-file "$D/nas.secret"
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
[ "$TAP_FAILED" = 0 ] || tail -n 20 "$D"/*.log "$D"/*.out "$D"/home/log/* | sed 's/^/# /'
tap_done
