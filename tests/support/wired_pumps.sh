# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2015,SC2034,SC2046,SC2059 # PID is the test's too; scratch folders have no blanks
# Pumps with agents on wires, and others that authenticate in a loop, for tests of what changes under
# running pumps (source after scratch.sh and pump_client.sh; root only).
#
#   wired_missing              what this machine lacks, in words; "" when all is there
#   wired_up N...              a wire ethN, hostapd for all of them, a wpa_supplicant each
#   wired_down                 stops all that was started, removes the namespace
#   agent N | stop NAME        starts the agent of wire N (PID[agentN]); stops what PID names
#   agent_asks_again N         an agent asks when it comes online, else once an hour
#   is_online N | reports SERIAL SHA256
#   successes N | failures N | goes_on N   authentications of wire N, by its wpa_supplicant
#   reauthenticate_for_ever N
#   load SECONDS CA-FILE (RADIUS_NAME: of the server) | load_ends | load_was_served   pumps in $SCRATCH/clients
AGENT=$PUMPGATE_BUILD/bin/pumpgate-agentd
WIRED_NS=pgd$$
WIRED_PORT=pgp$$
declare -A PID

wired_missing() {
	local tool
	for tool in hostapd wpa_supplicant wpa_cli ip; do
		command -v "$tool" >/dev/null || { echo "$tool"; return; }
	done
	[ "$(id -u)" = 0 ] || { echo root; return; }
	ip netns add "$WIRED_NS" 2>/dev/null || echo "network namespaces"
}

stop() {
	[ -n "${PID[$1]:-}" ] || return 0
	kill "${PID[$1]}" 2>/dev/null
	wait "${PID[$1]}" 2>/dev/null
	unset "PID[$1]"
}

wired_down() {
	local one
	for one in loop load agent{0..9} wpa{0..9} hostapd; do stop "$one"; done
	ip netns del "$WIRED_NS" 2>/dev/null
}

wired_up() {
	local n
	for n in "$@"; do
		ip link add "$WIRED_PORT$n" type veth peer name "eth$n" netns "$WIRED_NS"
		ip link set "$WIRED_PORT$n" up
		ip -n "$WIRED_NS" link set "eth$n" up
		cat >"$SCRATCH/hostapd-$n.conf" <<END
interface=$WIRED_PORT$n
driver=wired
logger_stdout=-1
logger_stdout_level=1
ctrl_interface=$SCRATCH/hostapd
ieee8021x=1
eap_reauth_period=0
own_ip_addr=127.0.0.1
nas_identifier=ap1
auth_server_addr=127.0.0.1
auth_server_port=$RADIUS_AUTH_PORT
auth_server_shared_secret=$NAS_SECRET
END
	done
	hostapd $(printf "$SCRATCH/hostapd-%s.conf " "$@") >"$SCRATCH/hostapd.log" 2>&1 &
	PID[hostapd]=$!
	for n in "$@"; do
		printf 'ctrl_interface=%s\nap_scan=0\n' "$SCRATCH/wpa" >"$SCRATCH/wpa-$n.conf"
		ip netns exec "$WIRED_NS" wpa_supplicant -D wired -i "eth$n" -c "$SCRATCH/wpa-$n.conf" -d \
			-f "$SCRATCH/wpa-$n.log" &
		PID[wpa$n]=$!
		wait_until 5 test -S "$SCRATCH/wpa/eth$n" || return 1
	done
}

wired_mac() { ip -n "$WIRED_NS" -br link show "eth$1" | awk '{print $3}'; }

agent() {
	"$AGENT" --clock tell --renew-at 90 --state "$SCRATCH/state-$1" --bundle "$SCRATCH/bundle-$1.json" \
		--interface "eth$1" --control "$SCRATCH/wpa" >>"$SCRATCH/agent-$1.log" 2>&1 &
	PID[agent$1]=$!
}
agent_asks_again() {
	stop "agent$1"
	rm -f "$SCRATCH/state-$1/status.json"
	agent "$1"
}
is_online() { "$AGENT" --state "$SCRATCH/state-$1" status --json | jq -e '.state == "online"' >/dev/null; }
reports() { pumpctl pump show "$1" --json | jq -e --arg sha "$2" '.report.server_anchors | contains($sha)' >/dev/null; }

successes() { grep -c 'CTRL-EVENT-EAP-SUCCESS' "$SCRATCH/wpa-$1.log"; }
failures() { grep -cE 'CTRL-EVENT-EAP-(FAILURE|TLS-CERT-ERROR)' "$SCRATCH/wpa-$1.log"; }
succeeded_beyond() { [ "$(successes "$1")" -gt "$2" ]; }
goes_on() { wait_until 60 succeeded_beyond "$1" "$(($(successes "$1") + 1))"; }
# one after the other: another start would break off the one that a busy machine is slow with
reauthenticate_for_ever() {
	local n
	while :; do
		n=$(successes "$1")
		wpa_cli -p "$SCRATCH/wpa" -i "eth$1" reauthenticate >/dev/null 2>&1
		for _ in $(seq 1 100); do
			sleep 0.1
			[ "$(successes "$1")" = "$n" ] || break
		done
		sleep 0.5
	done
}

load() {
	"$PUMPGATE_BUILD/tools/eap_load" --server "$RADIUS_AUTH" --secret-file "$SCRATCH/nas.secret" \
		--certs "$SCRATCH/clients" --ca "$2" --server-name "${RADIUS_NAME:-radius-1.pumpgate.internal}" --in-flight 3 --seconds "$1" --tries 10 \
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
