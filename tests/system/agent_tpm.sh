#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A pump whose key lives in a TPM 2.0 (swtpm): enrolment, EAP-TLS by an unmodified wpa_supplicant,
# renewal with a new key while packets run, a TPM that goes away and comes back, the wipe.
# shellcheck disable=SC2317,SC2119 # functions are called through check and wait_until
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/pump_client.sh
. tests/support/tpm.sh
AGENT=$PUMPGATE_BUILD/bin/pumpgate-agentd
NAS=pgn$$ DEV=pgd$$
declare -A PID

missing=$(tpm_missing | xargs)
for tool in hostapd wpa_supplicant wpa_cli ip; do
	command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ "$(id -u)" = 0 ] || missing="root"
[ -n "$missing" ] || ip netns add "$DEV" 2>/dev/null || missing="network namespaces"
if [ -n "$missing" ]; then
	skip pump_with_a_key_in_a_tpm_comes_online "needs $missing"
	tap_done
fi
stop() {
	[ -n "${PID[$1]:-}" ] || return 0
	kill "${PID[$1]}" 2>/dev/null
	wait "${PID[$1]}" 2>/dev/null
	unset "PID[$1]"
}
down() {
	stop agent
	stop wpa
	stop hostapd
	tpm_stop
	ip netns del "$DEV" 2>/dev/null
	ip link del "$NAS" 2>/dev/null
	scratch_down
}
scratch_init || { cat "$SCRATCH/init.out"; exit 1; }
trap down EXIT
sed -i 's/^device_validity *=.*/device_validity = 10m/' "$PUMPGATE_HOME/pumpgate.conf"
scratch_run || { cat "$SCRATCH"/*.out "$PUMPGATE_HOME"/log/*; exit 1; }
site_up
pumpctl zone add apart --vlan 666 --quarantine >/dev/null
tpm_start "$SCRATCH" || { cat "$SCRATCH"/*.log; exit 1; }
tpm_openssl_conf >"$SCRATCH/openssl.cnf"

ip link add "$NAS" type veth peer name eth0 netns "$DEV"
ip addr add 198.51.100.1/24 dev "$NAS"
ip link set "$NAS" up
ip -n "$DEV" addr add 198.51.100.2/24 dev eth0
ip -n "$DEV" link set eth0 up
cat >"$SCRATCH/hostapd.conf" <<END
interface=$NAS
driver=wired
logger_stdout=-1
ctrl_interface=$SCRATCH/hostapd
ieee8021x=1
eap_reauth_period=0
own_ip_addr=127.0.0.1
nas_identifier=ap1
auth_server_addr=127.0.0.1
auth_server_port=$RADIUS_AUTH_PORT
auth_server_shared_secret=$NAS_SECRET
END
hostapd "$SCRATCH/hostapd.conf" >"$SCRATCH/hostapd.log" 2>&1 &
PID[hostapd]=$!
printf 'ctrl_interface=%s\nap_scan=0\n' "$SCRATCH/wpa" >"$SCRATCH/wpa.conf"
OPENSSL_CONF=$SCRATCH/openssl.cnf ip netns exec "$DEV" wpa_supplicant -D wired -i eth0 -c "$SCRATCH/wpa.conf" -d \
	-f "$SCRATCH/wpa.log" &
PID[wpa]=$!
wait_until 5 test -S "$SCRATCH/wpa/eth0"
MAC=$(ip -n "$DEV" -br link show eth0 | awk '{print $3}')

# The agent stands outside the pump's namespace: its EST goes over loopback, its control over a file.
agent() {
	"$AGENT" --clock tell --state "$SCRATCH/state" --bundle "$SCRATCH/bundle.json" --interface eth0 \
		--control "$SCRATCH/wpa" --key-in tpm "$@" >>"$SCRATCH/agent.log" 2>&1 &
	PID[agent]=$!
}
show() { "$AGENT" --state "$SCRATCH/state" status --json; }
state_is() { [ "$(show | jq -r .state)" = "$1" ]; }
certificate() { show | jq -r .certificate; }
certificate_is_not() { [ "$(certificate)" != "$1" ] && state_is online; }
error_has() { says "$1" bash -c "'$AGENT' --state '$SCRATCH/state' status --json | jq -r .error.text"; }
wpa() { wpa_cli -p "$SCRATCH/wpa" -i eth0 "$@"; }

pump_add PG-1 "$MAC"
pumpctl pump bundle PG-1 --out "$SCRATCH/bundle.json" >/dev/null
agent --renew-at 90
check pump_with_a_key_in_a_tpm_comes_online wait_until 30 state_is online
check its_key_is_no_file test -s "$SCRATCH/state/a/key.tss2" -a ! -e "$SCRATCH/state/a/key.pem"
check wpa_supplicant_is_told_where_it_is says key.tss2 wpa get_network 0 private_key
in_inventory() { [ "$(pumpctl pump show PG-1 --json | jq -r .report.key_protection)" = tpm ]; }
check inventory_says_that_it_is_in_a_tpm wait_until 20 in_inventory
stop agent
kept=$(grep -c network_kept "$SCRATCH/agent.log")
agent --renew-at 90
kept_again() { [ "$(grep -c network_kept "$SCRATCH/agent.log")" -gt "$kept" ]; }
check restarted_agent_keeps_the_network wait_until 15 kept_again
stop agent

# --- the next key, while packets run ---
FIRST=$(certificate)
cuts() { grep -c CTRL-EVENT-DISCONNECTED "$SCRATCH/wpa.log"; }
before=$(cuts)
agent --renew-at 1
check it_renews_with_another_key_in_the_tpm wait_until 30 certificate_is_not "$FIRST"
check and_never_left_the_network test "$(cuts)" = "$before"
check and_uses_the_other_slot says /b/key.tss2 wpa get_network 0 private_key
stop agent

# --- an authentication that falls between the two fields: the old identity comes back ---
agent --renew-at 90
wait_until 15 state_is online
wpa set_network 0 client_cert "\"$TRUST\"" >/dev/null # as if just one of the two had been set
wpa reauthenticate >/dev/null
check half_an_identity_is_refused wait_until 20 state_is enrolled
stop agent
agent --renew-at 90
check and_the_agent_writes_a_whole_one wait_until 40 state_is online
stop agent

# --- the TPM is locked: another program gave it wrong passwords ---
rm "$SCRATCH/state/status.json" # says how the last one stood
agent --renew-at 90
wait_until 15 state_is online
check tpm_is_locked tpm_lock "$SCRATCH"
wpa set fast_reauth 0 >/dev/null # a resumed TLS session needs no key
wpa reauthenticate >/dev/null
check pump_whose_tpm_is_locked_says_so wait_until 20 error_has 'cannot use the key|its TPM did not sign'
check and_rests wait_until 5 says DISABLED wpa list_networks
check with_a_block_that_is_whole says '/b/cert.pem' wpa get_network 0 client_cert
tpm_unlock
check and_is_online_again_once_it_is_unlocked wait_until 60 state_is online
stop agent

# --- the TPM goes away ---
rm "$SCRATCH/state/status.json" # says how the last one stood
agent --renew-at 90
wait_until 15 state_is online
tpm_stop
wpa set fast_reauth 0 >/dev/null # a resumed TLS session needs no key
# OpenSSL with the provider hashes in the TPM too: without it not even a server can be verified
wpa reauthenticate >/dev/null
check wpa_supplicant_without_its_key_is_not_left_waiting wait_until 20 error_has 'cannot use the key|did not prove itself'
check and_its_network_rests wait_until 5 says DISABLED wpa list_networks
check and_the_block_is_whole says '/b/cert.pem' wpa get_network 0 client_cert
stop agent
agent --renew-at 90
check tpm_that_is_gone_is_said wait_until 15 error_has 'TPM cannot be reached'
tpm_start "$SCRATCH" || cat "$SCRATCH"/*.log
stop wpa
OPENSSL_CONF=$SCRATCH/openssl.cnf ip netns exec "$DEV" wpa_supplicant -D wired -i eth0 -c "$SCRATCH/wpa.conf" -d \
	-f "$SCRATCH/wpa.log" &
PID[wpa]=$!
check and_the_pump_is_online_again_once_it_is_back wait_until 60 state_is online

# --- decommissioned, also the counter of its logins ---
stop agent
agent --renew-at 90 --controller-user "$(id -u)" --controller-socket "$SCRATCH/link"
check an_agent_of_logins_makes_its_counter wait_until 20 says '^there$' "$PUMPGATE_BUILD/tools/tpm_counter"
stop agent
pumpctl pump decommission PG-1 --reason test --no-wait >/dev/null 2>&1
stop agent
agent --renew-at 90
stated() { pumpctl pump show PG-1 --json | jq -e '.decommission.statement | contains("key: tpm")' >/dev/null; }
check wipe_statement_is_signed_by_the_key_in_the_tpm wait_until 60 stated
check and_the_counter_is_gone says '^none$' "$PUMPGATE_BUILD/tools/tpm_counter"
check and_nothing_of_it_is_left wait_until 20 eval "! find '$SCRATCH/state' -name 'key.*' -o -name '*.pem' | grep -q ."
tap_done
