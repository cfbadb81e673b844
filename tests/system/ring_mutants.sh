#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests of the event ring must notice when a single one of its rules is missing: each is taken
# out of a copy in turn, and the tests must then fail.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
build=${PUMPGATE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}
[ -w /dev/shm ] && export TMPDIR=/dev/shm # these runs need no disk
case $build in *address* | *thread*)
	skip "ring_mutants" "the plain build is enough"
	tap_done
	;;
esac

# changed SENTENCE SOURCE SED-SCRIPT: $work/mutant.o
changed() {
	sed -E "$3" "$2.c" >"$work/mutant.c"
	if cmp -s "$2.c" "$work/mutant.c"; then
		check "mutant_applies: $1" false
		return 1
	fi
	"$cc" -std=gnu11 -D_GNU_SOURCE -I. -I"$build/gen" -fPIE -pthread -O1 -w -c \
		-o "$work/mutant.o" "$work/mutant.c" && return 0
	check "mutant_builds: $1" false
	return 1
}

# link PROGRAM [SOURCE OBJECT]: the service or the test of the ring alone
link() {
	local folders="sql/proto base" own=

	case $1 in
	service) folders="$folders sql/store sql/serve sql/registryd policies" ;;
	*) own="$build/obj/tests/unit/sql/test_event_ring.o $build/obj/sql/registryd/event_memory.o" ;;
	esac
	for folder in $folders; do find "$build/obj/$folder" -name '*.o'; done >"$work/objects"
	for object in $own; do echo "$object"; done >>"$work/objects"
	grep -v "/obj/${2:-none}\.o\$" "$work/objects" >"$work/linked"
	"$cc" -pthread -o "$work/$1/bin/pumpgate-registryd" "@$work/linked" ${3:+"$3"} -lcmocka \
		-lsqlite3 -lsodium -levent -levent_pthreads -linih -lseccomp
}

# shellcheck disable=SC2317 # called by check
ring_tests() {
	timeout 60 "$work/ring/bin/pumpgate-registryd" >/dev/null 2>&1
}
# shellcheck disable=SC2317 # called by check
service_tests() {
	PATIENCE_MS=${patience:-10000} PUMPGATE_BUILD=$work/service timeout 60 "$build/tests/sql/test_registryd_ring" "$@" >/dev/null 2>&1
}
# shellcheck disable=SC2317 # called by check
fails() {
	! "$@"
}

# ring_mutant SENTENCE SOURCE SED-SCRIPT
ring_mutant() {
	changed "$1" "$2" "$3" && link ring "$2" "$work/mutant.o" &&
		check "tests_notice: $1" fails ring_tests
}

# service_mutant SENTENCE SOURCE NAME-OF-TESTS SED-SCRIPT
service_mutant() {
	changed "$1" "$2" "$4" && link service "$2" "$work/mutant.o" &&
		check "tests_notice: $1" fails service_tests "$3"
}

mkdir -p "$work/ring/bin" "$work/service/bin"
link ring && link service || exit 1
check "the_tests_hold_without_a_mutation: the ring" ring_tests
check "the_tests_hold_without_a_mutation: the service" service_tests '*event*'

patience=500 # a slow machine can only hide that a mutant was noticed for the wrong reason
ring=sql/proto/event_ring memory=sql/registryd/event_memory desk=sql/registryd/ring_desk
ring_mutant "what an entry says is not held against its hash" $ring 's/s\.hash != slot_hash\(s\.number, s\.bytes, s\.len\)/0/'
ring_mutant "an entry may say any length" $ring 's/s\.len > sizeof\(s\.bytes\) \|\| //; s/s\.hash != slot_hash\(s\.number, s\.bytes, s\.len\)/0/'
ring_mutant "rejects take the room of accepts" $ring 's/size_t count = refused \? EVENT_RING_REJECTS : EVENT_RING_ACCEPTS;/size_t count = EVENT_RING_SLOTS - first;/; s/size_t first = refused \? EVENT_RING_ACCEPTS : 0;/size_t first = 0;/'
ring_mutant "an accept that finds no room is not counted" $ring 's/atomic_fetch_add\(is_refusal\(e\) \?/atomic_fetch_add(1 ?/'
ring_mutant "living writers lose their slots" $ring 's/event_word_state\(word\) == EVENT_UNFINISHED \&\& others/event_word_state(word) == EVENT_UNFINISHED/'
ring_mutant "a ring that others can write is taken" $memory 's/st\.st_mode \& 077/0/'
ring_mutant "a link is followed anywhere" $memory 's/if \(!is_our_name\(m->path\)\)/if (0)/; s/n != SHM_PATH_SIZE - 1/n == 0/'
ring_mutant "a ring that was cut is read on" $memory 's/\(size_t\)n == len \? 0 : err_set\(ERR_CORRUPT/1 ? 0 : err_set(ERR_CORRUPT/'
service_mutant "an entry is freed before its commit" $desk '*killed_before*' \
	's/^(\td->n = valid;)$/\1 event_memory_free(d->memory, d->entries, valid);/; s/^\tevent_memory_free\(d->memory, d->entries, d->n\);//'
service_mutant "what was stored is not noted" $desk '*stored_once' \
	's/return session_store_ring_taken\(d->sessions, numbers, d->n\);/return 0;/'
service_mutant "what was stored is not forgotten" $desk '*stored_once' 's/rc = taken_forget\(d\);/rc = 0;/'
service_mutant "an accept that can't be stored is not held against a revocation" $desk \
	'*could_not_be_stored*' 's/return !again;/return false;/'
service_mutant "it is held against it at each attempt" $desk '*could_not_be_stored*' \
	's/return !again;/return true;/'
service_mutant "a ring that was full is not noted" $desk '*_ring_is_told_*' \
	's/head.lost_accepts != atomic_load\(\&s->accepts_lost\)/0/; s/^\tif \(accepts\) \{/\tif (0) {/'
service_mutant "a ring that is gone is not noted" $desk '*_gone_is_told_*' 's/^\tif \(gone\)$/\tif (0)/'
service_mutant "who was revoked just before a loss is forgotten" $desk '*just_before*' \
	's/writer_follow_up\(d->service, \&f\);//'
service_mutant "any role gets the ring" sql/registryd/verb_tables '*_radius_alone' \
	's/(static const struct ipc_verb admin_verbs\[\] = \{)/\1 {.verb = REGISTRY_EVENT_RING, .name = "ring", .handle = verb_event_ring},/'
tap_done
