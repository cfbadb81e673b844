#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The whole pump side against the whole server: enrolment, EAP-TLS through hostapd and FreeRADIUS,
# renewal with a new key without leaving the network, revocation, and a second life with a new bundle.
# shellcheck disable=SC2317,SC2119 # functions are called through check and wait_until
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/pump_client.sh
AGENT=$PUMPGATE_BUILD/bin/pumpgate-agentd
DEV=pgd$$ PORT=pgp$$
declare -A PID

for tool in hostapd wpa_supplicant wpa_cli ip; do
	command -v "$tool" >/dev/null || missing=$tool
done
[ "$(id -u)" = 0 ] || missing="root"
[ -n "${missing:-}" ] || ip netns add "$DEV" 2>/dev/null || missing="network namespaces"
if [ -n "${missing:-}" ]; then
	skip agent_from_bundle_to_revocation "needs $missing"
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
	stop controller
	stop wpa
	stop hostapd
	ip netns del "$DEV" 2>/dev/null
	scratch_down
}
scratch_init || { cat "$SCRATCH/init.out"; exit 1; }
trap down EXIT
# so short that the first renewal is due at once
sed -i 's/^device_validity *=.*/device_validity = 10m/' "$PUMPGATE_HOME/pumpgate.conf"
grep -q 'device_validity = 10m' "$PUMPGATE_HOME/pumpgate.conf" || exit 1
printf '\n[est]\nrenewal_spread = 1s\n' >>"$PUMPGATE_HOME/pumpgate.conf"
scratch_run || { cat "$SCRATCH"/*.out "$PUMPGATE_HOME"/log/*; exit 1; }
site_up

ip link add "$PORT" type veth peer name eth0 netns "$DEV"
ip link set "$PORT" up
ip -n "$DEV" link set eth0 up
cat >"$SCRATCH/hostapd.conf" <<END
interface=$PORT
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
# nas CONF
nas() {
	stop hostapd
	hostapd "$SCRATCH/$1" >>"$SCRATCH/hostapd.log" 2>&1 &
	PID[hostapd]=$!
}
nas hostapd.conf
printf 'ctrl_interface=%s\nap_scan=0\n' "$SCRATCH/wpa" >"$SCRATCH/wpa.conf"
supplicant() {
	ip netns exec "$DEV" env "$@" wpa_supplicant -D wired -i eth0 -c "$SCRATCH/wpa.conf" -d \
		-f "$SCRATCH/wpa.log" &
	PID[wpa]=$!
	wait_until 5 test -S "$SCRATCH/wpa/eth0"
}
supplicant
MAC=$(ip -n "$DEV" -br link show eth0 | awk '{print $3}')

CLOCK='tell' AGENT_ENV=()
# The agent stands outside the pump's namespace: its EST goes over loopback, its control over a file.
agent() {
	env "${AGENT_ENV[@]}" "$AGENT" --clock "$CLOCK" --state "$SCRATCH/state" --bundle "$SCRATCH/bundle.json" --interface eth0 \
		--control "$SCRATCH/wpa" "$@" >>"$SCRATCH/agent.log" 2>&1 &
	PID[agent]=$!
}
show() { "$AGENT" --state "$SCRATCH/state" status --json; }
state_is() { [ "$(show | jq -r .state)" = "$1" ]; }
certificate() { show | jq -r .certificate; }
certificate_is_not() { [ "$(certificate)" != "$1" ] && state_is online; }
cert_state() { pumpctl cert list --pump PG-1 --json | jq -r --arg s "$1" '.[] | select(.cert_serial == $s) | .state'; }
cert_state_is() { [ "$(cert_state "$1")" = "$2" ]; }

pump_add PG-1 "$MAC"
pumpctl pump bundle PG-1 --out "$SCRATCH/bundle.whole" >/dev/null
# as before there were logins
jq 'del(.login_server, .login_server_name)' "$SCRATCH/bundle.whole" >"$SCRATCH/bundle.json"
agent --renew-at 90
check agent_enrols_and_brings_the_pump_online wait_until 30 state_is online
pumpctl pump why PG-1 | sed 's/^/# /'
FIRST=$(certificate)
stop agent
cuts() { grep -c CTRL-EVENT-DISCONNECTED "$SCRATCH/wpa.log"; }
before=$(cuts)
mkdir -m 0700 "$SCRATCH/keypad"
"$PUMPGATE_BUILD/tools/pump_controller" --dir "$SCRATCH/keypad" run --agent "$SCRATCH/link" >"$SCRATCH/controller.log" 2>&1 &
PID[controller]=$!
keypad() { "$PUMPGATE_BUILD/tools/pump_controller" --dir "$SCRATCH/keypad" "$@" >/dev/null; }
wait_until 10 test -S "$SCRATCH/keypad/keypad"
keypad infuse
agent --renew-at 1 --controller-user "$(id -u)" --controller-socket "$SCRATCH/link"
check agent_meets_the_controller wait_until 10 grep -q agent.controller_attached "$SCRATCH/agent.log"
waits() { sleep 3; [ "$(certificate)" = "$FIRST" ] && ! grep -q agent.renewed "$SCRATCH/agent.log"; }
check renewal_that_is_due_waits_for_the_end_of_an_infusion waits
keypad idle
check agent_renews_when_it_is_due_and_the_pump_idle wait_until 30 certificate_is_not "$FIRST"
SECOND=$(certificate)
check and_never_left_the_network test "$(cuts)" = "$before"
key_of() { pumpctl cert show "$1" | openssl x509 -noout -pubkey; }
keys_differ() { [ -n "$(key_of "$SECOND")" ] && [ "$(key_of "$FIRST")" != "$(key_of "$SECOND")" ]; }
check and_took_a_new_key keys_differ
check and_the_first_certificate_is_superseded wait_until 5 cert_state_is "$FIRST" superseded
check and_the_second_one_is_in_force wait_until 5 cert_state_is "$SECOND" valid
check and_does_not_renew_again_at_once bash -c "sleep 2; [ \$(grep -c agent.renewed '$SCRATCH/agent.log') = 1 ]"

# --- logins come to a pump whose bundle knows of none: by signed policy ---
echo correct-horse-42-battery | pumpctl user add anna --role nurse >/dev/null
login() { echo correct-horse-42-battery | "$PUMPGATE_BUILD/tools/pump_controller" --dir "$SCRATCH/keypad" login anna | jq -r .result; }
login_is() { says "^$1\$" login; }
settings_are() { [ "$(jq -c '[.login_server, .login_server_name]' "$SCRATCH/state/state.json")" = "$1" ]; }
check pump_of_an_old_bundle_knows_no_login_server settings_are '["",""]'
check and_lets_nobody_in login_is unavailable
check pumps_are_told_where_it_is says 'policy .* and logins at' pumpctl cert server-renew
check and_once_is_enough fails_with 2 pumpctl cert server-renew
stop agent
agent --renew-at 90 --controller-user "$(id -u)" --controller-socket "$SCRATCH/link"
check pump_follows_without_a_new_bundle wait_until 30 settings_are "$(jq -c '[.login_server, .login_server_name]' "$SCRATCH/bundle.whole")"
check and_people_log_in_there wait_until 30 login_is ok

# --- the pump wakes in 1970, with a clock of its own; on the network it learns what time it is ---
stop agent
stop wpa
export OWN_CLOCK=$SCRATCH/clock
python3 -c 'import struct, sys, time; sys.stdout.buffer.write(struct.pack("<qq", -int(time.time() - 1000) * 10**9, 0))' >"$OWN_CLOCK"
AGENT_ENV=(LD_PRELOAD="$PUMPGATE_BUILD/tools/own_clock.so") CLOCK='set'
AGENT_ENV+=("ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0")
supplicant "${AGENT_ENV[@]}"
clock_is_right() { python3 -c 'import os, struct, sys; sys.exit(abs(struct.unpack("<q", open(os.environ["OWN_CLOCK"], "rb").read(8))[0]) > 3e9)'; }
rm "$SCRATCH/state/status.json"
agent --renew-at 90
check pump_that_woke_in_1970_is_online wait_until 30 state_is online
check and_its_clock_is_set_by_the_est_server wait_until 10 clock_is_right
stop agent
stop wpa
AGENT_ENV=() CLOCK='tell'
supplicant
rm "$SCRATCH/state/status.json" # says how the last one stood
agent --renew-at 90
wait_until 20 state_is online

# --- the server wants a renewal long before the pump's own plan does ---
stop agent
THIRD=$(certificate)
pumpctl cert rotate --all --canaries 0 >/dev/null
wanted() {
	local slot
	slot=$(jq -r .active "$SCRATCH/state/state.json")
	[ "$(date -d "$(curl -sS --cacert "$TRUST" --cert "$SCRATCH/state/$slot/cert.pem" \
		--key "$SCRATCH/state/$slot/key.pem" "${EST_URL%/est}/pumpgate/renewal-info" |
		jq -r .suggestedWindow.start)" +%s)" -le "$(date +%s)" ]
}
check server_wants_a_renewal wait_until 20 wanted
agent --renew-at 90
check agent_renews_when_the_server_wants_it wait_until 40 certificate_is_not "$THIRD"
rotation_is_done() { [ "$(pumpctl cert rotation --json | jq -r .state)" = "done" ]; }
check and_the_rotation_is_done wait_until 15 rotation_is_done

# --- what the pump says of itself, and what others may say there ---
STATUS_URL=${EST_URL%/est}/pumpgate/status
reported() { pumpctl pump show PG-1 --json | jq -e ".report | $1" >/dev/null; }
check pump_reports_itself wait_until 20 reported '.software == "0.1.0" and .key_protection == "software" and .infusing == "unknown"'
anchor_of() { openssl x509 -in "$1" -outform DER | sha256sum | cut -d' ' -f1; }
check and_the_anchors_that_it_holds reported ".server_anchors | test(\"$(anchor_of "$PUMPGATE_HOME/ca/server-root.pem")\")"
check and_is_told_how_it_stands wait_until 10 bash -c "'$AGENT' --state '$SCRATCH/state' status --json | jq -e '.server_says == \"enrolled\"'"
check and_its_history_has_it bash -c "pumpctl pump events PG-1 --json | jq -e 'any(.[]; .source == \"report\")'"
check and_that_is_no_refused_enrolment bash -c "! pumpctl pump why PG-1 | grep -i 'enrolment was refused'"
SLOT=$SCRATCH/state/$(jq -r .active "$SCRATCH/state/state.json")
cp "$SLOT/cert.pem" "$SCRATCH/said.pem"
cp "$SLOT/key.pem" "$SCRATCH/said.key"
said() { curl -sS --cacert "$TRUST" -o "$SCRATCH/said" -w '%{http_code}' "$@" "$STATUS_URL"; }
as_pump() { said --cert "$SCRATCH/said.pem" --key "$SCRATCH/said.key" "$@"; }
JSON=(-H 'Content-Type: application/json')
head -c 4097 /dev/zero | tr '\0' ' ' >"$SCRATCH/large"
check report_without_a_certificate_is_refused says 403 said "${JSON[@]}" -d '{}'
check report_is_not_read_with_get says 405 as_pump
check report_of_another_type_is_refused says 415 as_pump -d '{}'
check report_that_is_too_large_is_refused says 413 as_pump "${JSON[@]}" --data-binary "@$SCRATCH/large"
check report_that_is_none_is_refused says 400 as_pump "${JSON[@]}" -d '{"version":1}'
for _ in 1 2 3 4 5 6; do as_pump "${JSON[@]}" -d '{}' >/dev/null; done
check reports_without_end_are_put_off says 429 as_pump "${JSON[@]}" -d '{}'
check pump_reports_again_after_a_renewal wait_until 30 reported ".slots | test(\"$(certificate) until [-0-9]* in use\")"

# --- a change that waits until the pump is idle, which this one never says ---
exits() {
	local want=$1
	shift
	"$@"
	[ $? = "$want" ]
}
check revocation_waits_for_an_idle_pump exits 75 pumpctl pump revoke PG-1 --reason later --when-idle
check and_says_so says 'PG-1 +revoke' pumpctl pump waiting
check and_the_pump_shows_it says '^waiting +revoke' pumpctl pump show PG-1
check and_it_can_be_taken_back pumpctl pump waiting --cancel PG-1
check and_only_once exits 2 pumpctl pump waiting --cancel PG-1
check latest_time_without_waiting_is_refused exits 64 pumpctl pump revoke PG-1 --reason x --at-latest 2h
check and_the_pump_is_still_on state_is online
# --- the RADIUS server's key is stolen: its name gets the next number ---
stop agent
wpa() { wpa_cli -p "$SCRATCH/wpa" -i eth0 "$@"; }
names_are() { says "^\"radius-$1.pumpgate.internal;radius-$2.pumpgate.internal\"\$" wpa get_network 0 domain_match; }
check pump_takes_the_name_that_it_knows_and_the_next_one names_are 1 2
cp -L "$PUMPGATE_HOME/radius/key.pem" "$PUMPGATE_HOME/radius/cert.pem" "$SCRATCH/"
printf '* TLS\n' >"$SCRATCH/eap_users"
sed '/^auth_server/d' "$SCRATCH/hostapd.conf" >"$SCRATCH/rogue.conf"
cat >>"$SCRATCH/rogue.conf" <<END
eap_server=1
eap_user_file=$SCRATCH/eap_users
ca_cert=$PUMPGATE_HOME/trust/device.pem
server_cert=$SCRATCH/cert.pem
private_key=$SCRATCH/key.pem
END
seen() { grep -c "$1" "$SCRATCH/wpa.log"; }
more() { [ "$(seen "$1")" -gt "$2" ]; }
meets() { # EVENT: it happens when the pump comes to the authenticator
	local n
	n=$(seen "$1")
	wait_until 5 test -S "$SCRATCH/hostapd/$PORT" && wpa enable_network 0 >/dev/null &&
		wpa reassociate >/dev/null && wait_until 10 more "$1" "$n"
}
let_on() { meets CTRL-EVENT-EAP-SUCCESS; }
turned_away() { meets "CTRL-EVENT-EAP-TLS-CERT-ERROR .*radius-1.pumpgate.internal.*Domain mismatch"; }
nas rogue.conf
check the_thief_of_a_server_key_would_be_believed let_on
nas hostapd.conf
check server_gets_another_name says 'policy +[0-9]+ tells pumps the name radius-2' \
	pumpctl cert server-renew --compromised radius
check and_no_third_one_right_after says 'those that were away since' pumpctl cert server-renew --compromised radius
has_policy() { curl -sSf --cacert "$TRUST" "${EST_URL%/est}/pumpgate/server-policy" | base64 -di | grep -qaF "$1"; }
check enrolld_has_the_policy wait_until 15 has_policy radius-2.pumpgate.internal
check pump_that_has_not_heard_gets_on_all_the_same let_on
cut=$(cuts)
agent --renew-at 90
check pump_is_told_the_name wait_until 20 names_are 2 3
check without_leaving_the_network test "$(cuts)" = "$cut"
nas rogue.conf
check the_thief_is_believed_no_more turned_away
nas hostapd.conf
check and_the_true_server_is let_on
check and_the_pump_is_online wait_until 20 state_is online
is_audited() { pumpctl audit tail | grep -q 'server.policy .*radius-2.pumpgate.internal'; }
check and_it_stands_in_the_audit is_audited

# --- revocation: by EST, which the agent asks again because its certificate is short-lived ---
stop agent
keypad infuse
view() { "$PUMPGATE_BUILD/tools/pump_controller" --dir "$SCRATCH/keypad" view; }
given() { view | jq .delivered_nl; }
check there_is_something_by_which_people_log_in_offline test -n "$(find "$SCRATCH/state/login" -type f)"
pumpctl pump revoke PG-1 --reason test --no-wait >/dev/null 2>&1
GIVEN=$(given)
agent --renew-at 1 --controller-user "$(id -u)" --controller-socket "$SCRATCH/link"
REPORT='{"version":1,"software":"9","key_protection":"tpm","infusing":"idle","slots":[],"server_anchors":[],"device_anchors":[],"ports":[],"ports_more":0}'
told_revoked() { [ "$(as_pump "${JSON[@]}" -d "$REPORT")" = 200 ] && jq -ce . "$SCRATCH/said"; }
check revoked_certificate_is_told_that_and_nothing_else wait_until 20 says '^{"version":1,"state":"revoked","reason":"test"}$' told_revoked
check and_what_it_says_is_not_kept reported '.software == "0.1.0"'
check revoked_pump_learns_it_from_est wait_until 20 state_is revoked
check and_wiped_what_people_log_in_by_offline test -z "$(find "$SCRATCH/state/login" -type f)"
shows() { [ "$(view | jq -r .network_text)" = "$1" ]; }
check and_told_its_controller wait_until 5 shows "network credential revoked, standalone"
goes_on() { view | jq -e --argjson g "$GIVEN" '.infusing and .delivered_nl > $g'; }
check whose_infusion_went_on goes_on
check and_left_the_network says '^0$' bash -c "wpa_cli -p $SCRATCH/wpa -i eth0 list_networks | grep -c ^[0-9]"
stop agent
agent --renew-at 90
check and_remembers_after_a_restart wait_until 5 state_is revoked
pump_add PG-2 02:00:00:00:00:02
pumpctl pump bundle PG-2 --out "$SCRATCH/bundle.json" >/dev/null
check new_bundle_gives_it_another_life wait_until 20 state_is online
check and_another_name says PG-2 show

# --- revocation: by the network alone, its server does not answer ---
ENROLLD=$(pgrep -P "$SUPERVISOR" pumpgate-enroll)
kill -STOP "$ENROLLD"
pumpctl pump revoke PG-2 --reason test --no-wait >/dev/null 2>&1
wpa_cli -p "$SCRATCH/wpa" -i eth0 reauthenticate >/dev/null
refused() { show | jq -r '.error.text // ""' | grep -q 'refused this pump'; }
check refused_pump_says_so wait_until 20 refused
check and_is_not_online state_is enrolled
tries() { grep -c CTRL-EVENT-EAP-STARTED "$SCRATCH/wpa.log"; }
before=$(tries)
stop agent
agent --renew-at 90
sleep 4
check and_does_not_storm_even_if_it_is_restarted test "$(($(tries) - before))" -le 1
later() { [ "$(tries)" -gt "$before" ]; }
check and_tries_again_later wait_until 20 later
kill -CONT "$ENROLLD"
check refused_pump_that_reaches_its_server_learns_why wait_until 40 state_is revoked
tap_done
