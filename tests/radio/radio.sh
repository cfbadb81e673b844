#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Real Wi-Fi in a virtual machine: Debian's kernel with simulated radios, hostapd as two access points,
# the whole server and the agent over wpa_supplicant. `make check-radio` runs it. Never uses KVM and
# never touches the network of the machine that it runs on.
#
# Exit status: 0 every check passed, 1 one failed or the machine did not come to its end, 69 something
# that it needs is missing. Leaves $PUMPGATE_BUILD/radio/serial.log.
set -u
cd "$(dirname "$0")/../.." || exit
PUMPGATE_BUILD=$(cd "${PUMPGATE_BUILD:-build}" && pwd) || exit
LIMIT_S=${RADIO_LIMIT_S:-300}
W=$PUMPGATE_BUILD/radio
LOG=$W/serial.log
GUEST_PASSED=33 # qemu's status for what the guest writes to its exit port: 2 * 16 + 1
GUEST_FAILED=35
# shellcheck source=tests/radio/kernel.sh
. tests/radio/kernel.sh
# shellcheck source=tests/radio/image.sh
. tests/radio/image.sh

give_up() {
	echo "check-radio: $*" >&2
	exit 69
}

boot() {
	timeout -k 5 "$LIMIT_S" qemu-system-x86_64 -accel tcg,thread=multi -M pc -cpu max -m 768 \
		-smp 2 -nodefaults -no-user-config -display none -no-reboot \
		-kernel "$W/vmlinux" -initrd "$W/root.cpio" \
		-append "console=ttyS0 quiet reboot=t panic=-1 mitigations=off nokaslr \
cryptomgr.notests ipv6.disable=1 rdinit=/radio/init.sh" \
		-serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 </dev/null
}

needed=$(image_missing) || give_up "not found: $needed (.ci/deps.sh radio installs the packages)"
mkdir -p "$W"
started=$SECONDS
kernel_ready "$W" || give_up "no kernel: $KERNEL_WHY"
image_build "$W" || give_up "the root file system could not be made"
echo "# kernel $KERNEL_RELEASE, root file system $(du -m "$W/root.cpio" | cut -f1) MB: $((SECONDS - started)) s"
rm -f "$LOG"
booted=$SECONDS
boot 2>&1 | sed -u 's/\r$//' | tee "$LOG"
status=${PIPESTATUS[0]}
echo "# virtual machine: $((SECONDS - booted)) s; serial log: $LOG"
case $status in
"$GUEST_PASSED") grep -q '^1\.\.[1-9]' "$LOG" && ! grep -q '^not ok' "$LOG" && exit 0 ;;
"$GUEST_FAILED") echo "check-radio: failed" >&2 ;;
124 | 137) echo "check-radio: stopped after $LIMIT_S s" >&2 ;;
*) echo "check-radio: the virtual machine ended with $status" >&2 ;;
esac
exit 1
