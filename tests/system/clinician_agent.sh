#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Clinicians' logins as they are in a ward: keypad, controller, pumplink, agent, RadSec, radiusd,
# rlm_clinician, credd. Then without the server; then with what somebody could do to the pump meanwhile.
# shellcheck disable=SC2317,SC2119 # functions are called through check and wait_until
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/tpm.sh
AGENT=$PUMPGATE_BUILD/bin/pumpgate-agentd
CONTROLLER=$PUMPGATE_BUILD/tools/pump_controller
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
AGENT_PID='' CONTROLLER_PID='' STATE=one MET=0 MORE=() ABOUT=PG-1
PASSWORD=correct-horse-42-battery

agent() { # [VARIABLE=VALUE...]
	touch "$SCRATCH/$STATE.log"
	MET=$(attachments)
	env "$@" "$AGENT" --clock tell --state "$SCRATCH/$STATE" --bundle "$SCRATCH/$STATE.json" \
		--interface none0 --control "$SCRATCH/no-wpa" --controller-user "$(id -u)" \
		--controller-socket "$SCRATCH/link" "${MORE[@]}" >>"$SCRATCH/$STATE.log" 2>&1 &
	AGENT_PID=$!
}
agent_stop() { # [SIGNAL]
	kill "-${1:-TERM}" "$AGENT_PID" 2>/dev/null
	wait "$AGENT_PID" 2>/dev/null
	AGENT_PID=
}
agent_again() {
	agent_stop
	agent
	wait_until 20 attached
}
down() {
	agent_stop
	[ -z "$CONTROLLER_PID" ] || kill "$CONTROLLER_PID" 2>/dev/null
	wait "$CONTROLLER_PID" 2>/dev/null
	tpm_stop
	scratch_down
}
key() { "$CONTROLLER" --dir "$SCRATCH/keypad" "$@"; }
attachments() { grep -c agent.controller_attached "$SCRATCH/$STATE.log" 2>/dev/null; }
# this run of the agent has the controller, which knows it
attached() { [ "$(attachments)" != "$MET" ] && [ "$(key view | jq -r '.agent and .pump != ""')" = true ]; }
logins() { "$AGENT" --state "$SCRATCH/$STATE" status --json | jq -r ".logins.$1"; }
logins_is() { [ "$(logins "$1")" = "$2" ]; }
heard() { [ "$(logins answered)" != null ]; }
badge() { # NUMBER PIN: the outcome in a word, and whether without the server
	printf '%s\n' "$2" | key badge "$1" | jq -r '.result + (if .session.offline and .result == "ok" then " offline" else "" end)'
}
password() { printf '%s\n' "$2" | key login "$1" | jq -r .result; }
code() { printf '%s\n' "$1" | key code | jq -r '.result + " " + (.session.person // "")'; }
is() { # WANTED COMMAND...
	local want=$1 got
	shift
	got=$("$@")
	[ "$got" = "$want" ] || { echo "$got"; return 1; }
}
audit_count() { # ACTION [DETAIL]: rows about $ABOUT
	sqlite3 "file:$PUMPGATE_HOME/cred/clinicians.db?mode=ro" \
		"SELECT COUNT(*) FROM audit WHERE object = '$ABOUT' AND action = '$1' AND detail LIKE '%${2:-}%'"
}
audit_has() { [ "$(audit_count "$2" "${3:-}")" = "$1" ]; }

scratch_up || { echo "not ok 1 - the server starts"; exit 1; }
trap down EXIT
{
	pumpctl zone add wards --vlan 20
	for n in 1 2; do
		pumpctl pump add "PG-$n" --maker Acme --model One --zone wards --ward ICU --mac "02:00:00:00:00:0$n"
	done
	pumpctl pump bundle PG-1 --out "$SCRATCH/one.json"
	pumpctl pump bundle PG-2 --out "$SCRATCH/two.json"
	printf '%s\n4711\n' "$PASSWORD" | pumpctl user add anna --display 'Anna Adler' --role nurse --badge 1001
	printf '%s\n9035\n' "$PASSWORD" | pumpctl user add berta --role nurse --badge 1002
} >"$SCRATCH/setup.out" 2>&1 || cat "$SCRATCH/setup.out"
mkdir -m 0700 "$SCRATCH/keypad"
"$CONTROLLER" --dir "$SCRATCH/keypad" run --agent "$SCRATCH/link" >"$SCRATCH/controller.out" 2>&1 &
CONTROLLER_PID=$!
agent
check the_pump_enrols_and_its_controller_finds_the_agent wait_until 30 attached
check the_pump_speaks_to_the_server_by_itself wait_until 20 heard

# --- with the server ---
check a_wrong_password_is_refused is refused password anna "wrong-$PASSWORD"
check an_unknown_name_is_refused_alike is refused password zoe "$PASSWORD"
check a_wrong_pin_is_refused is refused badge 1001 4712
check a_name_and_password_log_in is ok password anna "$PASSWORD"
check the_controller_shows_who_and_as_what says '^Anna Adler \(nurse\)$' key who
check a_badge_and_pin_log_in is ok badge 1002 9035
check so_do_the_others is ok badge 1001 4711
check both_may_now_log_in_without_the_server wait_until 10 logins_is people 2
pumpctl breakglass issue --ward ICU --json >"$SCRATCH/codes.json"
CODE=$(jq -r 'map(select(.pump == "PG-1"))[0].code' "$SCRATCH/codes.json")
CODE2=$(jq -r 'map(select(.pump == "PG-1"))[1].code' "$SCRATCH/codes.json")
FOREIGN=$(jq -r 'map(select(.pump == "PG-2"))[0].code' "$SCRATCH/codes.json")
key logout >/dev/null # of which the server is told at once
check a_logout_reaches_the_server wait_until 20 audit_has 1 pump.logout result=logout

check break_glass_codes_reach_their_pump wait_until 20 logins_is codes 2
check and_are_nowhere_on_it_or_in_the_server fails_with 1 grep -rqaF -e "$CODE" "$SCRATCH/one" "$SCRATCH/one.log" "$PUMPGATE_HOME/cred" "$PUMPGATE_HOME/log"


# another pump with this one's store, whose server is not the one: its certificate is of our CA, but of another name
agent_stop
cp -R "$SCRATCH/one/login" "$SCRATCH/before"
STATE=two
mkdir -m 0711 "$SCRATCH/two"
cp -R "$SCRATCH/one/." "$SCRATCH/two/"
jq '.pump = "PG-2" | .login_server_name = "login-9.pumpgate.internal"' "$SCRATCH/one/state.json" >"$SCRATCH/two/state.json"
rm -f "$SCRATCH/two.json"
agent
wait_until 20 attached
check a_server_of_another_name_gets_no_password is unavailable password anna "$PASSWORD"
check and_the_agent_says_why says 'did not prove itself' tail -n 3 "$SCRATCH/two.log"
check another_pump_lets_nobody_in_by_this_ones_store is unavailable badge 1001 4711
check and_says_that_it_is_odd is 'store cannot be read' logins noticed
agent_stop
STATE=one
agent
wait_until 20 attached

# --- without it ---
scratch_stop
check without_the_server_a_pin_that_was_good_here_logs_in is 'ok offline' badge 1001 4711
check a_wrong_one_does_not is refused badge 1001 4712
check nor_does_a_badge_that_was_never_here is unavailable badge 1003 4711
check nor_a_password_the_house_does_not_want_that is unavailable password anna "$PASSWORD"
check a_code_from_the_envelope_does is 'ok break-glass' code "$(tr '[:upper:]' '[:lower:]' <<<"$CODE" | tr -d -)"
check but_once is 'refused break-glass' code "$CODE"
check and_no_other_pumps is 'refused break-glass' code "$FOREIGN"

# the agent is killed, and begins again under a clock that was set back
agent_stop KILL
export OWN_CLOCK=$SCRATCH/clock
python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("<qq", -7200 * 10**9, 0))' >"$OWN_CLOCK"
agent LD_PRELOAD="$PUMPGATE_BUILD/tools/own_clock.so"
wait_until 20 attached
check a_clock_that_was_set_back_lets_nobody_in is unavailable badge 1001 4711
check and_the_agent_says_so is true logins clock_set_back
key logout >/dev/null
check after_the_agent_was_killed_the_code_is_used_still is 'refused ' code "$CODE"

# --- the server is back ---
scratch_run
check the_server_starts_again test -s "$PUMPGATE_HOME/run.json"
pumpctl user disable berta --reason left >/dev/null
agent_again
check what_happened_meanwhile_reaches_the_server wait_until 20 logins_is untold 0
check each_offline_login_once_and_marked audit_has 1 pump.login 'offline%result=ok'
check the_break_glass_use_too audit_has 1 pump.break-glass 'code'
check status_lists_what_nobody_has_named says 'break-glass .* 1 uses to be named' pumpctl status
ID=$(pumpctl breakglass list --unreviewed --json | jq -r '.[0].id')
check it_is_named_afterwards says 'used by Anna' pumpctl breakglass review "$ID" --name Anna --reason 'network down'
check the_clock_is_believed_again is false logins clock_set_back
check who_was_disabled_is_forgotten_on_the_pump wait_until 10 logins_is people 1
check and_refused_by_the_server is refused badge 1002 9035
check somebody_else_is_logged_in is ok badge 1001 4711
pumpctl user disable anna --reason test >/dev/null
badge 1002 0000 >/dev/null # any word from the server
check who_is_disabled_while_logged_in_is_logged_out wait_until 10 is nobody key who
pumpctl user enable anna >/dev/null
check who_is_enabled_again_logs_in is ok badge 1001 4711
wait_until 10 logins_is people 1
key logout >/dev/null

scratch_stop
check without_the_server_who_was_disabled_stays_out is unavailable badge 1002 9035

# an older copy of the store, with the disabled person and the code in it
agent_stop
cp "$SCRATCH/before/store" "$SCRATCH/one/login/store"
agent
wait_until 20 attached
check an_old_copy_of_the_store_is_noticed is 'store is an old copy' logins noticed
check and_lets_nobody_in_who_was_disabled is unavailable badge 1002 9035
check nor_anybody_else is unavailable badge 1001 4711
check nor_by_a_code is 'refused ' code "$CODE2"
# all of it old: the pump cannot know, the server does
agent_stop
rm -rf "$SCRATCH/one/login"
cp -R "$SCRATCH/before" "$SCRATCH/one/login"
scratch_run
check the_server_starts_once_more test -s "$PUMPGATE_HOME/run.json"
agent
wait_until 20 attached
check an_old_copy_of_everything_is_noticed_by_the_server wait_until 20 audit_has 1 login.rollback
check and_the_pump_forgets_everybody wait_until 10 logins_is people 0
check and_its_codes_are_void wait_until 10 logins_is codes 0
check and_with_the_server_people_log_in_as_ever is ok badge 1001 4711

# a house that wants passwords too, on pumps that have a TPM for them
pumpctl user terms nurse --offline-passwords yes >/dev/null
check a_password_logs_in_where_there_is_no_tpm is ok password anna "$PASSWORD"
check so_does_the_pin is ok badge 1001 4711
check but_the_pin_alone_is_kept wait_until 10 logins_is people 1
check and_there_is_no_key_for_passwords test ! -e "$SCRATCH/one/login/tpm-key"

# keys and counter in a TPM
WITHOUT=$(tpm_missing | xargs)
if [ -n "$WITHOUT" ]; then
	skip a_pump_with_its_key_in_a_tpm_logs_people_in "needs $WITHOUT"
	tap_done
fi
agent_stop
pumpctl pump add PG-3 --maker Acme --model One --zone wards --ward ICU --mac 02:00:00:00:00:03 >/dev/null
STATE=three MORE=(--key-in tpm)
pumpctl pump bundle PG-3 --out "$SCRATCH/three.json" >/dev/null
mkdir "$SCRATCH/tpm"
tpm_start "$SCRATCH/tpm"
pumpctl user terms nurse --offline-passwords no >/dev/null
agent
wait_until 30 attached
wait_until 20 heard
check a_pump_with_its_key_in_a_tpm_logs_people_in is ok password anna "$PASSWORD"
check and_has_no_other_key test ! -e "$SCRATCH/three/a/key.pem"
check what_the_house_does_not_want_it_does_not_keep is ok badge 1001 4711
check but_the_pin wait_until 10 logins_is people 1
pumpctl user terms nurse --offline-passwords yes >/dev/null
check with_another_policy_it_is is ok password anna "$PASSWORD"
check kept_under_a_key_of_the_tpm wait_until 10 test -s "$SCRATCH/three/login/tpm-key"
check and_what_the_old_policy_allowed_is_gone wait_until 10 logins_is people 1
check a_badge_beside_it is ok badge 1001 4711
check is_kept_as_well wait_until 10 logins_is people 2
check the_tpm_has_its_counter is there "$PUMPGATE_BUILD/tools/tpm_counter"
check and_the_status_says_so is good logins tpm
cp -R "$SCRATCH/three/login" "$SCRATCH/before3"

scratch_stop
check without_the_server_the_password_logs_in is ok password Anna "$PASSWORD"
check as_an_offline_login says 'by=pump why=ok|login.offline' tail -n 3 "$SCRATCH/three.log"
check a_wrong_password_is_refused_there is refused password anna "wrong-$PASSWORD"
check and_one_that_was_never_here_too is unavailable password berta "$PASSWORD"

# all of it old, and no server to notice: the counter does
agent_stop KILL
rm -rf "$SCRATCH/three/login"
cp -R "$SCRATCH/before3" "$SCRATCH/three/login"
agent
wait_until 20 attached
check an_old_copy_of_everything_is_noticed_without_the_server is 'all of it is an old copy' logins noticed
check and_lets_nobody_in_by_password is unavailable password anna "$PASSWORD"
check nor_by_badge is unavailable badge 1001 4711

# the TPM is away: passwords are not judged, PINs are
scratch_run
wait_until 20 heard
check with_the_server_all_is_well_again is ok password anna "$PASSWORD"
check and_the_pin_too is ok badge 1001 4711
wait_until 10 logins_is people 2
scratch_stop
tpm_stop
check without_tpm_and_server_no_password_is_good is unavailable password anna "$PASSWORD"
check and_the_agent_says_why_not says 'login.no_tpm' tail -n 5 "$SCRATCH/three.log"
check the_pin_is_good_still is 'ok offline' badge 1001 4711
tpm_start "$SCRATCH/tpm"
agent_again
check with_the_tpm_back_the_password_is_good is ok password anna "$PASSWORD"
check and_nothing_was_noticed is null logins noticed
scratch_run
ABOUT=PG-3
check an_offline_login_by_password_is_in_the_audit wait_until 30 audit_has 1 pump.login 'offline%method=password%result=ok'
tap_done
