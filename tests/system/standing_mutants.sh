#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests of the map of standings must notice when a single one of its rules is missing: each is
# taken out of a copy in turn, and the tests must then fail.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
build=${PUMPGATE_BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-gcc}
[ -w /dev/shm ] && export TMPDIR=/dev/shm # these runs need no disk
case $build in *address* | *thread*)
	skip "standing_mutants" "the plain build is enough"
	tap_done
	;;
esac

# objects WITHOUT: what the tests and the service are made of, but for one source's object
objects() {
	find "$build/obj/sql/store" "$build/obj/sql/proto" "$build/obj/policies" "$build/obj/base" \
		"$build/obj/sql/registryd" "$build/obj/sql/serve" -name '*.o' | grep -v "/${1:-none}\.o\$"
}

# link NAME TEST [SOURCE OBJECT]: a unit test, or the service (TEST is "registryd")
link() {
	local own

	# shellcheck disable=SC2046,SC2086 # lists of words
	case $2 in
	registryd)
		"$cc" -pthread -o "$work/$1" $(objects "${3##*/}" | grep -v "$build/obj/${3:-none}\.o") \
			${4:-} -lsqlite3 -lsodium -levent -levent_pthreads -linih -lseccomp
		;;
	*)
		own=$build/obj/tests/unit/sql
		"$cc" -pthread -o "$work/$1" "$own/$2.o" "$own/fixture.o" \
			$(objects | grep -v -e "/obj/${3:-none}\.o\$" -e '/sql/registryd/main\.o$') \
			${4:-} -lcmocka -lsqlite3 -lsodium -levent -levent_pthreads -linih -lseccomp
		;;
	esac
}

# shellcheck disable=SC2317 # called by check
fails() {
	! timeout 60 "$@" >/dev/null 2>&1
}

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

# mutant SENTENCE SOURCE TEST SED-SCRIPT [NAME-OF-TESTS]
mutant() {
	changed "$1" "$2" "$4" || return
	if ! link mutant "$3" "$2" "$work/mutant.o"; then
		check "mutant_links: $1" false
		return
	fi
	check "tests_notice: $1" fails "$work/mutant" ${5:+"$5"}
}

map=sql/proto/standing_map kept=sql/registryd/standing_keeper watch=sql/store/standings
for t in test_standing_map test_standings; do
	link plain $t || exit 1
	check "the_tests_hold_without_a_mutation: $t" "$work/plain"
done
mutant "marks of certificates are not looked at" $map test_standing_map \
	's/atomic_load\(certificate_mark\(m, e->certificate\)\) == e->certificate_mark/1/'
mutant "marks of devices are not looked at" $map test_standing_map \
	's/atomic_load\(device_mark\(m, e->device\)\) == e->device_mark/1/'
mutant "a mark of all is not looked at" $map test_standing_map \
	's/atomic_load\(&header_of\(m\)->generation\) == e->generation/1/'
mutant "no marks are looked at" $map test_standing_map \
	's/!entry_counts\(m, &e\) \|\| //'
mutant "the beat is not looked at" $map test_standing_map 's/age_us < STANDING_LEASE_US/1/'
mutant "a beat from the future counts" $map test_standing_map 's/age_us >= 0 \&\& //'
mutant "a closed map answers" $map test_standing_map 's/!atomic_load\(&h->open\) \|\| //'
mutant "bad standing is put" $map test_standing_map \
	's/if \(!standing_is_good\(&s->facts\)\)/if (0)/; s/ \|\| !standing_is_good\(&facts\)//'
mutant "the issuer is left out of the name" $map test_standing_map \
	's/crypto_generichash_update\(&state, \(const uint8_t \*\)name->issuer, strlen\(name->issuer\) \+ 1\);//'
mutant "names run into each other" $map test_standing_map \
	's/strlen\(name->issuer\) \+ 1/strlen(name->issuer)/'
mutant "facts stand there for all to read" $map test_standing_map \
	's/crypto_secretbox_easy\(e->box, text.data, text.len, nonce, k->box\)/memcpy(e->box, text.data, text.len)/'
mutant "a full bucket throws out what counts" $map test_standing_map \
	's/if \(!same && \(counts \|\| found != SLOTS\)\)/if (!same \&\& found != SLOTS)/'
mutant "memory of another size is taken" $map test_standing_map 's/ \|\|\s*size != bytes\(h->buckets, h->marks\)//; s/^\s*size != bytes\(h->buckets, h->marks\)\)/0)/'
mutant "a change of a device marks nothing" $kept test_standings \
	's/standing_map_mark_device\(&sd->map, id\);//' \
	'*answer*'
mutant "a change of a certificate marks nothing" $kept test_standings \
	's/standing_map_mark_certificate\(&sd->map, id\);//' \
	'*answer*'
mutant "a change of everything marks nothing" $kept test_standings \
	's/standing_map_mark_all\(&sd->map\);//' \
	'*answer*'
mutant "marks wait until the map is put" $kept test_standings \
	's/standing_map_mark_(device|certificate)\(&sd->map, id\);//; s/int rc = dirty_put\(sd, &sd->devices, STANDING_DEVICE\);/for (size_t i = 0; i < sd->devices.n; i++) standing_map_mark_device(\&sd->map, sd->devices.ids[i]); int rc = dirty_put(sd, \&sd->devices, STANDING_DEVICE);/' \
	'*answer*'
mutant "the signer's list is not looked at" $kept test_standings \
	's/standing_map_open\(&sd->map, !hold\)/standing_map_open(\&sd->map, true)/' \
	'*answer*'
mutant "the map stays open while the signer's list moves" $kept test_standings \
	's/standing_map_open\(&sd->map, false\);/(void)0;/' \
	'*answer*'
mutant "changes of others are not looked for" $kept test_standings 's/version != sd->version/0/' \
	'change_behind*'
mutant "the memory is not sealed" $kept test_standings 's/if \(fcntl\(sd->fd, F_ADD_SEALS, seals\)\)/if (0)/' \
	'who_gets*'
mutant "the memory may be written later" $kept test_standings 's/ \| F_SEAL_FUTURE_WRITE//' \
	'who_gets*'
mutant "an unknown table changes nothing" $watch test_standings 's/^\treturn EFFECT_ALL;/\treturn EFFECT_NONE;/' \
	'*answer*'
mutant "facts may depend on any table" $watch test_standings 's/^\t\*unknown = true;//' \
	'facts_from*'
mutant "a changed zone changes nothing" $watch test_standings \
	's/\{"zones", EFFECT_ALL, EFFECT_NONE\}/{"zones", EFFECT_NONE, EFFECT_NONE}/' \
	'*answer*'
mutant "a changed floor of a model changes nothing" $watch test_standings \
	's/\{"model_tls", EFFECT_ALL, EFFECT_ALL\}/{"model_tls", EFFECT_NONE, EFFECT_NONE}/' \
	'*answer*'
mutant "a report changes every answer" $watch test_standings \
	's/\{"reports", EFFECT_NONE, EFFECT_NONE\},//' \
	'*answer*'

# ---- the service itself: tests/unit/sql/test_registryd_map against a changed one ----
mkdir -p "$work/service/bin"
service_mutant() { # SENTENCE SOURCE NAME-OF-TESTS SED-SCRIPT
	changed "$1" "$2" "$4" || return
	if ! link service/bin/pumpgate-registryd registryd "$2" "$work/mutant.o"; then
		check "mutant_links: $1" false
		return
	fi
	check "tests_notice: $1" service_fails "$3"
}
# shellcheck disable=SC2317 # called by check
service_tests() {
	PUMPGATE_BUILD=$work/service timeout 60 "$build/tests/sql/${tests:-test_registryd_map}" "$1" >/dev/null 2>&1
}
# A machine that is slow for a moment hides what happens too early: once in ten times is enough.
# shellcheck disable=SC2317 # called by check
service_fails() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		service_tests "$1" || return 0
	done
	return 1
}
link service/bin/pumpgate-registryd registryd || exit 1
check "the_tests_hold_without_a_mutation: the service" service_tests '*_map_*'
service_mutant "it changes the registry within the lease of the one before" sql/registryd/main \
	'*_killed_*' 's/lease_wait\(clock_mono_us\(\)\);//'
service_mutant "any role gets the map" sql/registryd/verb_tables '*_radius_alone' \
	's/(static const struct ipc_verb admin_verbs\[\] = \{)/\1 {.verb = REGISTRY_STANDINGS, .name = "standings", .handle = verb_standings},/'
tests=test_registryd_reports
service_mutant "who is below its model's floor is chased out of quarantine" sql/registryd/event_follow \
	'*below_its_models_floor*' 's/return state == DEVICE_ENROLLED \&\&/return 0 \&\&/'
service_mutant "who is below its model's floor is not told" sql/registryd/writer_report \
	'*below_its_models_floor*' 's/if \(!p.low\)/if (1)/'
service_mutant "any quarantine of an enrolled pump is as it is due" sql/registryd/event_follow \
	'*below_its_models_floor*' 's/!strcmp\(e->verdict, verdict_name\(VERDICT_QUARANTINE\)\) \&\&/1;/'
tap_done
