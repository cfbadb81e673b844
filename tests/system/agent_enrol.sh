#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The agent and enrolment: from a bundle to a certificate against the real server, and against servers
# that are not what the bundle says. Killed at every step it is in agent_killed.sh.
# shellcheck disable=SC2317,SC2119 # functions are called through check and wait_until
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
AGENT=$PUMPGATE_BUILD/bin/pumpgate-agentd
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
AGENT_PID='' FAKE_PID=''

# agent DIR [VARIABLE=VALUE...]: its bundle is DIR.json
agent() {
	local dir=$1
	shift
	env "$@" "$AGENT" --clock "${CLOCK:-tell}" --state "$SCRATCH/$dir" --bundle "$SCRATCH/$dir.json" --interface none0 \
		--control "$SCRATCH/no-wpa" >>"$SCRATCH/$dir.log" 2>&1 &
	AGENT_PID=$!
}
agent_stop() {
	kill "$AGENT_PID" 2>/dev/null
	wait "$AGENT_PID" 2>/dev/null
	AGENT_PID=
}
fake_stop() {
	[ -z "$FAKE_PID" ] || kill "$FAKE_PID" 2>/dev/null
	wait "$FAKE_PID" 2>/dev/null
	FAKE_PID=
}
down() {
	agent_stop
	umount "$SCRATCH/stick" 2>/dev/null
	fake_stop
	scratch_down
}
# bundle SERIAL DIR: a new pump and its bundle
bundle() {
	pumpctl pump add "$1" --maker Acme --model One --zone wards --mac "$(printf '02:00:00:00:%02x:%02x' $((RANDOM % 256)) $((RANDOM % 256)))" >/dev/null &&
		pumpctl pump bundle "$1" --out "$SCRATCH/$2.json" >/dev/null
}
status_of() { "$AGENT" --state "$SCRATCH/$1" status --json; }
state_is() { [ "$(status_of "$1" | jq -r .state)" = "$2" ]; }
error_has() { says "$2" bash -c "'$AGENT' --state '$SCRATCH/$1' status --json | jq -r '.error.step + \": \" + .error.text'"; }
certificates_of() { pumpctl cert list --pump "$1" --json | jq 'length'; }
server_log_has() { grep -q "$1" "$PUMPGATE_HOME/log/enrolld.log"; }

# shellcheck disable=SC2034 # read by scratch_init
SCRATCH_SETTINGS='
[est]
labels = icu

[label.icu]
key = ec-p384
channel_binding = yes
'
scratch_up || { echo "not ok 1 - the server starts"; exit 1; }
trap down EXIT
pumpctl zone add wards --vlan 20 >/dev/null
HOST=${EST_URL%%/.well-known*}

# --- the plain way ---
bundle PG-1 plain
TOKEN=$(jq -r .token "$SCRATCH/plain.json")
agent plain
check agent_enrols_from_its_bundle wait_until 20 state_is plain enrolled
check and_deletes_the_bundle_with_the_token test ! -e "$SCRATCH/plain.json"
check and_keeps_the_token_nowhere fails_with 1 grep -rqF -- "$TOKEN" "$SCRATCH/plain" "$SCRATCH/plain.log"
check key_is_for_the_agent_alone test "$(stat -c %a "$SCRATCH/plain/a" "$SCRATCH/plain/a/key.pem" | xargs)" = "700 600"
check certificate_is_the_registered_one says "$(status_of plain | jq -r .certificate)" pumpctl cert list --pump PG-1 --json
check second_agent_on_the_same_folder_is_refused says 'another agent' "$AGENT" --state "$SCRATCH/plain" --interface none0
agent_stop
check stopped_agent_keeps_its_state_readable says enrolled "$AGENT" --state "$SCRATCH/plain" status

bundle PG-RSA rsa
"$AGENT" --clock tell --state "$SCRATCH/rsa" --bundle "$SCRATCH/rsa.json" --interface none0 --key rsa2048 >"$SCRATCH/rsa.log" 2>&1 &
AGENT_PID=$!
check agent_enrols_with_an_rsa_key_where_the_pump_needs_it wait_until 20 state_is rsa enrolled
check and_its_certificate_is_for_it says 'Public-Key: .2048 bit' openssl x509 -in "$SCRATCH/rsa/a/cert.pem" -noout -text
agent_stop

# --- what the server asks for ---
pumpctl pump add PG-ICU --maker Acme --model One --zone wards --mac 02:00:00:01:00:01 >/dev/null
check a_bundle_for_a_label_that_nobody_named_is_refused says 'no EST label ward' \
	pumpctl pump bundle PG-ICU --label ward --out "$SCRATCH/icu.json"
pumpctl pump bundle PG-ICU --label icu --out "$SCRATCH/icu.json" >/dev/null
agent icu
check agent_makes_the_key_and_names_the_connection_that_csrattrs_asks_for wait_until 20 state_is icu enrolled
check and_its_key_is_p384 says 'secp384r1' openssl x509 -in "$SCRATCH/icu/a/cert.pem" -noout -text
agent_stop

mkdir "$SCRATCH/stick"
if mount -t tmpfs -o size=1m stick "$SCRATCH/stick" 2>/dev/null; then
	bundle PG-STICK stick/b && mount -o remount,ro "$SCRATCH/stick"
	"$AGENT" --clock tell --state "$SCRATCH/ro" --bundle "$SCRATCH/stick/b.json" --interface none0 >"$SCRATCH/ro.log" 2>&1 &
	AGENT_PID=$!
	check agent_enrols_from_a_bundle_that_it_cannot_delete wait_until 20 state_is ro enrolled
	check and_says_that_somebody_must_delete_it wait_until 5 error_has ro 'bundle: .*cannot be deleted'
	sleep 2.5
	check and_does_not_use_it_twice test "$(certificates_of PG-STICK)" = 1
	agent_stop
	umount "$SCRATCH/stick"
else
	skip agent_enrols_from_a_bundle_that_it_cannot_delete "needs root (mount)"
fi

# --- a wrong clock: the agent has one of its own ---
export OWN_CLOCK=$SCRATCH/clock
# clock_is SECONDS-TO-ADD [1: kept by NTP, 2: not to be set]
clock_is() { python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("<qq", int(sys.argv[1]) * 10**9, int(sys.argv[2])))' "$1" "${2:-0}" >"$OWN_CLOCK"; }
clock_off() { # FROM TO: seconds that it is ahead, within
	local off
	off=$(python3 -c 'import os, struct; print(struct.unpack("<q", open(os.environ["OWN_CLOCK"], "rb").read(8))[0] // 10**9)')
	echo "$off s ahead"
	[ "$off" -ge "$1" ] && [ "$off" -le "$2" ]
}
# wakes SERIAL DIR SECONDS-AHEAD [1|2]
wakes() {
	bundle "$1" "$2"
	clock_is "$3" "${4:-0}"
	agent "$2" LD_PRELOAD="$PUMPGATE_BUILD/tools/own_clock.so"
}
IN_1970=$((-$(date +%s) + 1000)) IN_2039=$((4500 * 86400))
CLOCK='tell'
wakes CLOCK-1 clock1 $IN_1970
check agent_that_may_not_set_the_clock_does_not_enrol_in_1970 wait_until 20 error_has clock1 'cacerts: .*not yet valid'
check and_leaves_the_clock_alone clock_off $IN_1970 $IN_1970
check and_says_what_is_wrong says 'may not set it' "$AGENT" --state "$SCRATCH/clock1" status
agent_stop
CLOCK='set'
wakes CLOCK-2 clock2 $IN_1970 2
check agent_that_the_system_does_not_let_set_the_clock_says_so wait_until 20 says 'CAP_SYS_TIME is missing' cat "$SCRATCH/clock2.log"
agent_stop
wakes CLOCK-3 clock3 $IN_2039 1
check clock_that_ntp_keeps_is_not_lowered wait_until 20 error_has clock3 'cacerts: .*expired'
check and_it_is_what_it_was clock_off $IN_2039 $IN_2039
agent_stop
wakes CLOCK-4 clock4 $IN_1970
check agent_that_wakes_in_1970_enrols wait_until 20 state_is clock4 enrolled
check and_its_clock_is_right clock_off -3 3
check and_was_confirmed_by_the_server says 'confirmed by the server' "$AGENT" --state "$SCRATCH/clock4" status
agent_stop
clock_is $((-400 * 86400))
agent clock4 LD_PRELOAD="$PUMPGATE_BUILD/tools/own_clock.so"
check clock_that_falls_behind_is_raised_to_what_was_confirmed wait_until 10 clock_off -60 0
agent_stop
wakes CLOCK-5 clock5 $IN_2039
check agent_that_wakes_in_2039_enrols wait_until 20 state_is clock5 enrolled
check and_its_clock_is_right_too clock_off -3 3
agent_stop
CLOCK='tell'

# --- servers that are not what the bundle says ---
bundle PG-2 wrong
jq '.server_anchor_sha256 = ("00" * 32)' "$SCRATCH/wrong.json" >"$SCRATCH/x" && mv "$SCRATCH/x" "$SCRATCH/wrong.json"
agent wrong
check agent_refuses_a_server_without_the_root_of_its_bundle wait_until 20 error_has wrong 'first-contact: .*not the server'
check and_asked_for_no_certificate fails_with 1 server_log_has PG-2
check and_keeps_its_bundle_for_another_try test -e "$SCRATCH/wrong.json"
check and_made_no_key test ! -e "$SCRATCH/wrong/a/key.pem"
agent_stop

# A server with a certificate of its own on a port of its own; what clients send is in fake.log.
mkdir -p "$SCRATCH/www/e"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$SCRATCH/fake.key" -subj /CN=fake \
	-addext subjectAltName=IP:127.0.0.1 -days 2 -out "$SCRATCH/fake.pem" 2>/dev/null
curl -s --cacert "$TRUST" "$EST_URL/cacerts" >"$SCRATCH/cacerts"
# fake FILE [CERTIFICATE [ADDRESS]]: answers /e/cacerts with the content of FILE
fake() {
	local name=${2:-fake} address=${3:-127.0.0.1} port
	fake_stop
	{ printf 'HTTP/1.0 200 OK\r\nContent-Type: application/pkcs7-mime\r\nContent-Length: %s\r\n\r\n' \
		"$(stat -c %s "$1")"; cat "$1"; } >"$SCRATCH/www/e/cacerts"
	for _ in 1 2 3 4 5; do
		port=$(shuf -i 10000-29990 -n 1)
		(cd "$SCRATCH/www" && exec openssl s_server -HTTP -accept "$address:$port" -cert "$SCRATCH/$name.pem" \
			-key "$SCRATCH/$name.key") >"$SCRATCH/fake.log" 2>&1 &
		FAKE_PID=$!
		wait_until 3 grep -q ACCEPT "$SCRATCH/fake.log" && break
	done
	FAKE_URL=https://$address:$port/e
}
# to_fake SERIAL DIR: a real bundle, but for the address
to_fake() {
	[ -e "$SCRATCH/real.$1" ] || { bundle "$1" "$2" && mv "$SCRATCH/$2.json" "$SCRATCH/real.$1"; }
	jq --arg url "$FAKE_URL" '.est = $url' "$SCRATCH/real.$1" >"$SCRATCH/$2.json"
}
# However often it tries again, it asks for nothing else.
asked_for_nothing_else() {
	grep -qx FILE:e/cacerts "$SCRATCH/fake.log" &&
		! grep -e FILE: -e opening "$SCRATCH/fake.log" | grep -qvx FILE:e/cacerts
}

# The man in the middle knows /cacerts, which is public, and passes it on.
fake "$SCRATCH/cacerts"
to_fake PG-3 middle
agent middle
check agent_refuses_a_server_that_only_repeats_our_cacerts wait_until 20 error_has middle 'cacerts: .*certificate'
check and_said_nothing_to_it_after_that wait_until 5 asked_for_nothing_else
check and_kept_its_bundle test -e "$SCRATCH/middle.json"
agent_stop

# Ours, but for another address: the name is checked, not only the chain.
cp "$PUMPGATE_HOME/est/cert.pem" "$SCRATCH/ours.pem" && cp "$PUMPGATE_HOME/est/key.pem" "$SCRATCH/ours.key"
fake "$SCRATCH/cacerts" ours 127.0.0.2
to_fake PG-3 named
agent named
check agent_refuses_our_server_under_a_name_that_it_does_not_have wait_until 20 error_has named 'cacerts: .*127.0.0.2'
check and_said_nothing_to_it_after_that_either wait_until 5 asked_for_nothing_else
agent_stop

head -c 20000 /dev/urandom | base64 >"$SCRATCH/noise"
head -c 2000000 /dev/zero | tr '\0' A >"$SCRATCH/huge"
: >"$SCRATCH/nothing"
echo '<html>Please log in to the guest network</html>' >"$SCRATCH/portal"
n=0
for bad in noise huge nothing portal; do
	n=$((n + 1))
	fake "$SCRATCH/$bad"
	to_fake PG-3 "bad$n"
	agent "bad$n"
	check "agent_refuses_cacerts_that_are_$bad" wait_until 20 error_has "bad$n" 'first-contact: '
	agent_stop
done
fake_stop
check none_of_them_was_sent_a_token fails_with 1 server_log_has PG-3

# --- refusals and absence of the right server ---
bundle PG-4 used
cp "$SCRATCH/used.json" "$SCRATCH/stolen.json"
agent used
wait_until 20 state_is used enrolled
agent_stop
agent stolen
check used_token_gives_no_second_certificate wait_until 20 error_has stolen 'simpleenroll: .*token'
check and_the_agent_waits_for_another_bundle wait_until 5 state_is stolen unprovisioned
lines=$(grep -c 'enroll.refused.*PG-4' "$PUMPGATE_HOME/log/enrolld.log")
sleep 3
check and_does_not_repeat_the_refused_one test "$(grep -c 'enroll.refused.*PG-4' "$PUMPGATE_HOME/log/enrolld.log")" = "$lines"
bundle PG-5 stolen
check new_bundle_is_taken_without_a_restart wait_until 10 state_is stolen enrolled
agent_stop

bundle PG-6 away
scratch_stop
agent away
check agent_says_when_the_server_is_away wait_until 10 error_has away 'first-contact: .*onnect'
check and_keeps_trying state_is away bootstrapping
scratch_run
check and_enrols_by_itself_once_the_server_is_back wait_until 30 state_is away enrolled
agent_stop
[ "$HOST" = "${EST_URL%%/.well-known*}" ] || echo "# the server came back on another port"
tap_done
