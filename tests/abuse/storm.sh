#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Many pumps at once, 32 in flight, while rubbish comes in at the RADIUS ports, the registry's socket
# and EST: no pump is lost or wrongly refused, none is let on that should not be, nothing dies.
# shellcheck disable=SC2317 # functions are called through check
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
PATH=$PUMPGATE_BUILD/tools:$PATH
STORM_S=${STORM_S:-4}

enrol() {
	enrol_load --est "127.0.0.1:$EST_PORT" --ca "$TRUST" --out "$SCRATCH/clients" \
		--registry "$PUMPGATE_HOME/run/registry/sock" --zone icu "$@"
}

storm() {
	eap_load --server "$RADIUS_AUTH" --secret-file "$SCRATCH/secret" --ca "$TRUST" \
		--certs "$SCRATCH/clients" --in-flight 32 --tries 1 --retry-ms 5000 "$@"
}

processes() {
	pgrep -P "$SUPERVISOR" | sort | tr '\n' ' '
}

all_still_run() {
	[ "$(processes)" = "$BEFORE" ] || {
		echo "before: $BEFORE now: $(processes)"
		return 1
	}
}

rubbish_begin() {
	local where
	for where in "udp $RADIUS_AUTH" "udp $RADIUS_ACCT" \
		"unix $PUMPGATE_HOME/run/registry/sock" "tcp 127.0.0.1:$EST_PORT"; do
		# shellcheck disable=SC2086 # two words
		garbage $where $((STORM_S + 2)) 200 >"$SCRATCH/sent.${where//[^a-z0-9]/_}" \
			2>>"$SCRATCH/seeds" &
		RUBBISH+=($!)
	done
}

rubbish_was_sent() {
	local file
	cat "$SCRATCH/seeds"
	for file in "$SCRATCH"/sent.*; do
		[ "$(cat "$file")" -gt 100 ] || return 1
	done
}

accounting_goes_on() {
	acct_load --server "$RADIUS_ACCT" --secret-file "$SCRATCH/secret" --count 300 --pumps 64
}

# 32 at once, and a packet that is not answered is not sent again: twice what the thread pool holds.
accounting_burst() {
	acct_load --server "$RADIUS_ACCT" --secret-file "$SCRATCH/secret" --count 960 --pumps 64 \
		--in-flight 32 --tries 1 --retry-ms 5000
}

# The same, while pumps get on.
accounting_burst_with_authentications() {
	local burst
	accounting_burst &
	burst=$!
	storm --count 100 --vlan 120 || return 1
	wait "$burst"
}

RUBBISH=()
# shellcheck disable=SC2119 # no options
scratch_up || exit 1 # not in check: that is a subshell
mkdir -p "$SCRATCH/clients"
(umask 077 && printf 'storm-secret-%s' "$RANDOM$RANDOM$RANDOM" >"$SCRATCH/secret")
check 'a_zone_is_added' pumpctl zone add icu --vlan 120
check 'a_nas_is_added' pumpctl nas add storm --ip 127.0.0.1 --secret-file "$SCRATCH/secret"
check 'pumps_enrol_eight_at_once' enrol --count 64 --clients 8
BEFORE=$(processes)
rubbish_begin
check 'no_pump_is_lost_or_refused_in_a_storm_under_rubbish' \
	storm --seconds "$STORM_S" --vlan 120
check 'nor_is_one_that_resumes_its_session' storm --count 500 --resume --vlan 120
wait "${RUBBISH[@]}"
check 'rubbish_was_really_sent' rubbish_was_sent
check 'enrolment_goes_on' enrol --first 65 --count 8 --clients 4
check 'accounting_goes_on' accounting_goes_on
check 'a_burst_of_accounting_is_answered_at_the_first_try' accounting_burst
check 'and_takes_nothing_from_authentication' accounting_burst_with_authentications
for serial in BENCH-000001 BENCH-000002; do
	pumpctl pump revoke $serial --reason storm --no-wait >/dev/null 2>&1
	mkdir -p "$SCRATCH/revoked"
	mv "$SCRATCH/clients/$serial".* "$SCRATCH/revoked/"
done
check 'a_revoked_pump_is_refused_every_time' eap_load --server "$RADIUS_AUTH" \
	--secret-file "$SCRATCH/secret" --ca "$TRUST" --certs "$SCRATCH/revoked" --in-flight 8 \
	--warmup 0 --count 16 --expect reject
check 'no_process_died_on_the_way' all_still_run
tap_done
