# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A hospital in network namespaces: a server, the wire between all, two access points with a radio
# each, two pumps with a radio and, at first, a bench's cable, a host in the pumps' VLAN and one in
# another. Source it after network.sh. One IP subnet for all: only VLANs keep hosts apart.
#
#   hospital_up                    namespaces, cables, radios
#   ap_start N                     access point N (1: WPA2-Enterprise, 2: WPA3-Enterprise)
#   ap N COMMAND...                asks its hostapd
#   bench_off N                    pulls the bench's cable of pump N; its address goes to the radio
#   pump_start N SERIAL [AGENT-OPTION...]   supplicant (once) and agent
#   wpa N COMMAND...               asks the supplicant of pump N
#   start NAME HOST COMMAND...     in the background; logs to NAME.log, its process id is in NAME.pid
#   stop NAME [SIGNAL]             ends it and waits until it has gone
SSID=pumps
VLAN_BENCH=10
H=/run/hospital # logs and configuration
AP_IP=([1]=10.10.0.11 [2]=10.10.0.12)
# shellcheck disable=SC2034 # used by those who source this
AP_MAC=([1]=02:00:00:00:00:00 [2]=02:00:00:00:01:00)
PUMP_IP=([1]=10.20.0.51 [2]=10.20.0.52)
HOSTS='srv wire ap1 ap2 pump1 pump2 mate other'
NET=h

start() {
	local log=$1 host=$2
	shift 2
	setsid ip netns exec "$NET-$host" "$@" >>"$H/$log.log" 2>&1 </dev/null &
	echo $! >"$H/$log.pid"
}
stop() {
	local pid
	pid=$(cat "$H/$1.pid") && kill "${2:--TERM}" "$pid" && wait_until 20 has_gone "$pid"
}
has_gone() { [ ! -e "/proc/$1/exe" ]; }

# radio_to HOST PHY: the radio moves there; its interface is wlan0 as everywhere
radio_to() {
	local host=$1 phy=$2 name
	iw phy "$phy" set netns name "$NET-$host" || return
	name=$(inside "$host" iw dev | awk '$1 == "Interface" { print $2 }')
	[ "$name" = wlan0 ] || ip -n "$NET-$host" link set dev "$name" name wlan0
}

# Commands for `ip -batch`, collected by host: a process for each would take most of the time.
declare -A PLAN
plan() { PLAN[$1]+="$2"$'\n'; }

# plan_link HOST-A IF-A HOST-B IF-B
plan_link() {
	plan all "link add name $2 netns $NET-$1 type veth peer name $4 netns $NET-$3"
	plan "$1" "link set dev $2 up"
	plan "$3" "link set dev $4 up"
}

# plan_bridge HOST NAME PORT...
plan_bridge() {
	local host=$1 name=$2 port
	shift 2
	plan "$host" "link add name $name type bridge stp_state 0 forward_delay 0"
	plan "$host" "link set dev $name up"
	for port in "$@"; do
		plan "$host" "link set dev $port master $name"
	done
}

plan_wires() {
	local n vlan
	plan_link srv mgmt wire srv-mgmt
	plan_link srv onboard wire srv-bench
	plan_link srv pumps wire srv-pumps
	plan_link srv quarantine wire srv-quarantine
	plan_link mate eth0 wire mate
	plan_link other eth0 wire other
	for n in 1 2; do
		plan_link "ap$n" mgmt wire "ap$n-mgmt"
		plan_link "pump$n" bench wire "bench$n"
		plan "ap$n" "address add ${AP_IP[n]}/24 dev mgmt"
		plan "pump$n" "address add ${PUMP_IP[n]}/16 dev bench"
		for vlan in "$VLAN_PUMPS" "$VLAN_OTHER" "$VLAN_QUARANTINE"; do
			plan_link "ap$n" "up$vlan" wire "ap$n-$vlan"
			plan_bridge "ap$n" "br$vlan" "up$vlan"
		done
	done
}

plan_server_and_switch() {
	plan_bridge srv ward onboard pumps quarantine
	plan_bridge wire brmgmt srv-mgmt ap1-mgmt ap2-mgmt
	plan_bridge wire "br$VLAN_BENCH" srv-bench bench1 bench2
	plan_bridge wire "br$VLAN_PUMPS" srv-pumps mate "ap1-$VLAN_PUMPS" "ap2-$VLAN_PUMPS"
	plan_bridge wire "br$VLAN_OTHER" other "ap1-$VLAN_OTHER" "ap2-$VLAN_OTHER"
	plan_bridge wire "br$VLAN_QUARANTINE" srv-quarantine "ap1-$VLAN_QUARANTINE" \
		"ap2-$VLAN_QUARANTINE"
	plan srv "address add $MGMT_SERVER/24 dev mgmt"
	plan srv "address add $WARD_SERVER/16 dev ward"
	# no leg's VLAN reaches another through the server
	plan srv "link set dev onboard type bridge_slave isolated on"
	plan srv "link set dev pumps type bridge_slave isolated on"
	plan srv "link set dev quarantine type bridge_slave isolated on"
	plan mate "address add $WARD_MATE/16 dev eth0"
	plan other "address add $WARD_OTHER/16 dev eth0"
}

hospital_up() {
	local host
	mkdir -p "$H"
	plan_wires
	plan_server_and_switch
	for host in $HOSTS; do
		ip netns add "$NET-$host" || return
	done
	ip -batch - <<<"${PLAN[all]}" || return
	for host in $HOSTS; do
		ip -n "$NET-$host" -batch - <<<"link set dev lo up"$'\n'"${PLAN[$host]}" || return
	done
	radio_to ap1 phy0 && radio_to ap2 phy1 && radio_to pump1 phy2 && radio_to pump2 phy3
}

# ---- access points ----

ap_security() {
	if [ "$1" = 1 ]; then
		printf 'wpa_key_mgmt=WPA-EAP\n'
	else
		printf 'wpa_key_mgmt=WPA-EAP-SHA256\nieee80211w=2\n'
	fi
}

# ap_conf N SECRET
ap_conf() {
	cat <<-END
		interface=wlan0
		driver=nl80211
		ctrl_interface=$H/ap$1
		ssid=$SSID
		hw_mode=g
		channel=1
		wpa=2
		rsn_pairwise=CCMP
		ieee8021x=1
		own_ip_addr=${AP_IP[$1]}
		nas_identifier=ap$1
		auth_server_addr=$MGMT_SERVER
		auth_server_port=1812
		auth_server_shared_secret=$2
		acct_server_addr=$MGMT_SERVER
		acct_server_port=1813
		acct_server_shared_secret=$2
		radius_das_port=3799
		radius_das_client=$MGMT_SERVER $2
		radius_das_require_event_timestamp=1
		radius_das_require_message_authenticator=1
		dynamic_vlan=2
		vlan_file=$H/vlans
		vlan_bridge=br
	END
	ap_security "$1"
}

ap_start() {
	local n=$1
	printf '* wlan0.#\n' >"$H/vlans"
	(umask 077 && ap_conf "$n" "$(cat "$H/ap$n.secret")" >"$H/ap$n.conf")
	start "ap$n" "ap$n" hostapd -t "$H/ap$n.conf"
}
ap() { inside "ap$1" hostapd_cli -p "$H/ap$1" -i wlan0 "${@:2}"; }
ap_is_up() { ap "$1" status | grep -q '^state=ENABLED'; }
ap_stations() { ap "$1" list_sta | grep -E '^[0-9a-f:]{17}$'; }
ap_has() { ap_stations "$1" | grep -qi "${PUMP_MAC[$2]}"; }
# keys that hostapd would let a station back in with
ap_keys_of() { ap "$1" pmksa | grep -ci "${PUMP_MAC[$2]}"; }

# ---- pumps ----

PUMP_MAC=([1]=02:00:00:00:02:00 [2]=02:00:00:00:03:00)

bench_off() {
	ip -n "$NET-pump$1" link del bench &&
		ip -n "$NET-pump$1" address add "${PUMP_IP[$1]}/16" dev wlan0
}

supplicant_start() {
	printf 'ctrl_interface=%s\nfreq_list=2412\np2p_disabled=1\n' "$H/wpa$1" >"$H/wpa$1.conf"
	start "wpa$1" "pump$1" wpa_supplicant -t -D nl80211 -i wlan0 -c "$H/wpa$1.conf"
}

pump_start() {
	local n=$1 serial=$2
	shift 2
	[ -S "$H/wpa$n/wlan0" ] || supplicant_start "$n"
	start "agent$n" "pump$n" pumpgate-agentd --clock tell --state "$H/pump$n" --bundle "$H/$serial.json" \
		--interface wlan0 --driver wifi --ssid "$SSID" --control "$H/wpa$n" "$@"
}
wpa() { inside "pump$1" wpa_cli -p "$H/wpa$1" -i wlan0 "${@:2}"; }
wpa_says() { wpa "$1" status | grep -qxE "$2"; }
agent_says() { jq -r ".$2 // empty" "$H/pump$1/status.json"; }
agent_is() { [ "$(agent_says "$1" state)" = "$2" ]; }

reaches() { inside "$1" ping -c 1 -W 1 "$2"; }
# all of these addresses are silent for a second
blocked() {
	local host=$1 address pids=() silent=yes
	shift
	for address in "$@"; do
		inside "$host" ping -c 1 -W 1 "$address" &
		pids+=($!)
	done
	for address in "${pids[@]}"; do
		! wait "$address" || silent=no
	done
	[ "$silent" = yes ]
}
