#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# MAC authentication and accounting: an expected pump, on a wired port, within its window, into the
# onboarding zone; nothing else.
# shellcheck disable=SC2317,SC2119,SC2015 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

scratch_up && site_up || exit 1
pump_add PG-8 02:00:00:00:00:08 || exit 1
pump_add PG-9 02:00:00:00:00:09 || exit 1
pump_enrol PG-1 02:00:00:00:00:01 || exit 1
pumpctl pump token PG-9 --mab-window 30m >/dev/null || exit 1

# mab NAME STATION [SERVICE-TYPE [PORT-TYPE]]: $SCRATCH/mab.log has the answer
mab() {
	printf 'User-Name = "%s"\nUser-Password = "%s"\nCalling-Station-Id = "%s"\n%s\n%s\n%s\n' \
		"$1" "$1" "$2" "Service-Type = ${3:-Call-Check}" "NAS-Port-Type = ${4:-Ethernet}" \
		'Message-Authenticator = 0x00' |
		timeout 6 radclient -r 1 -t 4 -x "127.0.0.1:$RADIUS_AUTH_PORT" auth "$NAS_SECRET" \
			>"$SCRATCH/mab.log" 2>&1
}
refused() { # REASON MAB-ARGUMENT...
	! mab "${@:2}" && grep -q 'Received Access-Reject' "$SCRATCH/mab.log" &&
		! grep -q 'Received.*Accept' "$SCRATCH/mab.log" && [ "$(last_attempt reason)" = "$1" ] ||
		{ cat "$SCRATCH/mab.log"; last_attempt reason; return 1; }
}
onboarded() {
	mab "$@" && grep -q 'Received Access-Accept' "$SCRATCH/mab.log" &&
		grep -q 'Tunnel-Private-Group-Id:0 = "99"' "$SCRATCH/mab.log" &&
		grep -q 'Termination-Action = RADIUS-Request' "$SCRATCH/mab.log" &&
		grep -qE 'Message-Authenticator = 0x[0-9a-f]{32}' "$SCRATCH/mab.log" &&
		[ "$(last_attempt verdict)" = onboard ] || { cat "$SCRATCH/mab.log"; return 1; }
}

# MAC authentication goes through a virtual server of its own as if it were proxied: that must cost
# the reject neither its delay nor the process a socket.
held_back() { # at least the second of reject_delay, which the answer of a home server would not have
	local began
	began=$(date +%s%3N)
	refused unknown-pump 0200000000ff 02-00-00-00-00-FF && [ $(($(date +%s%3N) - began)) -ge 900 ]
}
only_its_listeners() {
	local pid sockets
	pid=$(pgrep -P "$SUPERVISOR" -f "$PUMPGATE_HOME/radius/raddb") || return 1
	sockets=$(ss -Hanup | grep "pid=$pid,")
	printf '%s\n' "$sockets"
	[ "$(wc -l <<<"$sockets")" = 4 ] && # auth and acct, for NAS and for radsecd
		! ss -Hantp | grep "pid=$pid,"
}
check "a_refusal_is_held_back_like_any_other" held_back
check "the_virtual_server_has_no_socket" only_its_listeners
rejects_at_once || exit 1

check "an_unknown_mac_is_refused" refused unknown-pump 0200000000ff 02-00-00-00-00-FF
check "an_expected_pump_without_a_window_is_refused" refused window-closed 020000000008 \
	02-00-00-00-00-08
check "an_enrolled_pump_is_refused" refused already-enrolled 020000000001 02-00-00-00-00-01
check "a_wi_fi_port_is_refused" refused not-wired 020000000009 02-00-00-00-00-09 Call-Check \
	Wireless-802.11
check "a_user_name_of_another_mac_is_refused" refused unknown-pump 020000000009 02-00-00-00-00-08
check "a_password_login_is_refused" refused method-not-allowed 020000000009 02-00-00-00-00-09 \
	Login-User
check "rejects_carry_a_message_authenticator" grep -qE \
	'^\s+Message-Authenticator = 0x[0-9a-f]{32}' "$SCRATCH/mab.log"
check "an_expected_pump_in_its_window_gets_the_onboarding_zone" onboarded 020000000009 \
	02-00-00-00-00-09
check "in_whatever_form_the_switch_writes_its_mac" onboarded 02:00:00:00:00:09 0200.0000.0009

# ---- accounting ----
account() {
	printf '%b' "$1" | timeout 8 radclient -r 1 -t 3 -x "127.0.0.1:$RADIUS_ACCT_PORT" acct \
		"$NAS_SECRET" 2>&1 | grep -q 'Received Accounting-Response'
}
serial=$(openssl x509 -in "$SCRATCH/PG-1.pem" -noout -serial | cut -d= -f2 | tr A-F a-f)
class=0x$(printf 'pg1.PG-1.%s' "$serial" | od -An -v -tx1 | tr -d ' \n')
base="User-Name = PG-1\nAcct-Session-Id = s-1\nNAS-Port = 7\nClass = $class\nCalling-Station-Id = 02-00-00-00-00-01\n"
live_session() { pumpctl session list --json | grep -q 's-1'; }

check "a_session_start_is_recorded_and_answered" account "Acct-Status-Type = Start\n$base"
check "the_session_is_the_pump_s" eval 'pumpctl session list --json | grep -q PG-1'
check "an_interim_update_is_answered" account "Acct-Status-Type = Interim-Update\n$base"
check "a_stop_is_answered" account "Acct-Status-Type = Stop\nAcct-Terminate-Cause = User-Request\n$base"
check "accounting_on_is_answered" account 'Acct-Status-Type = Accounting-On\nNAS-Identifier = sw\n'
check "accounting_off_is_answered" account 'Acct-Status-Type = Accounting-Off\nNAS-Identifier = sw\n'
tap_done
