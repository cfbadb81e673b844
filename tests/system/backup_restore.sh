#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A backup that is older than a revocation does not bring the pump back, whatever fails on the way.
# shellcheck disable=SC2016,SC2034,SC2317 # functions and evals are called through check
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
. tests/support/pump_client.sh

gap() { pumpctl backup gap --json | jq -es ".[0] | $1" >/dev/null; }
status_has() { pumpctl status --json | jq -es ".[0] | $1"; }
is_mode() { [ "$(stat -c %a "$2")" = "$1" ]; }
revoked_lines() { wc -l <"$PUMPGATE_HOME/ca/revoked.log"; }
lines_are() { [ "$(revoked_lines)" = "$1" ]; }
registry_process() { pgrep -f "^[^ ]*pumpgate-registryd .*$PUMPGATE_HOME"; }
signer_process() { pgrep -f "^[^ ]*pumpgate-signerd .*$PUMPGATE_HOME"; }
reject_names_the_gap() { eap_is_refused "$1" && [ "$(last_attempt reason)" = restored-gap ]; }
restored_copies_are_gone() { ! compgen -G "$PUMPGATE_HOME/registry/restor*" && ! [ -e "$PUMPGATE_HOME/registry/incoming" ]; }

scratch_up "$@" || exit 1
site_up && rejects_at_once || exit 1
pump_enrol PG-1 02:00:00:00:00:01 && pump_enrol PG-2 02:00:00:00:00:02 || exit 1
pump_add PG-3 02:00:00:00:00:03
PG3_TOKEN=$(pumpctl pump token PG-3)
check "both_pumps_get_on" eval 'eap PG-1 && eap PG-2'
user_add() { echo correct-horse-42-battery | pumpctl user add "$1" --role nurse >/dev/null; }
user_is() { pumpctl user show "$1" --json | jq -e ".state == \"$2\""; }
user_add anna && user_add bert && user_add carla || exit 1

B=$SCRATCH/backup
check "a_backup_is_made_while_the_server_runs" says '3 pumps, 2 certificates' pumpctl backup create "$B"
check "it_is_closed_to_others" eval 'is_mode 700 $B && is_mode 600 $B/registry.db && is_mode 600 $B/sessions.db'
check "the_clinicians_are_in_it_and_closed_too" eval 'is_mode 600 $B/clinicians.db && is_mode 600 $B/clinicians.ini'
check "nothing_stays_in_credds_folder" eval '! [ -e "$PUMPGATE_HOME/cred/outgoing" ]'
check "it_holds_no_key" eval '! grep -rlaq "PRIVATE KEY" "$B"'
check "nothing_of_it_stays_in_the_registry_folder" eval '! compgen -G "$PUMPGATE_HOME/registry/backup-*"'
check "an_existing_folder_is_not_overwritten" fails_with 1 pumpctl backup create "$B"
check "the_audit_names_the_backup" eval 'pumpctl audit tail | grep -q backup.create'
check "a_restore_beside_a_running_server_is_refused" fails_with 75 pumpctl backup restore "$B"

# after the backup: PG-1 is revoked, PG-3 enrols
check "the_receipt_says_that_the_signer_keeps_it" says 'kept by signer +at 20' \
	pumpctl pump revoke PG-1 --reason stolen --wait 1s
check "its_serial_is_on_the_signers_list" lines_are 1
check "PG-3_enrols_after_the_backup" eval 'est_enrol PG-3 "$PG3_TOKEN" &&
	supplicant_conf PG-3 PG-3 $SCRATCH/PG-3.pem $SCRATCH/PG-3.key && eap PG-3'
check "anna_is_disabled_after_the_backup" pumpctl user disable anna --reason left
check "bert_gets_a_new_password_after_it" eval 'echo another-horse-43-battery | pumpctl user password bert'
scratch_stop

cp -R "$B" "$SCRATCH/people" && printf x | dd of="$SCRATCH/people/clinicians.db" bs=1 seek=9000 conv=notrunc 2>/dev/null
check "changed_clinicians_are_refused_before_anything_is_restored" says 'nothing was restored.*SHA-256' pumpctl backup restore "$SCRATCH/people"
mv "$PUMPGATE_HOME/cred/pepper" "$SCRATCH/pepper"
check "without_the_key_of_the_passwords_too" says 'pepper.* is missing' pumpctl backup restore "$B"
(umask 077 && head -c 32 /dev/urandom >"$PUMPGATE_HOME/cred/pepper")
check "and_under_another_key" says 'under another key' pumpctl backup restore "$B"
mv "$SCRATCH/pepper" "$PUMPGATE_HOME/cred/pepper"
check "that_left_the_clinicians_alone" eval '! compgen -G "$PUMPGATE_HOME/cred/*restor*" && ! [ -e "$PUMPGATE_HOME/cred/incoming" ]'
cp -R "$B" "$SCRATCH/bad" && printf x | dd of="$SCRATCH/bad/registry.db" bs=1 seek=20000 conv=notrunc 2>/dev/null
check "a_changed_backup_is_refused" says 'not the file that was backed up' pumpctl backup restore "$SCRATCH/bad"
check "an_empty_folder_is_no_backup" eval 'mkdir $SCRATCH/empty && fails_with 1 pumpctl backup restore $SCRATCH/empty'
check "refused_restores_leave_nothing" restored_copies_are_gone

check "the_backup_is_restored" eval 'pumpctl backup restore "$B" >"$SCRATCH/restored"; cat "$SCRATCH/restored"; grep -q before-restore- "$SCRATCH/restored"'
check "it_says_whom_it_disabled" grep -q '^2 accounts were disabled, or their password' "$SCRATCH/restored"
check "what_was_there_is_kept" eval 'ls $PUMPGATE_HOME/registry/before-restore-*/registry.db'
check "no_staged_copy_is_left" restored_copies_are_gone
scratch_run || exit 1
check "the_signer_finds_the_gap" wait_until 10 status_has '.held == 1 and .lost == 1 and .compare_needed == false'
check "the_revoked_pump_is_still_refused_for_the_gap" reject_names_the_gap PG-1
check "the_other_pump_gets_on" eap PG-2
check "the_lost_certificate_is_refused_as_unknown" eval 'eap_is_refused PG-3 && [ "$(last_attempt reason)" = unknown-certificate ]'
check "its_used_token_does_not_work_again" eval '! est_enrol PG-3 "$PG3_TOKEN"'
cp "$SCRATCH/PG-1.key" "$SCRATCH/PG-1.pem" "$SCRATCH/empty/" # the next line overwrites them
check "the_held_pump_gets_no_certificate" eval '! est_enrol PG-1 "$(pumpctl pump token PG-1)"'
cp "$SCRATCH"/empty/PG-1.* "$SCRATCH/"
check "the_disabled_user_did_not_come_back" user_is anna disabled
check "nor_did_the_old_password" user_is bert disabled
check "the_third_can_log_in" user_is carla enabled
check "status_says_so" eval 'pumpctl status | grep -q "accounts of clinicians are disabled because a backup"'
check "the_clinicians_audit_tells_of_it" eval 'pumpctl audit tail --logins >$SCRATCH/logins; grep -q backup.restore $SCRATCH/logins && grep -q clinicians.behind $SCRATCH/logins'
check "status_says_what_to_do" eval 'pumpctl status | grep -q "backup merge"'
check "doctor_says_it_too" eval 'pumpctl doctor | grep "fail  restored"'
check "why_says_it" says 'backup merge' pumpctl pump why PG-1
check "the_gap_names_both_pumps" gap 'map(select(.merged_at == null or .merged_at == 0) | .device) | sort == ["PG-1","PG-3"]'

OLD=$(registry_process)
kill -9 "$OLD"
wait_until 10 eval '! kill -0 $OLD'
check "after_kill_9_it_comes_back" wait_until 20 status_has '.held == 1 and .compare_needed == false'
check "and_still_refuses" reject_names_the_gap PG-1

check "merge_revokes_it_again" eval 'pumpctl backup merge >"$SCRATCH/merged"; cat "$SCRATCH/merged"; grep -q "1 pumps are revoked again, 1 certificates" "$SCRATCH/merged"'
check "and_names_the_accounts_that_wait_for_a_person" grep -q '^2 accounts of clinicians' "$SCRATCH/merged"
check "which_is_what_a_person_says_of_each" eval 'pumpctl user disable anna --reason left &&
	echo another-horse-43-battery | pumpctl user password bert && pumpctl user enable bert'
check "a_second_merge_has_nothing_to_do" fails_with 2 pumpctl backup merge
check "the_pump_is_revoked" eval 'pumpctl pump show PG-1 --json | jq -e ".state == \"revoked\""'
check "refused_as_revoked_now" eval 'eap_is_refused PG-1 && [ "$(last_attempt reason)" = pump-revoked ]'
check "the_audit_tells_of_gap_and_merge" eval 'pumpctl audit tail > $SCRATCH/audit; grep -q registry.gap $SCRATCH/audit &&
	grep -q backup.restore $SCRATCH/audit && grep -q "registry.merge" $SCRATCH/audit'
check "the_chain_is_whole" pumpctl audit verify
check "status_is_green" wait_until 10 pumpctl status
check "the_lost_pump_enrols_again" eval 'est_enrol PG-3 "$(pumpctl pump token PG-3)" && eap PG-3'
check "the_signers_list_has_it_once" lines_are 1

# the signer does not run while the pump is revoked: the receipt does not claim it
kill -STOP "$(signer_process)"
check "without_the_signer_the_receipt_stays_open" eval \
	'fails_with 75 pumpctl pump revoke PG-2 --reason lost --wait 1s >$SCRATCH/receipt && grep -q "kept by signer   not yet" $SCRATCH/receipt'
kill -CONT "$(signer_process)"
check "it_is_written_down_later" wait_until 20 lines_are 2
check "then_the_receipt_is_complete" eval 'pumpctl pump revoke PG-2 --reason lost --wait 1s | grep -q "kept by signer   at"'

# a restore that was killed between its two renames is finished by the next start
scratch_stop
R=$PUMPGATE_HOME/registry
"$PUMPGATE_BUILD/bin/pumpgate-registryd" --home "$PUMPGATE_HOME" restore "$B" >"$SCRATCH/restore.out" 2>&1
mkdir "$R/restore-99" && mv "$R/sessions.db" "$R/restore-99/" && rm -f "$R"/sessions.db-*
scratch_run || exit 1
check "a_start_finishes_a_restore_that_was_cut_short" wait_until 10 status_has '.held == 2 and .compare_needed == false'
check "nothing_staged_is_left" restored_copies_are_gone

# nobody is let on before the signer was heard
scratch_stop
"$PUMPGATE_BUILD/bin/pumpgate-registryd" --home "$PUMPGATE_HOME" restore "$B" >"$SCRATCH/restore.out" 2>&1
chmod 0755 "$PUMPGATE_HOME/ca" # nothing of the list may be changed
cp "$PUMPGATE_HOME/ca/revoked.log" "$SCRATCH/revoked.log"
sed -i '1s/PG-1/PG-9/' "$PUMPGATE_HOME/ca/revoked.log"
check "a_changed_list_stops_the_signer" eval '"$PUMPGATE_BUILD/bin/pumpgate-signerd" --home "$PUMPGATE_HOME" 2>&1 | grep -q "revoked.log: line 1"'
tap_done
