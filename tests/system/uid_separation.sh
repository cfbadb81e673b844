#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2317 # functions are called through check
# With a user per process: none can open another's files, trace it, or take a role that is not its.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/pump_client.sh

if [ "$(id -u)" != 0 ]; then
	skip each_process_is_kept_from_the_others "needs root to start processes under other users"
	tap_done
fi

FIRST=61000
NAMES=(registryd signerd enrolld radiusd dispatchd radsecd credd clinicians)
FOLDERS=(registry ca est radius dispatch radsec cred clinicians)

pid_of() {
	case $1 in
	radiusd) pgrep -f "freeradius .*$PUMPGATE_HOME/radius" ;;
	clinicians) pgrep -f "freeradius .*$PUMPGATE_HOME/clinicians" ;;
	*) pgrep -f "pumpgate-$1 --home $PUMPGATE_HOME" ;;
	esac
}

uid_of() {
	stat -c %u "/proc/$(pid_of "$1")"
}

runs_as() {
	local uid
	uid=$(uid_of "$1")
	[ "$uid" = "$2" ] || { echo "$1 runs as $uid"; return 1; }
}

# Every file of the folders, as seen by root, must be closed to the user.
no_file_opens() {
	local uid=$1 files
	shift
	mapfile -t files < <(cd "$PUMPGATE_HOME" && find "$@" -type f -printf "$PUMPGATE_HOME/%p\n")
	[ ${#files[@]} -gt 0 ] || { echo "no file in $*"; return 1; }
	trespass "$uid" open "${files[@]}"
}

role_is_refused() { trespass "$1" connect "$PUMPGATE_HOME/run/$2/sock" "$3"; }
role_is_given() { says welcome trespass "$1" connect "$PUMPGATE_HOME/run/$2/sock" "$3"; }

no_other_process_traced() {
	local uid=$1 pids=() name
	for name in "${NAMES[@]}"; do
		[ "$name" = "$2" ] || pids+=("$(pid_of "$name")")
	done
	trespass "$uid" ptrace "${pids[@]}" "$SUPERVISOR"
}

scratch_install
cp "$PUMPGATE_BUILD/tools/trespass" "$SCRATCH/prefix/bin/"
SCRATCH_SETTINGS='
[users]
viewers = 61990
onboarders = 61991
auditors = 61992
'
scratch_up --users $FIRST || exit 1
check nothing_is_said_of_a_missing_isolation bash -c "! grep -q 'no isolation' '$SCRATCH/run.out'"

for i in "${!NAMES[@]}"; do
	check "${NAMES[i]}_runs_as_its_own_user" runs_as "${NAMES[i]}" $((FIRST + i))
done
for i in "${!FOLDERS[@]}"; do
	for j in "${!NAMES[@]}"; do
		[ "$i" = "$j" ] ||
			check "${NAMES[j]}_opens_no_file_of_${NAMES[i]}" \
				no_file_opens $((FIRST + j)) "${FOLDERS[i]}"
	done
	check "a_stranger_opens_no_file_of_${NAMES[i]}" no_file_opens 61999 "${FOLDERS[i]}"
done
for j in "${!NAMES[@]}"; do
	[ "$j" = 0 ] || check "${NAMES[j]}_opens_no_event_ring" \
		trespass $((FIRST + j)) open "$(readlink "$PUMPGATE_HOME/registry/events.ring")"
done
check the_trespasser_itself_works fails_with 1 no_file_opens $FIRST registry
for j in "${!NAMES[@]}"; do
	check "${NAMES[j]}_traces_no_other_process_and_reads_no_memory" \
		no_other_process_traced $((FIRST + j)) "${NAMES[j]}"
	[ "$j" = 0 ] || # who has the database itself is its admin
		check "${NAMES[j]}_is_no_admin_of_the_registry" \
			role_is_refused $((FIRST + j)) registry admin
done
REGISTRY_ROLES=(signer enroll radius dispatch)
for i in 0 1 2 3; do
	for j in 1 2 3 4 5 6 7; do
		if [ $((i + 1)) = "$j" ]; then
			check "${NAMES[j]}_gets_the_role_${REGISTRY_ROLES[i]}" \
				role_is_given $((FIRST + j)) registry "${REGISTRY_ROLES[i]}"
		else
			check "${NAMES[j]}_does_not_get_the_role_${REGISTRY_ROLES[i]}" \
				role_is_refused $((FIRST + j)) registry "${REGISTRY_ROLES[i]}"
		fi
	done
	check "a_stranger_does_not_get_the_role_${REGISTRY_ROLES[i]}" \
		role_is_refused 61999 registry "${REGISTRY_ROLES[i]}"
done
check credd_gets_its_role_at_the_registry role_is_given $((FIRST + 6)) registry cred
for j in 1 2 3 4 5 7; do
	check "${NAMES[j]}_does_not_get_the_role_cred" role_is_refused $((FIRST + j)) registry cred
done
for j in 0 1 2 3 4 5; do
	check "${NAMES[j]}_is_no_admin_of_the_clinicians" role_is_refused $((FIRST + j)) cred admin
	check "${NAMES[j]}_logs_nobody_in" role_is_refused $((FIRST + j)) cred login
done
for j in 0 2 3 4 5 7; do
	check "${NAMES[j]}_signs_no_audit_of_logins" role_is_refused $((FIRST + j)) cred signer
done
check signerd_gets_its_role_at_credd role_is_given $((FIRST + 1)) cred signer
check clinicians_gets_its_role_at_credd role_is_given $((FIRST + 7)) cred login
check clinicians_is_no_admin_of_the_clinicians role_is_refused $((FIRST + 7)) cred admin
check a_stranger_is_no_admin_of_the_clinicians role_is_refused 61999 cred admin
check enrolld_gets_its_role_at_the_signer role_is_given $((FIRST + 2)) signer enroll
for j in 0 3 4 5 6 7; do
	check "${NAMES[j]}_gets_no_role_at_the_signer" role_is_refused $((FIRST + j)) signer enroll
done
check a_stranger_is_no_admin_of_the_registry role_is_refused 61999 registry admin
check pumpctl_tells_a_stranger_who_may \
	says "does not take this user as an admin" \
	setpriv --reuid 61999 --regid 61999 --clear-groups pumpctl pump list
# the map of pumps in good standing: registryd writes it, radiusd reads it, nobody else has it
maps_standings() { # PROCESS PERMISSIONS ("": not at all)
	local seen
	seen=$(awk '/memfd:pumpgate-standings/ { print $2 }' "/proc/$(pid_of "$1")/maps")
	[ "$seen" = "$2" ] || { echo "$1: '$seen'"; return 1; }
}
site_up && pump_enrol PG-1 || exit 1
check a_pump_gets_on eap PG-1
check registryd_alone_writes_the_standings maps_standings registryd rw-s
check radiusd_reads_the_standings maps_standings radiusd r--s
for name in signerd enrolld dispatchd credd clinicians; do
	check "${name}_has_no_standings" maps_standings "$name" ""
done
# people who run Pumpgate, but are no security officers
by() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
refused_by() { says 'is more than the role' fails_with 1 by "$@"; }
for uid in 61990 61991 61992; do
	check "${uid}_sees_pumps" by $uid pumpctl pump show PG-1
	check "${uid}_sees_how_all_is" by $uid pumpctl status
	for verb in "pump revoke PG-1 --reason x" "pump quarantine PG-1 --reason x" "zone add z --vlan 7" \
		"nas disable ap1" "cert rotate --all" "maker disable m" "user disable n" "user add n --no-password" \
		"audit accept --reason x" "recall cancel 1" "alarm ack 1" "user sessions"; do
		[ "$uid:$verb" = "61992:user sessions" ] ||
			check "${uid}_may_not: $verb" refused_by $uid bash -c "pumpctl $verb </dev/null"
	done
done
for uid in 61990 61991; do
	check "${uid}_reads_no_audit" refused_by $uid pumpctl audit tail
	check "${uid}_reads_no_audit_of_logins" refused_by $uid pumpctl audit tail --logins
done
for uid in 61990 61992; do
	check "${uid}_adds_no_pump" refused_by $uid pumpctl pump add PG-9 --maker Acme --model X1 \
		--mac 02:00:00:00:00:09 --zone ward
	check "${uid}_makes_no_token" refused_by $uid pumpctl pump token PG-1
done
check an_onboarder_adds_a_pump by 61991 pumpctl pump add PG-9 --maker Acme --model X1 \
	--mac 02:00:00:00:00:09 --zone ward
check an_onboarder_makes_its_bundle by 61991 pumpctl pump token PG-9
check an_auditor_verifies by 61992 pumpctl audit verify
check an_auditor_reads_both_audits by 61992 bash -c 'pumpctl audit tail && pumpctl audit tail --logins'
check an_auditor_sees_who_logged_in by 61992 pumpctl user sessions
check the_audit_names_who_acted says '61991 .*PG-9' pumpctl audit tail
check the_audit_names_who_they_all_are says 'viewers=61990 onboarders=61991 auditors=61992' \
	pumpctl audit tail -n 100
check a_pump_gets_on_by_what_they_say eap PG-1
# its databases are two users'; what is not root's to copy is root's alone to bring back
check registryds_user_makes_no_backup says 'only root' fails_with 1 setpriv --reuid=$FIRST --regid=$FIRST --clear-groups \
	pumpctl backup create "$SCRATCH/backup-not"
check root_makes_a_backup pumpctl backup create "$SCRATCH/backup"
check the_server_is_healthy_afterwards pumpctl status
check doctor_finds_nothing_wrong pumpctl doctor
scratch_stop
check the_backup_comes_back says '^clinicians: ' pumpctl backup restore "$SCRATCH/backup"
owners() { find "$PUMPGATE_HOME/registry" "$PUMPGATE_HOME/cred" -printf '%U\n' | sort -u | xargs; }
check each_file_is_its_services_again test "$(owners)" = "$(stat -c %u "$PUMPGATE_HOME/registry" "$PUMPGATE_HOME/cred" | sort | xargs)"
scratch_run
check and_the_server_runs_on_it wait_until 20 eval 'pumpctl user list >/dev/null && pumpctl pump show PG-1'
tap_done
