#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# registryd hangs or dies: nobody is let on for want of an answer, nobody waits long, and all is well
# again without a restart of radiusd.
# shellcheck disable=SC2317,SC2119,SC2015 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

scratch_up || exit 1
site_up || exit 1
pump_enrol PG-1 || exit 1
log=$PUMPGATE_HOME/log/radiusd.log
pid_of() { pgrep -P "$SUPERVISOR" -f "$1"; }

refused_in_time() { # a Reject within 1 s of delay + 2 s
	local start
	start=$(date +%s%3N)
	eap_is_refused PG-1 || return 1
	[ $(($(date +%s%3N) - start)) -lt 3000 ] || { echo "took too long"; return 1; }
	[ "$(last_attempt reason)" = registry-away ] || { tail -n 3 "$log"; return 1; }
}

account() { # PACKETS-AS-RADCLIENT-WANTS-THEM
	printf '%b' "$1" | timeout 8 radclient -r 1 -t 3 -x "127.0.0.1:$RADIUS_ACCT_PORT" acct \
		"$NAS_SECRET" >"$SCRATCH/acct.log" 2>&1 && grep -q Accounting-Response "$SCRATCH/acct.log"
}
account_is_silent() { ! account "$1" && grep -q 'No reply' "$SCRATCH/acct.log"; }
start='Acct-Status-Type = Start\nUser-Name = PG-1\nAcct-Session-Id = s1\nNAS-Port = 1\n'

check "before_that_the_pump_is_accepted" eap PG-1
check "accounting_is_answered" account "$start"
kill -STOP "$(pid_of registryd)"
sleep 0.2 # the map of standings is believed for so long (docs/decisions/0083)
check "hanging_registry_the_pump_is_refused_in_time" refused_in_time
check "hanging_registry_accounting_is_not_answered" account_is_silent \
	"${start/s1/s2}"
kill -CONT "$(pid_of registryd)"
check "when_it_goes_on_the_pump_is_accepted_without_a_restart" wait_until 5 eap PG-1
check "accounting_is_answered_again" account "${start/s1/s3}"
check "the_refusal_is_told_to_the_registry_later" wait_until 5 says registry-away \
	pumpctl pump events PG-1 --json
radiusd=$(pid_of "$PUMPGATE_HOME/radius/raddb")
kill -KILL "$(pid_of registryd)"
check "after_registryd_was_killed_and_started_again_the_pump_is_accepted" wait_until 20 eap PG-1
check "by_the_same_radiusd" test "$(pid_of "$PUMPGATE_HOME/radius/raddb")" = "$radiusd"
tap_done
