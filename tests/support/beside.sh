# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# An emulated controller and the agent beside it on one processor, and what can befall the agent. Source
# it after tap.sh; needs root and real-time priority.
#
#   beside_up, beside_down     the folder $W, the users, the pump's network with its cable
#   controller_start PROGRAM   its loop at real-time priority; controller_end
#   agent_start [VARIABLE=VALUE...]; agent_end
#   account                    of the loop since the last `account`; view: its display
#   plain, flooded, ...        a trouble that lasts for a phase; troubles_end afterwards
# shellcheck disable=SC2034 # read by those who source it
PUMPGATE_BUILD=$(cd "${PUMPGATE_BUILD:-build}" && pwd)
FLAPS=${PUMPLINK_FLAPS:-1000}
W=
NET=pgbeside$$
AGENT_UID=64311 CONTROLLER_UID=64312
CPU=$(taskset -pc $$ | sed 's/.*[,: -]//') # the last one that we may use
CONTROLLER_PID='' AGENT_PID='' TROUBLES=()

beside_down() {
	local pid
	for pid in "${TROUBLES[@]}" $AGENT_PID $CONTROLLER_PID; do
		kill -9 "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	ip netns del "$NET" 2>/dev/null
	rm -rf "$W"
}

beside_up() {
	W=$(mktemp -d)
	ip netns add "$NET" && ip -n "$NET" link add eth0 type veth peer name other && ip -n "$NET" link set other up &&
		ip -n "$NET" link set eth0 up && ip -n "$NET" link set lo up || return
	chmod 0755 "$W"
	mkdir -m 0755 "$W/wpa" "$W/bin"
	install -d -m 0711 -o $AGENT_UID -g $AGENT_UID "$W/state"
	install -d -m 2750 -o $AGENT_UID -g $CONTROLLER_UID "$W/link"
	install -d -m 0700 -o $CONTROLLER_UID "$W/keypad"
	cp "$PUMPGATE_BUILD/bin/pumpgate-agentd" "$PUMPGATE_BUILD/tools/pump_controller" "$PUMPGATE_BUILD/tools/pester" "$PUMPGATE_BUILD/tools/spin.so" "$W/bin/"
	chmod -R a+rX "$W/bin"
	cat >"$W/bundle.json" <<-END
		{"version": 1, "pump": "PG-1", "est": "https://127.0.0.1:9443/e", "server_anchor_sha256": "$(printf '00%.0s' $(seq 32))",
		 "radius_server_name": "radius-1.example", "token": "0123456789abcdef0123456789abcdef"}
	END
	chmod 0644 "$W/bundle.json"
}

# controller_start PROGRAM: a user of its own, its loop at real-time priority on one processor
controller_start() {
	setpriv --reuid "$CONTROLLER_UID" --regid "$CONTROLLER_UID" --clear-groups --inh-caps +sys_nice,+ipc_lock \
		--ambient-caps +sys_nice,+ipc_lock "$1" --dir "$W/keypad" run --agent "$W/link/s" --cpu "$CPU" --priority 50 \
		>"$W/controller.out" 2>&1 &
	CONTROLLER_PID=$!
	wait_until 10 grep -q ready "$W/controller.out"
}
controller_end() {
	kill -9 "$CONTROLLER_PID" 2>/dev/null
	wait "$CONTROLLER_PID" 2>/dev/null
	CONTROLLER_PID=
}
account() { "$W/bin/pump_controller" --dir "$W/keypad" account; }
view() { "$W/bin/pump_controller" --dir "$W/keypad" view; }

# As the agent's user, in the pump's network, on the controller's processor. For the background.
beside() {
	exec nsenter --net="/run/netns/$NET" taskset -c "$CPU" ${PRIORITY:+chrt -f "$PRIORITY"} \
		setpriv --reuid "$AGENT_UID" --regid "$AGENT_UID" --clear-groups "$@"
}
agent_start() { # [VARIABLE=VALUE...]
	beside env "$@" "$W/bin/pumpgate-agentd" --clock tell --state "$W/state" --bundle "$W/bundle.json" \
		--interface eth0 --control "$W/wpa" --controller-user "$CONTROLLER_UID" --controller-socket "$W/link/s" \
		>>"$W/agent.log" 2>&1 &
	AGENT_PID=$!
}
# The agent inherits the loop's own priority from whoever starts it; what it does before main counts
# for that one.
agent_start_by_real_time_parent() {
	PRIORITY=50 agent_start "$@"
	sleep 0.4
	account >/dev/null
}
agent_end() {
	[ -z "$AGENT_PID" ] || kill -9 "$AGENT_PID" 2>/dev/null
	wait "$AGENT_PID" 2>/dev/null
	AGENT_PID=
}
sees_agent() { view | grep -q '"agent":true'; }
sees_no_agent() { view | grep -q '"agent":false'; }
# trouble COMMAND...: goes on until the end of the phase
trouble() {
	"$@" >>"$W/trouble.out" 2>&1 &
	TROUBLES+=($!)
}
# troubled WORD: it has begun
troubled() {
	wait_until 5 grep -q "$1" "$W/trouble.out"
}
troubles_end() {
	local pid
	for pid in "${TROUBLES[@]}"; do
		kill -9 "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	TROUBLES=()
}

# ---- the troubles ----

plain() {
	agent_start && sleep 0.5
}
# Every socket that the agent has: the controller's, wpa_supplicant's, the server that it asks.
flooded() {
	trouble setpriv --reuid "$CONTROLLER_UID" --regid "$CONTROLLER_UID" --clear-groups "$W/bin/pester" datagrams "$W/link/s"
	trouble "$W/bin/pester" supplicant "$W/wpa/eth0"
	trouble nsenter --net="/run/netns/$NET" "$W/bin/pester" server 9443
	agent_start
	sleep 0.8
}
killed() {
	for _ in 1 2 3 4 5 6 7 8; do
		agent_start
		sleep 0.06
		agent_end
	done
}
stopped() {
	agent_start
	for _ in 1 2 3 4 5 6 7 8; do
		sleep 0.05
		kill -STOP "$AGENT_PID"
		sleep 0.05
		kill -CONT "$AGENT_PID"
	done
}
starved() {
	trouble taskset -c "$CPU" sh -c 'while :; do :; done'
	trouble taskset -c "$CPU" sh -c 'while :; do :; done'
	agent_start && sleep 0.6
}
flapping() {
	: >"$W/agent.log"
	agent_start
	wait_until 10 grep -q agent.start "$W/agent.log"
	account >/dev/null
	for _ in $(seq "$FLAPS"); do
		printf 'link set other down\nlink set other up\n'
	done | ip -n "$NET" -batch - 2>/dev/null
	sleep 0.3
}
spinning() {
	agent_start_by_real_time_parent LD_PRELOAD="$W/bin/spin.so" && sleep 0.5
}
spinning_unbound() {
	agent_start_by_real_time_parent LD_PRELOAD="$W/bin/spin.so" SPIN_UNBOUND=1 && sleep 0.5
}
hostile() {
	trouble beside "$W/bin/pester" agent "$W/link/s"
	troubled scribbling && sleep 0.8
}
holding() {
	trouble beside "$W/bin/pester" holder "$W/link/s"
	troubled holding && sleep 0.5
}
