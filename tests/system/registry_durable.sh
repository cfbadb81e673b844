#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What registryd acknowledged stays: killed in the middle of writes, and on a disk that runs full.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
build=${PUMPGATE_BUILD:-build}
probe=$build/tools/registry_probe
work=$(mktemp -d)
service=
mounted=

# shellcheck disable=SC2317 # called by the trap
clean_up() {
	[ -z "$service" ] || kill -9 "$service" 2>/dev/null
	wait 2>/dev/null
	[ -z "$mounted" ] || umount "$mounted"
	for ring in "$work"/*/registry/events.ring; do rm -f "$(readlink "$ring")"; done
	rm -rf "$work"
}
trap clean_up EXIT

# start HOME: the service, and waits until it answers
start() {
	"$build/bin/pumpgate-registryd" --home "$1" 2>>"$work/log" &
	service=$!
	wait_until 10 says answered "$probe" "$1/run/registry/sock" role radius 1
}

# sql HOME DATABASE TEXT: looks or reaches into a database behind the service
sql() {
	sqlite3 "$1/registry/$2" "$3"
}

# ---- killed again and again while eight clients write ----
home=$work/kill
"$build/bin/pumpgate-registryd" --home "$home" init 2>>"$work/log" || exit 1
sql "$home" registry.db "INSERT INTO zones (id, name, vlan, filter_id, session_s, added_at) VALUES (1, 'probe', 7, '', 0, 1)"
start "$home" || exit 1
"$probe" "$home/run/registry/sock" add "$work/acked" KILL 4000 8 >"$work/add" &
adding=$!
kills=0
while kill -0 "$adding" 2>/dev/null; do
	sleep "0.$((RANDOM % 30 + 10))"
	kill -9 "$service"
	wait "$service" 2>/dev/null
	kills=$((kills + 1))
	start "$home" || break
done
wait "$adding"
echo "# $kills kills, $(cat "$work/add")"
check "it_was_killed_while_it_wrote" test "$kills" -ge 5
check "clients_came_back_by_themselves" test "$(wc -l <"$work/acked")" -ge 50
check "every_acknowledged_pump_is_there" "$probe" "$home/run/registry/sock" expect "$work/acked"
kill "$service"
wait "$service"
service=
check "database_is_whole_after_the_kills" test "$(sql "$home" registry.db 'PRAGMA integrity_check')" = ok
check "every_pump_has_its_audit_row" test \
	"$(sql "$home" registry.db "SELECT count(*) FROM devices")" = \
	"$(sql "$home" registry.db "SELECT count(*) FROM audit WHERE action = 'pump.add'")"
# the check above must be able to fail: take one acknowledged pump away
victim=$(head -n 1 "$work/acked")
sql "$home" registry.db "DELETE FROM devices WHERE serial = '$victim'"
start "$home" || exit 1
check "a_lost_pump_would_be_noticed" fails_with 1 "$probe" "$home/run/registry/sock" expect "$work/acked"
kill "$service"
wait "$service"
service=

# ---- a disk that runs full ----
if [ "$(id -u)" = 0 ] && mkdir "$work/full" && mount -t tmpfs -o size=6m tmpfs "$work/full" 2>/dev/null; then
	mounted=$work/full
	home=$mounted/home
	"$build/bin/pumpgate-registryd" --home "$home" init 2>>"$work/log" || exit 1
	sql "$home" registry.db "INSERT INTO zones (id, name, vlan, filter_id, session_s, added_at) VALUES (1, 'probe', 7, '', 0, 1)"
	start "$home" || exit 1
	: >"$work/acked"
	sock=$home/run/registry/sock
	"$probe" "$sock" add "$work/acked" ROOM 300 2 >/dev/null
	dd if=/dev/zero of="$mounted/ballast" bs=64k >/dev/null 2>&1
	"$probe" "$sock" add "$work/acked" FULL 1500 2 >"$work/add"
	echo "# $(cat "$work/add")"
	check "full_disk_is_reported_as_such" says "full=[1-9]" cat "$work/add"
	check "full_disk_has_a_clear_line_in_the_log" says "no space left on the disk" cat "$work/log"
	check "look_ups_go_on_with_a_full_disk" "$probe" "$sock" expect "$work/acked"
	rm "$mounted/ballast"
	"$probe" "$sock" add "$work/acked" AGAIN 300 2 >"$work/add"
	check "service_recovers_when_there_is_room_again" says "acked=[1-9]" cat "$work/add"
	check "nothing_acknowledged_was_lost" "$probe" "$sock" expect "$work/acked"
	kill "$service"
	wait "$service"
	service=
	check "database_is_whole_after_the_full_disk" \
		test "$(sql "$home" registry.db 'PRAGMA integrity_check')" = ok
else
	skip "full_disk" "needs root and tmpfs"
fi
tap_done
