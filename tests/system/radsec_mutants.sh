#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests of what radsecd does with packets must notice when any of its checks is missing: each
# refusal is taken out of a copy of the sources in turn, and the tests must then fail.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}
build=${PUMPGATE_BUILD:-build}
sources=(hop relay gate)

compile() { # SOURCE OBJECT
	"$cc" -std=gnu11 -D_GNU_SOURCE -I. -I"$build/gen" -O1 -w -c -o "$work/$2" "$1"
}
link() {
	# shellcheck disable=SC2046 # a list of words
	"$cc" -o "$work/tests" "$work"/*.o "$build/lib/libradius_packet.a" "$build/lib/libbase.a" \
		-lcmocka $(pkg-config --libs libcrypto libsodium libevent inih 2>/dev/null)
}
compile tests/unit/radsec/test_radsec.c tests.o || exit 1
for name in "${sources[@]}"; do compile "radius_modules/radsec/$name.c" "$name.o" || exit 1; done
link || exit 1
check "the_tests_pass_as_it_is" "$work/tests"

# shellcheck disable=SC2317 # called by check
notices() {
	! timeout 10 "$work/tests" >/dev/null 2>&1
}
mutant() { # FILE SENTENCE SED-EXPRESSION
	sed -E "$3" "radius_modules/radsec/$1.c" >"$work/mutant.c"
	if cmp -s "radius_modules/radsec/$1.c" "$work/mutant.c" || ! compile "$work/mutant.c" "$1.o" || ! link; then
		check "a_mutant_is_made: $2" false
	else
		check "the_tests_notice: $2" notices
	fi
	compile "radius_modules/radsec/$1.c" "$1.o"
}
mutant hop "any token is right" 's/!secret_equal\(.*/0)/'
mutant hop "a serial need not be hex" 's/strspn\(o\.cert_serial, hex\) != strlen\(o\.cert_serial\)/0/'
mutant hop "a NUL may stand inside" 's/ \|\| strlen\(copy\) != len//'
mutant relay "a NAS may bring a hop" 's/if \(!rc \&\& hops\)/if (0)/'
mutant relay "the hop goes on to the NAS" 's/if \(a\.type == HOP_ATTRIBUTE\)/if (0)/'
mutant relay "any answer is radiusd's" '/^int relay_answer/,/^}/s/^\tint rc = radius_verify_reply.*/\tint rc = 0;/'
mutant relay "an answer of another kind" 's/if \(!answers\(.*/if (0)/'
mutant relay "anybody may disconnect" 's/\? radius_verify_request\(in, token, HOP_TOKEN_CHARS, true\)/? 0/'
mutant relay "packets of any length" 's/n < RADIUS_HEADER_BYTES \|\| n > RADIUS_PACKET_MAX/0/'
mutant relay "the answer is signed for our own request" 's/radius_sign_reply\(out, asked->authenticator, RADSEC_SECRET/radius_sign_reply(out, asked->sent, RADSEC_SECRET/'
mutant gate "one source may take all" 's/from_source\(g, from\) >= GATE_STRANGERS_PER_SOURCE/0/'
mutant gate "who leaves is still counted" 's/^\t\tstranger_remove\(g, from\);$/\t\t;/'
tap_done
