# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A ward in network namespaces. Source it; needs root.
#
#   network_up PREFIX     PREFIX-srv  the server: management leg, and one leg into each VLAN it serves
#                         PREFIX-nas  the switch: port1 (closed, in no bridge), one bridge per VLAN
#                         PREFIX-pump the pump, eth0 on port1
#                         PREFIX-mate a host in the pumps' VLAN (their gateway server)
#                         PREFIX-other a host in another VLAN
#   network_down          ends every process in these namespaces, and removes them
#
# Pump, mate, other and the server's legs are in one IP subnet on purpose: no router and no firewall
# stands between them, so whatever does not get through was stopped by the switch's port and VLANs.
# The server's legs are isolated ports of one bridge: each VLAN with one reaches EST, none reaches
# another through it.
VLAN_ONBOARD=10
VLAN_PUMPS=120
VLAN_OTHER=130
VLAN_QUARANTINE=140
MGMT_SERVER=10.10.0.1
MGMT_NAS=10.10.0.2
WARD_SERVER=10.20.255.1
WARD_PUMP=10.20.0.50
BENCH_PUMP=10.20.0.51
WARD_MATE=10.20.0.10
WARD_OTHER=10.20.0.20
# used by those who source this
: "$MGMT_SERVER" "$MGMT_NAS" "$WARD_SERVER" "$WARD_PUMP" "$BENCH_PUMP" "$WARD_MATE" "$WARD_OTHER"
NET=

# inside NAME COMMAND...: runs in the namespace of that host. NAME: srv, nas, pump, mate, other.
inside() {
	local host=$1
	shift
	ip netns exec "$NET-$host" "$@"
}

# network_link HOST-A IF-A HOST-B IF-B [MAC-OF-A]
network_link() {
	ip -n "$NET-$1" link add name "$2" ${5:+address "$5"} type veth \
		peer name "$4" netns "$NET-$3" &&
		ip -n "$NET-$1" link set dev "$2" up && ip -n "$NET-$3" link set dev "$4" up
}

# network_bridge HOST NAME PORT...
network_bridge() {
	local host=$1 name=$2 port
	shift 2
	ip -n "$NET-$host" link add name "$name" type bridge stp_state 0 forward_delay 0 &&
		ip -n "$NET-$host" link set dev "$name" up || return
	for port in "$@"; do
		ip -n "$NET-$host" link set dev "$port" master "$name" || return
	done
}

network_up() {
	local host
	NET=$1
	for host in srv nas pump mate other; do
		ip netns add "$NET-$host" || return
		ip -n "$NET-$host" link set dev lo up
		inside "$host" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
			net.ipv6.conf.default.disable_ipv6=1
	done
	network_link srv mgmt nas mgmt &&
		network_link srv onboard nas srv-onboard &&
		network_link srv pumps nas srv-pumps &&
		network_link srv quarantine nas srv-quarant &&
		network_link mate eth0 nas mate &&
		network_link other eth0 nas other &&
		network_link pump eth0 nas port1 "${PUMP_MAC:-02:50:47:00:01:23}" &&
		network_bridge nas "br$VLAN_ONBOARD" srv-onboard &&
		network_bridge nas "br$VLAN_PUMPS" srv-pumps mate &&
		network_bridge nas "br$VLAN_OTHER" other &&
		network_bridge nas "br$VLAN_QUARANTINE" srv-quarant &&
		network_bridge srv ward onboard pumps quarantine || return
	inside srv bridge link set dev onboard isolated on
	inside srv bridge link set dev pumps isolated on
	inside srv bridge link set dev quarantine isolated on
	ip -n "$NET-srv" address add "$MGMT_SERVER/24" dev mgmt
	ip -n "$NET-nas" address add "$MGMT_NAS/24" dev mgmt
	ip -n "$NET-srv" address add "$WARD_SERVER/16" dev ward
	ip -n "$NET-pump" address add "$WARD_PUMP/16" dev eth0
	ip -n "$NET-mate" address add "$WARD_MATE/16" dev eth0
	ip -n "$NET-other" address add "$WARD_OTHER/16" dev eth0
}

# Every process inside these namespaces was started by whoever made them.
network_processes() {
	local host
	for host in srv nas pump mate other; do
		ip netns pids "$NET-$host" 2>/dev/null
	done
}

network_down() {
	local host deadline=$((SECONDS + 5))
	[ -n "$NET" ] || return 0
	# shellcheck disable=SC2046 # a list of numbers
	kill -TERM $(network_processes) 2>/dev/null
	while [ -n "$(network_processes)" ] && [ $SECONDS -lt $deadline ]; do
		sleep 0.05
	done
	# shellcheck disable=SC2046
	kill -KILL $(network_processes) 2>/dev/null
	for host in srv nas pump mate other; do
		ip netns del "$NET-$host" 2>/dev/null
	done
	NET=
}
