#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# NAS are added, disabled, given other secrets and tested while the server runs: each takes effect
# within a second, a wrong secret is silence and counted, and no NAS speaks for another.
# shellcheck disable=SC2317,SC2119,SC2015,SC2016 # functions are called by check, some by eval
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

DAS_PIDS=()
down() {
	[ ${#DAS_PIDS[@]} = 0 ] || kill "${DAS_PIDS[@]}" 2>/dev/null
	scratch_down
}
scratch_up && rejects_at_once || exit 1
trap down EXIT
site_up || exit 1
pump_enrol PG-1 || exit 1

exits() { # STATUS COMMAND...
	local status
	"${@:2}" >"$SCRATCH/out" 2>&1
	status=$?
	[ "$status" = "$1" ] || { echo "exit $status"; cat "$SCRATCH/out"; return 1; }
}
nas_is() { # NAME JQ-FILTER
	pumpctl nas show "$1" --json | jq -e "$2" >/dev/null ||
		{ pumpctl nas show "$1"; return 1; }
}
made_secret() { # FILE: 32 letters and digits, for its owner alone
	[ "$(stat -c %a "$1")" = 600 ] && grep -qxE '[A-Za-z0-9]{32}' "$1" && [ "$(wc -l <"$1")" = 1 ]
}

# ---- secrets that are made here ----
made=$SCRATCH/ap2.secret
check "neither_a_secret_nor_a_place_for_one_is_refused" exits 64 \
	pumpctl nas add ap2 --ip 127.0.0.2
check "both_are_refused" exits 64 pumpctl nas secret ap1 --secret-file "$SCRATCH/nas.secret" \
	--secret-out "$SCRATCH/none.secret"
check "a_secret_never_replaces_a_file" exits 1 \
	pumpctl nas add ap2 --ip 127.0.0.2 --secret-out "$SCRATCH/nas.secret"
check "and_that_file_is_untouched" grep -qx "$NAS_SECRET" "$SCRATCH/nas.secret"
check "a_nas_that_exists_with_another_secret_is_refused" exits 1 \
	pumpctl nas add ap1 --ip 127.0.0.1 --secret-out "$SCRATCH/none.secret"
check "and_no_secret_is_left_that_is_not_in_force" test ! -e "$SCRATCH/none.secret"
check "a_nas_gets_a_secret_of_its_own" exits 0 \
	pumpctl nas add ap2 --ip 127.0.0.2 --secret-out "$made"
check "it_is_random_and_for_its_owner_alone" made_secret "$made"
check "it_stands_in_no_log" eval '! grep -rqF "$(cat "$made")" "$PUMPGATE_HOME/log" "$SCRATCH/out"'
on_stdout() {
	pumpctl nas add ap3 --ip 127.0.0.3 --secret-out - >"$SCRATCH/ap3.secret" &&
		chmod 600 "$SCRATCH/ap3.secret" && made_secret "$SCRATCH/ap3.secret" &&
		! cmp -s "$SCRATCH/ap3.secret" "$made"
}
check "on_standard_output_it_stands_alone_and_is_another_one" on_stdout
# shellcheck disable=SC2034 # eap reads it
with_secret() { EAP_SECRET=$(cat "$1") "${@:2}"; }
check "the_nas_is_answered_with_it_at_once" with_secret "$made" eap PG-1 -A 127.0.0.2

# ---- disabled, enabled, another secret: within a second ----
check "a_nas_that_is_not_there_cannot_be_disabled" exits 1 pumpctl nas disable ap9
check "disable" exits 0 pumpctl nas disable ap2
sleep 1
check "a_disabled_nas_gets_silence_after_a_second" with_secret "$made" eap_is_silent PG-1 -A 127.0.0.2
check "a_second_time_there_is_nothing_to_do" exits 2 pumpctl nas disable ap2
check "it_says_that_it_is_disabled" nas_is ap2 '.enabled == false'
check "enable" exits 0 pumpctl nas enable ap2
sleep 1
check "enabled_again_it_is_answered" with_secret "$made" eap PG-1 -A 127.0.0.2
check "another_secret" exits 0 pumpctl nas secret ap2 --secret-out "$SCRATCH/ap2.new"
sleep 1
check "the_new_secret_works_after_a_second_though_the_old_one_was_in_use" \
	with_secret "$SCRATCH/ap2.new" eap PG-1 -A 127.0.0.2
sleep 1 # so that no right packet shares the second with the wrong ones
check "the_old_one_gets_silence" with_secret "$made" eap_is_silent PG-1 -A 127.0.0.2
check "its_version_is_2" nas_is ap2 '.secret_version == 2'
check "the_same_secret_again_is_nothing_to_do" exits 2 \
	pumpctl nas secret ap2 --secret-file "$SCRATCH/ap2.new"
check "the_audit_names_both_changes" eval 'pumpctl audit tail --json >"$SCRATCH/audit" &&
	grep -q nas.disable "$SCRATCH/audit" && grep -q nas.secret "$SCRATCH/audit"'

# ---- a wrong secret is counted ----
wrong_secret_is_counted() { nas_is "$1" '.wrong_secret_events > 0 and .wrong_secret_at != null'; }
send_wrong() { # PORT KIND ADDRESS
	printf 'User-Name = PG-1\nAcct-Status-Type = Start\nAcct-Session-Id = x\nPacket-Src-IP-Address = %s\nMessage-Authenticator = 0x00\n' \
		"$3" | timeout 4 radclient -r 1 -t 1 "127.0.0.1:$1" "$2" not-the-secret >/dev/null 2>&1
	timeout 6 pumpctl nas show ap1 >/dev/null
}
check "a_wrong_secret_was_counted" wait_until 5 eval \
	'with_secret "$SCRATCH/ap2.new" eap PG-1 -A 127.0.0.2; wrong_secret_is_counted ap2'
check "it_was_counted_for_nobody_else" nas_is ap1 '.wrong_secret_events == 0'
check "a_wrong_secret_in_accounting_is_counted_too" wait_until 15 eval \
	'send_wrong "$RADIUS_ACCT_PORT" acct 127.0.0.3; sleep 1; eap PG-1; wrong_secret_is_counted ap3'

# ---- no NAS speaks for another ----
as_ap1() { with_secret "$SCRATCH/ap2.new" eap PG-1 -A 127.0.0.2 -N 4:x:7f000001 -N 32:s:ap1 -N 44:s:borrowed; }
session_of() { # SESSION NAS
	pumpctl session list --json | jq -e "any(.[]; .session_id == \"$1\" and .nas == \"$2\")"
}
check "a_nas_that_names_another_one_is_told_apart_by_its_address" eval \
	'as_ap1 && wait_until 5 session_of borrowed ap2'
check "and_that_is_an_event" wait_until 5 nas_is ap2 \
	'.claim_events > 0 and (.last_event | startswith("names-another-nas"))'
check "of_the_one_that_said_so_alone" nas_is ap1 '.claim_events == 0'

# ---- test of Disconnect ----
das_up() { # NAME IP [DASTOOL-OPTION...]: adds the NAS too
	"$PUMPGATE_BUILD/tools/dastool" --secret-file "$SCRATCH/nas.secret" --address "$2" --port 0 \
		"${@:3}" >"$SCRATCH/das-$1.log" &
	DAS_PIDS+=($!)
	wait_until 5 grep -q port "$SCRATCH/das-$1.log" || return
	pumpctl nas add "$1" --ip "$2" --secret-file "$SCRATCH/nas.secret" \
		--das-port "$(head -n 1 "$SCRATCH/das-$1.log" | jq .port)" >/dev/null
}
probe() { # STATUS NAME PATTERN
	exits "$1" pumpctl nas test "$2" && grep -qE "$3" "$SCRATCH/out" ||
		{ cat "$SCRATCH/out"; return 1; }
}
das_up knows 127.0.0.21 --answer nak --cause 503
das_up other 127.0.0.22 --answer nak --cause 401
das_up yes 127.0.0.23 --answer ack
das_up forge 127.0.0.24 --answer forge
das_up mute 127.0.0.25 --answer silent
pumpctl nas add none --ip 127.0.0.26 --secret-file "$SCRATCH/nas.secret" --das-port 0 >/dev/null
check "a_nas_that_knows_no_such_session_is_right" probe 0 knows 'Disconnect works'
check "the_request_was_genuine_and_for_no_real_session" eval \
	'jq -e -s "any(.[]; .genuine and .code == 40 and (.session | startswith(\"pumpgate-test-\")))" \
		"$SCRATCH/das-knows.log"'
check "a_nas_that_refuses_otherwise_has_the_right_secret_only" probe 1 other 'secret is right'
check "a_nas_that_acknowledges_anything_is_not_believed" probe 1 yes 'prove nothing'
check "a_nas_with_another_secret_is_told_apart" probe 1 forge 'not signed with the secret'
check "a_silent_nas_is_named_so_and_what_to_look_at" probe 1 mute 'no answer'
check "a_nas_without_a_das_port_is_refused" probe 1 none 'DAS port 0'
check "a_nas_that_is_not_there_is_refused" probe 1 nobody "no NAS 'nobody'"

# ---- configuration ----
config_never_shows_a_secret() {
	local vendor
	for vendor in hostapd cisco-ios-xe aruba juniper; do
		pumpctl nas config ap1 --vendor "$vendor" --server 192.0.2.1 >"$SCRATCH/config" 2>&1 &&
			grep -q PUT-THE-SECRET-HERE "$SCRATCH/config" &&
			grep -q "$RADIUS_ACCT_PORT" "$SCRATCH/config" &&
			! grep -qF "$NAS_SECRET" "$SCRATCH/config" || return 1
	done
}
check "a_configuration_names_ports_and_never_a_secret" config_never_shows_a_secret
check "an_unknown_vendor_is_refused" exits 64 pumpctl nas config ap1 --vendor acme --server 192.0.2.1
tap_done
