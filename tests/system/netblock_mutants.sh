#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A network block that lets the pump talk to any RADIUS server must not get out, however netblock.c
# might be broken, no root may follow another that has not signed for it, and no policy may be believed
# that the server CA did not sign for it: each way to
# lose a check is made in a copy, and the unit test must fail on it.
# shellcheck disable=SC2317 # functions are called through check
cd "$(dirname "$0")/../.." || exit 1
. tests/support/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
libraries=${PUMPGATE_BUILD:-build}/lib

# build FILE: a test program from it and the sources beside it
build() {
	# shellcheck disable=SC2046,SC2086 # lists of files and flags
	"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -I. -O1 -w -o "$work/test" "$1" $beside \
		"$libraries/libagent_core.a" "$libraries/libca_request.a" "$libraries/libbase.a" $(pkg-config --cflags --libs jansson libsodium cmocka libcrypto)
}
test_fails() { ! "$work/test"; }
# mutant SENTENCE SED-SCRIPT
mutant() {
	sed -E "$2" "$source" >"$work/mutant.c"
	check "the mutant differs: $1" fails_with 1 cmp -s "$source" "$work/mutant.c"
	check "and builds" build "$work/mutant.c"
	check "and is caught: $1" test_fails
}

source=pump_agent/netblock.c
beside="tests/unit/pump_agent/test_netblock.c"
check netblock_c_itself_builds build "$source"
check and_passes "$work/test"
mutant 'ca_cert is not written' 's/put_text\(b, "ca_cert", in->anchors\)/0/'
mutant 'domain_match is not written' 's/put_server_names\(b, in->server_name\)/0/'
mutant 'a missing CA is not refused' 's/!in->anchors \|\| in->anchors\[0\] != .\/./0/'
mutant 'a missing server name is not refused' 's/!in->server_name \|\| server_name_check\(in->server_name\)/0/'
mutant 'both server checks are left out' 's/put_server_checks\(&b, in\)/0/'
mutant 'domain_match became domain_suffix_match' 's/"domain_match"/"domain_suffix_match"/'
mutant 'any name after the first is taken' 's/"%s;%s", name, next/"%s;%s", name, ""/'

source=pump_agent/server_policy.c
beside="tests/unit/pump_agent/test_server_policy.c tests/unit/ca/ca_fixture.c
	$libraries/libca.a $libraries/libca_request.a $libraries/libpolicies.a"
check server_policy_c_itself_builds build "$source"
check and_passes "$work/test"
mutant 'a RADIUS server signs policies' 's/\|\| !signs_policies\(cert\)/|| 0/'
mutant 'the signature is not looked at' 's/CMS_verify\(cms, NULL, NULL, NULL, content, flags\) != 1/(CMS_verify(cms, NULL, NULL, NULL, content, flags | CMS_NO_CONTENT_VERIFY | CMS_NO_ATTR_VERIFY), 0)/'
mutant 'anybody may sign' 's/X509_verify_cert\(ctx\) != 1/0/'
mutant 'one good signer of two is enough' 's/sk_X509_num\(signers\) == 1/sk_X509_num(signers) > 0/'
mutant 'an old policy is followed' 's/p->number <= \*number/p->number == 0/'
mutant 'any login server is taken' 's/login_server_check\(address, name\)/0/'
mutant 'whatever was signed is a policy' 's/strcmp\(kind, "server-policy"\)/0/'
source=pump_agent/succession.c
beside="tests/unit/pump_agent/test_succession.c tests/unit/ca/ca_fixture.c
	$libraries/libca.a $libraries/libca_request.a $libraries/libpolicies.a"
check succession_c_itself_builds build "$source"
check and_passes "$work/test"
mutant 'a new root is taken without NewWithOld' 's/is_vouched_for\(out, \*n_held_out, all, x, now_s\)/1/'
mutant 'a stranger signs NewWithOld' 's/!is_signed_by\(with_old, old\)/0/'
mutant 'it may be for another key' 's/EVP_PKEY_eq\(X509_get0_pubkey\(with_old\), key\) != 1/0/'
mutant 'it may have any name' 's/X509_NAME_cmp\(X509_get_subject_name\(fresh\), name\)/0/'
mutant 'the new root may do more' 's/!has_the_powers_of\(fresh, old\)/0/'
mutant 'the way to it may do more' 's/!has_the_powers_of\(with_old, old\)/0/'
mutant 'an ended one is taken' 's/is_in_force\(fresh, now_s\) && //'
mutant 'an older root is taken back' 's/ASN1_TIME_compare\(X509_get0_notBefore\(fresh\), X509_get0_notBefore\(old\)\) <= 0/0/'
mutant 'any number of roots is held' 's/r->n == ANCHOR_ROOTS_MAX/0/'
mutant 'the old root is dropped before the new one was used' 's/!is_proven\(&roots, n_held, held, proven\)/0/'

tap_done
