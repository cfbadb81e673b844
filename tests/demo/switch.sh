# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The ward's switch: hostapd and the test switch in the namespace `nas`. Source it after network.sh.
#
#   switch_start DIR NAS-NAME     uses DIR/nas.secret; leaves DIR/switch.log, hostapd.log, hostapd/
#   switch_event NAME [JQ-FILTER] the last event of that kind; status 1 when there was none
#   start LOG HOST COMMAND...     in the background in that host's namespace
SWITCH_DIR=

start() {
	local log=$1 host=$2
	shift 2
	setsid ip netns exec "$NET-$host" "$@" >"$log" 2>&1 </dev/null &
}

hostapd_conf() {
	local secret
	secret=$(cat "$SWITCH_DIR/nas.secret")
	cat <<-END
		interface=port1
		driver=wired
		ctrl_interface=$SWITCH_DIR/hostapd
		ieee8021x=1
		eapol_version=2
		use_pae_group_addr=1
		own_ip_addr=$MGMT_NAS
		nas_identifier=$1
		auth_server_addr=$MGMT_SERVER
		auth_server_port=1812
		auth_server_shared_secret=$secret
		acct_server_addr=$MGMT_SERVER
		acct_server_port=1813
		acct_server_shared_secret=$secret
		radius_auth_req_attr=61:d:15
		radius_auth_req_attr=5:d:1
		radius_acct_req_attr=61:d:15
		radius_acct_req_attr=5:d:1
		radius_das_port=3798
		radius_das_client=127.0.0.1 $secret
		radius_das_require_event_timestamp=1
		radius_das_require_message_authenticator=1
		eap_reauth_period=3600
		dynamic_vlan=1
		vlan_file=$SWITCH_DIR/vlans
	END
}

switch_start() {
	SWITCH_DIR=$1
	printf '%s br%s\n' "$VLAN_ONBOARD" "$VLAN_ONBOARD" "$VLAN_PUMPS" "$VLAN_PUMPS" \
		"$VLAN_QUARANTINE" "$VLAN_QUARANTINE" >"$1/vlans"
	(umask 077 && hostapd_conf "$2" >"$1/hostapd.conf")
	start "$1/hostapd.log" nas hostapd "$1/hostapd.conf"
	start "$1/switch.log" nas testswitch --port port1 --hostapd "$1/hostapd/port1" \
		--vlan "$VLAN_ONBOARD=br$VLAN_ONBOARD:isolated" --vlan "$VLAN_PUMPS=br$VLAN_PUMPS" \
		--vlan "$VLAN_QUARANTINE=br$VLAN_QUARANTINE:isolated" \
		--vlan "$VLAN_OTHER=br$VLAN_OTHER" --auth "$MGMT_SERVER:1812" \
		--acct "$MGMT_SERVER:1813" --secret-file "$1/nas.secret" --nas-ip "$MGMT_NAS" \
		--nas-identifier "$2" --das "$MGMT_NAS:3799" --hostapd-das 127.0.0.1:3798 \
		--hold-ms 1000
}

switch_event() {
	jq -c "select(.event == \"$1\") ${2:+| select($2)}" "$SWITCH_DIR/switch.log" 2>/dev/null |
		tail -n 1 | grep .
}
