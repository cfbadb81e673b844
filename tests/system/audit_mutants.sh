#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests of checkpoints and of what an admin may ask must notice when a single rule is missing: each
# is taken out of a copy in turn, and the tests must then fail.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
build=${PUMPGATE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}
[ -w /dev/shm ] && export TMPDIR=/dev/shm
case $build in *address* | *thread*)
	skip "audit_mutants" "the plain build is enough"
	tap_done
	;;
esac

# link TEST-OBJECTS... [MUTANT]: whatever the mutant defines is not taken from the libraries
link() {
	"$cc" -pthread -o "$work/test" "$@" -Wl,--start-group "$build"/lib/lib{ca,ca_request,signer_proto,policies,base}.a \
		-Wl,--end-group -lcmocka -lcrypto -lsodium -levent -levent_pthreads -linih
}
# shellcheck disable=SC2317 # called by check
fails() {
	! timeout 60 "$@" >/dev/null 2>&1
}
# mutant SENTENCE SOURCE SED-SCRIPT TEST-OBJECTS [NAME-OF-TESTS]
mutant() {
	sed -E "$3" "$2.c" >"$work/mutant.c"
	if cmp -s "$2.c" "$work/mutant.c"; then
		check "mutant applies: $1" false
		return
	fi
	# shellcheck disable=SC2086 # a list of objects
	if ! "$cc" -std=gnu11 -D_GNU_SOURCE -DOPENSSL_API_COMPAT=30000 -I. -I"$build/gen" -fPIE -pthread -O1 -w -c \
		-o "$work/mutant.o" "$work/mutant.c" || ! link $4 "$work/mutant.o"; then
		check "mutant builds: $1" false
		return
	fi
	check "tests notice: $1" fails "$work/test" ${5:+"$5"}
}

tests=$build/obj/tests/unit/ca/test_checkpoints.o
ipc="$build/obj/tests/unit/base/test_ipc.o $build/obj/tests/unit/base/ipc_fixture.o"
link "$tests" || exit 1
check "the tests hold without a mutation" "$work/test"
statement=ca/request/audit_checkpoint list=ca/checkpoints
mutant "a signature is not looked at" $statement 's/if \(!rc && \(EVP_DigestVerifyInit/if (0 \&\& (EVP_DigestVerifyInit/' "$tests"
mutant "an acceptance is signed like any other" $statement 's/c->accepted \? "accepted" : "head"/"head"/' "$tests"
mutant "a row that is gone counts" $statement 's/head_seq < last->seq \|\| !row_hash\[0\]/0/' "$tests"
mutant "another row counts" $statement 's/if \(strcmp\(row_hash, last->head\) != 0\)/if (0)/' "$tests"
mutant "a line may be written otherwise" $statement 's/again\.len != len \+ 1 \|\|/0 \&\&/' "$tests"
mutant "the list is not verified when it is opened" $list 's/rc = checkpoint_verify\(&c, list->key\)/rc = 0/' "$tests"
mutant "numbers may be given twice" $list 's/c\.number <= list->all\[list->n - 1\]\.number/0/' "$tests"
mutant "acceptances are thinned out" $list 's/c\.accepted \|\| //' "$tests"
mutant "the newest of a chain is thinned out" $list 's/ \|\| is_newest\(all, n, i\)//' "$tests"
mutant "every admin may everything" base/ipc_server 's/if \(c->role->may &&/if (0 \&\&/' "$ipc" '*may_not_ask*'
tap_done
