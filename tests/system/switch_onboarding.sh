#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# MAC authentication at an enforcing switch port: strangers and pumps without a window stay out, a
# pump in its window gets the onboarding VLAN alone, and one that is revoked there is off at once.
# Then a pump that has nothing but its maker's birth certificate, with no window and no other way to
# the server: its agent proves itself by it, enrols from the onboarding VLAN, and is in its zone. There
# it sleeps past its certificate's end, and comes back by itself.
# shellcheck disable=SC2317 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/demo/network.sh
. tests/demo/network.sh
# shellcheck source=tests/demo/switch.sh
. tests/demo/switch.sh
# shellcheck source=tests/support/maker.sh
. tests/support/maker.sh
# shellcheck source=tests/support/slept.sh
. tests/support/slept.sh
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
SERVER=$!
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

# ---- by birth certificate ----
restart() { # radiusd reads makers' anchors at its start
	kill "$SERVER" && wait "$SERVER" 2>/dev/null
	rm -f "$PUMPGATE_HOME/run.json"
	start "$D/run.log" srv pumpctl run
	SERVER=$!
	wait_until 30 ready
}
agent_is() { pumpgate-agentd --state "$D/pump" status --json | jq -e --arg s "$1" '.state == $s'; }
agent() {
	start "$D/agent.log" pump pumpgate-agentd --clock tell --state "$D/pump" --bundle "$D/bundle.json" \
		--interface eth0 --control "$D/wpa"
	AGENT=$!
}
was() { # WHAT REASON ZONE: an authentication of PG-2
	pumpctl pump events PG-2 --json | jq -e --arg w "$1" --arg r "$2" --arg z "$3" \
		'any(.[]; .what == $w and .reason == $r and .zone == $z)'
}
cd "$D" || exit 1
maker_make acme
birth_make acme pg2 PG-2 subject
pumpctl maker add Acme --anchor acme-root.pem --models P1 >&2 && restart || exit 1
pumpctl pump add PG-2 --maker Acme --model P1 --mac 02:50:47:00:09:99 --zone pumps >&2 || exit 1
pumpctl pump bundle PG-2 --idevid-certificate "$D/pg2.pem" --idevid-key "$D/pg2.key" \
	--out bundle.json >&2 || exit 1
check "its_bundle_has_the_servers_anchors_and_says_that_it_is_newer" \
	jq -e '.version == 2 and (.server_anchors | length) == 2 and (has("token") | not)' bundle.json
mark
printf 'ctrl_interface=%s\nap_scan=0\n' "$D/wpa" >"$D/wpa.conf"
start "$D/wpa.log" pump wpa_supplicant -D wired -i eth0 -c "$D/wpa.conf"
agent
check "it_comes_online_with_its_own_certificate" wait_until 60 agent_is online
check "by_way_of_the_onboarding_vlan" wait_until 5 switch_event placed \
	".why == \"eap\" and .vlan == $VLAN_ONBOARD and .at_ms > $since"
check "in_the_end_in_its_zone" wait_until 5 switch_event placed \
	".why == \"eap\" and .vlan == $VLAN_PUMPS and .at_ms > $since"
check "where_it_reaches_the_others" wait_until 10 reaches "$WARD_MATE"
check "the_birth_certificate_was_what_let_it_onboard" wait_until 5 was onboard birth-certificate onboarding
check "and_its_own_what_let_it_in" wait_until 5 was accept in-good-standing pumps
# shellcheck disable=SC2016 # expanded by eval
check "it_was_never_let_in_by_its_mac" eval \
	'! switch_event placed ".why == \"mab\" and .at_ms > $since"'
# shellcheck disable=SC2016
check "each_of_its_two_networks_was_written_once" eval \
	'[ "$(grep -c agent.birth_network "$D/agent.log") $(grep -c agent.network_written "$D/agent.log")" = "1 1" ]'
# ---- past its end ----
certificate_in() { jq -r '.[0].cert_serial' <(pumpctl cert list --pump PG-2 --state "$1" --json); }
kill "$AGENT" "$SERVER" && wait "$AGENT" "$SERVER" 2>/dev/null
inside pump wpa_cli -p "$D/wpa" -i eth0 remove_network all >&2
cp "$D/pump/a/cert.pem" "$D/old.pem" && cp "$D/pump/a/key.pem" "$D/old.key"
slept "$D/old" PG-2 30 && cp "$D/old.pem" "$D/pump/a/cert.pem" || exit 1
rm -f "$PUMPGATE_HOME/run.json"
start "$D/run.log" srv pumpctl run
SERVER=$!
wait_until 30 ready >&2 || exit 1
mark
agent
check "a_pump_whose_certificate_has_ended_comes_back" wait_until 60 was onboard returning onboarding
check "it_renews_once" wait_until 60 says 'cert.return +PG-2' pumpctl audit tail -n 30
# shellcheck disable=SC2016 # expanded by eval
check "and_is_in_its_zone_with_the_new_one" wait_until 60 eval 'switch_event placed \
	".why == \"eap\" and .vlan == $VLAN_PUMPS and .at_ms > $since" && agent_is online'
check "under_its_own_name" [ "$(inside pump wpa_cli -p "$D/wpa" -i eth0 get_network 0 identity)" = '"PG-2"' ]
# shellcheck disable=SC2016
check "the_new_one_is_the_one_it_uses" wait_until 10 eval \
	'[ "$(pumpgate-agentd --state "$D/pump" status --json | jq -r .certificate)" = "$(certificate_in valid)" ]'
[ "$TAP_FAILED" = 0 ] || tail -n 25 "$D"/agent.log "$D"/wpa.log "$D"/home/log/radiusd.log | sed 's/^/# /'
tap_done
