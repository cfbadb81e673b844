#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A hole in FreeRADIUS's configuration must not admit anybody: each fault is made in a copy of it, and
# a pump that would be accepted otherwise has to be refused.
# shellcheck disable=SC2317,SC2119,SC2015 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

scratch_up && rejects_at_once || exit 1
site_up || exit 1
pump_enrol PG-1 || exit 1
pump_add PG-9 02:00:00:00:00:09 || exit 1
pumpctl pump token PG-9 --mab-window 30m >/dev/null || exit 1
raddb=$PUMPGATE_HOME/radius/raddb
log=$PUMPGATE_HOME/log/radiusd.log
cp -a "$raddb" "$SCRATCH/raddb"

# with_fault FILE SED-EXPRESSION: the server again, with this fault only
with_fault() {
	scratch_stop
	cp -a "$SCRATCH/raddb/." "$raddb/"
	sed -i -E "$2" "$raddb/$1"
	! cmp -s "$SCRATCH/raddb/$1" "$raddb/$1" || { echo "the fault changes nothing"; return 1; }
	: >"$log"
	scratch_run
}
refused_as() { # PATTERN in the log
	eap_is_refused PG-1 && grep -qE "$1" "$log" || { tail -n 5 "$log"; return 1; }
}
reject_is_bare() { # EAP-Failure and Message-Authenticator, no MPPE key, no VLAN
	local got
	got=$(sed -n '/Access-Reject/,$p' "$SCRATCH/eap.log" | awk '$1 == "Attribute" { print $2 }' |
		sort -nu | xargs)
	[ "$got" = "79 80" ] || { echo "attributes: $got"; return 1; }
}
unsent() { # no Accept for a request without EAP either
	! printf 'User-Name = PG-1\nUser-Password = x\nMessage-Authenticator = 0x00\n' |
		timeout 6 radclient -r 1 -t 4 -x "127.0.0.1:$RADIUS_AUTH_PORT" auth "$NAS_SECRET" \
			>"$SCRATCH/pap.log" 2>&1 && ! grep -q 'Received Access-Accept' "$SCRATCH/pap.log"
}
mab() { # a pump in its window: what it is answered stands in mab.log
	printf 'User-Name = "%s"\nCalling-Station-Id = %s\nService-Type = %s\n%s\n%s\n' 020000000009 \
		02-00-00-00-00-09 "${1:-Call-Check}" 'NAS-Port-Type = Ethernet' 'Message-Authenticator = 0x00' |
		timeout 6 radclient -r 1 -t 4 -x "127.0.0.1:$RADIUS_AUTH_PORT" auth "$NAS_SECRET" \
			>"$SCRATCH/mab.log" 2>&1
}
mab_is_refused() { # PATTERN in the log [SERVICE-TYPE]
	! mab "${2:-}" && grep -q 'Received Access-Reject' "$SCRATCH/mab.log" && grep -qE "$1" "$log" ||
		{ cat "$SCRATCH/mab.log"; tail -n 5 "$log"; return 1; }
}
mab_is_onboarded() { # into the onboarding VLAN and nothing besides
	mab && [ "$(sed -n '/Received Access-Accept/,$p' "$SCRATCH/mab.log" |
		grep -E 'Tunnel-Private-Group-Id|Filter-Id|User-Name' | xargs)" = \
		'Tunnel-Private-Group-Id:0 = 99' ] || { cat "$SCRATCH/mab.log"; return 1; }
}
stopped='an Accept without its verdict was stopped'

check "without_a_fault_the_pump_is_accepted" eap PG-1
with_fault mods/eap '/virtual_server = "check-eap-tls"/d' || exit 1
check "without_the_check_after_the_handshake_nobody_is_accepted" refused_as "$stopped"
check "the_reject_in_its_place_carries_no_key" reject_is_bare
with_fault sites/check-eap-tls 's/pump_verdict/update control { \n\t\t\t\&Auth-Type := Accept\n\t\t}/' || exit 1
check "an_accept_from_elsewhere_inside_eap_is_stopped" refused_as "$stopped"
with_fault sites/check-eap-tls 's/pump_verdict/pump_mab/' || exit 1
check "the_mac_operation_inside_eap_admits_nobody" refused_as 'verdict=reject'
with_fault sites/pumps 's/^\t\tpump_nas$/\t\tupdate control {\n\t\t\t\&Auth-Type := Accept\n\t\t}/' || exit 1
check "an_accept_for_everybody_is_stopped" unsent
with_fault sites/check-eap-tls 's/pump_verdict/pump_admit/' || exit 1
check "an_operation_in_a_section_that_is_not_its_own_admits_nobody" refused_as \
	'does not belong into this section'

# ---- MAC authentication: its virtual server, and the way out of it ----
accept='update control {\n\t\t\t\&Auth-Type := Accept\n\t\t}'
elsewhere='update reply {\n\t\t\t\&Tunnel-Private-Group-Id := "120"\n\t\t\t\&Filter-Id := "all"\n\t\t}'
with_fault sites/mab "s/pump_mab\$/$accept/" || exit 1
check "an_accept_for_every_mac_is_stopped_where_its_virtual_server_ends" mab_is_refused "$stopped"
with_fault sites/mab "s/pump_mab\$/$accept/; /pump_mab_gate/d" || exit 1
check "and_without_that_gate_where_it_leaves" mab_is_refused "$stopped"
with_fault authorize.conf 's/&Home-Server-Pool := mab/\&Auth-Type := Accept/' || exit 1
check "an_accept_that_never_was_in_the_virtual_server_is_stopped" mab_is_refused "$stopped"
with_fault authorize.conf "s/&Home-Server-Pool := mab/\&Autz-Type := outside/; \$ a\\
Autz-Type outside {\\
	pump_mab\\
}" || exit 1
check "the_mac_operation_outside_of_it_admits_nobody" mab_is_refused 'verdict=reject'
with_fault sites/mab "s/^(\t*)pump_mab_gate/\1$elsewhere\n\1pump_mab_gate/" || exit 1
check "another_vlan_than_the_verdict_s_does_not_leave_it" mab_is_onboarded
with_fault answers.conf "s/^(\t*)pump_onboard\$/\1$elsewhere\n\1pump_onboard/" || exit 1
check "nor_does_one_that_is_added_on_the_way_out" mab_is_onboarded
with_fault authorize.conf 's/^\teap$/\tupdate control {\n\t\t\&Home-Server-Pool := mab\n\t}/' || exit 1
check "a_handshake_that_is_led_there_admits_nobody" refused_as 'verdict=reject'

# FreeRADIUS compares the version that a module was built for with its own (3.2.7: f0 30 20 70).
other_version() {
	local magic='\x70\x20\x30\xf0' other='\x71\x20\x30\xf0'
	scratch_stop
	cp -a "$SCRATCH/raddb/." "$raddb/"
	mkdir -p "$SCRATCH/lib"
	LC_ALL=C sed "s/$magic/$other/" "$PUMPGATE_BUILD/lib/pumpgate/rlm_pump.so" \
		>"$SCRATCH/lib/rlm_pump.so"
	! cmp -s "$PUMPGATE_BUILD/lib/pumpgate/rlm_pump.so" "$SCRATCH/lib/rlm_pump.so" || return 1
	sed -i "s|^libdir = [^:]*:|libdir = $SCRATCH/lib:|" "$raddb/radiusd.conf"
	says 'magic number \((version|commit)\) mismatch' freeradius -C -d "$raddb" -n radiusd -l stdout
}
check "a_module_built_for_another_freeradius_is_refused_in_words" other_version
tap_done
