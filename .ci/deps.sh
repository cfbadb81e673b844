#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs the Debian packages that are missing, and says what it does. Without root it says exactly
# which packages to install and fails. `deps.sh radio`: also those of `make check-radio`.
set -eu

# FreeRADIUS must be 3.2.7 or newer: Debian 12's own lacks the BlastRADIUS switches.
# The PKCS#11 provider of OpenSSL is in the same two places.
RADIUS_PACKAGES='freeradius freeradius-utils libfreeradius-dev libtalloc-dev pkcs11-provider'
PACKAGES='gcc make pkg-config git libssl-dev openssl libevent-dev libsqlite3-dev sqlite3
	libcmocka-dev libsodium-dev libinih-dev libseccomp-dev libjansson-dev
	libgfshare-dev libcsv-dev libidn-dev libpwquality-dev cracklib-runtime libqrencode-dev libwpa-client-dev libtss2-dev libnftables-dev libmnl-dev
	hostapd wpasupplicant eapoltest radsecproxy strongswan-pki libstrongswan-standard-plugins
	default-jdk-headless libbcpkix-java libbctls-java
	tpm2-openssl swtpm tpm2-abrmd tpm2-tools libtss2-tcti-tabrmd0 dbus
	libldap-dev slapd softhsm2 curl jq nftables iproute2 iputils-ping procps systemd
	util-linux e2fsprogs clang clang-format libclang-rt-14-dev shellcheck mandoc'
# The virtual machine of `make check-radio`; its kernel is downloaded there and not installed.
RADIO_PACKAGES='qemu-system-x86 iw kmod cpio xz-utils zstd'
[ "${1:-}" != radio ] || PACKAGES="$PACKAGES $RADIO_PACKAGES"

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = 'ii ' ]
}

missing() {
	for package in "$@"; do
		is_installed "$package" || printf '%s ' "$package"
	done
}

radius_is_old() {
	version=$(dpkg-query -W -f '${Version}' freeradius 2>/dev/null || echo 0)
	dpkg --compare-versions "$version" lt 3.2.7
}

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
if [ "$codename" != bookworm ]; then # from Debian 13 on: whatever its clang version is
	PACKAGES=$(printf '%s' "$PACKAGES" | sed 's/libclang-rt-14-dev/libclang-rt-dev/')
fi
# shellcheck disable=SC2086 # lists of words
wanted=$(missing $PACKAGES)
# shellcheck disable=SC2086
radius_wanted=$(missing $RADIUS_PACKAGES)
[ -z "$radius_wanted" ] && radius_is_old && radius_wanted=$RADIUS_PACKAGES
[ -z "$wanted$radius_wanted" ] && exit 0

if [ "$(id -u)" != 0 ]; then
	echo "deps: these Debian packages are missing; install them as root, or run make as root:" >&2
	[ -n "$wanted" ] && echo "  apt-get install $wanted" >&2
	if [ -n "$radius_wanted" ] && [ "$codename" = bookworm ]; then
		echo "  apt-get -t bookworm-backports install $radius_wanted" >&2
	elif [ -n "$radius_wanted" ]; then
		echo "  apt-get install $radius_wanted" >&2
	fi
	exit 1
fi

# The packages' services must not start: Pumpgate runs its own instances.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 0755 "$policy"
	trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
backports=
if [ "$codename" = bookworm ]; then
	backports='-t bookworm-backports'
	if ! grep -rqs 'bookworm-backports' /etc/apt/sources.list /etc/apt/sources.list.d; then
		echo "deps: adding Debian's bookworm-backports to the package sources (for FreeRADIUS 3.2.7)"
		mirror=$(grep -rhsE '^(URIs:|deb) ' /etc/apt/sources.list /etc/apt/sources.list.d |
			grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ')
		[ -n "$mirror" ] || { echo "deps: no Debian mirror in the package sources" >&2; exit 1; }
		printf 'Types: deb\nURIs: %s\nSuites: bookworm-backports\nComponents: main\nSigned-By: %s\n' \
			"$mirror" /usr/share/keyrings/debian-archive-keyring.gpg \
			>/etc/apt/sources.list.d/pumpgate-backports.sources
	fi
fi
echo "deps: installing $radius_wanted$wanted"
apt-get update -q >/dev/null
# shellcheck disable=SC2086
[ -z "$radius_wanted" ] || apt-get install -y -q --no-install-recommends $backports $radius_wanted >/dev/null
# shellcheck disable=SC2086
[ -z "$wanted" ] || apt-get install -y -q --no-install-recommends $wanted >/dev/null
echo "deps: done"
