#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2317 # functions are called through check
# pumpctl init and run: a home is made once and whole, the server comes up, goes down and leaves nothing.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh

# No process that names the home is left.
nothing_left() { ! pgrep -af -- "$PUMPGATE_HOME"; }
keys_sum() { cat "$PUMPGATE_HOME"/ca/*.key "$PUMPGATE_HOME"/*/key.pem | sha256sum; }
# end SIGNAL: sends it to the supervisor and keeps the status in ENDED.
end() {
	kill "-$1" "$SUPERVISOR"
	wait "$SUPERVISOR" 2>/dev/null
	ENDED=$?
	SUPERVISOR=
}

# ---- init ----
scratch_install
scratch_init || exit 1
chmod 0700 "$PUMPGATE_HOME/registry"
before=$(keys_sum)
check init_of_a_whole_home_has_nothing_to_do fails_with 2 pumpctl init
check init_against_the_settings_is_refused fails_with 1 pumpctl init --est-port 1
check init_refuses_a_port_that_is_none fails_with 1 pumpctl init --est-port 70000
rm "$PUMPGATE_HOME/radius/cert.pem" "$PUMPGATE_HOME/radius/raddb/radiusd.conf"
check init_completes_a_home_that_lacks_something pumpctl init
check init_made_no_new_keys [ "$before" = "$(keys_sum)" ]
check no_key_is_open_to_others bash -c \
	"! find '$PUMPGATE_HOME' -name '*key*' -type f -perm /077 | grep ."
check init_refuses_a_home_too_deep_for_sockets \
	says "too long a path" pumpctl --home "$SCRATCH/$(printf 'x%.0s' {1..90})" init
check init_refuses_a_home_with_a_space says "only letters" pumpctl --home "$SCRATCH/a b" init
check init_made_nothing_there [ ! -e "$SCRATCH/a b" ]
check run_without_a_home_says_init says "init" pumpctl --home "$SCRATCH/nothing" run

half_left() { ! pgrep -f -- "$SCRATCH/half"; }
killed_and_repeated() {
	local ms status
	for ms in 004 010 016 022 028 036; do
		rm -rf "$SCRATCH/half"
		pumpctl --home "$SCRATCH/half" init "$@" >/dev/null 2>&1 &
		sleep "0.$ms"
		kill -KILL $! 2>/dev/null
		wait $! 2>/dev/null
		wait_until 5 half_left || return 1
		pumpctl --home "$SCRATCH/half" init "$@"
		status=$?
		[ "$status" = 0 ] || [ "$status" = 2 ] || return 1
		fails_with 2 pumpctl --home "$SCRATCH/half" init || return 1
		openssl verify -CAfile "$SCRATCH/half/trust/server.pem" \
			"$SCRATCH/half/est/cert.pem" "$SCRATCH/half/radius/cert.pem" || return 1
	done
}
check init_killed_anywhere_is_completed_by_the_next killed_and_repeated
if [ "$(id -u)" = 0 ]; then
	check the_same_with_a_user_per_process killed_and_repeated --users 61000
else
	skip the_same_with_a_user_per_process "needs root to give files to other users"
fi

# ---- run ----
scratch_run || { cat "$SCRATCH/run.out" >&2; exit 1; }
check run_prints_ready_and_the_addresses \
	bash -c "grep -qx ready '$SCRATCH/run.out' && grep -q '$RADIUS_AUTH' '$SCRATCH/run.out'"
check run_says_that_one_user_is_no_isolation grep -q 'no isolation between' "$SCRATCH/run.out"
check run_json_has_the_documented_members jq -e '.ready and (.pid | type == "number") and
	(.radius.auth | test("^127.0.0.1:[0-9]+$")) and (.radius.acct | length > 0) and
	(.est | test("^https://127.0.0.1:[0-9]+/.well-known/est$")) and (.trust | endswith(".pem"))' \
	"$PUMPGATE_HOME/run.json"
check est_answers_under_its_trust curl -sf --cacert "$TRUST" -o /dev/null "$EST_URL/cacerts"
check a_second_run_is_refused fails_with 1 pumpctl run
check status_is_healthy pumpctl status
check init_while_running_has_nothing_to_do fails_with 2 pumpctl init
process_of() {
	case $1 in
	radiusd) pgrep -f "freeradius .*$PUMPGATE_HOME/radius/raddb" ;;
	clinicians) pgrep -f "freeradius .*$PUMPGATE_HOME/clinicians/raddb" ;;
	*) pgrep -f "pumpgate-$1.* $PUMPGATE_HOME" ;;
	esac
}
came_back() {
	local new
	new=$(process_of "$1") && [ "$new" != "$2" ]
}
restarted() {
	local old
	old=$(process_of "$1") || return 1
	kill -9 "$old"
	wait_until 10 came_back "$1" "$old" && wait_until 10 pumpctl status
}
for name in registryd signerd enrolld radiusd dispatchd radsecd credd clinicians; do
	check "${name}_comes_back_after_it_was_killed" restarted "$name"
done
end INT
check an_interrupt_ends_run_with_0 [ "$ENDED" = 0 ]
check an_interrupt_leaves_no_process nothing_left
check run_json_is_gone [ ! -e "$PUMPGATE_HOME/run.json" ]

scratch_run || exit 1
end TERM
check sigterm_ends_run_with_0 [ "$ENDED" = 0 ]
check sigterm_leaves_no_process nothing_left

scratch_run || exit 1
end KILL
check a_killed_supervisor_leaves_no_process wait_until 5 nothing_left
rm -f "$PUMPGATE_HOME/run.json"
pumpctl run --json >"$SCRATCH/json.out" 2>/dev/null &
SUPERVISOR=$!
wait_until 20 [ -s "$PUMPGATE_HOME/run.json" ]
check run_json_option_prints_the_same_as_the_file \
	bash -c "diff <(jq -S . '$SCRATCH/json.out') <(jq -S . '$PUMPGATE_HOME/run.json')"

# ---- a port that another home has ----
pumpctl --home "$SCRATCH/other" init --radius-auth-port $((EST_PORT + 7)) --est-port "$EST_PORT" \
	>/dev/null
check run_on_a_taken_port_says_which_process_failed \
	says "enrolld.*could not start" pumpctl --home "$SCRATCH/other" run
other_left() { ! pgrep -af -- "--home $SCRATCH/other"; }
check run_on_a_taken_port_leaves_no_process other_left
mkdir "$SCRATCH/path" # Pumpgate may be installed on this machine; it must not be found
for tool in bash timeout grep tail freeradius; do
	ln -s "$(command -v "$tool")" "$SCRATCH/path/"
done
for missing in pumpgate-registryd pumpgate-dispatchd; do
	rm -rf "$SCRATCH/part" && mkdir -p "$SCRATCH/part"
	cp -R "$PUMPGATE_BUILD/bin" "$SCRATCH/part/" && rm "$SCRATCH/part/bin/$missing"
	check "run_without_${missing#pumpgate-}_says_so_and_ends" env PATH="$SCRATCH/path" \
		bash -c ". tests/support/tap.sh; says '$missing is neither' fails_with 1 \
			timeout 20 $SCRATCH/part/bin/pumpctl --home $SCRATCH/other run"
	check "run_without_${missing#pumpgate-}_leaves_no_process" other_left
done
check doctor_names_the_taken_port says "fail +est .*taken" pumpctl --home "$SCRATCH/other" doctor
scratch_stop

# ---- services that systemd keeps, without `pumpctl run` ----
pumpgate-registryd --home "$PUMPGATE_HOME" 2>/dev/null &
REGISTRYD=$!
check doctor_sees_a_registry_that_runs_without_pumpctl_run wait_until 5 \
	bash -c '. tests/support/tap.sh; says "running +yes, without" pumpctl doctor'
kill "$REGISTRYD"
wait "$REGISTRYD"
tap_done
