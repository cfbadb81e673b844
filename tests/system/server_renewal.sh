#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The certificates of the RADIUS and EST servers are renewed while pumps authenticate; whatever
# happens on the way, no server starts with a key that does not fit.
# shellcheck disable=SC2317,SC2119,SC2120,SC2015,SC2016 # functions are called by check, some by eval
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

USERS=
[ "$(id -u)" = 0 ] && scratch_install && USERS="--users 64100"
# shellcheck disable=SC2086 # two words or none
scratch_up $USERS || exit 1
site_up || exit 1
H=$PUMPGATE_HOME
mkdir "$SCRATCH/clients"
for n in 1 2 3 4; do
	pump_enrol "PG-$n" "02:00:00:00:00:0$n" || exit 1
	cp "$SCRATCH/PG-$n.pem" "$SCRATCH/PG-$n.key" "$SCRATCH/clients/"
done

serial() { openssl x509 -in "$H/$1/cert.pem" -noout -serial; }

# fits FOLDER: what a server finds at the usual place is one pair
fits() {
	[ "$(openssl x509 -in "$H/$1/cert.pem" -noout -pubkey)" = \
		"$(openssl pkey -in "$H/$1/key.pem" -pubout)" ]
}

est_shows() {
	[ "$(openssl s_client -connect "127.0.0.1:$EST_PORT" </dev/null 2>/dev/null |
		openssl x509 -noout -serial)" = "$1" ]
}

state_is() { # FOLDER STATE
	[ "$(pumpctl cert server-list --json | jq -r ".[] | select(.server == \"$1\").state")" = "$2" ]
}

no_strays() { [ "$(find "$H/radius" "$H/est" -maxdepth 1 -name 'pair-*' | wc -l)" = 2 ]; }

# ---- nothing is due ----
check "fresh_certificates_are_fine" eval 'state_is radius fine && state_is est fine'
check "pumps_are_told_where_the_login_server_is" says 'policy .* tells pumps the name .* and logins at 127' pumpctl cert server-renew
check "doctor_agrees" fails_with 1 says 'policy' pumpctl doctor
cp "$H/pumpgate.conf" "$SCRATCH/conf.before"
sed -i 's/^login_name = .*/login_name = login-2.pumpgate.internal/' "$H/pumpgate.conf"
check "doctor_finds_that_pumps_are_told_another_login_server" says 'policy .*logins go to 127' pumpctl doctor
cat "$SCRATCH/conf.before" >"$H/pumpgate.conf"
check "nothing_is_renewed_before_it_is_due" fails_with 2 pumpctl cert server-renew
before=$(serial radius)
check "a_dry_run_names_both" says 'radius +would be renewed' pumpctl cert server-renew --all --dry-run
check "a_dry_run_changes_nothing" [ "$(serial radius)" = "$before" ]

# ---- under load ----
renews_under_load() { # TLS-OPTION...
	local rc=0 old
	old=$(serial radius)
	"$PUMPGATE_BUILD/tools/eap_load" --server "$RADIUS_AUTH" --secret-file "$SCRATCH/nas.secret" \
		--certs "$SCRATCH/clients" --ca "$TRUST" --in-flight 4 --seconds 4 --tries 10 \
		--retry-ms 3000 "$@" >"$SCRATCH/load.json" 2>"$SCRATCH/load.err" &
	local load=$!
	sleep 1
	pumpctl cert server-renew --all --json >"$SCRATCH/renew.json" || rc=1
	wait "$load" || rc=1
	cat "$SCRATCH/renew.json" "$SCRATCH/load.json" "$SCRATCH/load.err"
	[ "$rc" = 0 ] && [ "$(serial radius)" != "$old" ] &&
		jq -e '.rejected == 0 and .lost == 0 and .wrong == 0 and .accepted > 20' "$SCRATCH/load.json"
}
check "nobody_is_refused_or_lost_while_it_is_renewed" renews_under_load
echo "# away: $(jq -c . "$SCRATCH/renew.json") load: $(cat "$SCRATCH/load.json")"
check "nor_pumps_that_resume_their_sessions" renews_under_load --resume
check "the_pair_in_force_fits" eval 'fits radius && fits est'
check "est_shows_the_new_certificate" est_shows "$(serial est)"
check "a_pump_accepts_it_by_name_and_anchor" eap PG-1
check "it_begins_when_its_ca_does" [ \
	"$(openssl x509 -in "$H/radius/cert.pem" -noout -startdate)" = \
	"$(openssl x509 -in "$H/ca/server-ca.pem" -noout -startdate)" ]
check "no_key_of_before_is_left_on_the_disk" no_strays
check "the_hold_is_over" [ ! -e "$H/radius/hold" ]

# ---- cut short ----
# a hold that was left behind by one that was killed ends by itself
touch "$H/radius/hold"
check "new_authentications_are_silent_while_it_holds" eap_is_silent PG-1
check "a_hold_that_was_left_behind_ends_by_itself" wait_until 20 eap PG-1
rm -f "$H/radius/hold"

# killed before the N-th file is put in place or removed, up to the LAST time; then not
killed_up_to() { # LAST
	local at rc
	for at in $(seq 1 "$1") 1000; do
		LD_PRELOAD=$PUMPGATE_BUILD/tools/die_at.so DIE_AT=$at pumpctl cert server-renew --all \
			>"$SCRATCH/out" 2>&1
		rc=$?
		fits radius && fits est || { echo "after death $at the pair does not fit"; return 1; }
		[ "$rc" = 137 ] || break
	done
	echo "died $((at - 1)) times, then $rc: $(cat "$SCRATCH/out")"
	[ "$rc" = 0 ] && [ "$at" = 1000 ]
}
scratch_stop
check "killed_at_any_file_operation_it_leaves_a_pair_that_fits" killed_up_to 24
check "renewed_while_stopped_it_waits_for_the_start" state_is radius "not in use yet"
scratch_run || exit 1
check "the_start_takes_it_and_removes_the_one_before" eval 'state_is radius fine && no_strays'
check "and_it_serves" eap PG-2

# an old release's files
plain_again() {
	scratch_stop
	local f
	for f in radius est; do
		cp -pL "$H/$f/key.pem" "$SCRATCH/k" && cp -pL "$H/$f/cert.pem" "$SCRATCH/c" &&
			rm -r "$H/$f"/pair* "$H/$f/key.pem" "$H/$f/cert.pem" &&
			mv "$SCRATCH/k" "$H/$f/key.pem" && mv "$SCRATCH/c" "$H/$f/cert.pem" || return 1
	done
	before=$(serial radius)
}
adopts() {
	pumpctl init
	[ "$(serial radius)" = "$before" ] && [ -L "$H/radius/key.pem" ] && fits radius && fits est
}
plain_again
check "plain_files_of_an_older_release_become_a_pair_with_the_same_content" adopts
plain_again
check "renewal_killed_while_it_adopts_them_leaves_a_pair_that_fits" killed_up_to 11

# ---- what does not come up ----
sed -i '/^\t*pump_hold$/d' "$H/radius/raddb/authorize.conf"
scratch_run || exit 1
# the mutant of what is checked above
cuts_handshakes_short() {
	! renews_under_load && jq -e '.rejected + .wrong > 0' "$SCRATCH/load.json"
}
check "without_the_hold_before_the_restart_pumps_would_be_refused" cuts_handshakes_short
gives_up_a_pair_that_does_not_start() {
	local good
	good=$(serial radius)
	# as a renewal leaves it that is killed before it tells the server, with a wrong key
	cp -rp "$H/radius/$(readlink "$H/radius/pair")" "$H/radius/pair-WrongK" || return 1
	openssl ecparam -name prime256v1 -genkey -noout >"$H/radius/pair-WrongK/key.pem"
	ln -sn "$(readlink "$H/radius/pair")" "$H/radius/previous"
	ln -sfn pair-WrongK "$H/radius/pair"
	pumpctl doctor | grep -q "fail  certificate   radius: the key is not the certificate's" || return 1
	kill -USR1 "$SUPERVISOR"
	wait_until 30 fits radius && [ "$(serial radius)" = "$good" ] && wait_until 20 eap PG-3
}
check "a_pair_that_radiusd_does_not_start_with_is_given_up_for_the_one_before" \
	gives_up_a_pair_that_does_not_start
check "the_next_renewal_settles_everything" eval \
	'pumpctl cert server-renew --all && state_is radius fine && state_is est fine && no_strays && eap PG-4'

# ---- noticed ----
check "status_is_healthy_and_shows_the_ends" says 'radius cert +ends 20.*fine' pumpctl status
ends_soon() { # in 50 days of 365: due, and no timer did it
	sed -i 's/^server_validity = .*/server_validity = 365d/' "$H/pumpgate.conf"
	state_is radius due && fails_with 1 pumpctl status &&
		says 'warn  certificate   radius ends .*cert server-renew' pumpctl doctor
}
check "one_that_should_have_been_renewed_long_ago_makes_status_and_doctor_speak" ends_soon
check "and_renewal_finds_it_due" eval 'pumpctl cert server-renew --dry-run | grep -q "radius.*would be"'
sed -i 's/^server_validity = .*/server_validity = 60d/; s/^radius_name = .*/radius_name = radius-2.pumpgate.internal/' \
	"$H/pumpgate.conf"
check "a_certificate_for_another_name_is_noticed" eval \
	'state_is radius broken && fails_with 1 pumpctl doctor'
sed -i 's/^radius_name = .*/radius_name = radius-1.pumpgate.internal/' "$H/pumpgate.conf"

# ---- without pumpctl run: systemd's part played by a script ----
# ---- the login server's key was stolen ----
login_is() { # NAME: in the certificate that the server shows, and in the policy that pumps get
	openssl s_client -connect "$(sed -n 's/^est_address = //p' "$H/pumpgate.conf"):$(sed -n 's/^login_port = //p' "$H/pumpgate.conf")" \
		</dev/null 2>/dev/null | openssl x509 -noout -checkhost "$1" | grep -q 'does match' &&
		curl -sSf --cacert "$TRUST" "${EST_URL%/est}/pumpgate/server-policy" | base64 -di |
		grep -qaF "\"login_server_name\":\"$1\""
}
check "the_login_server_has_its_first_name" wait_until 20 login_is login-1.pumpgate.internal
before=$(serial clinicians)
check "a_dry_run_says_what_it_would_be_called" says 'login +would be called login-2.pumpgate.internal' \
	pumpctl cert server-renew --compromised login --dry-run
check "and_changes_nothing" [ "$(serial clinicians)" = "$before" ]
check "another_server_has_no_epoch" fails_with 64 pumpctl cert server-renew --compromised est
check "a_stolen_key_costs_the_login_server_its_name" says 'login +is called login-2.pumpgate.internal from now on' \
	pumpctl cert server-renew --compromised login
check "its_certificate_and_the_policy_say_so" wait_until 20 login_is login-2.pumpgate.internal
check "the_radius_server_keeps_its_name" says 'radius-1.pumpgate.internal' pumpctl cert server-list
check "no_third_name_right_after" says 'those that were away since' pumpctl cert server-renew --compromised login
check "and_nothing_is_left_to_do" fails_with 2 pumpctl cert server-renew

scratch_stop
mkdir "$SCRATCH/systemd"
cat >"$SCRATCH/systemd/systemctl" <<-END
	#!/bin/sh
	echo "\$*" >>"$SCRATCH/systemctl.log"
	case \$* in *restart*radiusd*) exit \$(cat "$SCRATCH/systemd/status") ;; esac
END
chmod 0755 "$SCRATCH/systemd/systemctl"
by_systemd() { # STATUS-OF-RESTART
	echo "$1" >"$SCRATCH/systemd/status"
	: >"$SCRATCH/systemctl.log"
	(
		flock -x 9 # as registryd holds it
		PATH=$SCRATCH/systemd:$PATH pumpctl cert server-renew --all
	) 9>>"$H/registry/lock"
}
restarts_units() {
	before=$(serial radius)
	by_systemd 0 && grep -qx -e '--quiet restart pumpgate-radiusd.service' "$SCRATCH/systemctl.log" &&
		grep -qx -e '--quiet restart pumpgate-enrolld.service' "$SCRATCH/systemctl.log" &&
		[ "$(serial radius)" != "$before" ] && no_strays
}
keeps_the_old() {
	before=$(serial radius)
	fails_with 75 by_systemd 1 && [ "$(serial radius)" = "$before" ] && fits radius
}
check "under_systemd_it_restarts_the_units" restarts_units
check "where_a_unit_does_not_come_up_the_previous_pair_is_put_back" keeps_the_old

tap_done
