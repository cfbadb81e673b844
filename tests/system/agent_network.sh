#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The agent with a real wpa_supplicant on a wired port whose authenticator is hostapd with its own EAP
# server: admission, refused servers, waiting after a refusal, restarts of either side, and the change
# of certificates under traffic. Its identity is put into the state folder by hand: no enrolment here.
# shellcheck disable=SC2317,SC2119,SC2120 # functions are called through check and wait_until
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
PUMPGATE_BUILD=$(cd "${PUMPGATE_BUILD:-build}" && pwd)
AGENT=$PUMPGATE_BUILD/bin/pumpgate-agentd
PUMP=PG-000123
NAME=radius-1.pumpgate.internal

for tool in hostapd wpa_supplicant hostapd_cli wpa_cli ip openssl; do
	command -v "$tool" >/dev/null || missing=$tool
done
[ "$(id -u)" = 0 ] || missing="root"
[ -n "${missing:-}" ] || ip netns add "pgtry$$" 2>/dev/null || missing="network namespaces"
ip netns del "pgtry$$" 2>/dev/null
if [ -n "${missing:-}" ]; then
	skip agent_on_a_wired_port "needs $missing"
	tap_done
fi

T=$(mktemp -d /tmp/pumpgate-agent.XXXXXX)
NAS=pgn$$ DEV=pgd$$
declare -A PID
cleanup() {
	for p in "${PID[@]}"; do kill "$p" 2>/dev/null; done
	wait 2>/dev/null
	ip netns del "$NAS" 2>/dev/null
	ip netns del "$DEV" 2>/dev/null
	rm -rf "$T"
}
trap cleanup EXIT

# --- certificates: two server hierarchies (ours, a stranger's) and the pumps' ---
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$T/$1.key" 2>/dev/null; }
# issue NAME SUBJECT ISSUER EXTENSIONS [DATES...]
issue() {
	local name=$1 subject=$2 issuer=$3 ext=$4
	shift 4
	[ -e "$T/$name.key" ] || key "$name"
	openssl req -new -key "$T/$name.key" -subj "/CN=$subject" -out "$T/$name.csr"
	printf '%b' "$ext" >"$T/$name.ext"
	: >"$T/index" && rm -f "$T/index.attr"
	printf '[ca]\ndefault_ca=x\n[x]\ndatabase=%s\nnew_certs_dir=%s\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
		"$T/index" "$T" >"$T/ca.conf"
	if [ "$issuer" = self ]; then set -- -selfsign -keyfile "$T/$name.key" "$@"; else
		set -- -cert "$T/$issuer.pem" -keyfile "$T/$issuer.key" "$@"
	fi
	openssl ca -batch -notext -config "$T/ca.conf" -in "$T/$name.csr" -out "$T/$name.pem" \
		-extfile "$T/$name.ext" "$@" 2>"$T/$name.log" || { cat "$T/$name.log" >&2; exit 1; }
}
CA='basicConstraints=critical,CA:TRUE\n'
YEAR=(-days 365)
# servers' certificates begin with their CA, so that a pump with a slow clock takes them
BEGUN=(-startdate "$(date -u -d '-300 days' +%Y%m%d%H%M%SZ)" "${YEAR[@]}")
for h in server stranger device; do
	issue $h-root "$h root" self "$CA" "${BEGUN[@]}"
	issue $h-ca "$h ca" $h-root "$CA" "${BEGUN[@]}"
done
SERVER="extendedKeyUsage=serverAuth\nsubjectAltName=DNS:$NAME\n"
issue radius $NAME server-ca "$SERVER" "${BEGUN[@]}"
issue imposter $NAME stranger-ca "$SERVER" "${YEAR[@]}"
issue misnamed other.pumpgate.internal server-ca \
	"extendedKeyUsage=serverAuth\nsubjectAltName=DNS:other.pumpgate.internal\n" "${YEAR[@]}"
CLIENT="extendedKeyUsage=clientAuth\nsubjectAltName=URI:urn:pumpgate:pump:$PUMP\n"
# nine tenths of its life are over
OLD=(-startdate "$(date -u -d '-300 days' +%Y%m%d%H%M%SZ)" -enddate "$(date -u -d '+33 days' +%Y%m%d%H%M%SZ)")
issue first $PUMP device-ca "$CLIENT" "${OLD[@]}"
issue fresh $PUMP device-ca "$CLIENT" "${YEAR[@]}"
issue second $PUMP device-ca "$CLIENT" "${YEAR[@]}"
openssl genrsa -out "$T/rsa.key" 2048 2>/dev/null
issue rsa $PUMP device-ca "$CLIENT" "${YEAR[@]}"
issue wrong $PUMP stranger-ca "$CLIENT" "${YEAR[@]}"
cat "$T/server-root.pem" "$T/server-ca.pem" >"$T/anchors.pem"
cat "$T/device-root.pem" "$T/device-ca.pem" >"$T/devices.pem"
HASH=$(openssl x509 -in "$T/server-root.pem" -outform DER | sha256sum | cut -d' ' -f1)

# identity SLOT CERTIFICATE PURPOSE
identity() {
	mkdir -p "$T/state/$1"
	openssl pkcs8 -topk8 -nocrypt -in "$T/$2.key" -out "$T/state/$1/key.pem"
	cp "$T/$2.pem" "$T/state/$1/cert.pem"
	printf %s "$3" >"$T/state/$1/for"
}
# enrolled CERTIFICATE: a state folder as enrolment leaves it
enrolled() {
	rm -rf "$T/state"
	mkdir -m 0711 "$T/state"
	identity a "$1" bundle
	cp "$T/anchors.pem" "$T/state/anchors-${HASH:0:16}.pem"
	cp "$T/devices.pem" "$T/state/devices-${HASH:0:16}.pem"
	cat >"$T/state/state.json" <<-END
		{"version": 1, "pump": "$PUMP", "est": "https://127.0.0.1:9/x", "radius_server_name": "$NAME",
		 "server_anchor_sha256": "$HASH", "active": "a", "bundle": "", "enrolled": true, "revoked": false}
	END
}

# --- the cable ---
ip netns add "$NAS" && ip netns add "$DEV" || exit 1
ip -n "$NAS" link add port0 type veth peer name eth0 netns "$DEV"
ip -n "$NAS" addr add 192.0.2.1/24 dev port0
ip -n "$DEV" addr add 192.0.2.2/24 dev eth0
ip -n "$NAS" link set port0 up
ip -n "$DEV" link set eth0 up

stop() {
	[ -n "${PID[$1]:-}" ] || return 0
	kill "${2:--TERM}" "${PID[$1]}" 2>/dev/null
	wait "${PID[$1]}" 2>/dev/null
	unset "PID[$1]"
}
# authenticator SERVER-CERTIFICATE
authenticator() {
	stop hostapd
	cat "$T/$1.pem" >"$T/eap.pem"
	echo '* TLS' >"$T/eap_user"
	cat >"$T/hostapd.conf" <<-END
		interface=port0
		driver=wired
		logger_stdout=-1
		logger_stdout_level=1
		ctrl_interface=$T/hostapd
		ieee8021x=1
		eap_server=1
		eap_user_file=$T/eap_user
		ca_cert=$T/devices.pem
		server_cert=$T/eap.pem
		private_key=$T/$1.key
		eap_reauth_period=0
	END
	ip netns exec "$NAS" hostapd "$T/hostapd.conf" >>"$T/hostapd.log" 2>&1 &
	PID[hostapd]=$!
	wait_until 5 test -S "$T/hostapd/port0"
}
supplicant() {
	printf 'ctrl_interface=%s\nap_scan=0\n' "$T/wpa" >"$T/wpa.conf"
	ip netns exec "$DEV" env ${PRELOAD:+LD_PRELOAD="$PRELOAD"} wpa_supplicant -D wired -i eth0 -c "$T/wpa.conf" -dd -f "$T/wpa.log" &
	PID[wpa]=$!
	wait_until 5 test -S "$T/wpa/eth0"
}
agent() {
	ip netns exec "$DEV" env ${PRELOAD:+LD_PRELOAD="$PRELOAD"} "$AGENT" --clock "${CLOCK:-tell}" --state "$T/state" --interface eth0 --control "$T/wpa" "$@" \
		>>"$T/agent.log" 2>&1 &
	PID[agent]=$!
}
state_is() { [ "$("$AGENT" --state "$T/state" status --json | jq -r .state)" = "$1" ]; }
error_has() { says "$1" "$AGENT" --state "$T/state" status; }
wpa() { wpa_cli -p "$T/wpa" -i eth0 "$@"; }
# logged FILE PATTERN COUNT: at least that often
logged() { [ "$(grep -cE -- "$2" "$T/$1.log")" -ge "$3" ]; }


enrolled fresh
authenticator radius
supplicant
agent
check agent_brings_an_enrolled_pump_onto_the_network wait_until 15 state_is online
check block_has_ca_and_server_name says "^\"$NAME;${NAME/-1./-2.}\"$" wpa get_network 0 domain_match
check block_has_the_anchors_file says "anchors-${HASH:0:16}.pem" wpa get_network 0 ca_cert
passphrase_lines() { grep -a -A1 "name='private_key_passwd'" "$T/wpa.log" | grep -a 'value - hexdump'; }
check passphrase_of_the_key_is_hidden_in_the_log_of_the_supplicant says '\(len=66\): \[REMOVED\]$' passphrase_lines
check status_can_be_read_by_everybody test "$(stat -c %a "$T/state" "$T/state/status.json" | xargs)" = "711 644"
check agent_listens_on_no_port says '^0$' bash -c "ip netns exec $DEV ss -Hltun | wc -l"

# --- restarts of either side ---
successes() { grep -c CTRL-EVENT-EAP-SUCCESS "$T/wpa.log"; }
before=$(successes)
stop agent -KILL
agent
check killed_agent_comes_back_without_a_new_authentication wait_until 5 logged agent network_kept 1
check and_knows_that_the_pump_is_online wait_until 5 state_is online
check and_nothing_was_authenticated_anew test "$(successes)" = "$before"
check and_no_dead_sockets_pile_up test "$(find "$T/state/run" -type s | wc -l)" = 2
stop wpa
check agent_notices_that_the_supplicant_is_gone wait_until 8 state_is enrolled
supplicant
check agent_writes_the_block_anew_for_a_restarted_supplicant wait_until 20 state_is online
wpa add_network >/dev/null
stop agent
agent
check agent_removes_networks_of_others wait_until 5 says '^1$' bash -c \
	"wpa_cli -p $T/wpa -i eth0 list_networks | grep -c ^[0-9]"
check and_gets_the_pump_online_again wait_until 15 state_is online
stop agent

# --- the cable ---
ip -n "$NAS" link set port0 down
rm "$T/state/status.json" # says how the last one stood
agent
wait_until 10 logged agent agent.network_kept 2
check agent_that_starts_without_a_cable_is_not_online state_is enrolled
ip -n "$NAS" link set port0 up
check and_gets_online_when_it_is_plugged_in wait_until 20 state_is online
ip -n "$NAS" link set port0 down
check agent_notices_that_the_cable_is_pulled wait_until 3 state_is enrolled
ip -n "$NAS" link set port0 up
check and_authenticates_anew_when_it_is_back wait_until 10 state_is online
stop agent

# --- change of certificate ---
serial() { openssl x509 -in "$T/$1.pem" -noout -serial | cut -d= -f2 | tr A-F a-f; }
uses() { says "$(serial "$1")" "$AGENT" --state "$T/state" status; }
enrolled first
agent
wait_until 15 state_is online # its renewal is due, but EST is not there
check agent_stays_online_when_a_renewal_fails wait_until 15 error_has 'last error'
stop agent
identity b second "renewal of $(serial first)"
cut_before=$(grep -c CTRL-EVENT-DISCONNECTED "$T/wpa.log")
agent
check agent_changes_to_the_next_certificate wait_until 15 uses second
check and_stays_online wait_until 5 state_is online
check and_the_port_was_never_closed test "$(grep -c CTRL-EVENT-DISCONNECTED "$T/wpa.log")" = "$cut_before"
check and_the_old_key_is_gone test ! -e "$T/state/a/key.pem"
stop agent
agent
check restarted_agent_keeps_the_network_of_the_new_certificate wait_until 5 logged agent network_kept 4
stop agent
enrolled first
identity b wrong "renewal of $(serial first)"
wpa remove_network all >/dev/null
agent
check agent_does_not_take_a_certificate_of_another_ca wait_until 15 state_is online
check and_keeps_the_old_one uses first
stop agent

# --- a pump that knows no elliptic curves ---
enrolled rsa
wpa remove_network all >/dev/null
agent
check agent_brings_a_pump_with_an_rsa_key_onto_the_network wait_until 15 state_is online
stop agent

# --- Wi-Fi, as far as it goes without a radio: the block is taken, and known again ---
agent --driver wifi --ssid 'ward "7"'
check wifi_block_is_taken_by_the_supplicant wait_until 10 says WPA-EAP-SHA256 wpa get_network 0 key_mgmt
check and_asks_for_protected_management_frames says '^1$' wpa get_network 0 ieee80211w
check and_has_the_server_checks says "^\"$NAME;${NAME/-1./-2.}\"$" wpa get_network 0 domain_match
stop agent
kept=$(grep -c network_kept "$T/agent.log")
agent --driver wifi --ssid 'ward "7"'
check and_is_kept_when_the_agent_restarts wait_until 5 logged agent network_kept $((kept + 1))
stop agent
agent --driver wifi --ssid 'ward 8'
check and_is_written_anew_for_another_ssid wait_until 5 says '"ward 8"' wpa get_network 0 ssid
stop agent

# --- refusals ---
authenticator imposter
enrolled fresh
wpa remove_network all >/dev/null
agent
check agent_refuses_a_server_of_another_ca wait_until 20 error_has 'server did not prove itself.*issuer'
check and_is_not_online state_is enrolled
tries() { grep -c CTRL-EVENT-EAP-STARTED "$T/wpa.log"; }
first_try=$(tries)
stop agent
authenticator misnamed
wpa remove_network all >/dev/null
agent
check agent_refuses_a_server_of_another_name wait_until 20 error_has 'server did not prove itself.*mismatch'
check and_is_not_online_either state_is enrolled
sleep 2
check refusals_bring_no_storm_of_attempts test "$(($(tries) - first_try))" -le 3
authenticator radius
check agent_is_online_by_itself_once_the_right_server_is_back wait_until 40 state_is online

# --- a wrong clock: the pump's programs have one of their own ---
stop agent
stop wpa
issue lapsed $NAME server-ca "$SERVER" -startdate "$(date -u -d '-200 days' +%Y%m%d%H%M%SZ)" \
	-enddate "$(date -u -d '-100 days' +%Y%m%d%H%M%SZ)"
issue young $PUMP device-ca "$CLIENT" -startdate "$(date -u -d '-5 days' +%Y%m%d%H%M%SZ)" "${YEAR[@]}"
export OWN_CLOCK=$T/clock ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
PRELOAD=$PUMPGATE_BUILD/tools/own_clock.so CLOCK='set'
# clock_is SECONDS-TO-ADD
clock_is() { python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("<qq", int(sys.argv[1]) * 10**9, 0))' "$1" >"$T/clock"; }
# clock_off FROM TO: seconds that the pump's clock is ahead, within
clock_off() {
	local off
	off=$(python3 -c 'import struct; print(struct.unpack("<q", open("'"$T"'/clock", "rb").read(8))[0] // 10**9)')
	echo "$off s ahead"
	[ "$off" -ge "$1" ] && [ "$off" -le "$2" ]
}
logs() { grep -c -- "$1" "$T/agent.log"; }
pump_wakes() { # SECONDS-AHEAD CERTIFICATE
	stop agent
	stop wpa
	clock_is "$1"
	enrolled "$2"
	supplicant
	agent
}
DAY=86400
authenticator radius
pump_wakes $((-$(date +%s) + 1000)) young
check pump_that_wakes_in_1970_gets_online wait_until 20 state_is online
check its_clock_was_raised_to_what_has_passed_for_certain clock_off $((-6 * DAY)) 0
lowered=$(logs clock_set.*expired.by.this.clock)
pump_wakes $((4500 * DAY)) young
wait_until 20 logged agent 'clock_set.*expired by this clock' $((lowered + 1))
authenticator radius # else it keeps a refused station quiet for a minute
check pump_that_wakes_in_2039_gets_online wait_until 30 state_is online
check its_clock_was_lowered_no_further clock_off $((-6 * DAY)) 0
check and_it_says_so says 'earliest time it can be' "$AGENT" --state "$T/state" status
CLOCK='tell'
pump_wakes $((4500 * DAY)) young
check pump_that_may_not_set_its_clock_leaves_it wait_until 20 error_has 'server did not prove itself.*expired'
check and_says_what_is_wrong says 'may not set it' "$AGENT" --state "$T/state" status
check and_its_clock_is_what_it_was clock_off $((4500 * DAY)) $((4500 * DAY))
CLOCK='set'
authenticator lapsed
lowered=$(logs clock_set.*expired.by.this.clock)
pump_wakes 0 young
wait_until 20 logged agent 'clock_set.*expired by this clock' $((lowered + 1))
authenticator lapsed
check server_with_an_expired_certificate_is_refused wait_until 20 logged agent 'agent.clock_set.*earlier time as well' 1
check and_the_clock_is_right_again clock_off -2 2
check and_the_pump_is_not_online state_is enrolled
tap_done
