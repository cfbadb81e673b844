# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Debian's kernel, downloaded and unpacked but never installed. Source it.
#
#   kernel_ready DIR   leaves DIR/vmlinux and DIR/modules/*.ko; sets KERNEL_RELEASE.
#                      On failure status 1 and KERNEL_WHY. The package stays in DIR for the next time.
KERNEL_RELEASE=
KERNEL_WHY=
: "$KERNEL_WHY" # for those who source this
# in the order in which they are loaded
KERNEL_MODULES='ctr ccm gcm cmac gf128mul ghash-generic llc stp bridge veth virtio_ring virtio rfkill
	cfg80211 libarc4 mac80211 mac80211_hwsim'

# The package that linux-image-amd64 stands for. (The cloud kernel has no wireless.)
kernel_package() {
	apt-cache depends linux-image-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*-amd64\)$/\1/p' | head -n 1
}

kernel_download() {
	local dir=$1 package
	package=$(kernel_package)
	[ -n "$package" ] && (cd "$dir" && apt-get -q download "$package" >/dev/null 2>&1)
}

# kernel_word FILE OFFSET: 32 bits, little-endian
kernel_word() {
	od -An -t u4 -j "$2" -N 4 "$1" | tr -d ' '
}

# The compressed kernel inside a bzImage (Documentation/x86/boot.rst: setup_sects, payload_offset,
# payload_length). It boots through PVH, faster than its own decompressor would run in emulation.
kernel_unpack() {
	local image=$1 out=$2 sectors offset
	sectors=$(od -An -t u1 -j 497 -N 1 "$image" | tr -d ' ')
	offset=$(((sectors + 1) * 512 + $(kernel_word "$image" 584)))
	tail -c "+$((offset + 1))" "$image" | head -c "$(kernel_word "$image" 588)" >"$out.packed"
	case $(od -An -t x1 -N 4 "$out.packed" | tr -d ' ') in
	fd377a58) xz -dc --single-stream <"$out.packed" >"$out" ;;
	28b52ffd) zstd -dcq <"$out.packed" >"$out" ;;
	1f8b*) gzip -dc <"$out.packed" >"$out" 2>/dev/null ;;
	*) false ;;
	esac
	rm -f "$out.packed"
	[ "$(od -An -c -N 4 "$out" | tr -d ' ')" = '177ELF' ]
}

kernel_modules() {
	local dir=$1 module found
	mkdir -p "$dir/modules"
	for module in $KERNEL_MODULES; do
		found=$(find "$dir/unpacked" -name "$module.ko*" -print -quit)
		case $found in
		*.ko) cp "$found" "$dir/modules/" ;;
		*.xz) xz -dc "$found" >"$dir/modules/$module.ko" ;;
		*.zst) zstd -dcq "$found" >"$dir/modules/$module.ko" ;;
		*) ;; # built in, or not of this version: the guest finds out
		esac || return
	done
	[ -s "$dir/modules/mac80211_hwsim.ko" ]
}

kernel_ready() {
	local dir=$1 package
	package=$(find "$dir" -maxdepth 1 -name 'linux-image-*.deb' | sort -V | tail -n 1)
	if [ -z "$package" ]; then
		KERNEL_WHY="the package could not be downloaded"
		if ! kernel_download "$dir"; then
			[ "$(id -u)" = 0 ] && apt-get -q update >/dev/null && kernel_download "$dir" ||
				return 1
		fi
		package=$(find "$dir" -maxdepth 1 -name 'linux-image-*.deb' | sort -V | tail -n 1)
		[ -n "$package" ] || return 1
	fi
	KERNEL_RELEASE=$(basename "$package" | sed 's/^linux-image-\([^_]*\)_.*/\1/')
	[ "$(cat "$dir/kernel.release" 2>/dev/null)" = "$KERNEL_RELEASE" ] && return 0
	KERNEL_WHY="$package could not be unpacked"
	rm -rf "$dir/unpacked" "$dir/modules"
	dpkg-deb -x "$package" "$dir/unpacked" &&
		kernel_unpack "$dir/unpacked/boot/vmlinuz-$KERNEL_RELEASE" "$dir/vmlinux" &&
		kernel_modules "$dir" || return 1
	rm -rf "$dir/unpacked"
	echo "$KERNEL_RELEASE" >"$dir/kernel.release"
}
