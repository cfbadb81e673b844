#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The agent's unit under a systemd that booted: Debian's kernel in a virtual machine, the root file
# system and the server of check-radio, systemd as the first process. `make check-boot` runs it. Never
# uses KVM and never touches the network of the machine that it runs on.
#
# Exit status: 0 every check passed, 1 one failed or the machine did not come to its end, 69 something
# that it needs is missing. Leaves $PUMPGATE_BUILD/boot/serial.log.
set -u
cd "$(dirname "$0")/../.." || exit
PUMPGATE_BUILD=$(cd "${PUMPGATE_BUILD:-build}" && pwd) || exit
LIMIT_S=${BOOT_LIMIT_S:-300}
KERNEL=$PUMPGATE_BUILD/radio # one download for both
W=$PUMPGATE_BUILD/boot
LOG=$W/serial.log
UNITS=/usr/lib/systemd/system
# shellcheck source=tests/radio/kernel.sh
. tests/radio/kernel.sh
# shellcheck source=tests/radio/image.sh
. tests/radio/image.sh

give_up() {
	echo "check-boot: $*" >&2
	exit 69
}

# systemd, what it starts by itself, and the agent as `make install` leaves it
systemd_put() {
	local root=$1 programs=() libraries file
	for file in systemd systemd-executor systemd-journald systemd-shutdown; do
		[ ! -x "/usr/lib/systemd/$file" ] || programs+=("/usr/lib/systemd/$file")
	done
	for file in systemctl journalctl systemd-sysusers systemd-analyze chrt pgrep chown getent; do
		programs+=("$(type -P "$file")") || return
	done
	mapfile -t libraries < <(image_libraries "${programs[@]}")
	# which systemd loads when a unit bounds ports
	mapfile -t -O "${#libraries[@]}" libraries < <(compgen -G '/usr/lib/*/libbpf.so.1'; compgen -G '/usr/lib/*/libelf.so.1')
	image_put "$root" "${programs[@]}" "${libraries[@]}" \
		"$UNITS"/{sysinit,basic,sockets,timers,paths,slices,shutdown,umount,final,local-fs,local-fs-pre,swap,network}.target \
		"$UNITS"/systemd-journald{.service,.socket,-dev-log.socket} &&
		image_put "$root" pump_agent/pumpgate-agentd.service || return
	mkdir -p "$root$UNITS"/{sockets,boot}.target.wants "$root/usr/lib/sysusers.d" "$root/etc/pumpgate"
	mv "$root$PWD/pump_agent/pumpgate-agentd.service" "$root$UNITS/"
	cp pump_agent/pumpgate-agent.sysusers "$root/usr/lib/sysusers.d/pumpgate-agent.conf"
	ln -s ../systemd-journald.socket "$root$UNITS/sockets.target.wants/"
	ln -s ../systemd-journald-dev-log.socket "$root$UNITS/sockets.target.wants/"
	cp tests/boot/guest.sh "$root/radio/"
	printf '%s\n' '[Unit]' 'Description=The checks' 'Requires=basic.target' 'After=basic.target' '[Service]' \
		'Type=exec' 'ExecStart=/bin/bash /radio/guest.sh' 'StandardOutput=tty' 'StandardError=tty' \
		'TTYPath=/dev/ttyS0' 'Environment=PATH=/usr/sbin:/usr/bin LC_ALL=C HOME=/root' >"$root$UNITS/check.service"
}

boot() {
	timeout -k 5 "$LIMIT_S" qemu-system-x86_64 -accel tcg,thread=multi -M pc -cpu max -m 768 \
		-smp 2 -nodefaults -no-user-config -display none -no-reboot \
		-kernel "$KERNEL/vmlinux" -initrd "$W/root.cpio" \
		-append "console=ttyS0 quiet reboot=t panic=-1 mitigations=off nokaslr cryptomgr.notests ipv6.disable=1 \
rdinit=/usr/lib/systemd/systemd systemd.unit=check.service systemd.show_status=false \
systemd.unified_cgroup_hierarchy=1" \
		-serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 </dev/null
}

needed=$(image_missing) || give_up "not found: $needed (.ci/deps.sh radio installs the packages)"
[ -x /usr/lib/systemd/systemd ] || give_up "not found: systemd"
mkdir -p "$W" "$KERNEL"
kernel_ready "$KERNEL" || give_up "no kernel: $KERNEL_WHY"
rm -rf "$W/modules"
cp -R "$KERNEL/modules" "$W/modules"
{ image_tree "$W" && systemd_put "$W/root" && image_pack "$W"; } || give_up "the root file system could not be made"
rm -f "$LOG"
booted=$SECONDS
boot 2>&1 | sed -u 's/\r$//' | tee "$LOG"
status=${PIPESTATUS[0]}
echo "# kernel $KERNEL_RELEASE, virtual machine: $((SECONDS - booted)) s; serial log: $LOG"
case $status in # 2 N + 1 of what the guest writes to its exit port
33) grep -q '^1\.\.[1-9]' "$LOG" && ! grep -q '^not ok' "$LOG" && exit 0 ;;
35) echo "check-boot: failed" >&2 ;;
124 | 137) echo "check-boot: stopped after $LIMIT_S s" >&2 ;;
*) echo "check-boot: the virtual machine ended with $status" >&2 ;;
esac
exit 1
