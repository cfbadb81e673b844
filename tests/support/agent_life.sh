# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The life of pumps KILL-0, KILL-1, ... whose agents are killed, in tests against a real server with a
# stand-in for wpa_supplicant. Source it after scratch.sh; AGENT is the program, its folders are
# $SCRATCH/stateN and $SCRATCH/wpa/N, its bundle $SCRATCH/N.json, its words go to $SCRATCH/N.log.

# agent N [VARIABLE=VALUE...]: becomes the agent of pump N
agent() {
	local n=$1
	shift
	exec env "$@" "$AGENT" --clock tell --state "$SCRATCH/state$n" --bundle "$SCRATCH/$n.json" \
		--interface lo --control "$SCRATCH/wpa/$n" --renew-at 1 >>"$SCRATCH/$n.log" 2>&1
}
has_state() { [[ $(<"$SCRATCH/state$1/status.json") == *"\"state\": \"$2\""* ]]; } 2>/dev/null
state_of() { jq -r "$2" "$SCRATCH/state$1/status.json" 2>/dev/null; }
# one whole identity, the one that the network was opened with last; and it was renewed
settled() {
	local n=$1 dir=$SCRATCH/state$1 slot serial
	has_state "$n" online && slot=$(jq -r .active "$dir/state.json") || return 1
	[ "$(find "$dir/a" "$dir/b" -name '*.pem' | wc -l)" = 2 ] &&
		serial=$(openssl x509 -in "$dir/$slot/cert.pem" -noout -serial | cut -d= -f2 | tr A-F a-f) &&
		[ "$(cat "$SCRATCH/wpa/$n/ADMITTED")" = "$serial" ] &&
		grep -q '^renewal' "$dir/$slot/for" && [ "$(state_of "$n" .certificate)" = "$serial" ]
}
# ordered N: the pump is told, as by its server
ordered() {
	local dir=$SCRATCH/state$1 order
	order=$(pumpctl pump decommission "KILL-$1" --reason test --no-wait --json 2>/dev/null | jq -r .wipe_order)
	jq --arg o "$order" '.wipe = $o' "$dir/state.json" >"$dir/state.new" && mv "$dir/state.new" "$dir/state.json"
	mkdir -p "$dir/login" "$dir/log" && echo verifier >"$dir/login/user" && echo line >"$dir/log/today"
}
wiped() {
	local dir=$SCRATCH/state$1
	[ ! -e "$dir/state.json" ] && [ -z "$(find "$dir/a" "$dir/b" "$dir/login" "$dir/log" -type f)" ] &&
		! ls "$dir"/*.pem "$dir"/wipe-* 2>/dev/null
}
# the server's front knows the order: it looks every few seconds
front_knows() { [ "$(curl -sS --cacert "$TRUST" -o /dev/null -w '%{http_code}' "${EST_URL%/est}/pumpgate/decommission/$1")" = 405 ]; }
