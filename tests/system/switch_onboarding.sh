#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# MAC authentication at an enforcing switch port: strangers and pumps without a window stay out, a
# pump in its window gets the onboarding VLAN alone, and one that is revoked there is off at once.
# shellcheck disable=SC2317 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/demo/network.sh
. tests/demo/network.sh
# shellcheck source=tests/demo/switch.sh
. tests/demo/switch.sh
if [ "$(id -u)" != 0 ]; then
	skip "switch_onboarding" "needs root for network namespaces"
	tap_done
fi
PUMPGATE_BUILD=$(cd "${PUMPGATE_BUILD:-build}" && pwd)
PATH=$PUMPGATE_BUILD/bin:$PUMPGATE_BUILD/tools:$PATH:/usr/sbin:/sbin
D=$(mktemp -d "${TMPDIR:-/tmp}/pumpgate-switch.XXXXXX")
export PUMPGATE_HOME=$D/home
down() {
	network_down
	rm -rf "$D"
}
trap down EXIT

ready() { [ -s "$PUMPGATE_HOME/run.json" ]; }
(umask 077 && echo correct-horse-battery-staple >"$D/nas.secret")
export PUMP_MAC=02:50:47:00:01:23
network_up "pgswitch$$" >&2 &&
	inside srv pumpctl init --radius-address "$MGMT_SERVER" --radius-auth-port 1812 \
		--radius-acct-port 1813 --est-address "$WARD_SERVER" --est-port 8443 >&2 || exit 1
start "$D/run.log" srv pumpctl run
wait_until 30 ready >&2 || exit 1
pumpctl zone add onboarding --vlan "$VLAN_ONBOARD" --onboarding >&2 &&
	pumpctl zone add pumps --vlan "$VLAN_PUMPS" >&2 &&
	pumpctl nas add switch-7 --ip "$MGMT_NAS" --secret-file "$D/nas.secret" >&2 || exit 1
switch_start "$D" switch-7
wait_until 10 switch_event ready >&2 || exit 1

reaches() { inside pump ping -c 1 -W 1 "$1"; }
reaches_not() { ! reaches "$1"; }
knock_until() { # EVENT FILTER: the pump sends until the switch says so
	reaches "$WARD_SERVER"
	switch_event "$1" "$2"
}
since=0
mark() { since=$(date +%s%3N); }
# refused again after the last mark, and nobody was let in
is_refused() {
	wait_until 10 knock_until mab-reject ".at_ms > $since" &&
		! switch_event placed ".at_ms > $since" && reaches_not "$WARD_SERVER"
}
session_is() {
	pumpctl session list --all --json | jq -e --arg s "$1" 'any(.[]; .state == $s and .zone == "onboarding")'
}
in_onboarding() {
	wait_until 15 knock_until placed ".why == \"mab\" and .vlan == $VLAN_ONBOARD" &&
		wait_until 5 reaches "$WARD_SERVER"
}

check "a_stranger_is_refused_and_reaches_nothing" is_refused
pumpctl pump add PG-1 --maker Acme --model P1 --mac "$PUMP_MAC" --zone pumps >&2
mark
check "an_expected_pump_without_a_window_is_refused" is_refused
pumpctl pump token PG-1 --mab-window 10m >/dev/null
check "in_its_window_it_gets_the_onboarding_vlan" in_onboarding
check "from_there_it_does_not_reach_the_pumps" reaches_not "$WARD_MATE"
check "nor_another_vlan" reaches_not "$WARD_OTHER"
check "its_session_is_known" wait_until 5 session_is started
mark
check "revoking_it_there_is_acknowledged" says 'disconnected [0-9]+ ms' \
	pumpctl pump revoke PG-1 --reason "wrong box"
check "the_port_is_closed" wait_until 2 switch_event blocked ".at_ms >= $since"
check "its_mac_is_refused_although_the_window_is_open" is_refused
check "its_session_is_over" wait_until 5 session_is stopped
tap_done
