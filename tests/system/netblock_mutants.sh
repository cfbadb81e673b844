#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A network block that lets the pump talk to any RADIUS server must not get out, however netblock.c
# might be broken: each way to lose the CA or the server name is made in a copy, and the unit test must
# fail on it.
# shellcheck disable=SC2317 # functions are called through check
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source=pump_agent/netblock.c

# build FILE
build() {
	# shellcheck disable=SC2046 # a list of flags
	"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -I. -O1 -w -o "$work/test" "$1" tests/unit/pump_agent/test_netblock.c \
		pump_agent/bundle.c ca/request/device_name.c base/buf.c base/err.c base/file.c base/secret.c \
		$(pkg-config --cflags --libs jansson libsodium cmocka)
}
test_fails() { ! "$work/test"; }
# mutant SENTENCE SED-SCRIPT
mutant() {
	sed -E "$2" "$source" >"$work/mutant.c"
	check "the mutant differs: $1" fails_with 1 cmp -s "$source" "$work/mutant.c"
	check "and builds" build "$work/mutant.c"
	check "and is caught: $1" test_fails
}

check netblock_c_itself_builds build "$source"
check and_passes "$work/test"
mutant 'ca_cert is not written' 's/put_text\(b, "ca_cert", in->anchors\)/0/'
mutant 'domain_match is not written' 's/put_text\(b, "domain_match", in->server_name\)/0/'
mutant 'a missing CA is not refused' 's/!in->anchors \|\| in->anchors\[0\] != .\/./0/'
mutant 'a missing server name is not refused' 's/!in->server_name \|\| server_name_check\(in->server_name\)/0/'
mutant 'both server checks are left out' 's/put_server_checks\(&b, in\)/0/'
mutant 'domain_match became domain_suffix_match' 's/"domain_match"/"domain_suffix_match"/'
tap_done
