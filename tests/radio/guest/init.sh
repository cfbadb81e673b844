#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The guest's first process: file systems, radios, the checks, and the end of the machine with their
# status. Must never end by itself: the kernel would panic.
export PATH=/usr/sbin:/usr/bin LC_ALL=C HOME=/root TERM=dumb
RADIOS=4

# ended N: qemu exits with 2 * N + 1
ended() {
	printf '%b' "\\x$(printf %02x "$1")" | dd of=/dev/port bs=1 seek=$((0xf4)) 2>/dev/null
	while :; do sleep 60; done # the machine has gone
}

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/console 2>&1
ln -s /proc/self/fd /dev/fd 2>/dev/null
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /dev/shm # registryd keeps its event ring there
ip link set dev lo up
modules=()
read -ra modules -d '' </radio/modules/order
for module in "${modules[@]}"; do
	[ ! -e "/radio/modules/$module.ko" ] || {
		[ "$module" != mac80211_hwsim ] || set -- "radios=$RADIOS" channels=1
		insmod "/radio/modules/$module.ko" "$@" || echo "# $module could not be loaded"
	}
done
read -r up _ </proc/uptime
echo "# booted in $up s"
bash /radio/checks.sh
status=$?
read -r up _ </proc/uptime
echo "# ended after $up s with $status"
[ $status = 0 ] && ended 16
ended 17
