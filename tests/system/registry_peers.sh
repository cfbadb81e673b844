#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who may ask registryd what: roles by the peer's uid, verbs by role, garbage ends only its own
# connection, and many clients are served at once.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
build=${PUMPGATE_BUILD:-build}
work=$(mktemp -d)
service=

# shellcheck disable=SC2317 # called by the trap
clean_up() {
	[ -z "$service" ] || kill "$service" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT
chmod 0755 "$work"
# other uids must be able to run it
install -m 0755 "$build/tools/registry_probe" "$work/probe"
install -m 0755 "$build/bin/pumpgate-registryd" "$work/registryd"
home=$work/home
sock=$home/run/registry/sock

# start [UID]: the service, and waits for its socket
start() {
	if [ -n "${1:-}" ]; then
		setpriv --reuid "$1" --regid "$1" --clear-groups "$work/registryd" --home "$home" \
			2>>"$work/log" &
	else
		"$work/registryd" --home "$home" 2>>"$work/log" &
	fi
	service=$!
	wait_until 10 test -S "$sock"
}

stop() {
	kill "$service"
	wait "$service"
	ended=$?
	service=
}

# as UID COMMAND...
# shellcheck disable=SC2317 # called by check
as() {
	local uid=$1
	shift
	setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
}

"$build/bin/pumpgate-registryd" --home "$home" init 2>>"$work/log" || exit 1
tests/support/registry_fill.sh "$home" 200 || exit 1
start || exit 1

check "role_that_does_not_exist_is_refused" says "refused" "$work/probe" "$sock" role operator 1
check "radius_may_not_revoke" says "connection ended" "$work/probe" "$sock" role radius 136
check "enroll_may_not_make_tokens" says "connection ended" "$work/probe" "$sock" role enroll 135
check "signer_may_not_make_tokens" says "connection ended" "$work/probe" "$sock" role signer 135
check "dispatch_may_not_look_up_pumps" says "connection ended" "$work/probe" "$sock" role dispatch 1
check "admin_may_not_read_nas_secrets" says "connection ended" "$work/probe" "$sock" role admin 3
check "radius_may_not_confirm_a_recall" says "connection ended" "$work/probe" "$sock" role radius 211
check "dispatch_may_not_request_a_recall" says "connection ended" "$work/probe" "$sock" role dispatch 210
check "verb_that_does_not_exist_ends_the_connection" says "connection ended" \
	"$work/probe" "$sock" role admin 4242
check "radius_may_look_up" says "answered" "$work/probe" "$sock" role radius 1

before=$service
"$work/probe" "$sock" lookups 200 4000 4 >"$work/lookups" &
lookups=$!
check "garbage_is_sent_by_many" "$work/probe" "$sock" garbage "${SEED:-$RANDOM}" 300
wait "$lookups"
check "others_are_served_on_meanwhile" test $? = 0
check "service_is_still_the_same_process" kill -0 "$before"
check "garbage_leaves_a_line_in_the_log" says "ipc.refused" cat "$work/log"

check "sixteen_clients_at_once_lose_nothing" "$work/probe" "$sock" load 200 1000 16
stop
check "service_ends_clean_after_all_this" test "$ended" = 0
check "events_of_all_clients_were_stored" test \
	"$(sqlite3 "$home/registry/sessions.db" "SELECT count(*) FROM sessions")" -gt 100

if [ "$(id -u)" = 0 ]; then
	cat >"$home/pumpgate.conf" <<-END
		[users]
		registryd = 61001
		signerd = 61002
		enrolld = 61003
		radiusd = 61004
		dispatchd = 61005
		admins = root, 61006
	END
	chmod 0755 "$home"
	chmod 0644 "$home/pumpgate.conf"
	chown -R 61001:61001 "$home/registry" "$home/run"
	chmod 0755 "$home/run"
	start 61001 || exit 1
	check "radius_uid_may_be_radius" says "answered" as 61004 "$work/probe" "$sock" role radius 1
	check "radius_uid_may_not_be_admin" says "refused" as 61004 "$work/probe" "$sock" role admin 145
	check "radius_uid_may_not_be_signer" says "refused" as 61004 "$work/probe" "$sock" role signer 33
	check "enroll_uid_may_not_be_dispatch" says "refused" as 61003 "$work/probe" "$sock" role dispatch 64
	check "signer_uid_may_not_be_admin" says "refused" as 61002 "$work/probe" "$sock" role admin 145
	check "stranger_may_be_nobody" says "refused" as 65534 "$work/probe" "$sock" role radius 1
	check "admin_uid_may_be_admin" says "answered" as 61006 "$work/probe" "$sock" role admin 145
	check "root_may_be_admin" says "answered" "$work/probe" "$sock" role admin 145
	check "root_may_not_be_radius" says "refused" "$work/probe" "$sock" role radius 1
	check "other_uid_cannot_read_the_databases" fails_with 1 as 61004 \
		sh -c "cat '$home/registry/registry.db' >/dev/null"
	check "other_uid_cannot_replace_the_socket" fails_with 1 as 61004 \
		sh -c "rm '$sock' 2>/dev/null || mv '$home/run/registry' '$home/run/x' 2>/dev/null"
	check "other_uid_cannot_look_into_the_process" fails_with 1 as 61004 \
		sh -c "cat /proc/$service/environ >/dev/null"
	check "own_uid_cannot_look_into_the_process_either" fails_with 1 as 61001 \
		sh -c "cat /proc/$service/environ >/dev/null"
	stop
	check "started_as_another_user_it_refuses" says "runs as .61001." \
		"$work/registryd" --home "$home"
	printf '[users]\nregistryd = 61001\nradiusd = nosuchuser-here\n' >"$home/pumpgate.conf"
	check "unknown_user_in_the_settings_is_named" says "nosuchuser-here" \
		as 61001 "$work/registryd" --home "$home"
	printf '[users]\nregistryd = 61001\nradius = 61004\n' >"$home/pumpgate.conf"
	check "misspelt_setting_is_refused" says "radius" as 61001 "$work/registryd" --home "$home"
else
	skip "separate_uids" "needs root"
fi
tap_done
