# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The guest's root file system: programs of this machine with the libraries that they name, ours, and
# the guest's scripts, in an uncompressed cpio. Source it (after kernel.sh).
#
#   image_missing     prints what is not there; status 1 when something is missing
#   image_build DIR   leaves DIR/root.cpio: what these two do
#   image_tree DIR    leaves DIR/root
#   image_pack DIR    DIR/root into DIR/root.cpio
IMAGE_HOST='qemu-system-x86_64 cpio xz zstd dpkg-deb apt-get ldd'
IMAGE_PROGRAMS='bash cat chmod cp cut date dd echo ln env false find grep head id insmod ip ping bridge iw jq
	kill ls mkdir mount mv ps realpath rm rmdir sed setsid sleep sort stat tail tee test timeout touch
	tr true uniq wc xargs awk seq sysctl ss hostapd hostapd_cli wpa_supplicant wpa_cli freeradius openssl'
IMAGE_FREERADIUS=/usr/lib/freeradius

image_missing() {
	local program missing=
	for program in $IMAGE_HOST $IMAGE_PROGRAMS; do
		type -P "$program" >/dev/null || missing="$missing$program "
	done
	[ -d "$IMAGE_FREERADIUS" ] || missing="$missing$IMAGE_FREERADIUS "
	printf '%s' "$missing"
	[ -z "$missing" ]
}

# image_put ROOT FILE...: each at its real folder, links followed
image_put() {
	local root=$1 file folder
	shift
	for file in "$@"; do
		folder=$(realpath "$(dirname "$file")")
		mkdir -p "$root$folder"
		cp -L "$file" "$root$folder/$(basename "$file")" || return
	done
}

# image_libraries FILE...: what the dynamic linker would load for them
image_libraries() {
	ldd "$@" 2>/dev/null | grep -oE '/[^ :]+\.so[^ :]*' | sort -u
}

image_folders() {
	local root=$1 name
	mkdir -p "$root"/{usr/bin,usr/sbin,usr/lib,usr/lib64,etc,proc,sys,dev,run,tmp,root,radio}
	mkdir -p "$root/var"
	ln -s /run "$root/var/run"
	for name in bin sbin lib lib64; do
		ln -s "usr/$name" "$root/$name"
	done
	echo 'root:x:0:0:root:/root:/bin/bash' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	echo '127.0.0.1 localhost' >"$root/etc/hosts"
}

# FreeRADIUS with the modules that our configuration names, the standard attributes and those that
# carry the keys of Wi-Fi (RFC 2548): reading all vendors' dictionaries takes long in emulation.
image_freeradius() {
	local root=$1
	image_put "$root" "$IMAGE_FREERADIUS"/{rlm_always,rlm_eap,rlm_eap_tls,proto_*}.so \
		"$IMAGE_FREERADIUS"/libfreeradius-*.so /usr/share/freeradius/dictionary.{rfc,freeradius,compat,microsoft}* &&
		grep -E '^.INCLUDE[[:space:]]+dictionary\.(rfc|freeradius|compat|microsoft)' \
			/usr/share/freeradius/dictionary >"$root/usr/share/freeradius/dictionary"
}

image_tree() {
	local dir=$1 root=$1/root programs=() program libraries
	rm -rf "$root"
	image_folders "$root"
	for program in $IMAGE_PROGRAMS; do
		programs+=("$(type -P "$program")")
	done
	image_put "$root" "${programs[@]}" /etc/ssl/openssl.cnf /usr/lib/*/ossl-modules/legacy.so &&
		image_freeradius "$root" &&
		cp -R "$PUMPGATE_BUILD/bin/." "$root/usr/sbin/" &&
		mkdir -p "$root/usr/lib/pumpgate" "$root/usr/share/pumpgate" &&
		cp -R "$PUMPGATE_BUILD/lib/pumpgate/." "$root/usr/lib/pumpgate/" &&
		cp -R "$PUMPGATE_BUILD/share/pumpgate/." "$root/usr/share/pumpgate/" || return
	ln -s bash "$root/usr/bin/sh"
	mapfile -t libraries < <(image_libraries "${programs[@]}" "$PUMPGATE_BUILD"/bin/* \
		"$PUMPGATE_BUILD"/lib/pumpgate/*.so "$IMAGE_FREERADIUS"/{rlm_eap,rlm_eap_tls}.so)
	image_put "$root" "${libraries[@]}" &&
		cp tests/radio/guest/*.sh tests/demo/network.sh tests/support/tap.sh "$root/radio/" &&
		cp -R "$dir/modules" "$root/radio/" &&
		echo "$KERNEL_MODULES" >"$root/radio/modules/order"
}

image_pack() {
	(cd "$1/root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0) >"$1/root.cpio"
}

image_build() {
	image_tree "$1" && image_pack "$1"
}
