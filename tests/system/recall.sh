#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A recall of many pumps: shown first, requested by one admin, confirmed by another, carried out at a
# pace, paused, cancelled, and finished after every process that takes part was killed in its middle;
# each pump revoked once. The NAS are tests/support/nas_farm, the last of them deaf.
# shellcheck disable=SC2317,SC2015,SC2119 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
if [ "$(id -u)" != 0 ]; then
	skip recall 'two admins need two users: root only'
	tap_done
fi
PUMPS=300 NAS=6 SECOND=4243 NOBODY=4244
FARM=
down() {
	[ -z "$FARM" ] || kill "$FARM" 2>/dev/null
	scratch_down
}
scratch_install
trap down EXIT
scratch_init || exit 1
(umask 077 && printf 'a secret of the farm, long enough' >"$SCRATCH/farm.secret")
PORT=$(shuf -i 20000-29990 -n 1)
tests/support/farm_fill.sh "$PUMPGATE_HOME" $PUMPS $NAS "$PORT" "$SCRATCH/farm.secret" || exit 1
"$PUMPGATE_BUILD/tools/nas_farm" --secret-file "$SCRATCH/farm.secret" --port "$PORT" --nas $NAS \
	--deaf 1 >"$SCRATCH/farm" &
FARM=$!
sed -i "s/^admins = .*/admins = root, $SECOND/" "$PUMPGATE_HOME/pumpgate.conf"
scratch_run || { cat "$SCRATCH"/*.out >&2; exit 1; }

as() { # UID COMMAND...
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}
revoked() { pumpctl status --json | jq .revoked; }
revoked_is() { [ "$(revoked)" = "$1" ]; }
recall() { pumpctl recall show "$1" --json | jq -r ".$2"; }
recall_is() { [ "$(recall "$1" "$2")" = "$3" ] || { recall "$1" "$2"; return 1; }; }
revoked_at_least() { [ "$(recall "$1" revoked)" -ge "$2" ]; }
# the process of our server whose name begins so, and its successor
ours() { pgrep -f "^[^ ]*$1 --home $PUMPGATE_HOME"; }
is_another() { [ -n "$(ours "$1")" ] && [ "$(ours "$1")" != "$2" ]; }
exits_saying() { # STATUS PATTERN COMMAND...
	local out status
	out=$("${@:3}" 2>&1)
	status=$?
	printf '%s\nstatus %s\n' "$out" "$status"
	[ "$status" = "$1" ] && grep -qE -- "$2" <<<"$out"
}

# ---- what is not done ----
check "without_a_choice_it_is_wrong_usage" fails_with 64 pumpctl pump revoke --reason x
check "a_serial_and_a_ward_together_are_wrong_usage" \
	fails_with 64 pumpctl pump revoke FARM-1 --ward 'Ward 1' --reason x
check "a_list_and_a_ward_together_are_wrong_usage" \
	fails_with 64 pumpctl pump revoke --file x --ward 'Ward 1' --reason x
check "a_pace_of_nothing_is_wrong_usage" \
	fails_with 64 pumpctl pump revoke --ward 'Ward 1' --reason x --pace 0/s
check "a_count_for_one_pump_is_wrong_usage" \
	fails_with 64 pumpctl pump revoke FARM-1 --reason x --count 1
check "more_than_20_pumps_are_only_shown" \
	exits_saying 0 'nothing was changed.*--count 300' pumpctl pump revoke --zone farm --reason x
check "the_dry_run_counts_wards_models_and_who_is_on" says \
	'^Ward 1 +F. +10 +10$|300 pumps, 300 of them on the network' pumpctl pump revoke --zone farm --reason x
check "the_dry_run_says_what_it_means_for_an_infusion" \
	says 'infusions go on' pumpctl pump revoke --zone farm --reason x
check "a_wrong_count_is_refused" \
	exits_saying 1 'takes 300 pumps now, not 299' pumpctl pump revoke --zone farm --reason x --count 299
check "a_ward_without_pumps_is_nothing_to_do" fails_with 2 pumpctl pump revoke --ward 'Ward 99' --reason x
printf 'serial\nFARM-1\nFARM-7777\nFARM-1\nfarm-2\nFARM-2\n' >"$SCRATCH/list"
check "each_bad_line_of_a_list_is_named" exits_saying 1 \
	'line 4: FARM-1: is on line 2 already' pumpctl pump revoke --file "$SCRATCH/list" --reason x
check "so_is_a_pump_that_nobody_knows" says 'line 3: FARM-7777: not in the inventory' \
	pumpctl pump revoke --file "$SCRATCH/list" --reason x
check "and_nothing_is_done_then" revoked_is 0

# ---- a second person ----
check "a_recall_of_a_ward_waits_for_a_second_admin" exits_saying 75 'recall confirm 1 --count 30' \
	pumpctl pump revoke --ward 'Ward 1' --reason 'maker recall 26-117' --count 30 --pace 10/s
check "the_same_command_again_finds_it" exits_saying 75 'recall 1 already' \
	pumpctl pump revoke --ward 'Ward 1' --reason 'maker recall 26-117' --count 30
check "the_requester_can_not_confirm_it" exits_saying 1 'requested by this same user' \
	pumpctl recall confirm 1 --count 30
check "nor_resume_it_past_the_second_admin" fails_with 1 pumpctl recall resume 1
check "somebody_who_is_no_admin_can_not_confirm_it" \
	fails_with 1 as $NOBODY pumpctl recall confirm 1 --count 30
check "the_second_admin_must_say_how_many" \
	exits_saying 0 'nothing was changed' as $SECOND pumpctl recall confirm 1
check "and_rightly" exits_saying 1 'takes 30 pumps, not 31' as $SECOND pumpctl recall confirm 1 --count 31
check "until_then_no_pump_is_revoked" revoked_is 0
check "status_says_that_it_waits" says '1 wait for a second admin$' pumpctl status

# ---- pause and cancel ----
check "the_second_admin_confirms_it" \
	exits_saying 75 'goes on by itself' as $SECOND pumpctl recall confirm 1 --count 30 --no-wait
check "it_begins" wait_until 20 revoked_at_least 1 1
check "it_is_paused" pumpctl recall pause 1
check "status_says_that_a_paused_one_is_wrong" exits_saying 1 'wrong: a recall is paused' pumpctl status
before=$(recall 1 revoked)
sleep 0.5
check "paused_nothing_is_revoked" recall_is 1 revoked "$before"
check "it_is_cancelled" pumpctl recall cancel 1
check "a_cancelled_one_does_not_go_on" fails_with 1 pumpctl recall resume 1
check "who_was_not_revoked_is_left_alone" revoked_is "$before"
check "both_names_are_on_record" bash -c \
	"pumpctl recall show 1 --json | jq -e '.requested_by == \"root\" and .confirmed_by == \"uid $SECOND\"'"

# ---- killed in the middle ----
left=$((PUMPS - before))
check "the_rest_is_requested" fails_with 75 \
	as $SECOND pumpctl pump revoke --zone farm --reason 'maker recall 26-117' --count $left --pace 60/s
pumpctl recall confirm 2 --count $left --wait 60s >"$SCRATCH/follow" 2>&1 &
follower=$!
check "it_is_under_way" wait_until 20 revoked_at_least 2 30
kill -KILL $follower
middle=$(recall 2 waiting)
registryd=$(ours pumpgate-registryd) dispatchd=$(ours pumpgate-dispatchd)
kill -KILL "$registryd" "$dispatchd"
check "they_are_killed_in_its_middle" [ "$middle" -gt 0 ]
check "registryd_is_started_again" wait_until 20 is_another pumpgate-registryd "$registryd"
check "the_recall_goes_on_by_itself" wait_until 40 revoked_is $PUMPS
check "it_can_be_looked_at_again" exits_saying 75 'retries go on' pumpctl recall resume 2 --wait 3s
check "every_nas_but_the_deaf_one_has_confirmed" wait_until 40 bash -c \
	"pumpctl recall show 2 --json | jq -e '.state == \"done\" and .unknown == 0 and .silent > 0
		and (.nas | all(.nas == \"farm-5\" or .acked + .gone == .orders))'"
check "the_report_names_the_deaf_one" says '^farm-5 +[0-9]+ +0 +0 +[1-9]' pumpctl recall show 2
check "its_orders_stay_in_sight" bash -c "pumpctl status --json | jq -e '.orders_open > 0'"
check "each_pump_was_revoked_once" bash -c \
	"[ \$(sqlite3 $PUMPGATE_HOME/registry/registry.db 'SELECT count(*) || count(DISTINCT device_id) FROM revocations') = $PUMPS$PUMPS ]"
check "the_audit_has_each_and_is_whole" bash -c \
	"[ \$(sqlite3 $PUMPGATE_HOME/registry/registry.db \"SELECT count(*) FROM audit WHERE action = 'pump.revoke'\") = $PUMPS ] && pumpctl audit verify"
check "again_there_is_nothing_to_do" exits_saying 2 '300 more are revoked already' \
	pumpctl pump revoke --zone farm --reason x
kill -TERM "$FARM"
wait "$FARM"
FARM=
# what was on its way when dispatchd died is asked for once more
check "every_session_was_ended_by_genuine_requests" jq -s -R -e \
	'split("\n")[1] | fromjson | .acked == 250 and .not_genuine == 0 and .unknown < 100' "$SCRATCH/farm"

# ---- without a second person ----
scratch_stop
sed -i 's/^second_person = .*/second_person = no/' "$PUMPGATE_HOME/pumpgate.conf"
scratch_run || exit 1
check "status_says_that_the_rule_is_off" says 'RULE OF TWO PERSONS IS OFF' pumpctl status
check "the_audit_says_who_turned_it_off" says 'OFF by pumpgate.conf' pumpctl audit tail -n 20
pumpctl zone add other --vlan 131 >/dev/null
{
	echo serial,maker,model,mac,zone
	for i in $(seq 25); do printf 'LATE-%d,M,M,02:00:00:09:00:%02x,other\n' "$i" "$i"; done
} >"$SCRATCH/late.csv"
pumpctl pump import "$SCRATCH/late.csv" >/dev/null
{
	cat "$SCRATCH/list"
	for i in $(seq 25); do echo "LATE-$i"; done
} >"$SCRATCH/late"
check "then_one_admin_is_enough_and_bad_lines_are_left_out" exits_saying 0 'is done' \
	pumpctl pump revoke --file "$SCRATCH/late" --skip-bad --count 25 --reason x --wait 30s
sed -i 's/^second_person = .*/second_person = perhaps/' "$PUMPGATE_HOME/pumpgate.conf"
check "a_setting_that_is_neither_is_refused" says 'second_person is yes or no' pumpctl status
tap_done
