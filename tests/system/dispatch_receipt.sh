#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A revocation is carried to the NAS that hold the pump, and its receipt says what became of it: NAS
# that acknowledge, refuse, are deaf for a while or lie, and a dispatcher or registry that dies
# between. The NAS are tests/support/dastool, each with an address of its own.
# shellcheck disable=SC2317,SC2015,SC2119 # functions are called by check
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
# shellcheck source=tests/support/scratch.sh
. tests/support/scratch.sh
# shellcheck source=tests/support/pump_client.sh
. tests/support/pump_client.sh

DAS_PIDS=()
down() {
	[ ${#DAS_PIDS[@]} = 0 ] || kill "${DAS_PIDS[@]}" 2>/dev/null
	scratch_down
}
scratch_up || exit 1
trap down EXIT
site_up || exit 1

# das_up NAME IP PORT [DASTOOL-OPTION...]: port 0 takes a free one; sets DAS_PORT
das_up() {
	"$PUMPGATE_BUILD/tools/dastool" --secret-file "$SCRATCH/nas.secret" --address "$2" --port "$3" \
		"${@:4}" >"$SCRATCH/das-$1.log" &
	DAS_PIDS+=($!)
	DAS_PID=$!
	wait_until 5 grep -q port "$SCRATCH/das-$1.log" || return
	DAS_PORT=$(head -n 1 "$SCRATCH/das-$1.log" | jq .port)
}

# nas_up NAME IP [DASTOOL-OPTION...]; the port is below those that sockets get by themselves: one NAS
# comes back on its port after a while, and nobody may have it by then
nas_up() {
	das_up "$1" "$2" $((20000 + RANDOM % 10000)) "${@:3}" &&
		pumpctl nas add "$1" --ip "$2" --secret-file "$SCRATCH/nas.secret" \
			--das-port "$DAS_PORT" >/dev/null
}

# pump_on SERIAL MAC NAS-IP: enrolled, and on the network there in session s-SERIAL
pump_on() {
	pump_enrol "$1" "$2" && eap "$1" -A "$3" -M "$2" -N "44:s:s-$1" &&
		wait_until 5 says "s-$1" pumpctl session list --json
}

nas_up ack 127.0.0.11 || exit 1
nas_up nak 127.0.0.12 --answer nak || exit 1
nas_up refuse 127.0.0.13 --answer nak --cause 501 || exit 1
nas_up forge 127.0.0.14 --answer forge || exit 1
nas_up deaf 127.0.0.15 --deaf-first 1000 || exit 1
deaf_port=$DAS_PORT deaf_pid=$DAS_PID
n=0
for name in ACK NAK REFUSE FORGE DEAF; do
	n=$((n + 1))
	pump_on "P-$name" "02:00:00:00:01:0$n" "127.0.0.1$n" || { echo "Bail out! $name"; exit 1; }
done

revoke() { # STATUS PATTERN SERIAL [OPTION...]
	local out status
	out=$(pumpctl pump revoke "$3" --reason "test" "${@:4}" 2>&1)
	status=$?
	printf '%s\n' "$out"
	[ "$status" = "$1" ] && grep -qE -- "$2" <<<"$out"
}

das_heard() { # NAME JQ-FILTER
	jq -e -s "any(.[]; $2)" "$SCRATCH/das-$1.log"
}

order_open() { [ "$(pumpctl pump show "$1" --json | jq .open_orders)" = "$2" ]; }
dispatcher() { pgrep -f "^[^ ]*pumpgate-dispatchd --home $PUMPGATE_HOME"; }
registryd() { pgrep -f "^[^ ]*pumpgate-registryd --home $PUMPGATE_HOME"; }
is_another() { [ -n "$("$1")" ] && [ "$("$1")" != "$2" ]; }

# ---- what is not an acknowledgement ----
check "a_forged_acknowledgement_does_not_count_as_one" revoke 75 's-P-FORGE: (no answer|not sent)' P-FORGE --wait 2s
check "the_forgery_is_logged" grep -q dispatch.wrong_signature "$PUMPGATE_HOME/log/dispatchd.log"
check "the_order_stays_open_after_a_forgery" order_open P-FORGE 1
check "a_refusal_for_another_reason_is_tried_again_and_says_its_cause" revoke 75 'Error-Cause 501' P-REFUSE --wait 1s
check "a_nas_that_does_not_know_session_and_station_settles_the_order" revoke 0 'knows no such session' P-NAK
check "it_was_asked_for_the_session_first" das_heard nak '.session == "s-P-NAK"'
check "and_then_for_the_station_alone" das_heard nak '.session == "" and .station == "02-00-00-00-01-02"'

# ---- acknowledged ----
check "a_live_session_is_disconnected_and_the_receipt_says_so" revoke 0 's-P-ACK: disconnected' P-ACK
check "the_request_was_genuine_and_fresh" das_heard ack \
	'.genuine and .code == 40 and .session == "s-P-ACK" and .station == "02-00-00-00-01-01" and .age_s < 3'
check "one_request_was_enough" [ "$(wc -l <"$SCRATCH/das-ack.log")" = 2 ]
check "a_second_revocation_shows_the_first_receipt" revoke 2 's-P-ACK: disconnected' P-ACK

# ---- deaths in between ----
check "a_deaf_nas_leaves_the_receipt_open" revoke 75 's-P-DEAF: (no answer|not sent)' P-DEAF --wait 1s
dispatcher_was=$(dispatcher)
kill -KILL "$dispatcher_was"
check "a_killed_dispatcher_is_replaced" wait_until 10 is_another dispatcher "$dispatcher_was"
check "the_order_survives_it" order_open P-DEAF 1
registryd_was=$(registryd)
kill -KILL "$registryd_was"
check "a_killed_registry_is_replaced" wait_until 10 is_another registryd "$registryd_was"
kill "$deaf_pid"
das_up deaf2 127.0.0.15 "$deaf_port"
check "once_the_nas_hears_again_the_order_is_done_by_itself" wait_until 40 order_open P-DEAF 0
check "and_the_receipt_says_so" revoke 2 's-P-DEAF: disconnected' P-DEAF
check "the_dispatcher_counts_as_present" says connected pumpctl status
if grep -qE '__(asan|tsan)_init' "$PUMPGATE_BUILD/bin/pumpgate-dispatchd"; then
	skip "the_dispatcher_has_given_up_system_calls" "not in a sanitized build"
else
	check "the_dispatcher_has_given_up_system_calls" \
		grep -qE "^Seccomp:\s+2" "/proc/$(dispatcher)/status"
fi
tap_done
