#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The agent without shared libraries (make agent STATIC=1): enrols for real from a folder that it
# cannot leave and that holds nothing else, not even a C library.
# shellcheck disable=SC2317,SC2119 # functions are called through check and wait_until
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
. tests/support/scratch.sh
case $PUMPGATE_BUILD in *address* | *thread*)
	skip "agent_static" "the plain build is enough"
	tap_done
	;;
esac
if [ "$(id -u)" != 0 ]; then
	skip "agent_static" "needs root (chroot)"
	tap_done
fi
for lib in ssl crypto event_core sodium seccomp jansson inih; do
	"${CC:-gcc}" -print-file-name="lib$lib.a" | grep -q / || missing="lib$lib.a"
done
if [ -n "${missing:-}" ]; then
	skip "agent_static" "needs $missing"
	tap_done
fi
AGENT_PID=''
down() {
	[ -z "$AGENT_PID" ] || kill "$AGENT_PID" 2>/dev/null
	wait "$AGENT_PID" 2>/dev/null
	umount "$ROOT/proc" 2>/dev/null
	scratch_down
}
status_of() { chroot "$ROOT" /agentd --state /state status --json; }
state_is() { [ "$(status_of | jq -r .state)" = "$1" ]; }

scratch_up || { echo "not ok 1 - the server starts"; exit 1; }
ROOT=$SCRATCH/root
trap down EXIT
AGENT=(chroot "$ROOT" /agentd --state /state --bundle /state/bundle.json --interface none0 --control /none --clock tell
	--controller-socket /state/pumplink)
check the_static_agent_builds env -u MAKEFLAGS -u MAKELEVEL "${MAKE:-make}" -s agent STATIC=1 O="$SCRATCH/build" CFLAGS='-O1 -g0' ${CC:+CC="$CC"}
mkdir -p "$ROOT"/{proc,state}
cp "$SCRATCH/build/bin/pumpgate-agentd" "$ROOT/agentd" || tap_done
mount --bind /proc "$ROOT/proc"
check it_needs_no_library_and_no_loader fails_with 1 grep -qE 'INTERP|NEEDED' <(readelf -ld "$ROOT/agentd" 2>/dev/null)
check and_is_no_fixed_target_for_an_attacker says 'Type: *DYN' readelf -h "$ROOT/agentd"
check it_refuses_a_key_in_a_tpm_before_it_begins fails_with 64 "${AGENT[@]}" --key-in tpm
check and_says_why says 'static and knows no TPM' "${AGENT[@]}" --key-in auto

pumpctl zone add wards --vlan 20 >/dev/null
pumpctl pump add PG-1 --maker Acme --model One --zone wards --mac 02:00:00:00:00:01 >/dev/null
pumpctl pump bundle PG-1 --out "$SCRATCH/bundle.json" >/dev/null
cp "$SCRATCH/bundle.json" "$ROOT/state/"
"${AGENT[@]}" --controller-user 1234 >"$SCRATCH/agent.log" 2>&1 &
AGENT_PID=$!
check it_enrols_where_there_is_nothing_else wait_until 20 state_is enrolled
check and_its_certificate_is_the_registered_one says "$(status_of | jq -r .certificate)" pumpctl cert list --pump PG-1 --json
check and_serves_the_controller wait_until 5 test -S "$ROOT/state/pumplink"
check and_is_bounded_as_the_other says 'Seccomp:.*2' cat "/proc/$AGENT_PID/status"
kill "$AGENT_PID"
wait "$AGENT_PID"
check and_ends_when_it_is_told test $? = 0
AGENT_PID=

jq '.est = "https://est.invalid/.well-known/est"' "$SCRATCH/bundle.json" >"$ROOT/state/bundle.json"
rm -rf "$ROOT"/state/{a,b,state.json}
"${AGENT[@]}" >>"$SCRATCH/agent.log" 2>&1 &
AGENT_PID=$!
check a_name_that_nobody_can_look_up_is_said wait_until 20 says 'cannot resolve est.invalid' status_of
tap_done
