#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The main job for real, in network namespaces: a pump from inventory to its VLAN, and off it again.
# FreeRADIUS, all daemons under users of their own, hostapd and a test switch, wpa_supplicant under
# the agent. `make demo` runs it; KEEP=1 leaves everything running and says how to look around.
# shellcheck disable=SC2317 # steps and questions are called by name
set -u
cd "$(dirname "$0")/../.." || exit
if [ "$(id -u)" != 0 ]; then
	echo "demo: needs root, for network namespaces and a user per process: run  sudo make demo" >&2
	exit 1
fi
PUMPGATE_BUILD=$(cd "${PUMPGATE_BUILD:-build}" && pwd)
D=$(mktemp -d "${TMPDIR:-/tmp}/pumpgate-demo.XXXXXX")
chmod 0755 "$D" # the daemons' users walk through it
export STAGE_DIR=$D PUMPGATE_HOME=$D/home
PATH=$D/system/usr/sbin:$PUMPGATE_BUILD/tools:$PATH:/usr/sbin:/sbin
PUMP=PG-000123
NAS=ward-7-switch
FIRST_UID=64200 # eight users, by number: nothing is added to /etc/passwd
SERVER=
TOKEN= # kept to look for it in the logs
REVOKED_MS=0
export PUMP_MAC=02:50:47:00:01:23
# shellcheck source=tests/demo/network.sh
. tests/demo/network.sh
# shellcheck source=tests/demo/switch.sh
. tests/demo/switch.sh
# shellcheck source=tests/demo/stage.sh
. tests/demo/stage.sh
. tests/support/tpm.sh
# shellcheck source=tests/demo/controller.sh
. tests/demo/controller.sh
# shellcheck source=tests/demo/clinician.sh
. tests/demo/clinician.sh

clean_up() {
	trap '' INT TERM
	tpm_stop
	if [ -n "$SERVER" ]; then
		kill -TERM "$SERVER" 2>/dev/null
		wait "$SERVER" 2>/dev/null
	fi
	network_down
	rm -rf "$D"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

stage_evidence() {
	local log
	for log in "$D"/home/log/*.log "$D"/*.log; do
		[ -s "$log" ] || continue
		echo "-- ${log#"$D"/}"
		tail -n 12 "$log"
	done
}

# ---- questions about the world ----

pump_reaches() { inside pump ping -c 1 -W 1 "$1"; }
# none of these addresses answers within a second
pump_blocked() {
	local address pids=() silent=yes
	for address in "$@"; do
		ip netns exec "$NET-pump" ping -c 1 -W 1 "$address" &
		pids+=($!)
	done
	for address in "${pids[@]}"; do
		! wait "$address" || silent=no
	done
	[ "$silent" = yes ]
}
agent_state() { jq -r .state "$D/pump/status.json" 2>/dev/null; }
agent_is() { [ "$(agent_state)" = "$1" ]; }

# ---- steps ----

install_programs() {
	make --no-print-directory -s install O="$PUMPGATE_BUILD" DESTDIR="$D/system" || return
	OUTCOME="$(find "$D/system/usr/sbin" -type f | wc -l) programs, rlm_pump.so, man pages in $D/system"
}

build_ward() {
	network_up "pgdemo$$" || return
	OUTCOME="server, switch, pump, a host in the pumps' VLAN $VLAN_PUMPS, one in VLAN $VLAN_OTHER; one IP subnet for all"
}

server_ready() {
	kill -0 "$SERVER" || return 99 # waiting longer is in vain
	[ -s "$PUMPGATE_HOME/run.json" ]
}

start_server() {
	inside srv pumpctl init --users "$FIRST_UID" \
		--radius-address "$MGMT_SERVER" --radius-auth-port 1812 --radius-acct-port 1813 \
		--est-address "$WARD_SERVER" --est-port 8443 --est-name "$WARD_SERVER" \
		--organization "Hospital of the demo" || return
	# so short that a renewal is due when the agent is told to look for one
	sed -i 's/^device_validity *=.*/device_validity = 10m/' "$PUMPGATE_HOME/pumpgate.conf"
	directory_up || return
	start "$D/run.log" srv pumpctl run
	SERVER=$!
	wait_for 30 "run.json" server_ready || return
	OUTCOME="ready: RADIUS $(jq -r .radius.auth "$PUMPGATE_HOME/run.json"), EST $(jq -r .est "$PUMPGATE_HOME/run.json")"
	show server_processes
}

server_processes() {
	local pid
	for pid in $(ip netns pids "$NET-srv"); do
		ps -o user:8=,comm= -p "$pid"
	done | grep -v pumpctl | sort -u | sed 's/^/user /'
}

add_zones_and_nas() {
	tr -dc 'A-Za-z0-9' </dev/urandom 2>/dev/null | head -c 32 >"$D/nas.secret"
	chmod 0600 "$D/nas.secret"
	pumpctl zone add onboarding --vlan "$VLAN_ONBOARD" --onboarding --session 10m &&
		pumpctl zone add infusion-pumps --vlan "$VLAN_PUMPS" &&
		pumpctl zone add quarantine --vlan "$VLAN_QUARANTINE" --quarantine &&
		pumpctl nas add "$NAS" --ip "$MGMT_NAS" --secret-file "$D/nas.secret" || return
	OUTCOME="onboarding (VLAN $VLAN_ONBOARD), infusion-pumps (VLAN $VLAN_PUMPS), quarantine (VLAN $VLAN_QUARANTINE), $NAS ($MGMT_NAS)"
}

start_switch() {
	switch_start "$D" "$NAS" || return
	wait_for 10 "the switch" switch_event ready || return
	pump_blocked "$WARD_SERVER" "$WARD_MATE" "$WARD_OTHER" || { fail "the port is open before anybody authenticated"; return 1; }
	wait_for 5 "the refusal of an unknown MAC" switch_event mab-reject || return
	OUTCOME="port closed; the switch asked about MAC $PUMP_MAC, unknown so far: refused"
}

import_inventory() {
	local status
	pumpctl pump import tests/demo/inventory.csv >"$D/import.out" 2>&1
	status=$?
	show cat "$D/import.out"
	[ "$status" = 1 ] || { fail "import ended with $status, wanted 1: five rows are bad"; return 1; }
	[ "$(pumpctl pump list --json | jq length)" = 6 ] || { fail "wanted 6 pumps"; return 1; }
	OUTCOME="11 rows: $(tail -n 1 "$D/import.out")"
}

make_bundle() {
	pumpctl pump bundle "$PUMP" --out "$D/$PUMP.json" --mab-window 15m || return
	TOKEN=$(jq -r .token "$D/$PUMP.json")
	OUTCOME="$(stat -c '%A' "$D/$PUMP.json") $PUMP.json: EST address, hash of the server root, RADIUS name, one-time token"
}

# What the pump's network stack does when it is switched on: it looks for its server.
knock() {
	pump_reaches "$WARD_SERVER"
}

mac_authentication() {
	local at
	wait_for 10 "VLAN $VLAN_ONBOARD by MAC authentication" knock || return
	at=$(switch_event placed '.why == "mab"') || { fail "the pump got in, but not by MAC"; return 1; }
	[ "$(jq .vlan <<<"$at")" = "$VLAN_ONBOARD" ] || { fail "wrong VLAN: $at"; return 1; }
	pump_blocked "$WARD_MATE" "$WARD_OTHER" ||
		{ fail "the onboarding VLAN reaches VLAN $VLAN_PUMPS or $VLAN_OTHER"; return 1; }
	OUTCOME="in VLAN $VLAN_ONBOARD: reaches EST ($WARD_SERVER), not the pumps ($WARD_MATE)"
}

# The controller is there before the agent, and does its work without it.
infusion() {
	controller_start "$D/controller" || return
	controller infuse >"$D/infuse.json" || return
	controller_shows "network state unknown, standalone" || { fail "the display says: $(display)"; return 1; }
	OUTCOME="infuses at 5 ml/h, a loop of 10 ms; its display: \"$(display)\""
}

# A cable of the bench, past the switch: the agent asks its server why the network refused it.
bench() {
	network_link srv bench pump bench && ip -n "$NET-srv" link set dev bench master ward &&
		ip -n "$NET-pump" address add "$BENCH_PUMP/32" dev bench &&
		ip -n "$NET-pump" route add "$WARD_SERVER/32" dev bench src "$BENCH_PUMP" || return
	wait_for 30 "the agent to learn it" agent_is revoked || return
	wait_for 5 "the controller to hear it" controller_shows "network credential revoked, standalone" || return
	OUTCOME="asked its server, was told, and stopped trying; the controller's display: \"$(display)\""
}

# The loop's account of all that time. A virtual machine may lose its processor for a moment.
infusion_goes_on() {
	local before account
	before=$(delivered_nl)
	sleep 0.3
	[ "$(delivered_nl)" -gt "$before" ] || { fail "the infusion stands still"; return 1; }
	account=$(controller account)
	show echo "$account"
	jq -e '.call_sleeps == 0 and .call_faults == 0 and .missed <= .ticks / 100' >/dev/null <<<"$account" ||
		{ fail "the loop was disturbed: $account"; return 1; }
	OUTCOME="display: \"$(display)\"; $(jq -r '"\(.ticks) ticks, \(.missed) missed, 99 % within \(.late_p99_us) us; pumplink: no call slept, \(.call_max_us) us at most; \(.delivered_nl / 1000 | floor) ul infused"' <<<"$account")"
}

has_certificate() {
	[ -n "$(jq -r '.certificate // empty' "$D/pump/status.json" 2>/dev/null)" ]
}

# agent [OPTION...]
agent_alone() {
	start "$D/agent.log" pump pumpgate-agentd --clock tell --state "$D/pump" --bundle "$D/$PUMP.json" \
		--interface eth0 --driver wired --control "$D/wpa" "$@"
	AGENT=$!
}
agent() { agent_alone --controller-user 0 --controller-socket "$D/controller/pumplink"; }
agent_stop() {
	kill "$AGENT" && wait "$AGENT"
}

enrol() {
	mkdir -m 0700 "$D/pump"
	printf 'ctrl_interface=%s\nap_scan=0\n' "$D/wpa" >"$D/wpa.conf"
	start "$D/wpa_supplicant.log" pump wpa_supplicant -D wired -i eth0 -c "$D/wpa.conf"
	agent
	wait_for 15 "the pump's certificate" has_certificate || return
	[ ! -e "$D/$PUMP.json" ] || wait_for 5 "the bundle's end" test ! -e "$D/$PUMP.json" || return
	show pumpctl cert list
	OUTCOME="key made on the pump, certificate $(jq -r .certificate "$D/pump/status.json"); the bundle is used up"
}

eap_tls() {
	wait_for 20 "VLAN $VLAN_PUMPS by EAP-TLS" \
		switch_event placed ".why == \"eap\" and .vlan == $VLAN_PUMPS" || return
	wait_for 5 "the agent to see it" agent_is online || return
	wait_for 10 "the controller to hear it" controller_shows online || return
	OUTCOME="VLAN $VLAN_PUMPS on RADIUS's word; the agent is online, and so says the controller's display"
}

traffic() {
	local lost
	wait_for 5 "the host in the zone" pump_reaches "$WARD_MATE" || return
	wait_for 5 "EST from the zone" pump_reaches "$WARD_SERVER" || return
	pump_blocked "$WARD_OTHER" || { fail "VLAN $VLAN_OTHER is reached"; return 1; }
	lost=$(inside pump ping -q -i 0.01 -c 100 "$WARD_MATE" | grep -oE '[0-9.]+% packet loss') ||
		return
	OUTCOME="inside the zone $WARD_MATE: 100 packets, $lost; VLAN $VLAN_OTHER $WARD_OTHER: nothing"
	[ "$lost" = "0% packet loss" ]
}

look() {
	show pumpctl pump show "$PUMP"
	show pumpctl session list
	OUTCOME=$(pumpctl pump why "$PUMP") || return
	grep -q "VLAN $VLAN_PUMPS" <<<"$OUTCOME" || { fail "pump why says: $OUTCOME"; return 1; }
	[ "$(pumpctl session list --json | jq length)" = 1 ] || fail "wanted one session"
}

# moved SINCE-MS VLAN: off where it was, and by its next EAP-TLS into this VLAN. On a wire the pump
# hears nothing of the disconnect, so it is told to associate again.
moved() {
	wait_for 5 "the port to close" switch_event blocked \
		".why == \"disconnected\" and .at_ms > $1" || return
	inside pump wpa_cli -p "$D/wpa" -i eth0 reassociate || return
	wait_for 20 "VLAN $2" switch_event placed ".why == \"eap\" and .vlan == $2 and .at_ms > $1"
}

holds_root() { pumpctl pump show "$PUMP" --json | jq -e --arg sha "$1" '.report.server_anchors | contains($sha)' >/dev/null; }
eap_count() { grep -c "CTRL-EVENT-EAP-$1" "$D/wpa_supplicant.log"; }
eap_beyond() { [ "$(eap_count SUCCESS)" -gt "$1" ]; }
authenticates_again() {
	local n
	n=$(eap_count SUCCESS)
	inside pump wpa_cli -p "$D/wpa" -i eth0 reauthenticate >/dev/null &&
		wait_for 15 "another authentication" eap_beyond "$n"
}

root_rollover() {
	local refused root
	refused=$(eap_count FAILURE)
	pumpctl ca rollover start server --new-root >"$D/rollover" 2>&1 || { fail "$(cat "$D/rollover")"; return 1; }
	root=$(pumpctl ca rollover status server --json | jq -r .other_root.sha256)
	agent_stop # it asks its server when it comes online, else once an hour
	agent
	wait_for 20 "the pump to hold both roots" holds_root "$root" || return
	pumpctl ca rollover switch server >"$D/rollover" 2>&1 || { fail "$(cat "$D/rollover")"; return 1; }
	show cat "$D/rollover"
	authenticates_again || return
	pumpctl ca rollover finish server >"$D/rollover" 2>&1 || { fail "$(cat "$D/rollover")"; return 1; }
	authenticates_again || return
	wait_for 5 "the host in the zone" pump_reaches "$WARD_MATE" || return
	OUTCOME="cross certificates, all servers switched, the old root gone; refused authentications: $(($(eap_count FAILURE) - refused))"
	[ "$(eap_count FAILURE)" = "$refused" ] || fail "the pump was refused"
}

quarantine() {
	local since
	since=$(now_ms)
	show pumpctl pump quarantine "$PUMP" --reason "scans its neighbours" ||
		{ fail "quarantine ended with $?"; return 1; }
	moved "$since" "$VLAN_QUARANTINE" || return
	wait_for 5 "EST from quarantine" pump_reaches "$WARD_SERVER" || return
	pump_blocked "$WARD_MATE" "$WARD_OTHER" || { fail "quarantine reaches other pumps"; return 1; }
	OUTCOME="VLAN $VLAN_QUARANTINE: reaches EST, no other pump. $(pumpctl pump why "$PUMP" | head -n 1)"
}

release() {
	local since
	since=$(now_ms)
	pumpctl pump release "$PUMP" --reason "was the service laptop" ||
		{ fail "release ended with $?"; return 1; }
	moved "$since" "$VLAN_PUMPS" || return
	wait_for 5 "the host in the zone" pump_reaches "$WARD_MATE" || return
	wait_for 10 "the agent to see it" agent_is online || return
	OUTCOME="back in VLAN $VLAN_PUMPS $(($(now_ms) - since)) ms after the command was started"
}

certificate() { jq -r .certificate "$D/pump/status.json"; }
certificate_is_not() { [ "$(certificate)" != "$1" ] && agent_is online; }

# The longest time without an answer, in ms, to pings of every 5 ms.
longest_gap() {
	sed -n 's/^.\([0-9]*\)[.]\([0-9]\{3\}\).*bytes from.*/\1\2/p' "$1" |
		awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { print gap + 0 }'
}

renewal() {
	local first pinger lost
	first=$(certificate)
	agent_stop
	ip netns exec "$NET-pump" ping -D -i 0.005 "$WARD_MATE" >"$D/renewal.ping" 2>&1 &
	pinger=$!
	wait_for 5 "a first packet" grep -q 'bytes from' "$D/renewal.ping" || return
	agent_alone --renew-at 1 # with its controller it would wait for the end of the infusion
	wait_for 20 "the next certificate" certificate_is_not "$first" || return
	sleep 0.3
	kill -INT "$pinger" && wait "$pinger"
	agent_stop
	agent
	wait_for 10 "the agent" agent_is online || return
	lost=$(grep -oE '[0-9]+ packets transmitted, [0-9]+ received' "$D/renewal.ping")
	show pumpctl cert list --pump "$PUMP"
	OUTCOME="new key and certificate in use; port lost for 0 s: $lost, longest gap $(longest_gap "$D/renewal.ping") ms"
	[ "$(awk '/packets transmitted/ { print $1 - $4 }' "$D/renewal.ping")" -le 1 ] || # the last may be on its way
		{ fail "packets were lost: $lost"; return 1; }
}

is_wiped() {
	! find "$D/pump" -name '*.pem' -o -name state.json | grep -q .
}

decommission() {
	local waiter since
	since=$(now_ms)
	pumpctl pump decommission "$PUMP" --reason "sold to another hospital" --wait 60s >"$D/decommission" 2>&1 &
	waiter=$!
	moved "$since" "$VLAN_QUARANTINE" || return
	wait "$waiter" || { fail "decommission ended with $?: $(cat "$D/decommission")"; return 1; }
	wait_for 10 "the pump to be wiped" is_wiped || return
	wait_for 10 "the controller to hear it" controller_shows "decommissioned, standalone" || return
	show cat "$D/decommission"
	[ "$(pumpctl pump show "$PUMP" --json | jq -r '.state + " " + .decommission.state')" = "revoked wiped" ] ||
		{ fail "the registry has no statement"; return 1; }
	OUTCOME="wiped, its statement signed, kept and verified after $(seconds $(($(now_ms) - since))); display: \"$(display)\""
}

another_life() {
	local row
	row=$(pumpctl pump show "$PUMP" --json) || return
	pumpctl pump add "$PUMP" --maker "$(jq -r .maker <<<"$row")" --model "$(jq -r .model <<<"$row")" \
		--mac "$PUMP_MAC" --zone infusion-pumps || return
	OLD_TOKEN=$TOKEN
	make_bundle || return
	wait_for 40 "the pump in its zone" back_in_zone || return
	OUTCOME="added again, onboarded from clean: certificate $(certificate), VLAN $VLAN_PUMPS"
}
back_in_zone() {
	pump_reaches "$WARD_SERVER" && agent_is online && pump_reaches "$WARD_MATE"
}

# Another pump of the inventory, at a bench that reaches EST: what is on its disk opens nothing.
tpm_key() {
	local without
	without=$(tpm_missing | xargs)
	[ -z "$without" ] || { OUTCOME="skipped: $without is not installed"; return 0; }
	mkdir "$D/tpm-bench" || return
	tpm_start "$D/tpm-bench" || { fail "no TPM in software"; return 1; }
	mkdir -m 0700 "$D/tpm-pump"
	pumpctl pump add PG-TPM --maker Acme --model Flow-9 --mac 02:50:47:00:09:09 --zone infusion-pumps &&
		pumpctl pump bundle PG-TPM --out "$D/PG-TPM.json" || return
	start "$D/tpm-agent.log" srv pumpgate-agentd --clock tell --state "$D/tpm-pump" --bundle "$D/PG-TPM.json" \
		--interface lo --control "$D/tpm-bench/no-wpa" --key-in tpm
	TPM_AGENT=$!
	wait_for 20 "its certificate" test -s "$D/tpm-pump/a/cert.pem" || return
	kill "$TPM_AGENT" && wait "$TPM_AGENT"
	[ ! -e "$D/tpm-pump/a/key.pem" ] || { fail "the key is a file"; return 1; }
	tpm_stop
	! openssl pkey -in "$D/tpm-pump/a/key.tss2" -inform DER -noout || { fail "the key opens without its TPM"; return 1; }
	OUTCOME="certificate for a key made in the TPM; its $(stat -c %s "$D/tpm-pump/a/key.tss2") bytes on the disk are of no use elsewhere"
}

revoke() {
	local last pinger
	ip netns exec "$NET-pump" ping -D -i 0.005 "$WARD_MATE" >"$D/ping.out" 2>&1 &
	pinger=$!
	wait_for 5 "a first packet" grep -q 'bytes from' "$D/ping.out" || return
	REVOKED_MS=$(now_ms)
	show pumpctl pump revoke "$PUMP" --reason "stolen from ward 7" ||
		{ fail "revoke ended with $?"; return 1; }
	wait_for 5 "the port to close" switch_event blocked \
		".why == \"disconnected\" and .at_ms > $REVOKED_MS" || return
	pump_blocked "$WARD_MATE" || { fail "packets still pass"; return 1; }
	kill -INT "$pinger" && wait "$pinger"
	last=$(sed -n 's/^.\([0-9]*\)[.]\([0-9]\{3\}\).*bytes from.*/\1\2/p' "$D/ping.out" | tail -n 1)
	[ "${last:-0}" -gt $((REVOKED_MS - 100)) ] ||
		{ fail "the pump had stopped sending before"; return 1; }
	OUTCOME="last packet $((last - REVOKED_MS)) ms after the command was started"
	[ $((last - REVOKED_MS)) -lt 1000 ]
}

# refusals by EAP since the revocation
eap_refusals() {
	jq -c "select(.event == \"eap-refused\" and .at_ms > $REVOKED_MS)" "$D/switch.log" | wc -l
}
refused_again() { [ "$(eap_refusals)" -gt "$1" ]; }

full_attempt() {
	local before
	before=$(eap_refusals)
	inside pump wpa_cli -p "$D/wpa" -i eth0 reassociate || return
	wait_for 20 "the refusal" refused_again "$before" || return
	pump_blocked "$WARD_MATE" || { fail "the port is open again"; return 1; }
	OUTCOME="whole EAP-TLS handshake with its key and certificate: refused, the port stays closed"
}

agent_retry() {
	local before
	before=$(eap_refusals)
	wait_for 40 "another attempt of the agent" refused_again "$before" || return
	pump_blocked "$WARD_SERVER" "$WARD_MATE" || { fail "the port is open again"; return 1; }
	OUTCOME="agent tried by itself after $((($(now_ms) - REVOKED_MS) / 1000)) s and says: $(jq -r .error.text "$D/pump/status.json")"
	agent_is online && { fail "the agent believes to be online"; return 1; }
	return 0
}

# A switch asks about a MAC when it hears it send, and not while 802.1X is at work (3 s).
mac_refused() {
	inside pump ping -c 1 -W 1 "$WARD_MATE"
	switch_event mab-reject ".at_ms > $REVOKED_MS"
}

mac_retry() {
	wait_for 20 "the refusal of the MAC" mac_refused || return
	! switch_event placed ".at_ms > $REVOKED_MS" || { fail "somebody was let in"; return 1; }
	pumpctl pump revoke "$PUMP" --reason again >"$D/receipt" # 2: nothing to do; the same receipt
	[ $? = 2 ] || { fail "revoking twice"; return 1; }
	show cat "$D/receipt"
	OUTCOME="its MAC window is not over, and it is refused all the same"
}

why_after() {
	OUTCOME=$(pumpctl pump why "$PUMP") || true
	show pumpctl pump events "$PUMP" --limit 6
	grep -q "revoked by root.*stolen from ward 7.*refused" <<<"$OUTCOME"
}

audit() {
	show pumpctl audit tail -n 4
	OUTCOME=$(pumpctl audit verify)
}

no_secret_in_logs() {
	local word
	for word in "$TOKEN" "$OLD_TOKEN" "$(cat "$D/nas.secret")" "PRIVATE KEY" "$CLINICIAN_PASSWORD" \
		"$DIRECTORY_PASSWORD" service-secret; do
		[ ${#word} -ge 8 ] || { fail "nothing to look for"; return 1; }
		if grep -rqF -e "$word" "$D"/home/log "$D"/*.log; then
			fail "a secret stands in $(grep -rlF -e "$word" "$D"/home/log "$D"/*.log | tr '\n' ' ')"
			return 1
		fi
	done
	OUTCOME="neither token nor NAS secret nor a key nor a password in $(find "$D/home/log" "$D"/*.log -type f | wc -l) logs"
}

server_is_empty() { [ -z "$(ip netns pids "$NET-srv")" ]; }

stop_server() {
	local status
	kill -TERM "$SERVER"
	wait "$SERVER"
	status=$?
	SERVER=
	[ "$status" = 0 ] || { fail "pumpctl run ended with $status"; return 1; }
	[ ! -e "$PUMPGATE_HOME/run.json" ] || { fail "run.json is still there"; return 1; }
	directory_down
	wait_for 5 "every process to end" server_is_empty || return
	OUTCOME="pumpctl run and its eight processes ended, status 0"
}

how_to_look_around() {
	cat <<-END

		${BOLD}KEEP=1: everything is still running.${PLAIN}
		  export PUMPGATE_HOME=$D/home PATH=$D/system/usr/sbin:\$PATH
		  pumpctl status; pumpctl pump list; pumpctl pump why $PUMP; pumpctl audit tail
		  ip netns exec $NET-pump ping $WARD_MATE          # the pump's side; also $NET-mate, -other, -srv, -nas
		  ip netns exec $NET-nas nft list ruleset; ip netns exec $NET-nas bridge link
		  ls $D/home/log $D/*.log; tail -f $D/switch.log
		End it, and leave nothing behind:
		  $D/end
	END
}

write_end() {
	cat >"$D/end" <<-END
		#!/usr/bin/env bash
		. $PWD/tests/demo/network.sh
		kill -TERM $SERVER
		while kill -0 $SERVER 2>/dev/null; do sleep 0.1; done
		NET=$NET
		network_down
		rm -rf $D
	END
	chmod 0755 "$D/end"
}

nothing_left() {
	if ip netns list | grep -q "^pgdemo$$-" || [ -e "$D" ]; then
		echo "demo: left something behind: $(ip netns list | grep "^pgdemo$$-") $D" >&2
		return 1
	fi
}

echo "${BOLD}Pumpgate: one pump, from inventory to its VLAN, and off it again${PLAIN}"
step "Install into a scratch folder" install_programs
step "A ward in network namespaces" build_ward
step "Server: init and run, a user per process" start_server
step "Zones and the switch are made known" add_zones_and_nas
step "Switch on: the port is closed" start_switch
step "Inventory from a CSV, bad rows named" import_inventory
step "Bundle for the pump, MAC window open" make_bundle
step "MAC authentication: onboarding VLAN only" mac_authentication
step "The infusion runs, no agent yet" infusion
step "The agent enrols over EST" enrol
step "EAP-TLS: into the pumps' VLAN" eap_tls
step "Traffic inside the zone, none outside" traffic
step "What the registry says" look
step "A clinician logs in at the pump" clinician_logs_in
step "The login server stops: by badge all the same" clinician_without_server
step "The account is disabled: refused, forgotten" clinician_disabled
step "The servers' root is replaced" root_rollover
step "Quarantine: another VLAN, at once" quarantine
step "Released: back among the pumps" release
step "Renewal while packets run" renewal
step "Decommissioned: wiped, with a statement" decommission
step "Another life: the same pump from clean" another_life
step "A key in a TPM (swtpm)" tpm_key
step "Revoked: off the network, with receipt" revoke
step "Return refused: the same certificate" full_attempt
step "Return refused: by MAC" mac_retry
step "Return refused: the agent's own retry" agent_retry
step "At the bench: the agent learns it" bench
step "The infusion went on all the time" infusion_goes_on
step "pump why names the reason" why_after
step "Audit verified" audit
step "No secret in any log" no_secret_in_logs
[ "${KEEP:-0}" = 1 ] || step "Server stops clean" stop_server
stage_summary
status=$?
if [ "${KEEP:-0}" = 1 ]; then
	write_end
	how_to_look_around
	trap - EXIT
	exit $status
fi
clean_up
trap - EXIT
nothing_left || status=1
exit $status
