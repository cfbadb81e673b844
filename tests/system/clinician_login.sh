#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Clinicians' logins through the real path: a pump's TLS connection, radiusd "clinicians", rlm_clinician,
# credd. Who has no certificate in force logs nobody in; bad input is refused and logged safely; guesses
# wait; a disabled account is out at once.
# shellcheck disable=SC2317,SC2015,SC2016,SC2119 # functions are called by check, some by eval
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

PASSWORD=correct-horse-42-battery

# ---- a home from before there were logins ----
old_home() {
	scratch_init --users 61700 && sed -i '/^credd =/d; /^clinicians =/d; /^login_name =/d' \
		"$PUMPGATE_HOME/pumpgate.conf" &&
		rm -rf "$PUMPGATE_HOME/cred" "$PUMPGATE_HOME/run/cred" "$PUMPGATE_HOME/clinicians"
}
has_users_of_their_own() {
	[ "$(stat -c %u "$PUMPGATE_HOME/cred/clinicians.db" "$PUMPGATE_HOME/clinicians/raddb/radiusd.conf" | xargs)" = \
		'61706 61707' ] && grep -qx 'credd = 61706' "$PUMPGATE_HOME/pumpgate.conf"
}
if [ "$(id -u)" = 0 ]; then
	old_home || exit 1
	check "init_completes_a_home_from_before_there_were_logins" pumpctl init
	check "logins_get_users_of_their_own_there" has_users_of_their_own
	check "once_more_there_is_nothing_to_do" fails_with 2 pumpctl init
else
	skip init_completes_a_home_from_before_there_were_logins "needs root to give files to other users"
fi

scratch_up && site_up || exit 1
for serial in PG-1 PG-2 PG-3 PG-4 PG-5 PG-6; do
	pump_enrol "$serial" "02:00:00:00:00:0${serial#PG-}" || exit 1
done
pumpctl pump revoke PG-3 --reason stolen >/dev/null || exit 1
SERVER=$(jq -r .radsec.clinicians "$PUMPGATE_HOME/run.json")
client=$PUMPGATE_BUILD/tools/radseclogin
credd_log=$PUMPGATE_HOME/log/credd.log

# at PUMP LINE...: what the pump's connection answers to these commands
at() {
	local pump=$1
	shift
	printf '%s\n' "$@" | "$client" "$SERVER" "$TRUST" login-1.pumpgate.internal \
		"$SCRATCH/$pump.pem" "$SCRATCH/$pump.key"
}
hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }
repeat() { head -c "$1" /dev/zero | tr '\0' "$2"; }
audit_has() { # JQ-FILTER over the newest rows
	local rows
	rows=$(sqlite3 -json "file:$PUMPGATE_HOME/cred/clinicians.db?mode=ro" \
		'SELECT * FROM audit ORDER BY seq DESC LIMIT 200')
	jq -e "any(.[]; $1)" <<<"$rows" >/dev/null || { echo "$rows" | jq -c '.[]' | head; return 1; }
}
nowhere() { # WORD is in no log and in no database
	! grep -rqaF -- "$1" "$PUMPGATE_HOME/log" "$PUMPGATE_HOME/cred"
}

# ---- people ----
check "a_password_that_everybody_tries_is_refused" says 'everybody tries first' \
	fails_with 1 pumpctl user add anna --role nurse <<<'Hospital2026!'
check "a_short_one_too" fails_with 1 pumpctl user add anna --role nurse <<<'Xk3!q'
check "one_with_the_name_in_it_too" fails_with 1 pumpctl user add anna.meier <<<'my-anna.meier-77'
check "a_role_that_there_is_not_is_refused" fails_with 1 \
	pumpctl user add anna --role queen <<<"$PASSWORD"
check "a_usual_pin_is_refused" says 'everybody tries first' fails_with 1 \
	pumpctl user add anna --badge 7790 < <(printf '%s\n1234\n' "$PASSWORD")
check "a_nurse_with_a_badge" pumpctl user add Anna --display 'Anna Meier' --role nurse --badge 7790 \
	< <(printf '%s\n4711\n' "$PASSWORD")
check "the_same_again_is_nothing_to_do" fails_with 2 pumpctl user add anna --display 'Anna Meier' \
	<<<"$PASSWORD"
check "nobody_else_gets_her_badge" fails_with 1 pumpctl user add berta --badge 7790 \
	< <(printf '%s\n4812\n' "$PASSWORD")
printf 'name,display,role,ward\nberta,Berta,physician,ICU\nx,,queen,\n"c d",,,\ncarla,Carla,nurse,\n' \
	>"$SCRATCH/people.csv"
check "a_dry_run_changes_nothing" says '2 rows are good, 1 refused|3 rows are good, 1 refused' \
	fails_with 1 pumpctl user import "$SCRATCH/people.csv" --dry-run
check "good_rows_go_in_and_bad_ones_are_named" says '2 added, 0 unchanged, 2 refused' \
	fails_with 1 pumpctl user import "$SCRATCH/people.csv"
check "again_they_are_unchanged" says '0 added, 2 unchanged, 2 refused' \
	fails_with 1 pumpctl user import "$SCRATCH/people.csv"
check "an_imported_account_gets_a_password" pumpctl user password berta <<<"$PASSWORD"
check "the_list_is_json_too" eval \
	'[ "$(pumpctl user list --json | jq -r ".[].name" | xargs)" = "anna berta carla" ]'

# ---- which pump ----
strangers_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=PG-1 -days 2 \
		-keyout "$SCRATCH/own.key" -out "$SCRATCH/own.pem" 2>/dev/null
}
strangers_certificate
cp "$SCRATCH/PG-1.pem" "$SCRATCH/mixed.pem"
cp "$SCRATCH/PG-2.key" "$SCRATCH/mixed.key"
check "without_a_certificate_there_is_no_login" says 'failed' \
	"$client" "$SERVER" "$TRUST" login-1.pumpgate.internal <<<"login anna $PASSWORD"
check "nor_with_a_certificate_of_ones_own" says 'failed' at own "login anna $PASSWORD"
check "nor_with_another_pumps_without_its_key" says 'failed' at mixed "login anna $PASSWORD"
check "the_servers_name_is_in_its_certificate" says 'failed handshake' \
	"$client" "$SERVER" "$TRUST" radius-1.pumpgate.internal "$SCRATCH/PG-1.pem" \
	"$SCRATCH/PG-1.key" <<<"login anna $PASSWORD"
check "a_revoked_pump_logs_nobody_in" says 'reject.*result=pump-refused' at PG-3 \
	"login anna $PASSWORD"
check "and_learns_nothing_of_people" eval '! at PG-3 "contact 0 5" | grep -qE "accept|forget"'
pumpctl zone add quarantine --vlan 66 --quarantine >/dev/null &&
	pumpctl pump quarantine PG-4 --reason odd >/dev/null || exit 1
check "at_a_pump_in_quarantine_people_may_log_in" says '^accept' at PG-4 "login anna $PASSWORD"

# ---- good logins ----
check "a_password_logs_in" says '^accept name=anna timeout=43200 .*role=nurse .*idle=300 offline=259200' \
	at PG-1 "login anna $PASSWORD"
check "the_names_case_does_not_matter" says '^accept name=anna' at PG-1 "login ANNA $PASSWORD"
check "badge_and_pin_do" says '^accept name=anna' at PG-1 "pin 7790 4711"
check "a_plain_radius_client_is_served" says '^accept name=anna timeout=43200' at PG-1 \
	"plain anna $PASSWORD"
# radsecproxy and radclient, which others wrote, as the pump's client
proxy_up() {
	PROXY_PORT=$(shuf -i 10000-29990 -n 1)
	cat >"$SCRATCH/proxy.conf" <<-END
		ListenUDP 127.0.0.1:$PROXY_PORT
		LogLevel 2
		tls default {
		    CACertificateFile $TRUST
		    CertificateFile $SCRATCH/PG-1.pem
		    CertificateKeyFile $SCRATCH/PG-1.key
		}
		client 127.0.0.1 {
		    type udp
		    secret $NAS_SECRET
		}
		server pumpgate {
		    host ${SERVER%:*}
		    port ${SERVER##*:}
		    type tls
		    secret radsec
		    CertificateNameCheck off
		    MatchCertificateAttribute SubjectAltName:DNS:/^login-1\\.pumpgate\\.internal\$/
		}
		realm * {
		    server pumpgate
		}
	END
	radsecproxy -f -c "$SCRATCH/proxy.conf" >"$SCRATCH/proxy.log" 2>&1 &
	PROXY=$!
	trap 'kill "$PROXY" 2>/dev/null; scratch_down' EXIT
	wait_until 5 grep -q 'subject CN=login-1' "$SCRATCH/proxy.log"
}
by_proxy() {
	printf 'User-Name = "anna"\nUser-Password = "%s"\nMessage-Authenticator = 0x00\n' "$1" |
		radclient -x -r 2 -t 5 "127.0.0.1:$PROXY_PORT" auth "$NAS_SECRET" 2>&1
}
proxy_up || { cat "$SCRATCH/proxy.log"; exit 1; }
check "radsecproxy_and_radclient_are_served" says 'Session-Timeout = 43200' by_proxy "$PASSWORD"
check "and_refused" says 'Reply-Message = "Name or password is not right."' by_proxy "not-$PASSWORD"
kill "$PROXY"
check "a_role_for_a_ward_does_not_count_elsewhere" says '^reject.*result=not-allowed' at PG-1 \
	"login berta $PASSWORD"
check "the_session_is_listed" eval \
	'pumpctl user sessions --json | jq -e "any(.[]; .user == \"anna\" and .device == \"PG-1\")"'
check "who_logged_in_where_and_how_is_in_the_audit" audit_has \
	'.action == "login.ok" and .actor == "anna" and .object == "PG-1" and
	(.detail | test("^online method=pin .*role=nurse"))'

# ---- bad input ----
reject_alike() { # wrong password and unknown name: the same but for the time
	local wrong unknown
	wrong=$(at PG-2 "login anna wrong-$PASSWORD" | sed 's/ ms=.*//')
	unknown=$(at PG-2 "login nobody wrong-$PASSWORD" | sed 's/ ms=.*//')
	printf '%s\n%s\n' "$wrong" "$unknown"
	[ "$wrong" = "$unknown" ] && grep -q 'result=refused' <<<"$wrong"
}
refused() { says '^reject' at "$@"; }
check "an_unknown_name_is_answered_as_a_wrong_password" reject_alike
check "a_pin_is_no_password" says 'result=refused' at PG-2 "login anna 4711"
check "a_password_is_no_pin" says 'result=refused' at PG-2 "pin 7790 $PASSWORD"
check "ldap_metacharacters_are_a_name_like_any_other" refused PG-2 "login *)(uid=* $PASSWORD"
check "so_are_those_of_sql" refused PG-6 "hex $(hex "anna' OR '1'='1") $(hex "$PASSWORD")"
check "a_nul_in_the_password_is_refused" refused PG-6 "hex $(hex anna) $(hex "$PASSWORD")0041"
check "a_nul_in_the_name_too" refused PG-6 "hex $(hex anna)0041 $(hex "$PASSWORD")"
check "invalid_utf8_in_either" refused PG-6 "hex $(hex anna)ff $(hex "$PASSWORD")"
check "the_longest_name_and_password_that_fit_a_packet" refused PG-6 \
	"hex $(hex "$(repeat 253 a)") $(hex "$(repeat 128 b)")"
check "ten_kib_do_not_even_fit" says 'failed' at PG-6 "hex $(hex "$(repeat 2000 a)") $(hex x)"
check "garbage_gets_no_answer" eval \
	"! at PG-6 'raw ffffffffffffffffffffffffffffffffffffffffffff' | grep -q accept"
check "afterwards_the_pump_logs_people_in" says '^accept' at PG-1 "login anna $PASSWORD"

# ---- guesses wait ----
guess() { printf 'login anna guess-%s-of-many\n' 1 2 3 4 5 6 7 8; }
mapfile -t guesses < <(guess)
mapfile -t spray < <(printf 'login name%s Sommer-2026\n' 1 2 3 4 5 6 7 8 9 10)
check "after_a_few_guesses_a_pump_waits" says 'result=throttled retry=[1-9]' at PG-5 "${guesses[@]}"
check "the_right_password_waits_there_too" says 'result=throttled' at PG-5 "login anna $PASSWORD"
check "at_another_pump_it_does_not" says '^accept' at PG-1 "login anna $PASSWORD"
check "unlock_lets_it_in" pumpctl user unlock anna
check "at_once" says '^accept' at PG-5 "login anna $PASSWORD"
check "what_was_throttled_is_in_the_audit" audit_has '.action == "login.throttled"'
check "one_password_over_ten_names" says 'result=refused' at PG-5 "${spray[@]}"
check "is_noticed" audit_has '.action == "login.spraying"'
check "a_flood_is_answered_and_lets_nobody_in" says 'flooded=300 accepted=0' at PG-6 "flood 300 guess"
check "a_nurse_at_her_pump_does_not_notice" says '^accept' at PG-1 "login anna $PASSWORD"

# ---- the journal ----
check "a_contact_brings_records" says '^accept.* stored=1' at PG-1 "contact 0 0 1 login anna"
check "a_replay_is_not_stored_again" says 'stored=1' at PG-1 "contact 0 0 1 login anna"
check "nor_one_that_leaves_some_out" says 'stored=1' at PG-1 "contact 0 0 5 login anna"
check "offline_logins_are_marked_in_the_audit" audit_has \
	'.action == "pump.login" and .actor == "anna" and (.detail | test("^offline number=1"))'
rows_of() { # PUMP NUMBER
	sqlite3 "file:$PUMPGATE_HOME/cred/clinicians.db?mode=ro" "SELECT COUNT(*) FROM audit
		WHERE object = '$1' AND action = 'pump.login' AND detail LIKE 'offline number=$2 %'"
}
rows_are() { # PUMP COUNTS: of its records 1, 2, 3, 4
	[ "$(rows_of "$1" 1)$(rows_of "$1" 2)$(rows_of "$1" 3)$(rows_of "$1" 4)" = "$2" ]
}
check "the_replay_left_no_second_row" rows_are PG-1 1000
check "records_go_in_in_their_order" says 'stored=3' at PG-1 "journal 42 2,3 anna"
check "an_earlier_contact_sent_again_adds_nothing" says 'stored=3' at PG-1 "journal 42 1,2,3 berta"
check "though_it_says_another_name" rows_are PG-1 1110
check "records_out_of_their_order_are_refused" says 'stored=3' at PG-1 "journal 42 5,4 anna"
check "so_is_a_gap_behind_good_ones" says 'stored=4' at PG-1 "journal 42 3,4,6,5 anna"
check "each_is_there_once" rows_are PG-1 1111
check "the_gap_is_in_the_audit" audit_has '.action == "login.journal-gap" and .object == "PG-1"'
check "a_record_without_a_number_is_none" says 'stored=0' at PG-1 "journal 43 0 anna"
# who holds PG-2's certificate speaks for PG-2, whatever journal it shows
check "another_pumps_journal_is_the_senders_own" says 'stored=1' at PG-2 "journal 42 1,3 anna"
check "and_changes_nothing_of_that_pump" rows_are PG-1 1111
check "the_sender_stands_in_the_audit" rows_are PG-2 1000
check "a_revoked_pumps_records_are_not_taken" eval 'at PG-3 "journal 42 1 anna" | grep -q ^reject && rows_are PG-3 0000'
check "an_older_file_of_verifiers_is_noticed" says ' drop' at PG-1 "contact 0 9" "contact 0 8"

# ---- an account's end ----
check "disable" pumpctl user disable anna --reason left
check "a_disabled_account_is_out_at_once" says '^reject.*result=not-allowed' at PG-1 \
	"login anna $PASSWORD"
check "by_badge_too" says '^reject.*result=not-allowed' at PG-1 "pin 7790 4711"
check "who_does_not_know_the_password_does_not_learn_it" says 'result=refused' at PG-4 \
	"login anna wrong-$PASSWORD"
check "a_pump_that_keeps_people_is_told_before_all_else" says '^accept forget=.*forget=anna ' at PG-2 \
	"contact 0 3"
check "once_it_knows_it_is_not_told_again" eval '! at PG-2 "contact 999 3" | grep -q forget'

check "a_pump_that_knows_more_than_the_database_shows_an_old_copy" audit_has '.action == "clinicians.old-copy"'
check "and_status_says_so" says 'it is an old copy' fails_with 1 pumpctl status

# ---- parts that are away ----
pid_of_home() { pgrep -P "$SUPERVISOR" -f "$1"; }
registry=$(pid_of_home pumpgate-registryd)
check "berta_may_everywhere" pumpctl user role berta physician
check "berta_logs_in" says '^accept' at PG-2 "login berta $PASSWORD"
kill -STOP "$registry"
check "without_the_registry_nobody_logs_in" says 'result=try-again' at PG-2 "login berta $PASSWORD"
kill -CONT "$registry"
check "then_again" wait_until 10 eval 'at PG-2 "login berta $PASSWORD" | grep -q ^accept'
cost_of() { # NAME
	sqlite3 "file:$PUMPGATE_HOME/cred/clinicians.db?mode=ro" "SELECT hash FROM users WHERE name = '$1'" | cut -d'$' -f4
}
printf '\n[login]\nargon2_passes = 3\n' >>"$PUMPGATE_HOME/pumpgate.conf"
credd=$(pid_of_home pumpgate-credd)
kill -KILL "$credd"
check "without_credd_nobody_does" refused PG-2 "login berta $PASSWORD"
check "until_it_is_back" wait_until 15 eval 'at PG-2 "login berta $PASSWORD" | grep -q ^accept'

check "a_login_renews_a_hash_of_before" test "$(cost_of berta)" = m=19456,t=3,p=1
check "and_no_other" test "$(cost_of anna)" = m=19456,t=2,p=1

# ---- an account that ends by itself ----
check "dora_is_here_for_a_while" pumpctl user add dora --role nurse --expires 2m <<<"$PASSWORD"
check "her_session_ends_with_her_account_and_so_does_what_a_pump_keeps" \
	says '^accept name=dora timeout=1[01][0-9] .*offline=1[01][0-9]' at PG-2 "login dora $PASSWORD"
check "emil_s_ends_at_once" pumpctl user add emil --role nurse --expires 1s <<<"$PASSWORD"
check "then_he_is_refused" wait_until 10 eval 'at PG-2 "login emil $PASSWORD" | grep -q result=not-allowed'

# ---- what was left behind ----
check "no_password_is_in_a_log_or_in_the_database" nowhere "$PASSWORD"
check "nor_the_name_of_an_account_that_there_is_not" nowhere "nobody"
check "hashes_are_phc_strings" eval "sqlite3 'file:$PUMPGATE_HOME/cred/clinicians.db?mode=ro' \
	'SELECT hash FROM users' | grep -q '^.argon2id.v=19.m=19456,t=2,p=1.'"
check "a_copy_is_made_while_it_is_in_use" pumpgate-credd --home "$PUMPGATE_HOME" backup "$SCRATCH/people"
check "it_has_the_people" eval '[ "$(sqlite3 "$SCRATCH/people/clinicians.db" "SELECT COUNT(*) FROM users")" = 5 ]'
check "a_folder_is_not_overwritten" fails_with 1 pumpgate-credd --home "$PUMPGATE_HOME" \
	backup "$SCRATCH/people"
check "nothing_went_unwritten" eval \
	"[ \"\$(grep -c login.unwritten '$credd_log')\" = 0 ]"
check "the_server_is_healthy" pumpctl status
tap_done
