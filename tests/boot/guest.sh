#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# In the virtual machine, under systemd: a server, a wired supplicant, and the agent as its unit starts
# it. Ends the machine with the checks' status.
# shellcheck disable=SC2317 # functions are called through check and wait_until
# shellcheck source=tests/support/tap.sh
. /radio/tap.sh
UNIT=pumpgate-agentd.service
GROUP=/sys/fs/cgroup/system.slice/$UNIT
STATE=/var/lib/pumpgate-agent
export PUMPGATE_HOME=/run/server

# ended N: qemu exits with 2 * N + 1
ended() {
	printf '%b' "\\x$(printf %02x "$1")" | dd of=/dev/port bs=1 seek=$((0xf4)) 2>/dev/null
	sleep 60
}
property() { systemctl show -p "$1" --value "$UNIT"; }
pid() { property MainPID; }
is() { [ "$(property "$1")" = "$2" ]; }
bound_is() { says "^$2\$" cat "$GROUP/$1"; }
status_is() { says "^$1:[[:space:]]*$2\$" cat "/proc/$(pid)/status"; }
agent_is() { [ "$(pumpgate-agentd --state $STATE status --json | jq -r .state)" = "$1" ]; }
restarted() { is ActiveState active && [ "$(pid)" != "$1" ] && [ "$(pid)" != 0 ]; }
throttled() { [ "$(awk '$1 == "nr_throttled" { print $2 }' "$GROUP/cpu.stat")" -gt 5 ]; }
held_back() { [ "$(awk '$1 == "high" { print $2 }' "$GROUP/memory.events")" -ge 1 ]; }
journal() { journalctl --no-pager -o cat -u $UNIT; }
complains() { journal | grep -E 'Operation not permitted|Permission denied|Bad system call'; }

server_start() {
	pumpctl init >/dev/null &&
		{ setsid pumpctl run >/run/server.log 2>&1 & } &&
		wait_until 90 test -s "$PUMPGATE_HOME/run.json" &&
		pumpctl zone add wards --vlan 20 >/dev/null &&
		pumpctl pump add PG-1 --maker Acme --model One --zone wards --mac 02:00:00:00:00:01 >/dev/null &&
		pumpctl pump bundle PG-1 --out /run/bundle.json >/dev/null
}

supplicant_start() {
	insmod /radio/modules/veth.ko 2>/dev/null
	ip link add p0 type veth peer name switch && ip link set p0 up && ip link set switch up &&
		printf 'ctrl_interface=DIR=/run/wpa_supplicant GROUP=pumpgate-agent\nap_scan=0\n' >/run/wpa.conf &&
		wpa_supplicant -B -D wired -i p0 -c /run/wpa.conf >/run/wpa.log 2>&1
}

# in_group COMMAND...: beside the agent, within its bounds
in_group() {
	bash -c 'echo $$ >"$1/cgroup.procs" && shift && echo 1000 >/proc/self/oom_score_adj && exec "$@"' - "$GROUP" "$@"
}

ip link set lo up
read -r up _ </proc/uptime
echo "# booted in $up s: $(systemctl --version | head -n 1)"
systemd-sysusers 2>&1 | sed 's/^/# /'
check a_server_starts_beside_it server_start
check and_a_supplicant supplicant_start
printf '[agent]\ninterface = p0\ncontroller-user = 1234\nclock = tell\n' >/etc/pumpgate/pumpgate-agent.conf
check the_unit_starts_when_the_agent_says_that_it_is_ready systemctl start $UNIT
check and_is_active is ActiveState active
check and_of_type_notify is Type notify
first=$(pid)

user=$(id -u pumpgate-agent)
check the_agent_runs_under_its_own_user status_is Uid "$user\s+$user\s+$user\s+$user"
check it_may_set_the_clock_and_nothing_else status_is CapEff 0000000002000000
check and_can_gain_nothing status_is NoNewPrivs 1
check its_system_calls_are_filtered status_is Seccomp 2
check it_is_the_first_to_go_when_memory_runs_out says '^1000$' cat "/proc/$first/oom_score_adj"
check it_gives_way_to_everybody says 'SCHED_BATCH' chrt -p "$first"
check a_quarter_of_a_processor_is_its_bound bound_is cpu.max '25000 100000'
check sixty_four_mebibytes_are_its_bound bound_is memory.max 67108864
check it_may_not_swap bound_is memory.swap.max 0
check sixteen_tasks_are_its_bound bound_is pids.max 16
check its_secrets_are_for_it_alone says "^711 pumpgate-agent" stat -c '%a %U' $STATE
check the_controllers_socket_is_there wait_until 10 test -S /run/pumpgate-agent/pumplink
check systemd_rates_it_at_most_2.5 systemd-analyze security --no-pager --threshold=25 $UNIT

cp /run/bundle.json $STATE/bundle.new && chown pumpgate-agent: $STATE/bundle.new && mv $STATE/bundle.new $STATE/bundle.json
check it_enrols_within_its_bounds wait_until 90 agent_is enrolled
check and_has_brought_the_identity_to_the_supplicant wait_until 30 says 'PG-1|EAP' wpa_cli -p /run/wpa_supplicant -i p0 get_network 0 identity
check and_the_journal_says_so says 'agent.state .*to=enrolled' journal
check and_was_refused_nothing_on_the_way fails_with 1 complains

in_group timeout 3 bash -c 'while :; do :; done'
check the_bound_on_the_processor_holds throttled
in_group timeout -s KILL 15 dd if=/dev/zero of=/dev/null bs=100M count=1 2>/dev/null
got_it=$?
check who_wants_more_memory_is_held_back held_back
check and_the_bound_on_it_holds test "$got_it" != 0 # the group may be gone: the agent restarts
check and_the_agent_is_there_after_it wait_until 40 is ActiveState active

first=$(pid)
kill -KILL "$first"
check killed_it_comes_back wait_until 60 restarted "$first"
check as_what_it_was wait_until 30 agent_is enrolled
check and_takes_up_its_bounds_again bound_is memory.max 67108864
check it_ends_when_it_is_told systemctl stop $UNIT
check and_well is Result success
echo "1..$TAP_N"
read -r up _ </proc/uptime
echo "# ended after $up s"
[ "$TAP_FAILED" = 0 ] && ended 16
journalctl --no-pager 2>/dev/null | tail -n 40 | sed 's/^/# /'
ended 17
